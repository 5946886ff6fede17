"""What is speech and what is not, in shipped experiments and in experiments of one's own."""

from pathlib import Path

import pytest
from places import ROOT

from codecfake.experiment import contents, site
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.papers import Papers
from codecfake.experiment.schema import Experiment
from codecfake.tables.published import Published

SPEECH_ALONE = ("xie2025", "demo", "crossdata", "codecs2026")


def load(name: str) -> Experiment:
    return site.read_without_corpora({"experiment": name}, ROOT, optional=True)


def jobs_of(experiment: Experiment) -> Jobs:
    return Jobs(experiment, Papers(experiment, Published(ROOT / "protocols/published")), {})


@pytest.fixture(scope="module")
def sound() -> Experiment:
    return load("sound")


def test_the_conditions_of_sound_are_in_groups_by_content_and_kind_of_spoofs(sound: Experiment) -> None:
    values = contents.settings(sound)
    assert values["trained"] == {"speech": ["speech"], "sound": ["sound"], "both": ["speech", "sound"]}
    assert [(one["content"], one["spoofs"], one["conditions"]) for one in values["groups"]] == [
        ("speech", "coded", ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]),
        ("sound", "coded", ["S1", "S2", "S3", "S4", "S5", "S6", "S7"]),
        ("sound", "not coded", ["A3"]),
        ("speech", "control", ["P00"]),
        ("sound", "control", ["P00-sound"]),
    ]


@pytest.mark.parametrize("name", SPEECH_ALONE)
def test_experiments_that_train_on_speech_alone_have_no_comparison_and_the_same_jobs(name: str) -> None:
    experiment = load(name)
    assert contents.settings(experiment) == {} and contents.sounds_measured(experiment) == []
    jobs = jobs_of(experiment)
    texts = [jobs.tabulate().text, jobs.quality_summary().text, jobs.report().text.partition('"experiment": ')[0]]
    assert not [text for text in texts if '"sounds"' in text or '"contents"' in text or '"quality_sounds"' in text]
    assert contents.quality_tables(experiment) == ["quality", "quality_order"]


def test_quality_is_measured_on_sounds_too_and_knows_them(sound: Experiment) -> None:
    settings = jobs_of(sound).quality("soundstream").settings
    assert settings.sounds == ["fsd50k"] and set(settings.sources["F01"]) == {"vctk", "aishell3", "fsd50k"}
    assert "F07" in contents.sources_with_sounds(sound)
    assert contents.quality_tables(sound)[-1] == "quality_sounds"


def test_the_content_of_a_corpus_without_a_layout_of_its_own_can_be_given(tmp_path: Path) -> None:
    text = (
        "based_on: tiny\ntitle: x\ncorpora:\n  mandarin: {content: sound}\n"
        "domains: {other: {corpora: [mandarin], split: {by: speaker, dev: 0.3, eval: 0.3}, sources: [F01]}}\n"
        "conditions: {S1: {bonafide: {domain: other}, spoof: {domain: other, source: F01}}}\n"
        "training_sets: {other: {domains: [other]}}\nmodels: [{detectors: [mel-lcnn], training_sets: [codec, other]}]\n"
    )
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    values = contents.settings(load(str(path)))
    assert values["trained"] == {"codec": ["speech", "sound"], "other": ["sound"]}
    groups = {(one["content"], one["spoofs"]): one["conditions"] for one in values["groups"]}
    # conditions with recordings of both contents are in no group
    assert groups == {("sound", "coded"): ["S1"], ("speech", "not coded"): ["LA"]}
