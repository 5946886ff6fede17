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
    parts = ["parts", "parts-without-four", "mean of parts-without-*"]
    assert list(table.index) == ["codecs", "control", *parts]
    assert table.loc["control", "accuracy_percent"] == 50
    assert table.loc["codecs", "num_unseen"] > 0
    confusion = pd.read_csv(tiny_copy / "results/tables/tracing_confusion.csv")
    assert set(confusion["source"]) == {"F00", "F01", "F01-4", "P00", "vocoder/spoof"}
    regression = pd.read_csv(tiny_copy / "results/tables/tracing_regression.csv")
    assert regression[["task", "sources"]].to_numpy().tolist() == [["quantizers", "seen"]]
    predictions = pd.read_csv(tiny_copy / "results/tables/tracing_predictions.csv").set_index("source")
    columns = ["num_trials", "mean_log2", "median_log2"]
    assert predictions.loc["F00", columns].tolist() == predictions.loc["P00", columns].tolist()
    taxonomy = pd.read_csv(tiny_copy / "results/tables/taxonomy.csv", keep_default_na=False)
    assert set(taxonomy["by"]) == {"quantizer", "auxiliary", "decoder"}
    html = (tiny_copy / "results/report.html").read_text(encoding="utf-8")
    assert "<h2>Source tracing</h2>" in html
    assert 'F01-4</th><td class="text">unseen</td>' in html
    assert "<h4>One class left out</h4>" in html
    assert 'aria-label="Predicted over true quantizers of quantizers"' in html
