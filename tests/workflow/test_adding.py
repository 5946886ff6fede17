"""The recipes of the documents, carried out literally: files outside the checkout, an experiment run to the report."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from places import ROOT
from whole_runs import jobs_by_rule, snakemake

from codecfake.base.merging import laid_over

PAGES = ("own-codec", "own-detector", "adding")  # the last one has the whole experiment
PAGE = "".join((ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in PAGES)
SECTIONS = {title.strip(): text for title, text in re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", PAGE, re.MULTILINE)}
ADDITIONS = [title for title in SECTIONS if title != "An experiment"]
FILE = re.compile(r"^`(\w+\.py)`:[^\n]*\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def files_of(text: str) -> dict[str, str]:
    return dict(FILE.findall(text))


def experiment_of(*sections: str) -> dict[str, Any]:
    """The YAML of sections laid over each other; their models are put one after the other, as a reader would."""
    values: dict[str, Any] = {}
    for part in (yaml.safe_load(block) for section in sections for block in YAML.findall(SECTIONS[section])):
        models = [*values.get("models", []), *part.get("models", [])]
        values = laid_over(values, part) | ({"models": models} if models else {})
    return values


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: the files of the page, a little corpus, and no experiment yet."""
    folder = tmp_path_factory.mktemp("mine")
    for name, code in files_of(PAGE).items():
        (folder / name).write_text(code, encoding="utf-8")
    write_aishell1(folder / "AISHELL-1")
    return folder


def write_aishell1(root: Path) -> None:
    """Noise of two speakers a part, in the layout of AISHELL-1."""
    rng, texts = np.random.default_rng(0), []
    for number, part in enumerate(("train", "dev", "test")):
        for speaker in (2 * number + 1, 2 * number + 2):
            for utterance in range(2):
                name = f"BAC009S{speaker:04d}W{utterance:04d}"
                path = root / "data_aishell/wav" / part / f"S{speaker:04d}" / f"{name}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, rng.normal(0, 0.1, 20_000), 16_000)
                texts.append(f"{name} 而 对 楼市\n")
    transcript = root / "data_aishell/transcript/aishell_transcript_v0.8.txt"
    transcript.parent.mkdir(parents=True)
    transcript.write_text("".join(texts), encoding="utf-8")


def write_experiment(folder: Path, *sections: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(experiment_of("An experiment", *sections), sort_keys=False), encoding="utf-8")
    return path


def roots(folder: Path) -> tuple[str, ...]:
    return ("device=cpu", f"corpora={{aishell1: {folder / 'AISHELL-1'}}}")


FIRST, *OTHERS = ADDITIONS


@pytest.mark.parametrize("title", [FIRST, *(pytest.param(title, marks=pytest.mark.long) for title in OTHERS)])
def test_an_addition_alone_passes_every_check_before_the_first_job(title: str, folder: Path, tmp_path: Path) -> None:
    sections = [title] if title != "A condition" else ADDITIONS  # whose sources come from codecs of the page
    path = write_experiment(folder, *sections)
    process = snakemake(tmp_path / "run", path, "all", options=("--dry-run",), config=roots(folder))
    assert process.returncode == 0, process.stdout + process.stderr
    assert jobs_by_rule(process.stdout + process.stderr)


@pytest.mark.long
def test_all_additions_together_run_to_the_report(folder: Path, tmp_path: Path) -> None:
    path = write_experiment(folder, *ADDITIONS)
    run = tmp_path / "run"
    process = snakemake(run, path, "all", config=roots(folder))
    assert process.returncode == 0, process.stdout + process.stderr
    table = pd.read_csv(run / "results/tables/eer.csv")
    # a list replaces that of the base
    assert set(zip(table["detector"], table["strategy"], strict=True)) == {
        ("energy-linear", "erm"),
        ("mel-lcnn", "clipped"),
    }
    assert {"C8", "C9"} <= set(table["condition"])
    assert len(pd.read_parquet(run / "results/corpora/aishell1/utterances.parquet")) == 12
    licenses = pd.read_csv(run / "results/protocols/sources.tsv", sep="\t").set_index("source")["license"]
    assert (licenses["F08"], licenses["F09"]) == ("Apache-2.0", "MIT")
    # the same command has nothing to do; a changed file beside the experiment remakes what it made
    assert not todo(run, path, folder)
    with (folder / "mimi.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    again = todo(run, path, folder)
    assert "resynthesize_mimi" in again and "resynthesize_frames" not in again


def todo(run: Path, experiment: Path, folder: Path) -> dict[str, int]:
    process = snakemake(run, experiment, "all", options=("--dry-run",), config=roots(folder))
    assert process.returncode == 0, process.stdout + process.stderr
    return jobs_by_rule(process.stdout + process.stderr)
