"""A second codec as a degradation: alike for both keys, with the origin of both codecs, one pass for all steps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_codecs import SMALL

import codec_wrappers
from codec_wrappers.resynthesis.second_codec import degrade_shard
from codec_wrappers.resynthesis.settings import SecondCodecSettings
from codec_wrappers.resynthesis.shard import load_codec, resynthesize, with_gain
from codec_wrappers.resynthesis.stages import ResynthesisError
from codec_wrappers.weights import shipped
from codecfake.audio import shard_index, waveforms
from codecfake.audio.shard_index import ShardError, read_index
from codecfake.audio.shards import AudioStore, Provenance, ShardWriter
from codecfake.base import files

CPU = torch.device("cpu")
RATE = 16_000
SMALLEST = shipped.find("encodec-small")
SETTINGS = SecondCodecSettings(
    "speech", "line", SMALLEST.wrapper, {"codec-line_2": 2, "codec-line_4": 4}, RATE, SMALLEST.model, SMALLEST.gain
)
FIRST = Provenance("dac", 8, 6.0, "ab" * 32, "0", "MIT")


def wav_of(name: str) -> np.ndarray:
    return 0.1 * np.random.default_rng(ord(name)).standard_normal(3_000 + 100 * ord(name))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings, a control with their bytes, and a protocol with two of the three utterances."""
    for source, origin in (("F00", Provenance("none", 0, 0.0, "", "0")), ("P00", FIRST)):
        with ShardWriter(tmp_path / f"speech/{source}/0000.tar", "", origin) as writer:
            for name in "abc":
                writer.add(name, wav_of(name), RATE)
    rows = [("speech", "a"), ("speech", "c"), ("other", "b")]
    files.write_tsv(tmp_path / "C1.tsv", pd.DataFrame(rows, columns=["corpus", "utterance_id"]))
    return tmp_path


def degrade(folder: Path, source: str, settings: SecondCodecSettings = SETTINGS, weights: Path = SMALLEST.path) -> None:
    index = folder / "speech" / source / "0000.parquet"
    degrade_shard(settings, index, [folder / "C1.tsv"], weights, folder / "speech", CPU)


def index_of(folder: Path, source: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "speech" / source / "0000.parquet")


def test_a_step_is_the_round_trip_of_the_codec_with_its_quantizers(folder: Path) -> None:
    degrade(folder, "F00")
    store = AudioStore(folder, [("speech", name) for name in ("F00", "F00+codec-line_2", "F00+codec-line_4")])
    codec = with_gain(load_codec(SMALLEST.wrapper, SMALLEST.model, SMALLEST.path, CPU), SMALLEST.gain)
    wav = torch.from_numpy(store.read("speech", "F00", "a")[0] / waveforms.FULL_SCALE).float()
    at_codec_rate = waveforms.resample(wav.numpy(), RATE, codec.sample_rate or RATE).astype(np.float32)
    for quantizers in (2, 4):
        expected = resynthesize(codec, torch.from_numpy(at_codec_rate)[None], [quantizers])[0][0].numpy()
        samples, _ = waveforms.to_int16(waveforms.fit(waveforms.resample(expected, codec.sample_rate, RATE), len(wav)))
        assert np.array_equal(store.read("speech", f"F00+codec-line_{quantizers}", "a")[0], samples)


def test_only_evaluated_utterances_go_through_it_and_keep_their_length(folder: Path) -> None:
    degrade(folder, "P00")
    before, after = index_of(folder, "P00").set_index("utterance_id"), index_of(folder, "P00+codec-line_2")
    assert list(after["utterance_id"]) == ["a", "c"]
    assert list(after["num_samples"]) == list(before.loc[["a", "c"], "num_samples"])
    assert list(after["degraded_from"]) == list(before.loc[["a", "c"], "sha256"])
    assert set(after["degradation"]) == {"codec-line_2"}


def test_a_control_stays_equal_to_the_recordings_at_every_step(folder: Path) -> None:
    for source in ("F00", "P00"):
        degrade(folder, source)
    for step in SETTINGS.steps:
        recordings, control = (index_of(folder, f"{source}+{step}") for source in ("F00", "P00"))
        assert list(recordings["sha256"]) == list(control["sha256"])
        assert not set(recordings["sha256"]) & set(index_of(folder, "F00")["sha256"])


def test_the_index_has_the_origin_of_both_codecs(folder: Path) -> None:
    degrade(folder, "P00")
    row = index_of(folder, "P00+codec-line_4").iloc[0]
    assert (row["codec"], row["quantizers"], row["weights_sha256"]) == ("dac", 8, FIRST.weights_sha256)
    assert (row["second_codec"], row["second_quantizers"]) == ("line", 4)
    assert row["second_weights_sha256"] == files.sha256(SMALLEST.path)
    assert row["second_bitrate_kbps"] > 0


def test_shards_of_different_second_weights_are_not_mixed(folder: Path, tmp_path: Path) -> None:
    step = folder / "speech/F00+codec-line_2"
    degrade(folder, "F00")
    table = index_of(folder, step.name).assign(second_weights_sha256="00" * 32, utterance_id=["d", "e"])
    files.write_parquet(step / "0001.parquet", table)
    (step / "0001.tar").write_bytes((step / "0000.tar").read_bytes())
    with pytest.raises(ShardError, match="must come from the same weights"):
        read_index(folder, [("speech", step.name)])


def test_a_lossless_codec_changes_no_byte(folder: Path) -> None:
    name = next(name for name in codec_wrappers.names() if codec_wrappers.entry(name).is_control)
    settings = replace(SETTINGS, wrapper=name, model=SMALL.get(name, {}), gain=None, steps={"codec-line_1": 1})
    index = folder / "speech/F00/0000.parquet"
    degrade_shard(settings, index, [folder / "C1.tsv"], None, folder / "speech", CPU)
    before = index_of(folder, "F00").set_index("utterance_id").loc[["a", "c"], "sha256"]
    assert list(index_of(folder, "F00+codec-line_1")["sha256"]) == list(before)


def test_more_quantizers_than_the_codec_has_are_refused(folder: Path) -> None:
    with pytest.raises(ResynthesisError, match="codec-line_99: 99 quantizers, but line has"):
        degrade(folder, "F00", replace(SETTINGS, steps={"codec-line_99": 99}))


def test_the_columns_of_a_second_codec_are_those_of_a_provenance() -> None:
    names = set(Provenance.__dataclass_fields__) - {"version"}
    assert set(shard_index.SECOND_CODEC) == {f"second_{name}" for name in names}
