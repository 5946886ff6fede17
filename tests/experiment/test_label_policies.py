"""Label policies of experiments: which codec has which key, and what is refused before any job."""

import json
from pathlib import Path
from typing import Any

import pytest
from places import ROOT
from test_experiment import changed, load

import codec_wrappers
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import reading
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.papers import Papers
from codecfake.experiment.schema import Experiment
from codecfake.tables.published import Published

BY_PURPOSE = {"coded_bonafide": {"transmission": "bonafide", "generation": "spoof"}}
AS_BONAFIDE = {"coded_bonafide": "bonafide"}
CODED_SPOOFS = {
    "corpora__vocoder__resynthesize": "both",
    "conditions__coded": {
        "bonafide": {"domain": "vocoder"}, "spoof": {"domain": "vocoder", "source": "F01", "original": "spoof"}
    },
}  # fmt: skip


def jobs(experiment: Experiment) -> Jobs:
    return Jobs(experiment, Papers(experiment, Published(ROOT / "protocols/published")), {})


def test_codecs_have_the_key_of_their_purpose(tmp_path: Path) -> None:
    conditions = {"conditions": {"19LA": changed()["conditions"]["19LA"]}, "averages": {}}
    experiment = load(tmp_path, changed(domains__codec__labels=BY_PURPOSE, **conditions))
    labels = experiment.partition_settings("codec").labels
    assert set(labels) == {"F01", "F03", "F04", "F05"}  # F02 is of SpeechTokenizer, F06 of HiFi-Codec: for generation
    assert all(keys == {"bonafide": "bonafide", "spoof": "spoof"} for keys in labels.values())


def test_every_codec_of_the_package_but_the_control_has_a_purpose() -> None:
    purposes = {name: codec_wrappers.entry(name).purpose for name in codec_wrappers.names()}
    assert [name for name, purpose in purposes.items() if purpose is None] == ["passthrough"]
    assert set(purposes.values()) == {None, "transmission", "generation"}


def test_a_corpus_with_coded_spoofs_says_so_to_its_codecs_and_to_no_others(tmp_path: Path) -> None:
    settings = {
        corpus: json.loads(jobs(load(tmp_path, changed(**CODED_SPOOFS))).resynthesize("soundstream", corpus).text)
        for corpus in ("english", "vocoder")
    }
    assert settings["vocoder"]["resynthesize"] == "both"
    assert "resynthesize" not in settings["english"]


def test_policies_change_no_setting_of_a_job_that_makes_audio(tmp_path: Path) -> None:
    default = load(tmp_path, changed(**CODED_SPOOFS))
    conditions = {"conditions": {"19LA": changed()["conditions"]["19LA"]}, "averages": {}}
    other = load(tmp_path, {**changed(**CODED_SPOOFS, domains__codec__labels=AS_BONAFIDE), **conditions})
    pairs = [pair for pair in default.all_audio() if pair in other.all_audio()]
    assert ("english", "F01") in pairs
    for corpus, source in pairs:
        if source != "F00":
            codec = default.codec_of(source)
            assert jobs(default).resynthesize(codec, corpus) == jobs(other).resynthesize(codec, corpus)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"domains__codec__labels": {"coded_bonafide": "maybe"}}, "domains.codec.labels.coded_bonafide: "),
        ({"domains__codec__labels": {"coded_spoof": "bonafide"}}, "unknown value 'bonafide'; choose from spoof"),
        ({"corpora__vocoder__resynthesize": "all"}, "unknown value 'all'; choose from bonafide, spoof, both"),
        (
            {"domains__codec__labels": {"coded_bonafide": {"transmission": "spoof"}}},
            "codec speechtokenizer is for generation, which has no label; add `generation: spoof`",
        ),
        (
            {"domains__codec__labels": BY_PURPOSE, "codecs__dac__wrapper": "passthrough",
             "codecs__dac__weights": "none", "codecs__dac__sources": {"F07": {"quantizers": 1}}},
            "codec dac has no purpose; write `purpose: transmission` or `generation` in codecs.dac",
        ),
        (
            {"domains__codec__labels": AS_BONAFIDE},
            "coded bonafide speech of F01 is bonafide by the labels of domain codec; select it as bonafide",
        ),
        (
            {"domains__codec__labels": {"coded_bonafide": "excluded"}},
            "coded bonafide speech is excluded by the labels of domain codec; remove the condition",
        ),
        (
            {"conditions__C1__spoof": {"domain": "codec", "source": "F01", "original": "spoof"}},
            "no spoof speech of english, mandarin is resynthesized; set `resynthesize: both`",
        ),
        (
            {"conditions__C1__bonafide": {"domain": "codec", "original": "spoof"}},
            "conditions.C1.bonafide.original: recordings keep their key",
        ),
        (
            {
                "domains__channel": {"corpora": ["english"], "split": {"by": "speaker"}, "labels": AS_BONAFIDE},
                "conditions__T": {"bonafide": {"domain": "channel", "source": "F01"}, "spoof": {"domain": "vocoder"}},
            },
            "coded bonafide speech of english is bonafide here, but spoof in C1; one recording has one key",
        ),
        ({"label_policies": {"strict": {}}}, "label_policies: one policy alone; a comparison needs two or more"),
        (
            {"label_policies": {"strict": {}, "purpose": {"coded_bonafide": {"generation": "spoof"}}}},
            "label_policies.purpose.coded_bonafide: codec soundstream is for transmission, which has no label",
        ),
        (
            {"label_policies": {"strict": {}, "channel": AS_BONAFIDE}, "averages": {},
             "conditions": {"19LA": {"bonafide": {"domain": "vocoder"}, "spoof": {"domain": "vocoder"}}}},
            "no condition has a codec's source, so policies change no key; add one",
        ),
    ],
)  # fmt: skip
def test_a_fault_of_a_policy_is_named_with_its_remedy(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(tmp_path, changed(**changes))
    assert message in str(error.value)


def test_fakes_of_a_generator_are_not_resynthesized(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("based_on: xie2025\ncorpora: {valle: {resynthesize: spoof}}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="made in the run, where codecs cannot read them"):
        reading.load(path)


def test_policies_keep_their_order_in_the_job_of_the_table(tmp_path: Path) -> None:
    experiment = load(tmp_path, changed(label_policies={"strict": {}, "channel": AS_BONAFIDE}))
    policies = jobs(experiment).tabulate().settings.label_policies
    assert [policy.name for policy in policies] == ["strict", "channel"]
    assert policies[1].keys["F01"] == {"bonafide": "bonafide", "spoof": "spoof"}
