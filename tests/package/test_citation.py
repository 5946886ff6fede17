"""What other programs read at the top of the repository: the citation, and the entry for Snakemake's catalog."""

from typing import Any

import pytest
import yaml
from places import ROOT

from codecfake import __version__

CITATION: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_citation_has_the_keys_that_version_1_2_of_the_format_requires() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert all(CITATION[key] for key in ("message", "title", "authors"))
    assert CITATION["type"] in ("software", "dataset")


@pytest.mark.parametrize("work", [CITATION, *CITATION["references"]], ids=lambda work: str(work["title"])[:20])
def test_every_cited_work_has_a_title_and_authors_with_names(work: dict[str, Any]) -> None:
    assert work["title"] and work["type"]
    persons, entities = {"family-names", "given-names"}, {"name"}
    assert work["authors"] and all(set(author) in (persons, entities) for author in work["authors"])


def test_the_citation_is_of_this_version_under_this_license() -> None:
    assert CITATION["version"] == __version__
    assert CITATION["license"] == "Apache-2.0"


def test_the_catalog_hears_of_conda_apptainer_and_the_report() -> None:
    entry = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))
    deployment = entry["usage"]["software-stack-deployment"]
    assert deployment == {"conda": True, "apptainer": True, "apptainer+conda": False}
    assert entry["usage"]["report"] is True
    workflow = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("rules/*.smk"))
    assert "conda:" in workflow and "container:" in workflow and "report_marks." in workflow
