"""The whole workflow of an experiment with source tracing."""

from pathlib import Path

import pandas as pd
import pytest
from places import ROOT
from whole_runs import snakemake

EXPERIMENT = ROOT / "tests/experiments/tracing.yaml"


@pytest.mark.long
def test_a_run_traces_sources_and_its_control_is_at_chance(tiny_copy: Path) -> None:
    process = snakemake(tiny_copy, EXPERIMENT, "results/report.html")
    assert process.returncode == 0, process.stdout + process.stderr
    table = pd.read_csv(tiny_copy / "results/tables/tracing.csv").set_index("task")
    assert list(table.index) == ["codecs", "control"]
    assert table.loc["control", "accuracy_percent"] == 50
    assert table.loc["codecs", "num_unseen"] > 0
    confusion = pd.read_csv(tiny_copy / "results/tables/tracing_confusion.csv")
    assert set(confusion["source"]) == {"F00", "F01", "F01-4", "P00"}
    taxonomy = pd.read_csv(tiny_copy / "results/tables/taxonomy.csv", keep_default_na=False)
    assert set(taxonomy["by"]) == {"quantizer", "auxiliary", "decoder"}
    html = (tiny_copy / "results/report.html").read_text(encoding="utf-8")
    assert "<h2>Source tracing</h2>" in html
    assert 'F01-4</th><td class="text">unseen</td>' in html
