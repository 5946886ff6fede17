"""Whatever is in the files of a run, the check names what is wrong and goes on with the rest."""

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from odd_places import endless, pipe

from codecfake import __main__
from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files
from codecfake.protocols import lists
from codecfake.running import check as checking
from codecfake.running.check import Damage


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results with a shard of each of two sources, and a protocol."""
    root = tmp_path / "results"
    for source in ("F01", "F02"):
        with ShardWriter(root / f"audio/en/{source}/0000.tar", "", Provenance("dac", 1, 1.0, "", "test")) as writer:
            for name in "abc":
                writer.add(name, np.full(700, 0.25), 16000)
    files.write_tsv(root / "protocols/eval/C1.tsv", pd.DataFrame({column: ["1", "2"] for column in lists.COLUMNS}))
    return root


def checked(results: Path) -> list[Damage]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "ProcessPoolExecutor", lambda workers, _: ThreadPoolExecutor(workers))
        return list(checking.check(results))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


# shards


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("offset", -1, "'a' has .* bytes at offset -1, which no tar can have"),
        ("offset", 2**63 - 1, "1 of 3 utterances changed"),
        ("num_bytes", -5, "'a' has -5 bytes"),
        ("num_bytes", 2**33, "1 of 3 utterances changed"),
        ("sha256", "xyz", "1 of 3 utterances changed"),
        ("sha256", None, "lacks its id, place or sha256"),
        ("utterance_id", None, "lacks its id, place or sha256"),
        ("utterance_id", "z", "is not utterance 'z'"),
    ],
)
def test_an_impossible_index_is_named_and_the_rest_is_still_checked(
    results: Path, column: str, value: object, what: str
) -> None:
    index = results / "audio/en/F01/0000.parquet"
    table = pd.read_parquet(index)
    table[column] = table[column].astype(object)
    table.loc[0, column] = value
    files.write_parquet(index, table)
    cut(results / "audio/en/F02/0000.tar")
    cut(results / "protocols/eval/C1.tsv")
    first, *others = checked(results)
    assert first.path.parent.name == "F01" and re.search(what, first.what)
    assert [damage.path.name for damage in others] == ["0000.tar", "C1.tsv"]


@pytest.mark.parametrize("change", [endless, pipe])
def test_a_tar_that_is_no_file_is_named_and_not_read(results: Path, change: Callable[[Path], None]) -> None:
    change(results / "audio/en/F01/0000.tar")
    (damage,) = checked(results)
    assert (damage.path, damage.what) == (results / "audio/en/F01/0000.tar", "is not a file")


def test_a_tar_without_its_index_is_named(results: Path) -> None:
    (results / "audio/en/F01/0000.parquet").unlink()
    (damage,) = checked(results)
    assert (damage.path.name, damage.what) == ("0000.tar", "has no index beside it")


# files without a seal


def test_an_empty_file_without_a_seal_is_named(results: Path) -> None:
    path = results / "quality/encodec.tsv"
    path.parent.mkdir()
    path.touch()
    assert [(damage.path, damage.what) for damage in checked(results)] == [(path, "is empty")]


def test_a_missing_seal_is_named_but_is_no_damage(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = results / "protocols/eval/C1.tsv"
    files.seal_of(path).unlink()
    __main__.main(["check", "--run", str(results.parent), "--workers", "1"])
    output = capsys.readouterr().out
    assert "1 files have no seal (FILE.sha256)" in output and f"Only their form was checked: {path}" in output
    assert "all finished files are undamaged" in output


def test_a_damaged_seal_is_deleted_and_is_nothing_to_ask_the_workflow_for(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal = files.seal_of(results / "protocols/eval/C1.tsv")
    cut(seal)
    __main__.main(["check", "--run", str(results.parent), "--workers", "1", "--delete"])
    assert not seal.exists() and (results / "protocols/eval/C1.tsv").exists()
    assert "snakemake" not in capsys.readouterr().out


def test_a_damaged_export_is_made_again_with_its_protocol(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = results / "protocols/exports/published/eval/C1.txt"
    files.write_text(export, "a\nb\n")
    cut(export)
    __main__.main(["check", "--run", str(results.parent), "--workers", "1", "--delete"])
    assert capsys.readouterr().out.endswith(" -- results/protocols/eval/C1.tsv\n")
    assert not export.exists() and not (results / "protocols/eval/C1.tsv").exists()
