"""What is finished is held to its digests, named if it is damaged, and made again without a loss."""

import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tones
import torch

from codec_wrappers.training import checkpoint
from codec_wrappers.weights import loading
from codecfake import __main__
from codecfake.audio.recordings import RecordingsSettings, write_shard
from codecfake.audio.shard_index import ShardError
from codecfake.audio.shard_lists import write_list
from codecfake.audio.shards import AudioStore, Provenance, ShardWriter
from codecfake.audio.waveforms import AudioError
from codecfake.base import files, utterances
from codecfake.base.resumable import CheckpointError
from codecfake.protocols import lists
from codecfake.running import check as checking
from codecfake.running import dates
from codecfake.running.check import Damage, delete

OLD = 1_000_000_000  # seconds


def write(tar: Path, codec: str = "dac", weights: str = "", seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    with ShardWriter(tar, "", Provenance(codec, 1, 1.0, weights, "test")) as writer:
        for name in "abc":
            writer.add(name, rng.uniform(-0.5, 0.5, 700), 16000)


def flip(path: Path, place: int) -> None:
    """Change a byte and leave the date alone, as a failing disk does."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut(path: Path, share: float = 0.5) -> None:
    os.truncate(path, int(path.stat().st_size * share))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results with two sources of one codec and one of another, a protocol and weights, all written long ago."""
    root = tmp_path / "results"
    for number, (source, codec) in enumerate({"F01": "dac", "F01-4": "dac", "F02": "lyra"}.items()):
        write(root / f"audio/en/{source}/0000.tar", codec, seed=number)
    table = pd.DataFrame({column: ["1", "2"] for column in lists.COLUMNS})
    files.write_tsv(root / "protocols/eval/C1.tsv", table)
    files.write_bytes(root / "models/m/weights.safetensors", b"numbers")
    for path in root.rglob("*"):
        os.utime(path, (OLD, OLD))
    return root


def checked(results: Path) -> list[Damage]:
    """What `check` finds, with threads in place of processes, which take a second to start; the command has those."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "ProcessPoolExecutor", lambda workers, _: ThreadPoolExecutor(workers))
        return list(checking.check(results))


def test_nothing_is_found_where_nothing_is_damaged(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    __main__.main(["check", "--run", str(results.parent), "--workers", "1"])
    assert "all finished files are undamaged" in capsys.readouterr().out


def test_a_flipped_bit_in_a_shard_is_named_by_the_check_and_by_its_readers(results: Path) -> None:
    tar = results / "audio/en/F01/0000.tar"
    flip(tar, 700)
    (damage,) = checked(results)
    assert (damage.path, damage.what) == (tar, "1 of 3 utterances changed since they were written: a")
    store = AudioStore(results / "audio", [("en", "F01")])
    with pytest.raises(ShardError, match=r"0000.tar: utterance a is damaged .*`codecfake check --delete`"):
        store.read("en", "F01", "a")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("audio/en/F01/0000.tar", "of 3 utterances changed since they were written"),
        ("audio/en/F01/0000.parquet", "its sha256 is not the one in 0000.parquet.sha256"),
        ("protocols/eval/C1.tsv", "its sha256 is not the one in C1.tsv.sha256"),
        ("models/m/weights.safetensors", "its sha256 is not the one in weights.safetensors.sha256"),
    ],
)
def test_a_file_cut_short_is_found_and_deleted(results: Path, name: str, what: str) -> None:
    cut(results / name)
    (damage,) = checked(results)
    assert damage.path == results / name and what in damage.what
    assert results / name in delete([damage])
    assert not (results / name).exists()
    assert checked(results) == []


def test_a_tar_that_is_gone_while_its_index_is_there_is_found(results: Path) -> None:
    (results / "audio/en/F02/0000.tar").unlink()
    (damage,) = checked(results)
    assert delete([damage]) == [results / "audio/en/F02/0000.parquet"]


@pytest.mark.long
def test_the_command_says_what_makes_again_what_it_deleted(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(results / "audio/en/F01/0000.tar", 700)
    with pytest.raises(SystemExit, match="1 damaged; delete these files"):
        __main__.main(["check", "--run", str(results.parent), "--workers", "1"])
    __main__.main(["check", "--run", str(results.parent), "--workers", "1", "--delete"])
    files_again = "results/audio/en/F01/0000.parquet results/audio/en/F01/0000.tar"
    assert f"snakemake --directory {results.parent} -- {files_again}" in capsys.readouterr().out


def test_shards_made_again_with_the_same_bytes_keep_their_dates_also_those_of_the_same_job(results: Path) -> None:
    flip(results / "audio/en/F01/0000.tar", 700)
    delete(checked(results))
    write(results / "audio/en/F01/0000.tar", "dac", seed=0)
    write(results / "audio/en/F01-4/0000.tar", "dac", seed=1)  # the same job's
    assert {path.parent.name for path in dates.give_back(results)} == {"F01", "F01-4"}
    assert {path.stat().st_mtime for path in results.glob("audio/en/*/0000.*")} == {OLD}
    assert list(results.rglob(".*")) == []


def test_a_shard_made_again_with_other_bytes_keeps_its_new_date(results: Path) -> None:
    flip(results / "audio/en/F02/0000.tar", 700)
    delete(checked(results))
    write(results / "audio/en/F02/0000.tar", "lyra", seed=9)
    assert dates.give_back(results) == []
    assert (results / "audio/en/F02/0000.tar").stat().st_mtime > OLD
    assert list(results.rglob(".*")) == []


def test_a_protocol_made_again_with_the_same_bytes_keeps_its_date(results: Path) -> None:
    path = results / "protocols/eval/C1.tsv"
    text = path.read_text()
    cut(path, 0.9)
    delete(checked(results))
    path.write_text(text)
    assert dates.give_back(results) == [path]
    assert path.stat().st_mtime == OLD


def test_readers_refuse_a_table_that_is_not_what_was_written(results: Path) -> None:
    path = results / "protocols/eval/C1.tsv"
    lines = path.read_text().splitlines(keepends=True)
    cut(path, 0.9)
    with pytest.raises(
        files.FileError, match=r"C1.tsv: damaged, or changed by hand: .* Restore it, or .*check --delete"
    ):
        files.read_tsv(path)
    path.write_text("".join(lines[:2]))
    files.seal_of(path).unlink()  # as the message says, if the change is wanted
    assert len(files.read_tsv(path)) == 1


def test_what_is_written_anew_is_not_held_to_the_digest_of_before(results: Path) -> None:
    path = results / "protocols/eval/C1.tsv"
    files.write_tsv(path, pd.DataFrame({"trial_id": ["x"]}))
    assert files.read_tsv(path)["trial_id"].tolist() == ["x"]


@pytest.mark.parametrize(("damage", "place"), [(cut, 0.9), (cut, 0), (flip, 40)])
def test_a_damaged_parquet_table_is_named(results: Path, damage: Callable[[Path, float], None], place: float) -> None:
    index = results / "audio/en/F01/0000.parquet"
    files.seal_of(index).unlink()  # as earlier versions wrote it
    damage(index, place)
    with pytest.raises(files.FileError, match="0000.parquet: damaged: it cannot be read as parquet"):
        AudioStore(results / "audio", [("en", "F01")]).read("en", "F01", "a")
    table = shutil.copy(index, results / "utterances.parquet")
    with pytest.raises(files.FileError, match="utterances.parquet: damaged"):
        utterances.read(Path(table))


def test_a_source_made_with_two_sets_of_weights_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "en/F01/0000.tar", weights="aa")
    write(tmp_path / "zh/F01/0000.tar", weights="bb")
    store = AudioStore(tmp_path, [("en", "F01"), ("zh", "F01")])
    with pytest.raises(
        ShardError, match=r"en/F01/0000.tar with the sha256 aa and .*zh/F01/0000.tar with the sha256 bb"
    ):
        store.read("en", "F01", "a")


@pytest.mark.parametrize("fault", ["gone", "changed"])
def test_a_recording_that_changed_after_ingest_stops_its_shard_and_leaves_none(tmp_path: Path, fault: str) -> None:
    tones.write_audio(tmp_path, 1)
    recording = tmp_path / "a.flac"
    recording.write_bytes(AudioStore(tmp_path, [("tones", "F00")]).read_bytes("tones", "F00", "u000"))
    row = dict.fromkeys(utterances.COLUMNS, "-") | {
        "utterance_id": "a", "path": "a.flac", "key": "bonafide", "num_samples": 4000, "sample_rate": 16000,
        "sha256": files.sha256(recording),
    }  # fmt: skip
    files.write_parquet(tmp_path / "table/utterances.parquet", pd.DataFrame([row]))
    arguments = (RecordingsSettings(1), tmp_path / "table/utterances.parquet", tmp_path, 0, tmp_path / "out/0000.tar")
    recording.unlink() if fault == "gone" else flip(recording, 100)
    message = {"gone": "a.flac: cannot be read", "changed": "a.flac: the file changed since its corpus was ingested"}
    with pytest.raises(AudioError, match=message[fault] + ".*restore"):
        write_shard(*arguments)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_checkpoint_of_codec_training_that_is_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    learners = checkpoint.Learners({"codec": torch.nn.Linear(20, 20)}, {})
    checkpoint.save(path, checkpoint.Progress(step=7), learners, "run")
    assert checkpoint.restore(path, learners, "run").step == 7
    cut(path)
    with pytest.raises(CheckpointError, match=r"(?s)checkpoint.pt: damaged .*; delete it to train"):
        checkpoint.restore(path, learners, "run")


def test_what_is_not_there_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        files.sha256(tmp_path / "gone")
    assert files.sha256(tmp_path) == hashlib.sha256(b"").hexdigest()  # an empty folder is there


# published weights, held to the record that their fetching left


@pytest.fixture
def fetched(results: Path) -> Path:
    """A folder of published weights as `fetch` leaves it."""
    folder = results / "weights/dac_16khz"
    files.write_bytes(folder / "weights.safetensors", b"numbers")
    digest = files.sha256(folder / "weights.safetensors")
    record = files.as_json({"weights_sha256": {"weights.safetensors": digest}})
    files.write_note(folder / "provenance.json", record)
    return folder


def lose(path: Path) -> None:
    path.unlink()


def flip_first(path: Path) -> None:
    flip(path, 0)


def empty_the_record(path: Path) -> None:
    path.with_name("provenance.json").write_text("{}")


def scribble_over_the_record(path: Path) -> None:
    path.with_name("provenance.json").write_text("not JSON")


FETCHED_FAULTS = [
    (flip_first, "weights.safetensors", "its sha256 is not the one in provenance.json"),
    (lose, "weights.safetensors", "is missing, but provenance.json exists"),
    (empty_the_record, "provenance.json", "is not a record of weights"),
    (scribble_over_the_record, "provenance.json", "is not a record of weights"),
]


def test_published_weights_as_they_were_fetched_are_nothing_to_find(results: Path, fetched: Path) -> None:
    assert checked(results) == []
    assert loading.digest(fetched) == files.sha256(fetched / "weights.safetensors")


@pytest.mark.parametrize(("fault", "name", "what"), FETCHED_FAULTS)
def test_published_weights_that_are_not_those_of_their_record_are_found_and_refused(
    results: Path, fetched: Path, fault: Callable[[Path], None], name: str, what: str
) -> None:
    fault(fetched / "weights.safetensors")
    with pytest.raises(loading.WeightsError, match=f"{name}: {what}; restore it, or delete the folder"):
        loading.digest(fetched)
    (damage,) = checked(results)
    assert (damage.path, damage.what) == (fetched / name, what)
    assert len(delete([damage])) == 1
    assert not all((fetched / name).exists() for name in ("provenance.json", "weights.safetensors"))


# dates


def test_files_of_the_future_are_dated_back_in_their_order(tmp_path: Path) -> None:
    ages = {"before": -3600, "first": 86_000, "second": 86_400, "almost now": 5}
    for name, seconds in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (OLD + seconds, OLD + seconds))
    assert [path.name for path in dates.bring_back(tmp_path, OLD)] == ["first", "second"]
    shifts = {name: (tmp_path / name).stat().st_mtime - OLD for name in ages}
    assert shifts == {"before": -3600, "first": -400, "second": 0, "almost now": 5}
    assert dates.bring_back(tmp_path, OLD) == []


def test_a_list_of_shards_goes_with_a_damaged_one_and_comes_back_with_its_date(results: Path) -> None:
    shard_list = results / "audio/en/F02/shards.tsv"
    write_list([results / "audio/en/F02/0000.parquet"], shard_list)
    os.utime(shard_list, (OLD, OLD))
    flip(results / "audio/en/F02/0000.tar", 700)
    assert shard_list in delete(checked(results))
    assert not shard_list.exists()
    write(results / "audio/en/F02/0000.tar", "lyra", seed=2)
    write_list([results / "audio/en/F02/0000.parquet"], shard_list)
    dates.give_back(results)
    assert shard_list.stat().st_mtime == OLD
