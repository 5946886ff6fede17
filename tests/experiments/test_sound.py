"""Sound events through codecs: the plan of the full experiment, and the whole of its small form."""

from pathlib import Path

import pandas as pd
import pytest
from places import EXPERIMENTS, ROOT
from whole_runs import rerun, snakemake

from codecfake.base import files
from codecfake.experiment import site
from codecfake.experiment.schema import Experiment
from codecfake.quality.measures import SPEECH_ALONE

SMALL = EXPERIMENTS / "sound-demo.yaml"
UTTERANCES = {"speech": 44_242 + 88_035, "sound": 51_197}  # as published


@pytest.fixture(scope="module")
def full() -> Experiment:
    return site.read_without_corpora({"experiment": "sound"}, ROOT, optional=True)


def test_only_published_weights_and_three_corpora_are_needed(full: Experiment) -> None:
    assert {name for name, corpus in full.corpora.items() if not corpus.optional} == {"vctk", "aishell3", "fsd50k"}
    assert {full.codecs[name].weights.kind for name in full.codecs_run()} == {"official", "none"}
    assert len(full.codecs_run()) == 7 + 1


def test_a3_is_evaluated_where_there_are_captions_and_named_where_not(full: Experiment) -> None:
    assert full.conditions["A3"].spoof.corpus == "audiogen" and list(full.generated()) == ["audiogen"]
    without = site.read_without_corpora({"experiment": "sound"}, ROOT)
    assert "A3" not in without.conditions and "audiocaps, which has its texts, has none" in without.not_run["A3"]


@pytest.mark.parametrize("name", ["sound", "sound-demo"])
def test_training_sets_differ_in_content_alone(name: str) -> None:
    experiment = site.read_without_corpora({"experiment": name}, ROOT)
    speech, sound = experiment.domains["speech"], experiment.domains["sound"]
    assert speech.sources == sound.sources and speech.split == sound.split and speech.split.by == "speaker"
    assert experiment.training_sets["both"].domains == ["speech", "sound"]
    assert "F07" not in speech.sources and experiment.conditions["S7"].spoof.source == "F07"


def test_the_training_sets_of_the_full_experiment_have_about_the_same_number_of_updates(full: Experiment) -> None:
    sets = full.training_sets
    updates = [sets[name].epochs * sum(UTTERANCES[domain] for domain in sets[name].domains) for name in sets]
    assert max(updates) / min(updates) < 1.05


def test_the_small_form_is_planned(tmp_path: Path) -> None:
    jobs = rerun(tmp_path, SMALL)
    assert (jobs["train_detector"], jobs["quality"], jobs["ingest_corpus"]) == (3, 8, 2)
    assert {f"resynthesize_{name}" for name in ("soundstream", "dac", "through")} <= set(jobs)


@pytest.mark.long
def test_the_small_form_answers_its_question_in_table_and_report(tmp_path: Path, quick_jobs: None) -> None:
    done = snakemake(tmp_path, SMALL, "all")
    assert done.returncode == 0, done.stdout + done.stderr
    results = tmp_path / "results"
    _check_splits(results)
    table = pd.read_csv(results / "tables/contents.csv")
    assert len(table) == 3 * 4 and table["eer_percent"].notna().all()
    assert set(table.loc[table["spoofs"] == "control", "eer_percent"]) == {50}
    eers = pd.read_csv(results / "tables/eer_seeds.csv").set_index(["training_set", "condition"])["eer_percent"]
    for row in table.itertuples():  # the table has the means of the others, with the digits that these have
        own = eers[[(row.training_set, name) for name in row.conditions.split()]].mean()
        assert row.eer_percent == pytest.approx(own, abs=1e-5)
    quality = pd.read_csv(results / "tables/quality_sounds.csv").set_index(["metric", "source"])
    assert not quality.loc[list(SPEECH_ALONE), "n"].any() and (quality.loc["si_sdr_db", "n"] == 4).all()
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "Coded sound: mel-lcnn trained on speech alone has an EER of" in page and "On sounds" in page


def _check_splits(results: Path) -> None:
    """No source of sounds is in two lists."""
    lists = [f"sound/{split}" for split in ("train", "dev")] + ["eval/S1"]
    tables = [files.read_tsv(results / f"protocols/{name}.tsv") for name in lists]
    sources = [set(table["speaker_id"]) for table in tables]
    assert sum(map(len, sources)) == len(set.union(*sources)) == 40
