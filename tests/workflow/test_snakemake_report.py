"""`snakemake --report`: a zip with the report page, tables and figures, each with its category, caption and labels."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from places import ROOT, TINY
from whole_runs import snakemake

from codecfake.experiment import audited, papers
from codecfake.experiment.tracing_tasks import OF_CLASS_TASKS, OF_REGRESSIONS
from codecfake.running.report_marks import CONTENT


def test_every_table_has_a_description() -> None:
    of_sounds = {"contents", "quality_sounds"}
    of_some = {"generated", "label_policy", "ladder", "partial", *of_sounds, *OF_CLASS_TASKS, *OF_REGRESSIONS}
    assert {*papers.OURS, *audited.TABLES, "quality", "quality_order", *of_some} == set(CONTENT)


@pytest.fixture(scope="module")
def report(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    path = tmp_path_factory.mktemp("report") / "report.zip"
    done = snakemake(tiny, TINY, "all", options=["--report", str(path)])
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(path)


def of_page(report: zipfile.ZipFile, variable: str) -> dict[str, Any]:
    """An object of the page's script."""
    (name,) = (name for name in report.namelist() if name.count("/") == 1 and name.endswith("report.html"))
    text = report.read(name).decode("utf-8")
    start = text.index(f'var {variable} = {{"')  # the page's libraries have variables of this name, but no JSON
    values, _ = json.JSONDecoder().raw_decode(text, text.index("{", start))
    return dict(values)


@pytest.mark.long
@pytest.mark.usefixtures("quick_jobs")
def test_the_report_holds_the_page_tables_and_audit_by_category(report: zipfile.ZipFile) -> None:
    categories = of_page(report, "categories")
    assert set(categories) == {"Report", "Tables", "Audit"}
    assert categories["Report"] == {"Other": ["results/report.html"]}
    assert "results/tables/eer.csv" in categories["Tables"]["This run"]
    assert "results/tables/xie2025_table6.html" in categories["Tables"]["Papers, with our numbers"]
    assert "results/audit/overlap.csv" in categories["Audit"]["Other"]
    held = {Path(name).name for name in report.namelist()}
    assert {"report.html", "eer.csv", "xie2025_table6.html", "overlap.csv"} <= held


@pytest.mark.long
@pytest.mark.usefixtures("quick_jobs")
def test_every_result_has_labels_and_a_caption_without_a_rest_of_its_template(report: zipfile.ZipFile) -> None:
    results = of_page(report, "results")
    assert results["results/tables/quality.csv"]["labels"] == {"name": "quality", "content": CONTENT["quality"]}
    assert "tabulate" in results["results/tables/eer.csv"]["caption"]
    for result in results.values():
        assert result["labels"]
        assert result["caption"] and "{{" not in result["caption"]


def test_captions_are_those_that_rules_name() -> None:
    marks = (ROOT / "codecfake/running/report_marks.py").read_text(encoding="utf-8")
    snakefile = (ROOT / "Snakefile").read_text(encoding="utf-8")
    named = {*re.findall(r'_mark\(path, "(\w+)"', marks), *re.findall(r"report/(\w+)\.rst", marks + snakefile)}
    assert named == {path.stem for path in (ROOT / "rules/report").iterdir()}
