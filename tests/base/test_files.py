"""A seal says that a file is finished: it is written with the file, after both have reached the disk."""

import errno
import os
import resource
import signal
import subprocess
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codecfake.audio import shard_files
from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files, forms
from codecfake.base.files import FileError, WriteError

TABLE = pd.DataFrame({"source": ["F01", "F02"], "mean": ["1", "2"]})
WRITERS = {
    "table.tsv": lambda path: files.write_tsv(path, TABLE),
    "table.parquet": lambda path: files.write_parquet(path, TABLE),
    "values.json": lambda path: files.write_json(path, {"a": [1, 2, 3]}),
    "text.txt": lambda path: files.write_text(path, "two\nlines\n"),
    "weights.bin": lambda path: files.write_bytes(path, b"numbers"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_result_has_a_seal_that_sha256sum_reads(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    command = ["sha256sum", "--check", f"{name}.sha256"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert process.stdout == f"{name}: OK\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"{name}.sha256"]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("table.tsv", files.read_tsv),
        ("table.tsv", lambda path: files.read_csv(path, sep="\t")),
        ("table.parquet", lambda path: files.read_parquet(path, ["mean"])),
        ("values.json", files.read_json),
    ],
)
def test_readers_refuse_a_file_of_which_any_part_was_cut(tmp_path: Path, name: str, read) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / name
    WRITERS[name](path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(FileError, match=rf"{name}: damaged"):
            read(path)


def test_files_without_seals_are_read_as_earlier_versions_wrote_them(tmp_path: Path) -> None:
    for name, write in WRITERS.items():
        write(tmp_path / name)
        files.seal_of(tmp_path / name).unlink()
    assert files.read_tsv(tmp_path / "table.tsv").equals(TABLE)
    assert files.read_json(tmp_path / "values.json") == {"a": [1, 2, 3]}


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.tsv", "a\tb\n1\t2\n3", "row 3 has another number of cells than the header"),
        ("a.tsv", "", "cannot be read as a table"),
        ("a.json", '{"a": ', "not JSON"),
        ("a.json", "[]", "a JSON object is needed"),
        ("a.json", "[" * 100_000, "not JSON"),
    ],
)
def test_without_a_seal_the_form_tells_that_a_file_was_cut(tmp_path: Path, name: str, text: str, what: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(FileError, match=f"{name}: damaged: .*{what}.*restore it, or `codecfake check --delete`"):
        (files.read_tsv if name.endswith("tsv") else files.read_json)(tmp_path / name)


@pytest.mark.parametrize("name", ["table.tsv", "table.parquet", "values.json"])
def test_the_form_of_a_cut_file_has_a_fault_and_that_of_a_whole_one_has_none(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    assert forms.fault(path) == ""
    whole = path.read_bytes()
    for size in range(len(whole) - 1):
        path.write_bytes(whole[:size])
        assert forms.fault(path) or whole[:size].endswith(b"\n"), size  # a table may lose whole rows


def test_the_form_of_cut_weights_has_a_fault(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save

    whole, path = save({"a": torch.arange(3.0), "b": torch.ones(2, 2)}), tmp_path / "weights.safetensors"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert forms.fault(path), size
    path.write_bytes(whole)
    assert forms.fault(path) == ""


@pytest.mark.parametrize("text", ["", "0" * 64, "0" * 64 + "  table.t", "no digest\n", "\0" * 80])
def test_a_seal_that_was_cut_is_no_seal(tmp_path: Path, text: str) -> None:
    WRITERS["table.tsv"](tmp_path / "table.tsv")
    (tmp_path / "table.tsv.sha256").write_text(text)
    with pytest.raises(FileError, match="table.tsv.sha256: damaged: it is not one line with a sha256"):
        files.read_tsv(tmp_path / "table.tsv")


def test_a_reader_is_not_disturbed_by_a_job_that_replaces_file_and_seal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.tsv"
    WRITERS["table.tsv"](path)
    true_sha256, replaced = files.sha256, []

    def replaced_meanwhile(path: Path) -> str:
        if not replaced:
            replaced.append(True)
            files.write_tsv(path, TABLE.head(1))
        return true_sha256(path)

    monkeypatch.setattr(files, "sha256", replaced_meanwhile)
    assert not files.differs_from_seal(path)


def test_file_seal_and_folder_reach_the_disk_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, events = tmp_path / "a.txt", []
    files.write_text(path, "before")
    true_fsync, true_replace, true_unlink = os.fsync, Path.replace, Path.unlink

    def fsync(descriptor: int) -> None:
        events.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        true_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        events.append(f"name {target.name}")
        return true_replace(self, target)

    def unlink(self: Path, missing_ok: bool = False) -> None:
        events.append(f"remove {self.name}")
        true_unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "unlink", unlink)
    files.write_text(path, "after")
    folder = f"fsync {tmp_path.name}"
    assert events == [
        "fsync .a.txt.part", "fsync .a.txt.sha256.part", "remove a.txt.sha256", folder,
        "name a.txt", "name a.txt.sha256", folder,
    ]  # fmt: skip


# signals

ATTEMPTS = 8


def write_for_ever(folder: Path, ready: Event) -> None:
    """Write a table and a shard again and again, in a process of its own; what a signal raises ends it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let what is in the background ignore it
    number = 0
    with suppress(KeyboardInterrupt):
        while True:
            number += 1
            ready.set()
            files.write_text(folder / "table.tsv", "a\tb\n" + f"{number}\t{number}\n" * 5000)
            with ShardWriter(folder / "0000.tar", "", Provenance("none", 0, 0.0, "", "test")) as writer:
                for name in "ab":
                    writer.add(name, np.full(3000, number % 100 / 200), 16000)
    os._exit(0)


def assert_whole(folder: Path) -> None:
    """Every file that is there is whole, and so is every pair of an index and its tar."""
    table, index = folder / "table.tsv", folder / "0000.parquet"
    if table.exists():
        lines = files.read_tsv(table)
        assert len(lines) == 5000 and lines["a"].nunique() == 1
    if index.exists():
        entries = shard_files.read_entries(index)
        with shard_files.open_tar(index.with_suffix(".tar")) as tar:
            assert all(shard_files.has_bytes(tar, entry) for entry in entries)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_writers_that_a_signal_ends_leave_whole_files_and_the_next_attempt_goes_on(
    tmp_path: Path, sent: signal.Signals
) -> None:
    rng, context = np.random.default_rng(int(sent)), get_context("fork")
    for _ in range(ATTEMPTS):
        ready = context.Event()
        writer = context.Process(target=write_for_ever, args=(tmp_path, ready))
        writer.start()
        ready.wait()
        time.sleep(rng.uniform(0, 0.1))
        while writer.is_alive():  # again where it met a finalizer, in which Python drops a KeyboardInterrupt
            os.kill(writer.pid or 0, sent)
            writer.join(timeout=1)
        assert_whole(tmp_path)
    WRITERS["table.tsv"](tmp_path / "table.tsv")
    assert files.read_tsv(tmp_path / "table.tsv").equals(TABLE)
    assert not list(tmp_path.glob(".table.tsv*"))


# limits


def test_a_limit_on_file_sizes_is_named_with_its_remedy(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(WriteError, match=r"weights.bin: cannot be written \(File too large\); raise .*ulimit -f"):
            files.write_bytes(tmp_path / "weights.bin", bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    assert WriteError(errno.EFBIG, "File too large", "x")
