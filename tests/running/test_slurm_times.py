"""The times that the SLURM profile gives to jobs on GPUs follow from the plans of the shipped experiments."""

from pathlib import Path

import pytest
import yaml
from places import ROOT

from codecfake.experiment import reading
from codecfake.running.planning import rates, run_plan

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
CONTINUED = ("train_codec", "train_detector")  # another attempt goes on where the last one ended


def allowed_hours(rule: str) -> float:
    """The time of a rule's first attempt, or of all attempts together if each continues the last one."""
    runtime = PROFILE["set-resources"].get(rule, PROFILE["default-resources"])["runtime"]
    minutes = float(str(runtime).removesuffix(" * attempt"))
    return minutes / 60 * (1 + PROFILE["retries"] if rule in CONTINUED else 1)


@pytest.mark.parametrize(
    "name",
    ["xie2025", *(pytest.param(name, marks=pytest.mark.long) for name in ("wu2024", "xie2025-finetuned", "today"))],
)
def test_the_longest_job_of_each_rule_ends_within_its_time(name: str, tmp_path: Path) -> None:
    experiment = reading.load(ROOT / "experiments" / f"{name}.yaml")
    longest = run_plan.plan(experiment, tmp_path, rates.load(), "gpu").longest()
    assert {"resynthesize", "train_detector", "score"} <= set(longest)
    late = {rule: task for rule, task in longest.items() if task.hours > allowed_hours(rule)}
    assert late == {}
