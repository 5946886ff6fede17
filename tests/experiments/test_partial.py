"""Partial fakes: the sources and conditions of an experiment, their jobs, and the tables of the whole run."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT
from whole_runs import digests, rerun, snakemake

from codecfake.audio.shards import AudioStore
from codecfake.audio.spans import from_text
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import audited, partial_fakes, reading, site, source_rows, traced_values
from codecfake.experiment.schema import Experiment

SMALL = Path(__file__).with_name("tiny-partial.yaml")
SOURCES = ("F01-partial", "F01-cut", "P00-partial")


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return reading.load(SMALL)


def changed(folder: Path, *lines: str) -> Experiment:
    path = folder / "own.yaml"
    path.write_text("\n".join([f"based_on: {SMALL}", "title: Own", *lines]) + "\n", encoding="utf-8")
    return reading.load(path)


def test_partial_fakes_have_their_parents(experiment: Experiment) -> None:
    audio = set(experiment.all_audio())
    settings = partial_fakes.sources(experiment)
    assert set(settings) == set(SOURCES)
    for corpus, source in partial_fakes.audio(experiment):
        assert {(corpus, "F00"), (corpus, settings[source].of)} <= audio


def test_a_source_that_is_only_in_spans_is_made_too(tmp_path: Path) -> None:
    lines = ["conditions: {C1: null, C1-cut: null, P00: null}", "domains: {codec: {sources: [F01-partial]}}"]
    assert ("english", "F01") in changed(tmp_path, *lines).all_audio()


def test_partial_fakes_are_spoofs_in_training_and_evaluation(experiment: Experiment) -> None:
    assert experiment.partition_settings("partial").sources == ["F01-partial"]
    assert experiment.condition_settings("C1-partial").spoof.source == "F01-partial"


def test_codecs_do_not_generate_partial_fakes_but_have_their_numbers(experiment: Experiment) -> None:
    assert list(experiment.codecs["encodec"].generated()) == ["F01", "F01-4"]
    rows = {row["source"]: row["quantizers"] for row in source_rows.rows(experiment)}
    assert rows["F01-partial"] == rows["F01"] == 2


def test_partial_fakes_have_the_numbers_of_what_is_in_their_spans(experiment: Experiment) -> None:
    sources = ["F01", "F01-partial", "F01-4", "P00-partial"]
    assert traced_values.values(experiment, sources, "quantizers") == {"F01": 2, "F01-partial": 2, "F01-4": 4}
    rates = traced_values.values(experiment, sources, "bitrate_kbps")
    assert rates["F01-partial"] == rates["F01"] == rates["F01-4"] / 2


def test_partial_fakes_of_a_control_are_controls(experiment: Experiment) -> None:
    assert audited.controls(experiment) == ["P00", "P00-partial"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("codecs: {encodec: {sources: {F01-cut: {partial: {of: F09}}}}}", r"own.yaml:3.*'F09' is not a source that"),
        ("codecs: {encodec: {sources: {F01-cut: {partial: {share: 1.5}}}}}", r"own.yaml:3.*share: 1.5 is out of range"),
        ("codecs: {encodec: {sources: {F01-cut: {partial: {lenght: 2}}}}}", r"own.yaml:3.*unknown setting 'lenght'"),
        (
            "codecs: {encodec: {sources: {F01-cut: {quantizers: 2}}}}",
            r"give exactly one of quantizers, same_as, partial",
        ),
        ("conditions: {C1-cut: {bonafide: {domain: vocoder}}}", r"bonafide: differs from spoof.*same utterances"),
        ("conditions: {C1-cut: {spoof: {utterances: all}}}", r"bonafide: differs from spoof.*same utterances"),
        ("audio: {sample_rate: native}", r"sample_rate: native, but the recordings and the coded spans"),
        ("segments: {hop: 2}", r"own.yaml:3.*hop: 2 s, but windows of 0.5 s would leave gaps"),
    ],
)
def test_a_fault_is_found_before_the_first_job(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        changed(tmp_path, line)


@pytest.mark.long
def test_the_small_form_is_planned(tmp_path: Path) -> None:
    jobs = rerun(tmp_path, SMALL)
    experiment = site.read_without_corpora({"experiment": str(SMALL)}, ROOT)
    shards = [experiment.corpora[corpus].shards for corpus, _ in partial_fakes.audio(experiment)]
    assert (jobs["splice"], jobs["list_spans"]) == (sum(shards), len(shards))
    assert (jobs["score_segments"], jobs["tabulate_partial"]) == (len(experiment.model_names()), 1)


@pytest.mark.long
def test_the_small_form_ends_in_its_table_and_controls_are_at_chance(tmp_path: Path, quick_jobs: None) -> None:
    done = snakemake(tmp_path, SMALL, "all")
    assert done.returncode == 0, done.stdout + done.stderr
    results = tmp_path / "results"
    for corpus in ("english", "mandarin"):
        _check_audio(results, corpus)
    _check_chance(results)
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "<h2>Partial fakes</h2>" in page
    assert 'aria-label="Segments of F01-partial_' in page
    before = digests(tmp_path, "audio/*/*-*/*")
    assert len(before) > 10
    assert rerun(tmp_path, SMALL) == {}
    victim = results / "audio/english/F01-partial/0000.tar"
    victim.unlink()
    assert snakemake(tmp_path, SMALL, str(victim.relative_to(tmp_path))).returncode == 0
    assert digests(tmp_path, "audio/*/*-*/*") == before


def _check_audio(results: Path, corpus: str) -> None:
    """Outside spans, samples are those of the recording; a hard cut has the samples of the codec within."""
    store = AudioStore(results / "audio", [(corpus, name) for name in ("F00", "F01", *SOURCES)])
    index = pd.read_parquet(results / f"audio/{corpus}/F01-cut/0000.parquet")
    listed = pd.read_csv(results / f"spans/{corpus}/F01-cut.tsv", sep="\t")
    assert len(listed) == sum(len(from_text(text)) for text in index["spans"])
    for utterance, text in zip(index["utterance_id"], index["spans"], strict=True):
        wavs = {name: store.read(corpus, name, utterance)[0] for name in ("F00", "F01", *SOURCES)}
        is_coded = np.zeros(len(wavs["F00"]), bool)
        for start, end in from_text(text):
            is_coded[start:end] = True
        for name in SOURCES:
            assert np.array_equal(wavs[name][~is_coded], wavs["F00"][~is_coded])
        assert np.array_equal(wavs["F01-cut"][is_coded], wavs["F01"][is_coded])
        assert not np.array_equal(wavs["F01-partial"], wavs["F01-cut"])
        assert np.array_equal(wavs["P00-partial"], wavs["F00"])


def _check_chance(results: Path) -> None:
    table = pd.read_csv(results / "tables/partial.csv")
    models = set(zip(table["training_set"], table["condition"], strict=True))
    assert models == set(product(("codec", "partial", "segments"), ("C1-partial", "C1-cut", "P00-partial")))
    compared = table[(table["condition"] == "P00-partial") & table["measure"].isin(["segment", "utterance"])]
    assert len(compared) == 6
    assert (compared["eer_percent"] == 50).all()
