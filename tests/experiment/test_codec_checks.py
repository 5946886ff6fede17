"""What the codecs of an experiment must keep with the published checkpoints, before any job."""

from dataclasses import replace
from typing import Any

import pytest
from places import EXPERIMENTS

from codec_wrappers.weights.licenses import license
from codecfake.experiment import codecs, reading
from codecfake.experiment.codecs import CodecConfigurationError
from codecfake.experiment.schema import Experiment


def load(name: str) -> Experiment:
    return reading.load(EXPERIMENTS / f"{name}.yaml")


def with_weights(codec: str, weights: Any, **changes: Any) -> Experiment:
    experiment = load("demo")
    changed = replace(experiment.codecs[codec], weights=weights, **changes)
    return replace(experiment, codecs={**experiment.codecs, codec: changed})


@pytest.mark.parametrize("name", ["demo", "demo-strategies", "real-small", "xie2025", "xie2025-official", "wu2024"])
def test_a_shipped_experiment_breaks_no_rule(name: str) -> None:
    codecs.check(load(name))


def test_a_checkpoint_that_does_not_exist_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        CodecConfigurationError, match=r"codecs.dac.weights.official: .*'dac_48khz'; known: encodec_24khz"
    ):
        codecs.check(with_weights("dac", {"official": "dac_48khz"}))


def test_a_checkpoint_of_another_codec_is_refused() -> None:
    with pytest.raises(CodecConfigurationError, match="encodec_24khz holds weights of encodec, not of dac"):
        codecs.check(with_weights("dac", {"official": "encodec_24khz"}, model={}))


def test_a_model_that_contradicts_its_checkpoint_is_refused() -> None:
    with pytest.raises(
        CodecConfigurationError, match=r"codecs.dac.model.sample_rate: 24000; dac_44khz was made with 44100"
    ):
        codecs.check(with_weights("dac", {"official": "dac_44khz"}, model={"sample_rate": 24000}))


def test_a_permissive_experiment_refuses_restricted_and_unlicensed_weights_by_name() -> None:
    with pytest.raises(CodecConfigurationError) as error:
        codecs.check(replace(load("xie2025-official"), license="permissive"))
    for refused in (
        "audiodec (code: CC-BY-NC-4.0), audiodec (weights: CC-BY-NC-4.0)",
        "encodec (weights: unstated)",
        "academicodec (code: unstated)",
        "speechtokenizer (weights: unstated)",
    ):
        assert refused in str(error.value)
    assert "dac (" not in str(error.value)
    assert "Train these codecs" in str(error.value)


def test_codecs_trained_here_are_permissive() -> None:
    codecs.check(replace(load("xie2025"), license="permissive"))


def test_alternatives_that_nothing_uses_are_not_held_to_the_license() -> None:
    experiment = load("xie2025")
    assert experiment.codecs["soundstream-academicodec"].weights == {"official": "soundstream_academicodec"}
    codecs.check(replace(experiment, license="permissive"))


def test_weights_of_ones_own_need_a_license_to_be_permissive() -> None:
    own = with_weights("encodec", {"local": "mine.safetensors"})
    with pytest.raises(CodecConfigurationError, match=r"encodec \(weights: unstated\)"):
        codecs.check(replace(own, license="permissive"))
    licensed = with_weights("encodec", {"local": "mine.safetensors", "license": "MIT"})
    codecs.check(replace(licensed, license="permissive"))


def test_the_license_of_a_row_is_one_line() -> None:
    assert license("dac", {"official": "dac_44khz"}) == "MIT"
    assert license("encodec", {"official": "encodec_24khz"}) == "code MIT, weights unstated"
    assert license("audiodec", "trained") == "Apache-2.0"
