"""The report's sections of source tracing: tasks with the classes that they leave out, and regressions."""

from pathlib import Path

import pytest
import traced_tables
from traced_tables import SETTINGS

from codecfake.report import tracing, tracing_regression
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.page import environment


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traced_tables.write(tmp_path_factory.mktemp("sections"))


def inputs(results: Path) -> ReportInputs:
    return ReportInputs(
        title="", description="", models=["mel-lcnn/codec/erm/seed1"], conditions=["C1"], averages={"mean": ["C1"]},
        training_protocols={}, corpora=[], protocols=[], sources={}, experiment={}, results=results, excerpts={},
        tracing=["codecs"], traced_numbers=["numbers"], traced_parts=SETTINGS.left_out,
    )  # fmt: skip


def test_the_report_shows_tasks_with_the_parts_that_they_leave_out(run: Path) -> None:
    (task,) = tracing.tasks(inputs(run))
    assert [row.name for row in task.models] == ["mel-lcnn, seed 1"]
    assert [row.name.split(":")[0] for row in task.parts] == [*SETTINGS.left_out["codecs"], "mean of codecs-without-*"]
    assert task.parts[0].cells[2][1]  # the interval of AUROC
    assert [(row.source, [share is None for share in row.shares]) for row in task.part_sources] == [
        ("F01", [False, True, False]),
        ("F02", [False, False, True]),
    ]
    html = environment().get_template("tracing.html").render(tracing=[task])
    assert "<h4>One class left out</h4>" in html
    assert '<tr><th>F01</th><td class="text">unseen</td>' in html


def test_the_report_draws_predictions_over_true_values(run: Path) -> None:
    (task,) = tracing_regression.regressions(inputs(run))
    assert [(row.source, row.true_value) for row in task.predictions] == [
        ("F01", "4"), ("F02", "16"), ("F00", "–"), ("F03", "8"),
    ]  # fmt: skip
    assert [row.sources for row in task.rows] == ["seen", "unseen"]
    for source in ("F01", "F02", "F03"):
        assert f">{source}<" in task.figure
    assert ">F00<" not in task.figure
    html = environment().get_template("tracing_regression.html").render(traced_numbers=[task])
    assert "<h3>numbers</h3>" in html
    assert "One source left out" not in html


def test_tables_that_were_not_written_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="tracing.csv: no such table; write the tables again"):
        tracing.tasks(inputs(tmp_path))
    with pytest.raises(ReportError, match="tracing_regression.csv: no such table"):
        tracing_regression.regressions(inputs(tmp_path))
