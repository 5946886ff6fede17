"""Tables of source tracing from written score files: metrics, intervals, and means over tasks."""

from pathlib import Path

import pandas as pd
import pytest
import traced_tables
from traced_tables import NUM_SPEAKERS, SETTINGS, TASKS

from codecfake.base import files
from codecfake.tables.tracing import write_tracing
from codecfake.tables.trials import ScoreError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traced_tables.write(tmp_path_factory.mktemp("tables"))


def table(run: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(run / f"tables/{name}.csv")


def test_a_row_has_the_means_over_the_tasks_that_leave_out_a_class(run: Path) -> None:
    rows = table(run, "tracing").set_index("task")
    assert list(rows.index) == [*list(TASKS)[:3], "mean of codecs-without-*"]
    parts, mean = rows.iloc[1:3], rows.iloc[3]
    for column in ("accuracy_percent", "macro_f1_percent", "auroc", "fpr_at_95_tpr_percent"):
        assert mean[column] == pytest.approx(parts[column].mean(), abs=1e-5)
    assert (mean["num_classes"], mean["num_seen"], mean["num_unseen"]) == (2, 48, 24)


def test_every_metric_has_an_interval_that_contains_it(run: Path) -> None:
    intervals = table(run, "tracing_intervals")
    assert intervals.groupby("task")["metric"].apply(list).to_dict() == {
        "codecs": ["accuracy", "macro_f1"],
        "codecs-without-one": ["accuracy", "macro_f1", "auroc", "fpr_at_95_tpr"],
        "codecs-without-two": ["accuracy", "macro_f1", "auroc", "fpr_at_95_tpr"],
    }
    assert ((intervals["low"] <= intervals["value"]) & (intervals["value"] <= intervals["high"])).all()
    assert (intervals["num_speakers"] == NUM_SPEAKERS).all()
    accuracy = table(run, "tracing")["accuracy_percent"][:3] / 100
    assert intervals.loc[intervals["metric"] == "accuracy", "value"].tolist() == pytest.approx(accuracy.tolist())


def test_a_regression_has_rows_of_seen_and_unseen_sources_beside_the_mean_of_training(run: Path) -> None:
    rows = table(run, "tracing_regression").set_index("sources")
    assert list(rows.index) == ["seen", "unseen"]
    assert rows["num_trials"].tolist() == [2 * NUM_SPEAKERS, NUM_SPEAKERS]  # not the recordings
    assert rows.loc["seen", "baseline_mae"] == 1  # 2 and 4 beside 3
    assert rows.loc["unseen", "baseline_mae"] == 0
    assert rows.loc["seen", "mae_low"] < rows.loc["seen", "mae"] < rows.loc["seen", "mae_high"] < 1
    assert pd.isna(rows.loc["unseen", "r2"])


def test_predictions_of_sources_without_a_value_are_shown_too(run: Path) -> None:
    rows = table(run, "tracing_predictions").set_index("source")
    assert list(rows.index) == ["F01", "F02", "F00", "F03"]
    assert rows["is_seen"].tolist() == [1, 1, 0, 0]
    assert pd.isna(rows.loc["F00", "true_log2"])
    assert rows.loc["F03", "true_log2"] == 3


def test_a_trial_without_a_protocol_is_an_error(run: Path, tmp_path: Path) -> None:
    files.write_tsv(tmp_path / "eval/C1.tsv", files.read_tsv(run / "eval/C1.tsv").iloc[1:])
    with pytest.raises(ScoreError, match="trial F00_s0 is in no protocol of the task"):
        write_tracing(run / "scores", tmp_path / "eval", SETTINGS, tmp_path)
