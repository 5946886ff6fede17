"""What the codecs of an experiment are made of, for tables by these kinds and for the sampler that balances them."""

from typing import Any

import codec_wrappers
from codecfake.experiment.schema import Experiment
from codecfake.training.sampler_settings import KindSettings
from codecfake.training.strategies import SAMPLERS

SAMPLER = "balanced_by_kind"


def of_sources(experiment: Experiment) -> dict[str, dict[str, str]]:
    """Source -> its quantizer, auxiliary objective and decoder domain, for the codecs of the run that state them.

    Controls have none: they are no codecs. Aliases have the kinds of the source whose audio they share.
    """
    kinds: dict[str, dict[str, str]] = {}
    for name in experiment.codecs_run():
        codec = experiment.codecs[name]
        words = codec_wrappers.kinds(codec.wrapper, codec.model)
        if words is not None and not codec_wrappers.entry(codec.wrapper).is_control:
            kinds |= {source: vars(words) for source in codec.sources}
    return kinds


def with_kinds(experiment: Experiment, values: dict[str, Any]) -> dict[str, Any]:
    """The settings of a training, in which the sampler `balanced_by_kind` knows the kinds of all sources.

    Kinds that the experiment gives itself go before those of the codecs.
    """
    strategy = values["strategy_settings"]
    if strategy.get("sampler") != SAMPLER:
        return values
    own = SAMPLERS.part(SAMPLER).build_settings(strategy.get("sampler_settings", {}))
    assert isinstance(own, KindSettings)
    of_codecs = {source: words[own.by] for source, words in of_sources(experiment).items()}
    settings = {**strategy.get("sampler_settings", {}), "kinds": {**of_codecs, **own.kinds}}
    return {**values, "strategy_settings": {**strategy, "sampler_settings": settings}}
