"""The whole workflow at tiny size: from nothing to the report, the same bytes twice, and what runs again when."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from places import ROOT, TINY
from whole_runs import MADE, ON_CPU, digests, jobs_by_rule, rerun, run, snakemake

from codecfake.experiment import reading, site
from codecfake.running.planning import rates, run_plan
from codecfake.running.planning.steps import Room, amount

MADE_AGAIN: tuple[dict[str, str], ...] = (  # rule -> an output of one of its jobs; the later ones read the earlier ones
    {
        "train_codec": "results/codecs/encodec/weights.safetensors",
        "resynthesize_encodec": "results/audio/mandarin/F01/0000.tar",
    },
    {
        "quality": "results/quality/encodec.tsv",
        "train_detector": "results/models/mel-lcnn/codec/erm/seed1/weights.safetensors",
        "score": "results/scores/mel-lcnn/codec/erm/seed1/C1.tsv",
        "tabulate": "results/tables/eer.csv",
        "report": "results/report.html",
    },
)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Path]:
    """Writes the tiny experiment with some values replaced at paths of keys."""

    def edit(*changes: tuple[tuple[str, ...], Any]) -> Path:
        values = yaml.safe_load(TINY.read_text(encoding="utf-8"))
        for keys, value in changes:
            place = values
            for key in keys[:-1]:
                place = place[key]
            place[keys[-1]] = value
        path = tmp_path / "edited.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path

    return edit


def test_one_command_leads_from_nothing_to_the_report(tiny: Path) -> None:
    page = (tiny / "results/report.html").read_text(encoding="utf-8")
    assert "Tiny" in page
    eer = pd.read_csv(tiny / "results/tables/eer.csv")
    assert set(eer["condition"]) == {"C1", "C1-4", "C1-same", "P00", "LA"}
    assert set(eer["training_set"]) == {"codec", "co"}


def test_the_control_is_undetectable(tiny: Path) -> None:
    eer = pd.read_csv(tiny / "results/tables/eer.csv").set_index(["condition"])
    control = eer.loc[["P00"]]
    assert ((control["eer_percent"] - 50).abs() <= control["eer_step_percent"] / 2 + 1e-6).all()


def test_a_source_of_the_same_bytes_is_made_and_judged_once(tiny: Path) -> None:
    assert not (tiny / "results/audio/english/F01-same").exists()
    eer = pd.read_csv(tiny / "results/tables/eer.csv").set_index(["training_set", "condition"])["eer_percent"]
    assert eer["codec", "C1-same"] == eer["codec", "C1"]


def test_tables_come_from_score_files_and_protocols_alone(tiny: Path, tmp_path: Path) -> None:
    for kept in ("scores", "protocols"):
        shutil.copytree(tiny / "results" / kept, tmp_path / "results" / kept)

    done = snakemake(tmp_path, TINY, "tables")

    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.name for path in (tmp_path / "results").iterdir()}
    assert not {"audio", "codecs", "corpora", "demo", "models", "weights"} & made
    assert digests(tmp_path, "tables/*.csv") == {
        name: digest for name, digest in digests(tiny, "tables/*.csv").items() if "quality" not in name
    }


def test_every_job_has_a_log_named_as_its_rule(tiny: Path) -> None:
    logs = {str(path.relative_to(tiny / "logs")) for path in (tiny / "logs").rglob("*.log")}
    assert {"record/english.F00.0001.log", "resynthesize_encodec/mandarin.0000.log", "train_codec/encodec.log"} <= logs
    assert "train_detector/mel-lcnn.codec.erm.seed1.log" in logs


def test_every_job_of_a_run_is_listed_and_left_a_record_that_the_page_of_times_has(tiny: Path) -> None:
    listed = (tiny / "logs/jobs.txt").read_text(encoding="utf-8").split()
    logs = {path.relative_to(tiny / "logs").with_suffix("").as_posix() for path in (tiny / "logs").rglob("*.log")}
    assert set(listed) == logs
    assert set(pd.read_csv(tiny / "results/timing.csv")["job"]) == logs
    assert "resynthesize_encodec" in (tiny / "results/timing.html").read_text(encoding="utf-8")


def test_nothing_runs_again_when_nothing_changed(tiny: Path) -> None:
    assert rerun(tiny, TINY) == {}


def test_a_change_to_one_codec_runs_its_shards_again_and_what_follows(tiny: Path, edited: Callable[..., Path]) -> None:
    jobs = rerun(tiny, edited((("codecs", "encodec", "sources", "F01-4", "quantizers"), 3)))
    assert jobs["resynthesize_encodec"] == 3
    assert {"train_detector", "score", "tabulate", "report"} <= set(jobs)
    assert not {"record", "resynthesize_through", "ingest_corpus", "write_partition", "write_condition"} & set(jobs)


def test_a_change_to_one_training_set_trains_its_models_alone(tiny: Path, edited: Callable[..., Path]) -> None:
    jobs = rerun(tiny, edited((("training_sets", "co", "epochs"), 2)))
    assert jobs == {"train_detector": 1, "score": 1, "tabulate": 1, "report": 1}


def test_a_new_condition_trains_nothing(tiny: Path, edited: Callable[..., Path]) -> None:
    real, through = {"domain": "codec"}, {"domain": "codec", "source": "P00", "utterances": "all"}
    jobs = rerun(tiny, edited((("conditions", "new"), {"bonafide": real, "spoof": through})))
    assert jobs == {
        "write_condition": 1, "check_lists": 2, "audit": 1, "audit_verdict": 1, "score": 2, "tabulate": 1, "report": 1,
    }  # fmt: skip


def test_other_words_in_the_report_run_the_report_alone(tiny: Path, edited: Callable[..., Path]) -> None:
    assert rerun(tiny, edited((("notes",), ["Mind the step."]))) == {"report": 1}


def test_the_rest_of_a_run_may_go_to_another_device(tiny: Path) -> None:
    assert rerun(tiny, TINY, config=["device=auto"]) == {}


def test_a_corpus_may_be_moved(tiny: Path, tmp_path: Path, edited: Callable[..., Path]) -> None:
    """Recordings are known by their digests, not by where they lie."""
    experiment, target = edited((("corpora", "english", "demo"), False)), "results/audio/english/F00/0000.tar"
    before, after = tmp_path / "before", tmp_path / "after"
    shutil.copytree(tiny / "results/demo/VCTK", before)
    done = snakemake(tmp_path, experiment, target, config=[f"corpora={{english: {before}}}"])
    assert done.returncode == 0, done.stdout + done.stderr
    before.rename(after)
    assert rerun(tmp_path, experiment, target, config=[f"corpora={{english: {after}}}"]) == {}


def test_protocols_need_no_audio_shard_and_no_codec(tmp_path: Path) -> None:
    jobs = rerun(tmp_path, TINY, "protocols")
    assert jobs == {
        "synthesize_demo": 1, "ingest_corpus": 3, "write_partition": 2, "write_condition": 5,
        "write_sources": 1, "protocols": 1,
    }  # fmt: skip


def test_jobs_in_processes_of_their_own_make_the_bytes_of_forked_ones(tiny: Path, tiny_copy: Path) -> None:
    """One job of each rule that uses networks, and the tables and the report, by the command line that users have."""
    for outputs in MADE_AGAIN:
        for path in outputs.values():
            (tiny_copy / path).unlink()
        done = run(tiny_copy, TINY, *outputs.values(), options=["--force", "--allowed-rules", *outputs])
        assert done.returncode == 0, done.stdout + done.stderr
        assert jobs_by_rule(done.stdout + done.stderr) == dict.fromkeys(outputs, 1)
        assert all((tiny_copy / path).is_file() for path in outputs.values())
    assert digests(tiny_copy, *MADE) == digests(tiny, *MADE)


@pytest.mark.slow
def test_two_runs_in_two_directories_give_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    """The second by the command line that users have, protocols first, which must not miss audio or codecs."""
    done = run(tmp_path, TINY, "protocols")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "results/protocols/eval/C1.tsv").exists()
    assert not (tmp_path / "results/audio").exists()
    assert not (tmp_path / "results/codecs").exists()
    done = run(tmp_path, TINY, "all")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(digests(tiny, *MADE)) > 40
    assert digests(tmp_path, *MADE) == digests(tiny, *MADE)


@pytest.mark.long
def test_the_full_plan_of_the_paper_is_a_graph_of_a_thousand_jobs_or_so(tmp_path: Path) -> None:
    roots = {name: tmp_path / name for name in ("vctk", "aishell3", "libritts", "19la")}
    for root in roots.values():
        root.mkdir()
    corpora = "{" + ", ".join(f"{name}: {root}" for name, root in roots.items()) + "}"
    jobs = rerun(tmp_path / "run", Path("xie2025"), config=[f"corpora={corpora}"])
    assert 1000 < sum(jobs.values()) < 3000
    experiment = site.read_without_corpora({"experiment": "xie2025"}, ROOT)
    assert jobs == planned_jobs(run_plan.plan(experiment, tmp_path / "run", rates.load(), "gpu"))
    assert not (tmp_path / "run/results").exists()


def planned_jobs(plan: run_plan.RunPlan) -> dict[str, int]:
    return {step.rule: len(step.jobs) for step in plan.steps if step.jobs and step.rule != "all"}


def test_the_plan_has_the_jobs_and_the_outputs_of_the_run(tiny: Path) -> None:
    plan = run_plan.plan(site.read_without_corpora({"experiment": str(TINY)}, ROOT), tiny, rates.load(), "cpu")
    asked = rerun(tiny, TINY, options=["--forceall"])
    assert asked == planned_jobs(plan)
    assert all((tiny / path).exists() for step in plan.steps for job in step.jobs for path in job)


def test_the_plan_of_the_disk_is_right_within_a_half_for_all_that_is_not_a_network(tiny: Path, tmp_path: Path) -> None:
    before = run_plan.plan(site.read_without_corpora({"experiment": str(TINY)}, ROOT), tmp_path, rates.load(), "cpu")
    for step in before.steps:
        if step.rule.startswith(("record", "resynthesize", "write_partition", "write_condition", "score")):
            made = sum((tiny / path).stat().st_size for job in step.jobs for path in job)
            exports = tiny.glob(
                f"results/protocols/exports/*/{'eval' if step.rule == 'write_condition' else '[!e]*'}/*"
            )
            beside = {"protocols": exports, "evaluation": tiny.glob("results/scored/**/*")}.get(step.stage, ())
            made += sum(path.stat().st_size for path in beside if path.is_file())
            assert step.bytes_out.least == pytest.approx(made, rel=0.5), step.rule


def test_what_is_made_is_not_planned_again(tiny: Path) -> None:
    plan = run_plan.plan(site.read_without_corpora({"experiment": str(TINY)}, ROOT), tiny, rates.load(), "cpu")
    named = replace(plan, steps=tuple(step for step in plan.steps if step.jobs)).to_write(tiny)
    assert named == Room(amount(0.0), 0)


@pytest.mark.long
def test_a_run_that_the_disk_cannot_hold_is_refused_before_any_job(tmp_path: Path) -> None:
    values = reading.read(ROOT / "experiments/wu2024.yaml")
    values["corpora"]["vctk"]["size"] = {"bonafide": 10**15, "hours": 1e12}
    (tmp_path / "large.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    for name in ("vctk", "asvspoof"):
        (tmp_path / name).mkdir()
    corpora = f"corpora={{vctk: {tmp_path / 'vctk'}, asvspoof: {tmp_path / 'asvspoof'}}}"
    done = snakemake(tmp_path / "run", tmp_path / "large.yaml", "protocols", config=[*ON_CPU, corpora])
    assert done.returncode != 0
    assert re.search(r"[\d,]{20,} bytes are needed, but [\d,]+ are available", done.stderr), done.stderr
    assert not (tmp_path / "run/results").exists()
    assert not (tmp_path / "run/logs").exists()


def test_a_job_that_fails_stops_the_run_and_says_why(tmp_path: Path, quick_jobs: None) -> None:
    (tmp_path / "results/demo").mkdir(parents=True)
    (tmp_path / "results/demo/mine.txt").touch()
    done = snakemake(tmp_path, TINY, "protocols")
    assert done.returncode != 0
    assert "has content other than an earlier demo" in done.stdout + done.stderr
    end = done.stderr[done.stderr.index("1 job did not finish:") :]
    assert "synthesize_demo, whose log logs/synthesize_demo.log ends:\n" in end
    assert re.search(r"\n  \| .*earlier demo; .*\n  -> fix the cause", end)
    assert (tmp_path / "results/demo/mine.txt").exists()


def test_settings_that_a_job_would_refuse_stop_before_any_job(tmp_path: Path, edited: Callable[..., Path]) -> None:
    done = snakemake(tmp_path, edited((("demo", "english_speakers"), 99)), "protocols")
    assert done.returncode != 0
    assert "demo.english_speakers: 99 is out of range; it can be 1 to" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "logs").exists()


def test_a_wrong_experiment_stops_before_any_job(tmp_path: Path, edited: Callable[..., Path]) -> None:
    done = snakemake(tmp_path, edited((("speed",), 1)), "all")
    assert done.returncode != 0
    assert "unknown setting 'speed'" in done.stdout + done.stderr
    assert not (tmp_path / "results").exists()
