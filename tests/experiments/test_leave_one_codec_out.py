"""Every codec is held out once: the lists, the plan, and the table of the whole run."""

from pathlib import Path

import pandas as pd
import pytest
from places import ROOT
from whole_runs import rerun, snakemake

from codecfake.experiment import held_out, site
from codecfake.experiment.schema import Experiment

SMALL = Path(__file__).with_name("leave-one-codec-out.yaml")


@pytest.fixture(scope="module")
def full() -> Experiment:
    return site.read_without_corpora({"experiment": "leave-one-codec-out"}, ROOT)


def test_every_codec_of_the_paper_is_held_out_once(full: Experiment) -> None:
    holdouts = held_out.settings(full)["held_out"]
    assert holdouts.pop("all-codecs") == []
    assert holdouts == {f"without-F0{number}": [f"C{number}"] for number in range(1, 8)}


def test_each_codec_is_trained_on_by_the_seven_other_sets(full: Experiment) -> None:
    trained = held_out.settings(full)["trained"]
    for number in range(1, 8):
        assert sum(f"C{number}" in conditions for conditions in trained.values()) == 7


def test_all_training_sets_draw_the_same_recordings(full: Experiment) -> None:
    splits = {(tuple(domain.corpora), domain.split.seed, domain.split.by) for domain in full.domains.values()}
    assert len(splits) == 1


def test_no_codec_is_trained_and_no_other_corpus_is_needed(full: Experiment) -> None:
    assert set(full.corpora) == {"vctk", "aishell3"}
    assert not any(full.is_trained(codec) for codec in full.codecs_run())
    assert len(full.codecs_run()) == 7


def test_an_experiment_that_trains_on_one_set_of_codecs_holds_none_out() -> None:
    assert held_out.settings(site.read_without_corpora({"experiment": "xie2025"}, ROOT)) == {}
    assert held_out.settings(site.read_without_corpora({"experiment": "tiny"}, ROOT)) == {}


def test_sets_of_one_codec_of_many_hold_none_out() -> None:
    assert held_out.settings(site.read_without_corpora({"experiment": "wu2024"}, ROOT)) == {}


def test_the_small_form_is_planned(tmp_path: Path) -> None:
    jobs = rerun(tmp_path, SMALL)
    assert jobs["train_detector"] == jobs["score"] == 4
    assert {"train_codec", "resynthesize_soundstream", "tabulate", "report"} <= set(jobs)


@pytest.mark.long
def test_the_small_form_ends_in_its_table(tiny_copy: Path) -> None:
    done = snakemake(tiny_copy, SMALL, "all")
    assert done.returncode == 0, done.stdout + done.stderr
    table = pd.read_csv(tiny_copy / "results/tables/held_out.csv")
    holdouts = dict(zip(table["training_set"], table["condition"], strict=True))
    assert holdouts == {"without-F01": "C1", "without-F02": "C2", "without-P00": "P00"}
    assert (table["num_sets_with_codec"] == 3).all()
    eers = pd.read_csv(tiny_copy / "results/tables/eer.csv").set_index(["training_set", "condition"])["eer_percent"]
    for row in table.itertuples():
        assert row.eer_percent == eers[row.training_set, row.condition]
    assert "Codecs that are not in the training data" in (tiny_copy / "results/report.html").read_text(encoding="utf-8")
