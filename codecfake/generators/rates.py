"""Names of the rates of generators, for `plan`."""

from collections.abc import Mapping
from typing import Any

from codec_wrappers import OWN, Rate
from codecfake.base import plugins
from codecfake.generators.registry import entry


def rates_by_name(corpus: str, generator: str) -> dict[str, Rate]:
    """The rates of a generator by their full names: `generation.gpu` of valle is `generation.valle.gpu`."""
    keys = ((key.split("."), rate) for key, rate in entry(generator).rates.items())
    return {".".join([kind, rate_part(corpus, generator, {}), *device]): rate for (kind, *device), rate in keys}


def rate_part(corpus: str, generator: str, model: Mapping[str, Any]) -> str:
    """The generator in the name of a rate: its own name, `OWN` with a `model` of another size, and the corpus's name
    for a generator outside the package.
    """
    if plugins.is_outside(generator):
        return corpus
    return generator if entry(generator).is_published_size(model) else OWN
