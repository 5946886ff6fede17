"""Profiles: what a cluster's says of every rule, and that it says no less than the default one."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import ROOT, TINY
from whole_runs import snakemake

WORKFLOW = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "Snakefile", *ROOT.glob("rules/*.smk")])


def profile(name: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text(encoding="utf-8"))
    return values


SLURM = profile("slurm")


def local_rules() -> set[str]:
    texts = re.findall(r"^rule (\w+):\n((?:[ \n].*\n|\n)+)", WORKFLOW, re.MULTILINE)
    return {rule for rule, text in texts if "    localrule: True\n" in text}


def test_a_cluster_s_profile_repeats_the_default_one() -> None:
    default = profile("default")
    del default["cores"]
    assert {key: SLURM.get(key) for key in default} == default


def test_every_rule_runs_beside_snakemake_or_says_what_it_asks_of_a_cluster() -> None:
    rules = set(re.findall(r"^rule (\w+):", WORKFLOW, re.MULTILINE))
    named_by_an_experiment = {"resynthesize_passthrough", "resynthesize_lyra"}
    assert set(SLURM["set-resources"]) - named_by_an_experiment == rules - local_rules()


@pytest.mark.parametrize("rule", SLURM["set-resources"])
def test_every_rule_has_a_partition_memory_and_a_time_limit(rule: str) -> None:
    resources = {**SLURM["default-resources"], **SLURM["set-resources"][rule]}
    assert {"slurm_partition", "mem_mb", "runtime"} <= set(resources)


@pytest.mark.parametrize("rule", re.findall(r"^rule (\w+):", WORKFLOW, re.MULTILINE))
def test_rules_without_a_gpu_go_to_cpus_and_name_no_model_of_gpu(rule: str) -> None:
    (text,) = re.findall(rf"^rule {rule}:\n(?:[ \n].*\n|\n)+", WORKFLOW, re.MULTILINE)
    on_gpu = "gpu=" in text
    resources = SLURM["set-resources"].get(rule, {})
    assert resources.get("slurm_partition", "cpu" if rule in local_rules() else "gpu") == ("gpu" if on_gpu else "cpu")
    assert on_gpu or rule in local_rules() or resources["gpu_model"] == "''"


@pytest.mark.parametrize("resources", [SLURM["default-resources"], *SLURM["set-resources"].values()])
def test_a_job_that_comes_back_asks_for_more_memory(resources: dict[str, Any]) -> None:
    memory = [eval(resources["mem_mb"], {"attempt": attempt}) for attempt in (1, 2, 3)]
    assert memory == [memory[0], 2 * memory[0], 3 * memory[0]]


def test_jobs_come_back_by_the_profile_and_never_by_a_rule() -> None:
    assert SLURM["retries"] > 0
    assert "retries:" not in WORKFLOW  # inside an allocation, Snakemake would try again by itself, and SLURM's job too


@pytest.mark.long
def test_on_a_cluster_networks_ask_for_a_gpu_though_the_machine_that_plans_has_none(tmp_path: Path) -> None:
    options = ["--workflow-profile", "profiles/slurm", "--dry-run", "--printshellcmds"]
    process = snakemake(tmp_path, TINY, "all", options=options, config=[])
    assert process.returncode == 0, process.stdout + process.stderr
    gpus = re.findall(r"python -m (?:codecfake step|codec_wrappers) (\S+).*--gpus (\d)", process.stdout)
    assert set(gpus) == {("train", "1"), ("score-conditions", "1"), ("resynthesize", "1"), ("resynthesize", "0")}
