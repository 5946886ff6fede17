"""Degraded shards: the same for both keys, the same bytes again, with their origin, for evaluated utterances alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codecfake.audio.shard_index import ShardError
from codecfake.audio.shards import AudioStore, Provenance, ShardWriter
from codecfake.audio.waveforms import FULL_SCALE
from codecfake.base import files
from codecfake.degradation.settings import DegradationSettings
from codecfake.degradation.shard import write_shard

RATE = 16_000
RECORDINGS, FAKES = "F00", "F01"
IDS = ("a", "b", "c")
CODEC = Provenance("encodec", 8, 6.0, "ab" * 32, "0", "MIT")


def wav_of(utterance_id: str, source: str) -> np.ndarray:
    rng = np.random.default_rng(ord(utterance_id))
    wav = 0.1 * rng.standard_normal(4_000 + ord(utterance_id))
    wav[:800] = 0
    return wav if source == RECORDINGS else np.round(wav, 2)


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A shard of recordings and one of fakes, and a protocol with two of the three utterances."""
    for source, origin in ((RECORDINGS, Provenance("none", 0, 0.0, "", "0")), (FAKES, CODEC)):
        with ShardWriter(tmp_path / f"audio/speech/{source}/0000.tar", "", origin) as writer:
            for name in IDS:
                writer.add(name, wav_of(name, source), RATE)
    rows = [("speech", "a"), ("speech", "c"), ("other", "b")]
    files.write_tsv(tmp_path / "C1.tsv", pd.DataFrame(rows, columns=["corpus", "utterance_id"]))
    return tmp_path


def degrade(root: Path, source: str, kind: str, value: int | str) -> Path:
    settings = DegradationSettings("speech", kind, value)
    folder = root / "audio/speech"
    tar_path = folder / f"{source}+{settings.label}/0000.tar"
    recordings = folder / RECORDINGS / "0000.parquet"
    write_shard(settings, folder / source / "0000.parquet", recordings, [root / "C1.tsv"], tar_path)
    return tar_path


def samples(root: Path, source: str, utterance_id: str) -> np.ndarray:
    wav, _ = AudioStore(root / "audio", [("speech", source)]).read("speech", source, utterance_id)
    return wav / FULL_SCALE


def test_only_evaluated_utterances_are_degraded(audio: Path) -> None:
    index = pd.read_parquet(degrade(audio, FAKES, "noise", 20).with_suffix(".parquet"))
    assert list(index["utterance_id"]) == ["a", "c"]


def test_a_degraded_shard_has_the_origin_of_its_audio(audio: Path) -> None:
    index = pd.read_parquet(degrade(audio, FAKES, "noise", 20).with_suffix(".parquet"))
    before = pd.read_parquet(audio / "audio/speech/F01/0000.parquet").set_index("utterance_id")
    assert set(index["degradation"]) == {"noise_20"}
    assert list(index["degraded_from"]) == list(before.loc[["a", "c"], "sha256"])
    assert set(index["codec"]) == {"encodec"}
    assert set(index["weights_sha256"]) == {CODEC.weights_sha256}


@pytest.mark.parametrize(("kind", "value"), [("noise", 0), ("room", 200), ("opus", 16)])
def test_a_shard_is_made_again_with_the_same_bytes(audio: Path, kind: str, value: int) -> None:
    first = degrade(audio, FAKES, kind, value).read_bytes()
    assert degrade(audio, FAKES, kind, value).read_bytes() == first


def test_a_recording_and_its_fake_get_the_same_noise_but_for_its_level(audio: Path) -> None:
    noises = []
    for source in (RECORDINGS, FAKES):
        degrade(audio, source, "noise", 0)
        noise = samples(audio, f"{source}+noise_0", "a") - samples(audio, source, "a")
        noises.append(noise / noise.std())
    assert np.abs(noises[0] - noises[1]).max() < 1e-3


def test_two_utterances_get_different_noise(audio: Path) -> None:
    degrade(audio, RECORDINGS, "noise", 0)
    a, c = (samples(audio, "F00+noise_0", name) - samples(audio, "F00", name) for name in ("a", "c"))
    assert abs(np.corrcoef(a[:4_000], c[:4_000])[0, 1]) < 0.1


@pytest.mark.parametrize(("kind", "value"), [("trim", 40), ("speed", 110), ("mp3", 32)])
def test_every_degraded_twin_is_as_long_as_its_partner(audio: Path, kind: str, value: int) -> None:
    lengths = [
        pd.read_parquet(degrade(audio, source, kind, value).with_suffix(".parquet"))["num_samples"]
        for source in (RECORDINGS, FAKES)
    ]
    assert list(lengths[0]) == list(lengths[1])


def test_damaged_audio_is_named(audio: Path) -> None:
    tar = audio / "audio/speech/F01/0000.tar"
    offset = int(pd.read_parquet(tar.with_suffix(".parquet"))["offset"][0])
    data = bytearray(tar.read_bytes())
    data[offset + 100] ^= 1
    tar.write_bytes(data)
    with pytest.raises(ShardError, match="utterance a is damaged"):
        degrade(audio, FAKES, "noise", 20)


def test_audio_of_another_rate_is_refused_with_the_remedy(audio: Path) -> None:
    with ShardWriter(audio / "audio/speech/F01/0000.tar", "", CODEC) as writer:
        writer.add("a", wav_of("a", FAKES), 24_000)
    with pytest.raises(ShardError, match=r"24000 Hz, but degradations work at 16000; set `audio"):
        degrade(audio, FAKES, "noise", 20)
