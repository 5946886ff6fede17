"""The registry of codecs: what is known about each (`codecs.yaml`), and its code, one module a codec.

A codec outside the package, named as in `codecfake.base.plugins`, is asked in the same way: its module may offer
`ENTRY`, a mapping with keys of `Entry`. Nothing here imports torch; `build` and `load` import the codec's module.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

import codec_wrappers.settings as package_settings
from codec_wrappers.codec import Codec, Shape
from codecfake.base import plugins, settings
from codecfake.base.plugins import PluginError
from codecfake.base.settings import SettingsError
from codecfake.base.suggestions import unknown

CODECS = Path(__file__).with_name("codecs.yaml")
WEIGHTS = ("trained", "none", "official", "local")  # what an experiment can give a codec
DEVICES = ("gpu", "cpu")
UNSTATED = "unstated"  # of a license


class CodecError(ValueError):
    """There is no codec of that name, or what is said about it is wrong."""


@dataclass(frozen=True)
class Rate:
    """A number for `plan`, what it rests on, and how it was found."""

    value: float
    basis: str
    source: str


@dataclass(frozen=True)
class Form:
    """A codec as it was published: what it does to level, length and pieces by itself, and what is done about that."""

    habit: str
    answer: str
    model: dict[str, Any] = field(default_factory=dict)
    small: dict[str, Any] = field(default_factory=dict)  # a whole `model` of a small network of the same shape
    piece_duration: float = 0.0  # seconds, if it works on pieces longer than frames
    wrapper: str = ""  # whose form it is


@dataclass(frozen=True)
class Entry:
    """What is known about a codec outside its code. Defaults are those of a codec that says nothing about itself."""

    name: str  # as an experiment writes it
    about: str = ""
    paper: str = ""
    package: str | None = None  # that its networks come from; None: they are written in the wrapper
    license: str = UNSTATED  # of its code, SPDX
    weights: tuple[str, ...] = ("none", "local")  # of `WEIGHTS`
    device: str = "gpu"  # "cpu": there is nothing to run on a GPU
    is_control: bool = False  # gives back what it gets: detectors must fail on its fakes
    sample_rate: int | None = None  # Hz, as published; None: any, or not known
    num_quantizers: int | None = None  # where its settings do not tell
    settings: str | None = None  # name of the class that `model` is checked against
    published_size: tuple[str, ...] = ()  # keys of `model` that leave the network as large as published
    small: dict[str, Any] = field(default_factory=dict)  # a `model` for tests
    rates: dict[str, Rate] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in self.weights:
            if kind not in WEIGHTS:
                raise SettingsError(f"weights: {unknown('kind of weights', kind, WEIGHTS)}")
        if self.device not in DEVICES:
            raise SettingsError(f"device: {unknown('device', self.device, DEVICES)}")

    @property
    def is_trainable(self) -> bool:
        return "trained" in self.weights

    @property
    def has_fresh_form(self) -> bool:
        """Whether it can be built without weights from elsewhere."""
        return self.is_trainable or "none" in self.weights

    def is_published_size(self, model: Mapping[str, Any]) -> bool:
        """Whether a `model` leaves the network as large as published, so that `rates` hold for it."""
        return set(model) <= set(self.published_size)


def names() -> tuple[str, ...]:
    """The codecs of the package, in the order of `codecs.yaml`."""
    return tuple(_entries())


def packages() -> tuple[str, ...]:
    """The packages on PyPI that codecs of ours run over."""
    return tuple(item.package for item in _entries().values() if item.package is not None)


def entry(wrapper: str) -> Entry:
    """What is known about a codec of the package or outside it.

    Raises CodecError for an unknown name or a wrong ENTRY, PluginError if a name outside leads to nothing usable.
    """
    if not plugins.is_outside(wrapper):
        if wrapper not in _entries():
            raise CodecError(f"{unknown('codec', wrapper, names())}; or name one of your own, as my_codec.py:build")
        return _entries()[wrapper]
    plugins.load(wrapper)
    said = getattr(plugins.module_of(wrapper), "ENTRY", {})
    if not isinstance(said, Mapping):
        raise CodecError(f"{wrapper}: ENTRY is {said!r}; make it a mapping with keys of codec_wrappers/codecs.yaml")
    try:
        return settings.build(Entry, {**said, "name": wrapper})
    except SettingsError as error:
        raise CodecError(f"{wrapper}: ENTRY: {error}") from error


def settings_of(wrapper: str, model: Mapping[str, Any]) -> Any:
    """`model` as the settings that a codec is built with, or as it is for a codec outside that names no class for them.

    Raises SettingsError for an unknown key or a wrong value, and as `entry`.
    """
    kind = _settings_class(wrapper)
    return dict(model) if kind is None else settings.build(kind, model)


def num_quantizers(wrapper: str, model: Mapping[str, Any]) -> int | None:
    """How many codebooks a codec of these settings has; None if neither they nor its entry tell before it is built."""
    known = getattr(settings_of(wrapper, model), "num_quantizers", None)
    return known if known is not None else entry(wrapper).num_quantizers


def shape(wrapper: str, model: Mapping[str, Any]) -> Shape | None:
    """What its codes look like, as its settings tell it; None for a codec outside whose settings do not."""
    known = settings_of(wrapper, model)
    parts = ("sample_rate", "hop_length", "num_quantizers", "bits_per_code")
    return known if all(hasattr(known, part) for part in parts) else None


def can_load(wrapper: str) -> bool:
    """Whether a codec can be given weights: ours all can, or refuse them; others if their module has a `load`."""
    return not plugins.is_outside(wrapper) or callable(getattr(module_of(wrapper), "load", None))


def build(wrapper: str, model: Mapping[str, Any]) -> Codec:
    """The codec with fresh weights, or those that it brings itself. Raises as `settings_of`."""
    return _codec(wrapper, _build(wrapper)(settings_of(wrapper, model)))


def load(wrapper: str, model: Mapping[str, Any], weights: Path | None) -> Codec:
    """The codec with the weights of a file or folder.

    Raises CodecError if its module cannot load any, WeightsError if they are not the codec's, and as `settings_of`.
    """
    if weights is None and not can_load(wrapper):
        return build(wrapper, model)
    if not can_load(wrapper):
        raise CodecError(f"{wrapper}: its module has no load(settings, weights); add it, or write `weights: none`")
    return _codec(wrapper, module_of(wrapper).load(settings_of(wrapper, model), weights))


def module_of(wrapper: str) -> ModuleType:
    """The module of a codec. Raises as `entry`."""
    if plugins.is_outside(wrapper):
        return plugins.module_of(wrapper)
    return import_module(f"codec_wrappers.{entry(wrapper).name}")


def _build(wrapper: str) -> Callable[[Any], Any]:
    return plugins.load(wrapper) if plugins.is_outside(wrapper) else module_of(wrapper).build


def _codec(wrapper: str, made: Any) -> Codec:
    if not isinstance(made, Codec):
        raise CodecError(f"{wrapper} gives {type(made).__name__}; return a subclass of codec_wrappers.codec.Codec")
    return made


def _settings_class(wrapper: str) -> type | None:
    """The class of a codec's settings: the one that its entry names, or that its `build` is annotated with."""
    name = entry(wrapper).settings
    if not plugins.is_outside(wrapper):
        return getattr(package_settings, str(name))
    module = plugins.module_of(wrapper)
    if name is None:
        kind = _annotation(plugins.load(wrapper), module)
        return kind if dataclasses.is_dataclass(kind) and isinstance(kind, type) else None
    kind = getattr(module, name, None)
    if not (dataclasses.is_dataclass(kind) and isinstance(kind, type)):
        raise CodecError(f"{wrapper}: ENTRY: settings: {module.__file__} has no dataclass {name!r}; correct the name")
    return kind


def _annotation(function: Callable[..., Any], module: ModuleType) -> Any:
    """What the first parameter of a function or class is annotated with."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise PluginError(f"{function.__name__} of {module.__file__} takes no argument; let it take its settings")
    hint = parameters[0].annotation
    return getattr(module, hint, None) if isinstance(hint, str) else hint


@cache
def _entries() -> dict[str, Entry]:
    content = yaml.safe_load(CODECS.read_text(encoding="utf-8"))
    return {name: _of_package(name, values) for name, values in content.items()}


def _of_package(name: str, values: Mapping[str, Any]) -> Entry:
    try:
        made = settings.build(Entry, {**values, "name": name})
    except SettingsError as error:
        raise CodecError(f"{CODECS}: {name}: {error}") from error
    return replace(made, forms={key: _complete(form, made) for key, form in made.forms.items()})


def _complete(form: Form, owner: Entry) -> Form:
    """A form as `codecs.yaml` writes it, with what it leaves to its entry."""
    return replace(form, wrapper=owner.name, small={**owner.small, **form.model, **form.small})
