"""The registry of generators: an entry (`generators.yaml`) and a module for each generator.

A generator outside the package (named as in `codecfake.base.plugins`) works the same way: its function takes
GeneratorSettings and a device, and its module may define `ENTRY`, a mapping with the keys of `Entry`. Nothing here
imports torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from codec_wrappers import UNSTATED, Rate
from codecfake.base import plugins, settings
from codecfake.base.hub_models import is_id
from codecfake.base.settings import SettingsError, as_faults
from codecfake.base.suggestions import unknown
from codecfake.generators import model_settings
from codecfake.generators.generator import GeneratorError

GENERATORS = Path(__file__).with_name("generators.yaml")
LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Entry:
    """The metadata of a generator. The defaults apply to a generator outside the package without an `ENTRY`."""

    name: str  # as in an experiment
    about: str = ""
    paper: str = ""
    license: str = UNSTATED  # SPDX, of the code
    packages: tuple[str, ...] = ()  # distributions that it needs, of the extra `generators`
    module: str = ""  # of this folder
    languages: tuple[str, ...] = LANGUAGES  # that it can be given
    sample_rate: int | None = None  # Hz; None: known once it is built
    needs_prompt: bool = False
    codec: str | None = None  # the codec wrapper whose weights it takes as `codec_weights`
    checkpoints: tuple[str, ...] = ()  # names in checkpoints.yaml, the default first
    codec_checkpoint: str | None = None  # of the codec's checkpoints, the one that the generator was trained on
    hub_models: dict[str, tuple[str, ...]] = field(default_factory=dict)  # keys of `model`, and their files
    settings: str | None = None  # class of model_settings.py that checks `model`
    sampling: str | None = None  # class that checks `sampling`
    published_size: tuple[str, ...] = ()  # keys of `model` that do not change the network's size
    small: dict[str, Any] = field(default_factory=dict)  # a `model` for tests
    small_sampling: dict[str, Any] = field(default_factory=dict)  # a `sampling` for tests
    rates: dict[str, Rate] = field(default_factory=dict)

    def is_published_size(self, model: Mapping[str, Any]) -> bool:
        """Whether a `model` keeps the network at its published size, so that `rates` apply."""
        return set(model) <= set(self.published_size)


def names() -> tuple[str, ...]:
    """The generators of the package, in the order of `generators.yaml`."""
    return tuple(_entries())


def entry(generator: str) -> Entry:
    """The entry of a generator inside or outside the package.

    Raises GeneratorError for an unknown name or a wrong ENTRY, PluginError if an outside name cannot be loaded.
    """
    if not plugins.is_outside(generator):
        if generator not in _entries():
            raise GeneratorError(
                f"{unknown('generator', generator, names())}; or give your own, such as my_generator.py:build"
            )
        return _entries()[generator]
    plugins.load(generator)
    values = getattr(plugins.module_of(generator), "ENTRY", {})
    if not isinstance(values, Mapping):
        raise GeneratorError(f"{generator}: ENTRY is {values!r}; make it a mapping, with keys as in generators.yaml")
    return _entry(generator, values, generator)


def hub_models(generator: str, values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The ids of the models of the hub that a generator with this `model` reads, with the names of their files."""
    model, keys = model_of(generator, values), entry(generator).hub_models
    plain = model if isinstance(model, dict) else asdict(model)
    # a model with a choice of decoders reads the files of the chosen one
    used = {key: files for key, files in keys.items() if plain.get("decoder", key) == key}
    return {place: files for key, files in used.items() if is_id(place := str(plain.get(key)))}


def model_of(generator: str, values: Mapping[str, Any]) -> Any:
    """`model` of an experiment as the generator's settings, or as a dict for an outside generator without a class.

    Raises SettingsError for an unknown key or a wrong value, and the errors of `entry`.
    """
    return _built(generator, entry(generator).settings, values)


def sampling_of(generator: str, values: Mapping[str, Any]) -> Any:
    """`sampling` of an experiment, as `model_of`."""
    return _built(generator, entry(generator).sampling, values)


def builder(generator: str) -> Callable[..., Any]:
    """The function that builds a generator from GeneratorSettings and a device."""
    if plugins.is_outside(generator):
        return plugins.load(generator)
    return import_module(f"codecfake.generators.{entry(generator).module}").build


def _built(generator: str, name: str | None, values: Mapping[str, Any]) -> Any:
    if name is None:
        return dict(values)
    outside = plugins.is_outside(generator)
    kind = getattr(plugins.module_of(generator) if outside else model_settings, name, None)
    if not isinstance(kind, type):
        raise GeneratorError(f"{generator}: ENTRY names the class {name!r}, which its module does not define; add it")
    return settings.build(kind, values)


@cache
def _entries() -> dict[str, Entry]:
    content = yaml.safe_load(GENERATORS.read_text(encoding="utf-8"))
    return {name: _entry(name, values, f"{GENERATORS}: {name}") for name, values in content.items()}


def _entry(name: str, values: Mapping[str, Any], origin: str) -> Entry:
    try:
        return settings.build(Entry, {**values, "name": name})
    except SettingsError as error:
        raise GeneratorError(f"{origin}: ENTRY: {'; '.join(map(str, as_faults(error)))}") from error
