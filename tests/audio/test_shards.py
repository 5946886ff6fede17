"""Audio shards: random access, the same bytes, and nothing that looks finished and is not."""

import tarfile
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codecfake.audio import shards, waveforms
from codecfake.audio.export import export
from codecfake.base import files

RECORDED = shards.Provenance("none", 0, 0.0, "", "test")


def utterance_table(num_samples: list[int], sample_rate: int = 16000) -> pd.DataFrame:
    ids = [f"u{number:03d}" for number in range(len(num_samples))]
    return pd.DataFrame({"utterance_id": ids, "num_samples": num_samples, "sample_rate": sample_rate})


def write(path: Path, wavs: dict[str, np.ndarray], prefix: str = "F01_") -> None:
    with shards.ShardWriter(path, prefix, RECORDED) as writer:
        for utterance_id, wav in wavs.items():
            writer.add(utterance_id, wav, 16000)


@pytest.fixture
def wavs(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        name: rng.uniform(-0.5, 0.5, size)
        for name, size in [("a", 1), ("long name é 语音 " + "x" * 150, 700), ("c", 512)]
    }


def test_every_utterance_is_found_by_offset(tmp_path: Path, wavs: dict[str, np.ndarray]) -> None:
    write(tmp_path / "en/F01/0000.tar", wavs)
    store = shards.AudioStore(tmp_path, [("en", "F01")])
    for utterance_id, wav in wavs.items():
        samples, rate = store.read("en", "F01", utterance_id)
        assert rate == 16000
        np.testing.assert_array_equal(samples, waveforms.to_int16(wav)[0])


def test_the_tar_is_plain_and_its_members_are_named_as_published(tmp_path: Path, wavs: dict[str, np.ndarray]) -> None:
    write(tmp_path / "0000.tar", wavs)
    with tarfile.open(tmp_path / "0000.tar") as tar:
        assert tar.getnames() == [f"F01_{utterance_id}.flac" for utterance_id in wavs]


def test_the_same_utterances_give_the_same_bytes(tmp_path: Path, wavs: dict[str, np.ndarray]) -> None:
    for folder in ("one", "two"):
        write(tmp_path / folder / "0000.tar", wavs)
    for kind in ("tar", "parquet"):
        assert (tmp_path / f"one/0000.{kind}").read_bytes() == (tmp_path / f"two/0000.{kind}").read_bytes()


def test_a_job_that_fails_leaves_no_shard(tmp_path: Path) -> None:
    with pytest.raises(shards.ShardError, match="utterance b: 1 of 2 samples are not finite"):
        write(tmp_path / "0000.tar", {"a": np.zeros(5), "b": np.array([0.0, np.inf])})
    assert list(tmp_path.iterdir()) == []


def test_an_index_never_outlives_its_tar(tmp_path: Path) -> None:
    write(tmp_path / "0000.tar", {"a": np.zeros(5)})
    with pytest.raises(shards.ShardError):
        write(tmp_path / "0000.tar", {"a": np.array([np.nan])})
    assert [path.suffix for path in tmp_path.iterdir()] == [".tar"]


def test_a_damaged_shard_is_named_when_it_is_read(tmp_path: Path, wavs: dict[str, np.ndarray]) -> None:
    tar = tmp_path / "en/F01/0000.tar"
    write(tar, wavs)
    row = pd.read_parquet(tar.with_suffix(".parquet")).iloc[1]
    data = bytearray(tar.read_bytes())
    data[row["offset"] + 100] ^= 1
    tar.write_bytes(data)
    store = shards.AudioStore(tmp_path, [("en", "F01")])
    with pytest.raises(shards.ShardError, match="0000.tar: utterance long name é .* is damaged"):
        store.read("en", "F01", row["utterance_id"])


def test_an_utterance_that_is_in_no_shard_is_named(tmp_path: Path) -> None:
    write(tmp_path / "en/F01/0000.tar", {"a": np.zeros(5)})
    with pytest.raises(shards.ShardError, match="no utterance b in its shards"):
        shards.AudioStore(tmp_path, [("en", "F01")]).read("en", "F01", "b")


def test_an_utterance_in_two_shards_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "en/F01/0000.tar", {"a": np.zeros(5), "b": np.zeros(5)})
    write(tmp_path / "en/F01/0003.tar", {"b": np.ones(5) / 2})
    with pytest.raises(shards.ShardError, match="0000.tar and .*0003.tar both have utterance b; delete the shards"):
        shards.AudioStore(tmp_path, [("en", "F01")]).read("en", "F01", "a")


def test_a_source_without_shards_is_named(tmp_path: Path) -> None:
    with pytest.raises(shards.ShardError, match="en/F07: no shards; run the resynthesis of F07 first"):
        assert ("en", "F07", "a") in shards.AudioStore(tmp_path, [("en", "F07")])


def test_rows_of_the_index_are_found_alone_and_together(tmp_path: Path) -> None:
    for source, ids in (("F00", "ca"), ("F01", "bdéa")):
        write(tmp_path / f"en/{source}/0000.tar", {name: np.zeros(2) for name in ids})
    index = shards.AudioStore(tmp_path, [("en", "F01"), ("en", "F00"), ("en", "F01")]).index
    names = [("en", "F00", "a"), ("en", "F00", "c"), *(("en", "F01", name) for name in "abdé")]
    assert [index.name(row) for row in range(6)] == names
    assert [index.row(*name) for name in names] == list(range(6))
    recordings = [names[4], ("en", "F00", "b"), names[0], ("de", "F00", "a"), ("en", "F01", "z")]
    table = pd.DataFrame(recordings, columns=["corpus", "source", "utterance_id"])
    assert index.rows(table).tolist() == [4, -1, 0, -1, -1]
    assert [index.row(*name) for name in recordings] == [4, None, 0, None, None]
    assert index.rows(table.iloc[:0]).tolist() == []


def test_an_index_takes_under_100_bytes_an_utterance_and_none_of_them_python_s(tmp_path: Path) -> None:
    number = 5_000
    folder = tmp_path / "en/F01"
    folder.mkdir(parents=True)
    columns = {"offset": 512, "num_bytes": 90_000, "num_samples": 60_000, "sample_rate": 16_000, "sha256": "ab" * 32}
    columns |= {"weights_sha256": "", "codec": "soundstream"}
    ids = [f"SSB{place:017d}" for place in range(number)]
    files.write_parquet(folder / "0000.parquet", pd.DataFrame({"utterance_id": ids, **columns}))
    store = shards.AudioStore(tmp_path, [("en", "F01")])
    assert store.index.nbytes < 100 * number
    assert len(ForkingPickler.dumps(store)) < 100 * number


def test_more_tars_than_may_stay_open_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAX_OPEN", 2)
    for number in range(5):
        write(tmp_path / f"en/F01/{number:04d}.tar", {f"u{number}": np.full(3, number / 10)})
    store = shards.AudioStore(tmp_path, [("en", "F01")])
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in (0, 1, 2, 3, 4, 3, 0):
        assert store.read("en", "F01", f"u{number}")[0][0] == round(number / 10 * 32768)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


def test_a_store_that_is_no_longer_used_leaves_no_tar_open(tmp_path: Path, wavs: dict[str, np.ndarray]) -> None:
    write(tmp_path / "en/F01/0000.tar", wavs)
    before = len(list(Path("/proc/self/fd").iterdir()))
    store = shards.AudioStore(tmp_path, [("en", "F01")])
    store.read("en", "F01", "a")
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 1
    del store
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("start", "num_samples"), [(0, 1), (0, 5_000), (4_095, 3), (4_999, 1), (1_234, 2_000), (3_000, 9_999)]
)
def test_a_part_of_an_utterance_is_decoded_to_the_same_samples(
    start: int, num_samples: int, rng: np.random.Generator
) -> None:
    data = shards.encode(rng.uniform(-0.5, 0.5, 5_000), 16_000).data
    whole, _ = waveforms.decode_int16(data)
    part, _ = waveforms.decode_int16(data, start, num_samples)
    np.testing.assert_array_equal(part, whole[start : start + num_samples])


@pytest.mark.parametrize("num_shards", [1, 2, 7, 40])
def test_shards_share_the_utterances_out_once_each(num_shards: int, rng: np.random.Generator) -> None:
    table = utterance_table(list(rng.integers(8000, 160_000, 40)))
    parts = [shards.members(table, shard, num_shards) for shard in range(num_shards)]
    assert sorted(pd.concat(parts)["utterance_id"]) == list(table["utterance_id"])


def test_shards_are_about_equal_in_seconds_and_sorted_by_length(rng: np.random.Generator) -> None:
    table = utterance_table(list(rng.integers(8000, 160_000, 2000)))
    parts = [shards.members(table, shard, 8) for shard in range(8)]
    seconds = [part["num_samples"].sum() / 16000 for part in parts]
    assert max(seconds) - min(seconds) <= 2 * 160_000 / 16000
    lengths = pd.concat(parts)["num_samples"]
    assert lengths.is_monotonic_increasing


def test_membership_does_not_depend_on_the_order_of_rows(rng: np.random.Generator) -> None:
    table = utterance_table([16000] * 30)
    shuffled = table.iloc[rng.permutation(30)]
    pd.testing.assert_frame_equal(shards.members(table, 1, 3), shards.members(shuffled, 1, 3))


def test_more_shards_than_utterances_are_an_error() -> None:
    with pytest.raises(shards.ShardError, match="2 utterances cannot fill 3 shards"):
        shards.members(utterance_table([1, 2]), 0, 3)


def test_export_writes_loose_files_and_is_content_with_those_that_are_there(
    tmp_path: Path, wavs: dict[str, np.ndarray]
) -> None:
    write(tmp_path / "audio/en/F01/0000.tar", wavs)
    write(tmp_path / "audio/en/F00/0000.tar", wavs, prefix="")
    assert export(tmp_path / "audio", tmp_path / "loose", ["F01"]) == 3
    assert (tmp_path / "loose/en/F01/F01_a.flac").exists()
    assert not (tmp_path / "loose/en/F00").exists()
    assert export(tmp_path / "audio", tmp_path / "loose") == 3


def test_exporting_a_source_that_was_never_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(shards.ShardError, match="no shards of F09"):
        export(tmp_path, tmp_path / "loose", ["F09"])
