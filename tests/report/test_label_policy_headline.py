"""The headline of a report that compares label policies."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from codecfake.report import label_policies
from codecfake.report.inputs import ReportError, ReportInputs

POLICIES = ["strict", "channel", "purpose"]


def inputs(results: Path, policies: list[str]) -> ReportInputs:
    return cast(ReportInputs, SimpleNamespace(results=results, label_policies=policies))


def write(results: Path, rows: list[tuple[str, str, Any]]) -> None:
    (results / "tables").mkdir()
    table = pd.DataFrame(rows, columns=["source", "policy", "eer_percent"])
    table.to_csv(results / "tables/label_policy.csv", index=False)


def test_it_has_the_range_of_all_models_under_each_policy(tmp_path: Path) -> None:
    rows = [("all", "strict", 10.04), ("all", "strict", 22), ("all", "channel", 45), ("all", "purpose", 30)]
    write(tmp_path, [*rows, ("T01", "strict", 1.0)])
    assert label_policies.headline(inputs(tmp_path, POLICIES)) == (
        "The same recordings and scores have EERs of 10.0 to 22.0\u00a0% under strict, 45.0\u00a0% under channel and "
        "30.0\u00a0% under purpose, because these label policies differ in what is a fake."
    )


def test_a_policy_that_leaves_a_key_without_trials_is_not_in_it(tmp_path: Path) -> None:
    write(tmp_path, [("all", "strict", 10.0), ("all", "channel", None), ("all", "purpose", 20.0)])
    text = label_policies.headline(inputs(tmp_path, POLICIES))
    assert "10.0\u00a0% under strict and 20.0\u00a0% under purpose" in text and "channel" not in text


def test_without_two_policies_to_compare_there_is_none(tmp_path: Path) -> None:
    assert label_policies.headline(inputs(tmp_path, [])) == ""
    with pytest.raises(ReportError, match=r"label_policy.csv: no such table"):
        label_policies.headline(inputs(tmp_path, POLICIES))
    write(tmp_path, [("all", "strict", 10.0), ("all", "channel", None)])
    assert label_policies.headline(inputs(tmp_path, POLICIES)) == ""
