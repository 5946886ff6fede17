"""Partial fakes: the recording outside spans, the coded form inside, linear cross-fades, and their origin."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codecfake.audio.partial_settings import PartialSettings, SplicingSettings
from codecfake.audio.shard_index import ShardError
from codecfake.audio.shards import AudioStore, Provenance, ShardWriter
from codecfake.audio.spans import from_text
from codecfake.audio.splicing import splice, write_shard, write_spans
from codecfake.base import files
from codecfake.base.settings import build

RATE = 16_000
CODEC = Provenance("encodec", 8, 6.0, "ab" * 32, "0", "MIT")
NO_CODEC = Provenance("none", 0, 0.0, "", "0")
IDS = ("a", "b")


def noise(seed: int, num_samples: int = 20_000) -> np.ndarray:
    return np.random.default_rng(seed).integers(-20_000, 20_000, num_samples).astype(np.int16)


def test_a_hard_cut_takes_every_sample_from_one_parent() -> None:
    recording, coded = noise(1), noise(2)
    output = splice(recording, coded, [(100, 500), (900, 1_000)], 0)
    expected = recording.copy()
    expected[100:500], expected[900:1_000] = coded[100:500], coded[900:1_000]
    assert np.array_equal(output, expected)


def test_outside_spans_every_bit_is_that_of_the_recording_also_with_cross_fades() -> None:
    recording, coded = noise(1), noise(2)
    output = splice(recording, coded, [(100, 500)], 160)
    assert np.array_equal(np.delete(output, slice(100, 500)), np.delete(recording, slice(100, 500)))
    assert np.array_equal(output[260:340], coded[260:340])


def test_a_cross_fade_is_linear_and_symmetric() -> None:
    recording, coded = np.zeros(1_000, np.int16), np.full(1_000, 10_000, np.int16)
    output = splice(recording, coded, [(100, 500)], 99)
    assert np.array_equal(output[100:199], 100 * np.arange(1, 100))
    assert np.array_equal(output, output[::-1][400:1_000].tolist() + [0] * 400)


def test_a_short_span_has_shorter_cross_fades() -> None:
    recording, coded = np.zeros(100, np.int16), np.full(100, 900, np.int16)
    assert splice(recording, coded, [(50, 54)], 1_000)[49:55].tolist() == [0, 300, 600, 600, 300, 0]


def test_equal_parents_have_an_equal_child() -> None:
    assert np.array_equal(splice(noise(1), noise(1), [(3, 5_000), (6_000, 7_777)], 333), noise(1))


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A shard of recordings, one of fakes, and one of a control."""
    for source, origin, seed in (("F00", NO_CODEC, 0), ("F01", CODEC, 100), ("P00", NO_CODEC, 0)):
        with ShardWriter(tmp_path / f"{source}/0000.tar", "", origin) as writer:
            for name in IDS:
                writer.add(name, noise(seed + ord(name)) / 32_768, RATE)
    return tmp_path


def make(root: Path, of: str = "F01", source: str = "F01-partial") -> Path:
    settings = SplicingSettings("speech", build(PartialSettings, {"of": of, "share": 0.3}))
    tar_path = root / source / "0000.tar"
    write_shard(settings, root / of / "0000.parquet", root / "F00/0000.parquet", tar_path)
    return tar_path


def test_a_shard_has_the_spans_and_the_digests_of_both_parents(audio: Path) -> None:
    table = pd.read_parquet(make(audio).with_suffix(".parquet"))
    assert list(table["utterance_id"]) == list(IDS)
    for column, source in (("recording_sha256", "F00"), ("coded_sha256", "F01")):
        assert list(table[column]) == list(pd.read_parquet(audio / source / "0000.parquet")["sha256"])
    assert set(table["codec"]) == {"encodec"}
    assert [sum(end - start for start, end in from_text(text)) for text in table["spans"]] == [6_000, 6_000]


def test_the_audio_is_spliced_at_the_spans_of_the_index(audio: Path) -> None:
    table = pd.read_parquet(make(audio).with_suffix(".parquet")).set_index("utterance_id")
    sources = ("F00", "F01", "F01-partial")
    (audio.parent / "root").mkdir()
    (audio.parent / "root/speech").symlink_to(audio)
    store = AudioStore(audio.parent / "root", [("speech", source) for source in sources])
    recording, coded, partial = (store.read("speech", source, "a")[0] for source in sources)
    spans = from_text(table.loc["a", "spans"])
    assert np.array_equal(partial, splice(recording, coded, spans, 160))
    assert not np.array_equal(partial, recording)


def test_the_partial_fakes_of_a_control_are_the_recordings_byte_by_byte(audio: Path) -> None:
    table = pd.read_parquet(make(audio, "P00", "P00-partial").with_suffix(".parquet"))
    assert list(table["sha256"]) == list(pd.read_parquet(audio / "F00/0000.parquet")["sha256"])


def test_a_shard_is_made_again_with_the_same_bytes(audio: Path) -> None:
    first = make(audio).read_bytes()
    assert make(audio).read_bytes() == first


def test_parents_of_different_lengths_are_refused_with_the_utterance(audio: Path) -> None:
    with ShardWriter(audio / "F01/0000.tar", "", CODEC) as writer:
        writer.add("a", noise(5)[:-1] / 32_768, RATE)
    with pytest.raises(ShardError, match=r"utterance a has 19999 samples at 16000 Hz, its recording 20000"):
        make(audio)


def test_a_fake_without_its_recording_is_refused(audio: Path) -> None:
    with ShardWriter(audio / "F01/0000.tar", "", CODEC) as writer:
        writer.add("c", noise(5) / 32_768, RATE)
    with pytest.raises(ShardError, match=r"F00/0000.parquet: no utterance c"):
        make(audio)


def test_the_list_of_spans_is_in_seconds(audio: Path) -> None:
    index = make(audio).with_suffix(".parquet")
    write_spans([index], audio / "spans.tsv")
    table = files.read_tsv(audio / "spans.tsv").astype({"start": float, "end": float})
    assert set(table["utterance_id"]) == set(IDS)
    first = from_text(pd.read_parquet(index)["spans"][0])
    own = table[table["utterance_id"] == "a"]
    assert (own[["start", "end"]] * RATE).round(1).to_numpy().tolist() == [list(map(float, span)) for span in first]
