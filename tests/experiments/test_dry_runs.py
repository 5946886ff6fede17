"""Every experiment that needs no corpora of its own: Snakemake builds the graph of its jobs."""

from pathlib import Path

import pytest
from places import EXPERIMENTS
from whole_runs import rerun

from codecfake.experiment import reading

NAMES = sorted(path.stem for path in EXPERIMENTS.glob("*.yaml"))


def is_synthesized(name: str) -> bool:
    """Whether the demo synthesizes all of its corpora."""
    return all(corpus.demo for corpus in reading.load(EXPERIMENTS / f"{name}.yaml").corpora.values())


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_run_would_end_in_a_report(name: str, tmp_path: Path) -> None:
    if not is_synthesized(name):
        pytest.skip("it reads corpora that are not made here")
    jobs = rerun(tmp_path, EXPERIMENTS / f"{name}.yaml")
    assert (jobs["synthesize_demo"], jobs["report"]) == (1, 1)
