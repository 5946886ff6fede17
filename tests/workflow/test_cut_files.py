"""Every file of a finished run that is cut is named by `check`, and by the job or command that reads it."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from codecfake.base import files
from codecfake.running import check as checking
from codecfake.running import finished_files

GUARDS = (".parquet", "SHA256SUMS")  # which say what other files hold


def every_file(results: Path) -> list[Path]:
    return sorted(path.relative_to(results) for path in results.rglob("*") if path.is_file())


def kind_of(path: Path) -> str:
    """Files of one kind are cut together; a guard that was cut says nothing of the files that it guards."""
    if path.name.endswith(files.SEAL):
        return "seals"
    return "guards" if path.name.endswith(GUARDS) else "others"


def damaged_files(results: Path) -> set[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "ProcessPoolExecutor", lambda workers, _: ThreadPoolExecutor(workers))
        return {damage.path.relative_to(results) for damage in checking.check(results)}


def with_cut_files(tiny: Path, copy: Path, names: list[Path], share: float) -> Path:
    """The results of `tiny` in hard links, but for these files, of which only a share is there."""
    shutil.copytree(tiny / "results", copy, copy_function=os.link)
    for name in names:
        data = (copy / name).read_bytes()
        (copy / name).unlink()
        (copy / name).write_bytes(data[: int(len(data) * share)])
    return copy


@pytest.mark.parametrize("share", [0.5, 0])
@pytest.mark.parametrize("kind", ["seals", "guards", "others"])
def test_every_file_that_was_cut_is_named(tiny: Path, tmp_path: Path, kind: str, share: float) -> None:
    names = [name for name in every_file(tiny / "results") if kind_of(name) == kind]
    results = with_cut_files(tiny, tmp_path / "results", names, share)
    assert len(names) > 10
    assert set(names) - damaged_files(results) == set()


def test_a_finished_run_is_undamaged_and_every_file_of_it_is_guarded(tiny: Path) -> None:
    assert damaged_files(tiny / "results") == set()
    assert finished_files.without_seal(tiny / "results") == []
