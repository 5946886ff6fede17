"""Facts of runs: every layout has a license or none is assumed; the experiment of a run is found by its title."""

import shutil
from pathlib import Path

import finished_runs
import pytest
from places import EXPERIMENTS, TINY

from codec_wrappers import UNSTATED
from codecfake.corpora import LAYOUTS
from codecfake.experiment import reading
from codecfake.publishing import licensing
from codecfake.publishing.clips import PublishingError
from codecfake.publishing.owner import experiment_of
from codecfake.publishing.run_facts import CREDITS, Credit, credits_by_layout, from_experiment


def test_every_layout_of_a_corpus_has_a_credit_with_a_homepage() -> None:
    any_corpus = {"parquet", "listed"}
    assert set(credits_by_layout()) == set(LAYOUTS) - any_corpus, f"write license and credit into {CREDITS}"
    for layout, credit in credits_by_layout().items():
        assert credit.citation and credit.homepage.startswith("https://"), layout


def test_a_corpus_of_a_layout_without_credit_has_no_stated_license() -> None:
    assert Credit().license == UNSTATED
    assert licensing.refused(licensing.expression([UNSTATED, "MIT"]), licensing.REDISTRIBUTABLE) == [UNSTATED]


@pytest.mark.parametrize(
    ("line", "identifiers"),
    [("", []), ("MIT", ["MIT"]), ("code MIT, weights CC-BY-NC-4.0", ["MIT", "CC-BY-NC-4.0"])],
)
def test_the_licenses_of_code_and_weights_are_told_apart(line: str, identifiers: list[str]) -> None:
    assert licensing.identifiers(line) == identifiers


def test_licenses_that_forbid_changed_copies_are_not_redistributable() -> None:
    assert not [name for name in licensing.REDISTRIBUTABLE if "-ND" in name]


def test_the_corpora_of_the_demo_have_the_license_of_the_package() -> None:
    facts = from_experiment(reading.load(TINY), "tiny", {})
    assert {corpus.credit.license for corpus in facts.corpora.values()} == {"Apache-2.0"}
    assert all(corpus.is_demo for corpus in facts.corpora.values())


def test_the_sounds_of_the_demo_are_not_credited_to_a_speech_synthesizer() -> None:
    corpora = from_experiment(reading.load(EXPERIMENTS / "sound-demo.yaml"), "sound-demo", {}).corpora
    assert "eSpeak" in corpora["english"].credit.note and "formulas" in corpora["sounds"].credit.note


def test_a_stated_license_takes_the_place_of_the_known_one_and_keeps_the_credit() -> None:
    experiment = reading.load(EXPERIMENTS / "xie2025.yaml")
    (known, stated) = (from_experiment(experiment, "x", each).corpora for each in ({}, {"vctk": "ODC-By-1.0"}))
    assert (known["vctk"].credit.license, stated["vctk"].credit.license) == ("CC-BY-4.0", "ODC-By-1.0")
    assert stated["vctk"].credit.citation == known["vctk"].credit.citation != ""
    with pytest.raises(PublishingError, match="--corpus-license: unknown corpus 'vtck'; did you mean 'vctk'"):
        from_experiment(experiment, "x", {"vtck": "MIT"})


def test_generated_fakes_have_the_licenses_of_the_corpora_that_they_say_and_sound_like() -> None:
    facts = from_experiment(reading.load(EXPERIMENTS / "xie2025.yaml"), "xie2025", {})
    generated = [corpus for corpus in facts.corpora.values() if corpus.texts_of]
    assert generated
    assert all(text in facts.corpora for corpus in generated for text in corpus.texts_of)


def test_the_experiment_of_a_run_is_found_by_its_title(finished_run: Path, tmp_path: Path) -> None:
    assert experiment_of(finished_run, None)[1] == "tiny"
    with pytest.raises(PublishingError, match="holds the results of 'Tiny', but --experiment demo is 'Demo'|but --exp"):
        experiment_of(finished_run, "demo")
    with pytest.raises(PublishingError, match="experiment.txt: missing; name the directory of a finished run"):
        experiment_of(tmp_path, None)
    run = tmp_path / "run"
    shutil.copytree(finished_run / "results", run / "results", ignore=shutil.ignore_patterns("audio", "*.sha256"))
    (run / "results/experiment.txt").write_text("Mine\n", encoding="utf-8")
    with pytest.raises(PublishingError, match="no experiment here has the title 'Mine'; name its YAML file with"):
        experiment_of(run, None)


def test_the_made_up_facts_of_these_tests_name_the_corpora_of_their_run() -> None:
    assert set(finished_runs.FACTS.corpora) == set(finished_runs.CORPORA)
