"""The workflow as a module of another workflow."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from places import ROOT, TINY

pytestmark = pytest.mark.long

PARENT = """
shell.prefix("export PARENT=mine; ")

rule first:
    input:
        "results/protocols/sources.tsv",
        "results/corpora/english/utterances.parquet",
    output:
        "first.txt",
    localrule: True
    shell:
        "echo $PARENT > {{output}}; wc -c {{input}} >> {{output}}"

rule unpiped:
    output:
        "unpiped.txt",
    shell:
        "false | cat > {{output}}; true"

onsuccess:
    Path("said.txt").write_text("parent")

module codecfake:
    snakefile: "{root}/Snakefile"
    config: {{"experiment": "{tiny}", "device": "cpu"}}
{more}

use rule * from codecfake as codecfake_*

from pathlib import Path
"""


def parent(folder: Path, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "Snakefile").write_text(PARENT.format(root=ROOT, tiny=TINY, more=more))
    return folder


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def write_corpus(results: Path) -> None:
    """A demo corpus of two utterances in place of the one that `synthesize_demo` would make."""
    folder = results / "demo" / "VCTK"
    for name in ("p301_001", "p302_001"):
        wav, text = folder / f"wav48/{name[:4]}/{name}.wav", folder / f"txt/{name[:4]}/{name}.txt"
        wav.parent.mkdir(parents=True)
        text.parent.mkdir(parents=True)
        soundfile.write(wav, 0.1 * np.sin(np.arange(24_000) / 10), 48_000)
        text.write_text("Please call Stella.\n")
    (results / "demo" / "SHA256SUMS").write_text("")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the parent ran, and with it two rules of the module."""
    folder = parent(tmp_path_factory.mktemp("parent"))
    write_corpus(folder / "results")
    done = snakemake(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "codecfake_write_sources" in done.stdout + done.stderr
    assert "localrules directive specifies rules" not in done.stdout + done.stderr
    return folder


def test_without_a_target_the_parent_s_own_first_rule_is_made(finished: Path) -> None:
    assert (finished / "first.txt").exists()
    assert not (finished / "results/report.html").exists()


def test_two_rules_of_the_module_made_their_files(finished: Path) -> None:
    assert (finished / "results/protocols/sources.tsv").read_text().startswith("source\t")
    assert (finished / "results/corpora/english/utterances.parquet").stat().st_size > 1000


def test_the_prefix_of_the_parent_holds_for_its_rules(finished: Path) -> None:
    assert (finished / "first.txt").read_text().splitlines()[0] == "mine"


def test_the_handlers_of_the_parent_run_and_ours_do_not(finished: Path) -> None:
    assert (finished / "said.txt").read_text() == "parent"
    assert not (finished / "results/experiment.txt").exists()
    assert not (finished / "results/timing.html").exists()
    assert not (finished / ".snakemake/codecfake.run").exists()


def test_a_second_run_has_nothing_to_do(finished: Path) -> None:
    done = snakemake(finished)
    assert "Nothing to be done" in done.stdout + done.stderr


def test_every_rule_of_the_workflow_is_there_under_its_new_name(finished: Path) -> None:
    listed = snakemake(finished, "--list").stdout
    for rule in ("all", "protocols", "train_detector", "resynthesize_encodec"):
        assert f"codecfake_{rule}" in listed


def test_a_prefix_for_the_paths_of_a_module_is_refused(tmp_path: Path) -> None:
    done = snakemake(parent(tmp_path, '    prefix: "elsewhere"'), "--dry-run")
    assert done.returncode != 0
    assert "leave out prefix: and replace_prefix:" in done.stdout + done.stderr
