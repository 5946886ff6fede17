"""The codecs of today beside those of Xie et al. 2025: lists, plan, and a whole run with small random codecs."""

import math
from pathlib import Path

import pandas as pd
import pytest
from places import ROOT
from whole_runs import rerun, snakemake

import codec_wrappers
from codecfake.experiment import codec_table, held_out, site
from codecfake.experiment.schema import Experiment

SMALL = Path(__file__).with_name("codecs2026.yaml")
MAIN = [f"F{number:02d}" for number in range(1, 19)]


@pytest.fixture(scope="module")
def full() -> Experiment:
    return site.read_without_corpora({"experiment": "codecs2026"}, ROOT)


def test_all_codecs_have_published_weights_and_only_two_corpora_are_needed(full: Experiment) -> None:
    assert set(full.corpora) == {"vctk", "aishell3"}
    assert len(full.codecs_run()) == 18
    assert {full.codecs[name].weights.kind for name in full.codecs_run()} == {"official"}


def test_every_codec_is_trained_on_and_evaluated(full: Experiment) -> None:
    assert list(full.domains["all-codecs"].sources) == MAIN
    assert {full.conditions[f"C{number}"].spoof.source for number in range(1, 19)} == set(MAIN)
    assert sorted([*full.domains["xie2025"].sources, *full.domains["newer"].sources]) == MAIN


def test_domains_by_decoder_have_the_codecs_of_that_kind(full: Experiment) -> None:
    for source in MAIN:
        codec = full.codecs[full.codec_of(source)]
        kinds = codec_wrappers.kinds(codec.wrapper, codec.model)
        assert kinds is not None
        assert [name for name in ("time", "frequency") if source in full.domains[name].sources] == [kinds.decoder]


def test_all_training_sets_draw_the_same_recordings_and_no_speaker_is_in_two_splits(full: Experiment) -> None:
    splits = {(tuple(domain.corpora), domain.split.seed, domain.split.by) for domain in full.domains.values()}
    assert splits == {(("vctk", "aishell3"), 1, "speaker")}


def test_sets_without_a_codec_hold_out_its_conditions(full: Experiment) -> None:
    holdouts = held_out.settings(full)["held_out"]
    assert set(holdouts) == {"all-codecs", "newer", "time"}  # the others have less than half of all codecs
    assert {"C1", "C7"} <= set(holdouts["newer"]) and not {"C8", "C18"} & set(holdouts["newer"])
    of_spectra = {"C11", "C12", "C15", "C15-2", "C15-4", "C15-16", "C16", "C16-8", "C16-16"}
    assert set(holdouts["time"]) == of_spectra


def test_the_table_of_codecs_has_true_bit_rates_and_says_of_latents_that_they_have_none() -> None:
    rows = {row.id: row.true_kbps for row in codec_table.rows(codec_table.path_of("codecs2026"))}
    assert (rows["F08-4"], rows["F08"], rows["F08-32"]) == (0.55, 1.1, 4.4)
    assert (rows["F11"], rows["F12"], rows["F15-16"], rows["F17"], rows["F18"]) == (0.8, 0.8, 12.0, 0.984, 1.04)
    assert rows["F13"] == rows["F14"] == "none"


def test_the_small_form_is_planned(tmp_path: Path) -> None:
    jobs = rerun(tmp_path, SMALL)
    assert jobs["train_detector"] == jobs["score"] == 4
    assert {f"resynthesize_{name}" for name in ("mimi", "vibevoice", "vocos", "snac")} <= set(jobs)


@pytest.mark.slow
def test_the_small_form_ends_in_its_tables_audit_and_report(tmp_path: Path, quick_jobs: None) -> None:
    done = snakemake(tmp_path, SMALL, "all")
    assert done.returncode == 0, done.stdout + done.stderr
    results = tmp_path / "results"
    index = pd.read_parquet(results / "audio/english/F14/0000.parquet")
    assert index["bitrate_kbps"].map(math.isnan).all() and set(index["quantizers"]) == {1}
    quality = pd.read_csv(results / "tables/quality.csv", keep_default_na=False).set_index("source")["bitrate_kbps"]
    assert set(quality["F14"]) == {"none"} and set(quality["F08"].astype(float)) == {0.2}
    assert (results / "audit/passed.txt").is_file()
    assert set(pd.read_csv(results / "tables/eer.csv")["condition"]) >= {"C8", "C14", "C15", "C17"}
    report = (results / "report.html").read_text(encoding="utf-8")
    assert "vibevoice, no bit rate" in report and "mimi, 0.2 kbit/s" in report
