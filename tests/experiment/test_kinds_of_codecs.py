"""What the codecs of an experiment are made of, as its jobs get it."""

import pytest
from places import ROOT

from codecfake.experiment import kinds, reading
from codecfake.experiment.schema import Experiment


@pytest.fixture(scope="module")
def demo() -> Experiment:
    return reading.load(ROOT / "experiments/demo.yaml")


def test_every_source_of_a_codec_has_three_words_and_a_control_has_none(demo: Experiment) -> None:
    words = kinds.of_sources(demo)
    coded = {name for codec in demo.codecs_run() for name in demo.codecs[codec].sources}
    assert coded - set(words) == {source for source in coded if source.startswith("P")}
    assert {tuple(each) for each in words.values()} == {("quantizer", "auxiliary", "decoder")}
    assert len({each["quantizer"] for each in words.values()}) > 1


def test_the_sampler_by_kind_gets_those_of_all_codecs_and_those_that_are_given_go_first(demo: Experiment) -> None:
    own = {"by": "quantizer", "kinds": {"F01": "mine"}}
    values = {"strategy_settings": {"sampler": "balanced_by_kind", "sampler_settings": own}}
    settings = kinds.with_kinds(demo, values)["strategy_settings"]["sampler_settings"]
    words = {source: each["quantizer"] for source, each in kinds.of_sources(demo).items()}
    assert settings == {"by": "quantizer", "kinds": {**words, "F01": "mine"}}


def test_the_settings_of_other_samplers_stay(demo: Experiment) -> None:
    values = {"strategy_settings": {"sampler": "shuffled"}}
    assert kinds.with_kinds(demo, values) is values
