"""The settings of jobs: one method a rule, built through what the rule's command reads."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from places import EXPERIMENTS, PUBLISHED, ROOT

from codec_wrappers.training.stopping import CONVERGED
from codecfake.base.settings import from_json
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import reading
from codecfake.experiment.job import Job
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.outputs import RULES, outputs
from codecfake.experiment.papers import Papers
from codecfake.running.wildcards import by_wildcards, text_of
from codecfake.tables.published import Published


def jobs(name: str) -> Jobs:
    """Of a shipped experiment, or of a file."""
    path = Path(name) if name.endswith(".yaml") else EXPERIMENTS / f"{name}.yaml"
    experiment = reading.load(path)
    return Jobs(experiment, Papers(experiment, Published(PUBLISHED)), reading.read(path))


GENERATED = ROOT / "tests/experiments/generated.yaml"
FOLDERS = ROOT / "tests/experiments/recorded-noise.yaml"


def every_job(of: Jobs) -> Iterator[Job[Any]]:
    yield from (getattr(of, rule)(*wildcards) for rule, wildcards in of.with_settings())


@pytest.mark.parametrize("name", sorted(path.stem for path in EXPERIMENTS.glob("*.yaml")))
def test_the_text_of_every_job_gives_the_settings_that_were_checked(name: str) -> None:
    built = list(every_job(jobs(name)))
    assert len(built) > 15
    for job in built:
        assert from_json(type(job.settings), job.text) == job.settings
        assert job.text == json.dumps(json.loads(job.text), sort_keys=True, ensure_ascii=False)


def test_every_rule_that_takes_settings_has_its_job() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("rules/*.smk"))
    checked = {
        rule
        for name in ("tiny", "xie2025-official", "wu2024", "ladder", "partial", "tracing", str(GENERATED), str(FOLDERS))
        for rule, _ in jobs(name).with_settings()
    }
    assert checked == {rule for rule in dir(Jobs) if f"JOBS.{rule}" in texts}
    assert texts.count("        settings=") == len(checked)


def test_the_jobs_of_a_run_are_those_of_the_rules_in_the_workflow() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "Snakefile", *ROOT.glob("rules/*.smk")])
    names = re.findall(r"^rule (\w+):$", texts, re.MULTILINE) + re.findall(r'name:\n +f"(\w+)_\{', texts)
    targets = {"dataset", "protocols", "tables", "draw_spectrograms", "generation_lists"}  # made on request
    experiments = (
        "real-small",
        "demo",
        "wu2024",
        "xie2025-official",
        "ladder",
        "partial",
        "tracing",
        str(GENERATED),
        str(FOLDERS),
    )
    ours = {rule for experiment in experiments for rule, _ in jobs(experiment).walk()}
    assert ours == set(names) - targets == set(RULES)


def test_every_job_has_outputs_of_its_own() -> None:
    experiment = reading.load(GENERATED)
    paths = [path for job in jobs(str(GENERATED)).walk() for one in outputs(job, experiment) for path in one]
    assert len(paths) == len(set(paths))
    assert {"results/audio/english/F00/0001.tar", "results/report.html"} <= set(paths)


def test_jobs_that_cannot_be_built_are_listed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    of = jobs("tiny")

    def refuse(*wildcards: str) -> None:
        raise ValueError(f"not {len(wildcards)}")

    monkeypatch.setattr(of, "audit", refuse)
    monkeypatch.setattr(of, "ingest_corpus", refuse)
    with pytest.raises(ConfigurationError) as error:
        of.check()
    lines = str(error.value).splitlines()
    assert lines[0] == "ingest_corpus english: not 1"
    assert lines[-1] == "audit: not 0"


def test_a_reduced_decoder_is_a_parameter_of_its_job_and_exact_ones_keep_theirs(tmp_path: Path) -> None:
    assert "decoder_precision" not in jobs("tiny").resynthesize("encodec", "english").text
    changed = (EXPERIMENTS / "tiny.yaml").read_text(encoding="utf-8")
    path = tmp_path / "changed.yaml"
    path.write_text(changed.replace("wrapper: encodec", "wrapper: encodec\n    decoder_precision: bfloat16"))
    experiment = reading.load(path)
    of = Jobs(experiment, Papers(experiment, Published(PUBLISHED)), reading.read(path))
    assert of.resynthesize("encodec", "english").settings.decoder_precision == "bfloat16"


def test_the_codecs_of_xie2025_train_until_they_converge() -> None:
    of = jobs("xie2025")
    codecs = [wildcards[0] for rule, wildcards in of.walk() if rule == "train_codec"]
    recipes = [of.train_codec(codec).settings.resolved() for codec in codecs]
    assert len(recipes) == 7
    assert {recipe.validation and recipe.validation.until for recipe in recipes} == {CONVERGED}
    assert [recipe.teacher for recipe in recipes if recipe.is_used("distillation")] == ["facebook/hubert-base-ls960"]


class Wildcards:
    corpus, shard, recordings = "english", "0000", "native"


def test_snakemake_asks_with_the_wildcards_that_a_job_depends_on() -> None:
    of = jobs("tiny")
    assert text_of(of.record)(Wildcards) == of.record("english", "native").text
    calls: list[str] = []
    answer = by_wildcards(lambda corpus: calls.append(corpus) or f"{corpus}!")
    assert [answer(Wildcards), answer(Wildcards)] == ["english!", "english!"]
    assert calls == ["english"]


def test_the_report_is_given_the_experiment_as_it_is_written() -> None:
    assert jobs("tiny").report().settings.experiment == reading.read(Path(EXPERIMENTS / "tiny.yaml"))
