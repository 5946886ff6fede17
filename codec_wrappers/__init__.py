"""The registry of codecs: an entry (`codecs.yaml`) and a module for each codec.

A codec outside the package (named as in `codecfake.base.plugins`) works the same way: its module may define `ENTRY`,
a mapping with the keys of `Entry`. Nothing here imports torch; `build` and `load` import the codec's module.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import yaml

import codec_wrappers.settings as package_settings
from codec_wrappers.codec import Codec, Shape
from codecfake.base import plugins, settings
from codecfake.base.plugins import PluginError
from codecfake.base.settings import Range, SettingsError, as_faults, fault
from codecfake.base.suggestions import unknown

CODECS = Path(__file__).with_name("codecs.yaml")
# the kinds of weights that an experiment can choose
WEIGHTS = ("trained", "none", "shipped", "official", "hub", "local")
DEVICES = ("gpu", "cpu")
QUANTIZERS = ("rvq", "grouped", "single", "fsq", "none")  # none: no codes, or codes that lose nothing
AUXILIARIES = ("none", "semantic_distillation", "disentangled")
DECODERS = ("time", "frequency")
UNSTATED = "unstated"  # a license that the authors do not name
OWN = "own"  # in names of rates: a codec of the package whose network does not have the published size


class CodecError(ValueError):
    """The codec is unknown, or its entry is wrong."""


@dataclass(frozen=True)
class Rate:
    """A number for `plan`: its basis (`counted`: from operations; `yours`: of the user), and how it was obtained."""

    value: Annotated[float, Range(above=0)]
    basis: Literal["measured", "counted", "goal", "estimate", "yours"]
    source: str


@dataclass(frozen=True)
class Form:
    """A codec as published: its effect on level, length and pieces (`habit`), and how the workflow corrects it."""

    habit: str
    answer: str
    model: dict[str, Any] = field(default_factory=dict)
    small: dict[str, Any] = field(default_factory=dict)  # a complete `model` for a small network of the same shape
    piece_duration: float = 0.0  # seconds, if the codec works on pieces longer than frames
    quantizer: str | None = None  # this and the next two: as in `Kinds`; None: as in the entry
    auxiliary: str | None = None
    decoder: str | None = None
    wrapper: str = ""  # the codec of this form


@dataclass(frozen=True)
class Kinds:
    """What a codec is made of, by the three words of CodecFake+ (Chen et al. 2025), with one more kind of quantizer."""

    quantizer: str  # of `QUANTIZERS`
    auxiliary: str  # of `AUXILIARIES`: what the codes are trained for besides the waveform
    decoder: str  # of `DECODERS`: the domain in which it makes speech

    def __post_init__(self) -> None:
        for name, choices in (("quantizer", QUANTIZERS), ("auxiliary", AUXILIARIES), ("decoder", DECODERS)):
            if getattr(self, name) not in choices:
                raise fault(unknown(name, getattr(self, name), choices), name)


@dataclass(frozen=True)
class Entry:
    """The metadata of a codec. The defaults apply to a codec outside the package without an `ENTRY`."""

    name: str  # as in an experiment
    about: str = ""
    paper: str = ""
    package: str | None = None  # provides the networks; None: the wrapper implements them
    license: str = UNSTATED  # SPDX, of the code
    weights: tuple[str, ...] = ("none", "local")  # of `WEIGHTS`
    device: str = "gpu"  # "cpu": the codec cannot use a GPU
    environment: str | None = None  # conda file beside an outside codec's module; None: envs/codecs.yaml
    purpose: Literal["transmission", "generation"] | None = None  # as its paper has it; None: not stated
    is_control: bool = False  # returns its input unchanged: detectors must fail on its fakes
    sample_rate: int | None = None  # Hz, as published; None: any, or unknown
    num_quantizers: int | None = None  # if its settings do not define it
    settings: str | None = None  # class that checks `model`; in codecs.yaml, of settings.py unless a module is named
    quantizer: str | None = None  # this and the next two: as in `Kinds`; None: not stated
    auxiliary: str | None = None
    decoder: str | None = None
    published_size: tuple[str, ...] = ()  # keys of `model` that do not change the network's size
    small: dict[str, Any] = field(default_factory=dict)  # a `model` for tests
    rates: dict[str, Rate] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in self.weights:
            if kind not in WEIGHTS:
                raise fault(unknown("kind of weights", kind, WEIGHTS), "weights")
        if self.device not in DEVICES:
            raise fault(unknown("device", self.device, DEVICES), "device")

    @property
    def is_trainable(self) -> bool:
        return "trained" in self.weights

    @property
    def has_fresh_form(self) -> bool:
        """Whether it can be built without external weights."""
        return self.is_trainable or "none" in self.weights

    def is_published_size(self, model: Mapping[str, Any]) -> bool:
        """Whether a `model` keeps the network at its published size, so that `rates` apply."""
        return set(model) <= set(self.published_size)


def names() -> tuple[str, ...]:
    """The codecs of the package, in the order of `codecs.yaml`."""
    return tuple(_entries())


def packages() -> tuple[str, ...]:
    """The packages on PyPI that provide networks for our codecs."""
    return tuple(item.package for item in _entries().values() if item.package is not None)


def entry(wrapper: str) -> Entry:
    """The entry of a codec inside or outside the package.

    Raises CodecError for an unknown name or a wrong ENTRY, PluginError if an outside name cannot be loaded.
    """
    if not plugins.is_outside(wrapper):
        if wrapper not in _entries():
            raise CodecError(f"{unknown('codec', wrapper, names())}; or give your own, such as my_codec.py:build")
        return _entries()[wrapper]
    plugins.load(wrapper)
    values = getattr(plugins.module_of(wrapper), "ENTRY", {})
    if not isinstance(values, Mapping):
        raise CodecError(f"{wrapper}: ENTRY is {values!r}; make it a mapping, with keys as in codecs.yaml")
    try:
        return settings.build(Entry, {**values, "name": wrapper})
    except SettingsError as error:
        raise CodecError(f"{wrapper}: ENTRY: {'; '.join(map(str, as_faults(error)))}") from error


def rates_by_name(name: str, wrapper: str) -> dict[str, Rate]:
    """The rates of a codec by their full names: `resynthesis.cpu` of encodec is `resynthesis.encodec.cpu`."""
    keys = ((key.split("."), rate) for key, rate in entry(wrapper).rates.items())
    return {".".join([kind, rate_part(name, wrapper), *device]): rate for (kind, *device), rate in keys}


def rate_part(name: str, wrapper: str, model: Mapping[str, Any] | None = None) -> str:
    """The codec in the name of a rate: its wrapper, or `OWN` with a `model` of another size.

    For a codec outside the package it is the experiment's name, unless a packaged codec has that name: the plan would
    take its rates.
    """
    if plugins.is_outside(wrapper):
        return wrapper if name in names() else name
    return wrapper if entry(wrapper).is_published_size(model or {}) else OWN


def settings_of(wrapper: str, model: Mapping[str, Any]) -> Any:
    """`model` as the codec's settings object, or as a dict for an outside codec that names no class for its settings.

    Raises SettingsError for an unknown key or a wrong value, and the errors of `entry`.
    """
    kind = _settings_class(wrapper)
    return dict(model) if kind is None else settings.build(kind, model)


def num_quantizers(wrapper: str, model: Mapping[str, Any]) -> int | None:
    """The number of codebooks with these settings; None if neither settings nor entry define it before `build`."""
    number = getattr(settings_of(wrapper, model), "num_quantizers", None)
    return number if number is not None else entry(wrapper).num_quantizers


def shape(wrapper: str, model: Mapping[str, Any]) -> Shape | None:
    """The shape of its codes according to its settings; None if an outside codec's settings do not define it."""
    candidate = settings_of(wrapper, model)
    parts = ("sample_rate", "hop_length", "num_quantizers", "bits_per_code")
    return candidate if all(hasattr(candidate, part) for part in parts) else None


def can_load(wrapper: str) -> bool:
    """Whether `load` accepts the codec: all of ours (some reject weights), others if their module defines `load`."""
    return not plugins.is_outside(wrapper) or callable(getattr(module_of(wrapper), "load", None))


def kinds(wrapper: str, model: Mapping[str, Any]) -> Kinds | None:
    """The kinds of a codec with these settings; None if its entry does not state them. Raises as `settings_of`."""
    item, values = entry(wrapper), settings_of(wrapper, model)
    forms = [form for form in item.forms.values() if all(_value(values, *each) for each in form.model.items())]
    form = max(forms, key=lambda form: len(form.model), default=None)
    words = [getattr(form, name, None) or getattr(item, name) for name in ("quantizer", "auxiliary", "decoder")]
    return Kinds(*words) if all(words) else None


def _value(values: Any, key: str, value: Any) -> bool:
    theirs = values.get(key) if isinstance(values, Mapping) else getattr(values, key, None)
    return theirs == value


def lacks_seed(wrapper: str, model: Mapping[str, Any]) -> bool:
    """Whether a codec without weights would be another one in each job: its settings have a `seed`, which is None."""
    return getattr(settings_of(wrapper, model), "seed", 0) is None


def quantizer_choices(wrapper: str, model: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The numbers of quantizers that the codec can decode; None if it can decode any up to its number of codebooks."""
    return getattr(settings_of(wrapper, model), "quantizer_choices", None)


def build(wrapper: str, model: Mapping[str, Any]) -> Codec:
    """The codec with fresh weights, or with its built-in ones. Raises the errors of `settings_of`."""
    return _codec(wrapper, _build(wrapper)(settings_of(wrapper, model)))


def load(wrapper: str, model: Mapping[str, Any], weights: Path | None) -> Codec:
    """The codec with the weights of a file or folder; without any, and with a `seed` in its settings, random ones.

    Raises CodecError if its module cannot load weights, WeightsError if they do not fit, and the errors of
    `settings_of`.
    """
    has_seed = getattr(settings_of(wrapper, model), "seed", None) is not None
    if weights is None and (has_seed or not can_load(wrapper)):
        return build(wrapper, model)
    if not can_load(wrapper):
        raise CodecError(f"{wrapper}: its module has no load(settings, weights); add one, or set `weights: none`")
    return _codec(wrapper, module_of(wrapper).load(settings_of(wrapper, model), weights))


def module_of(wrapper: str) -> ModuleType:
    """The module of a codec. Raises the errors of `entry`."""
    if plugins.is_outside(wrapper):
        return plugins.module_of(wrapper)
    return import_module(f"codec_wrappers.{entry(wrapper).name}")


def _build(wrapper: str) -> Callable[[Any], Any]:
    return plugins.load(wrapper) if plugins.is_outside(wrapper) else module_of(wrapper).build


def _codec(wrapper: str, codec: Any) -> Codec:
    if not isinstance(codec, Codec):
        raise CodecError(f"{wrapper} returns {type(codec).__name__}; return a subclass of codec_wrappers.codec.Codec")
    return codec


def _settings_class(wrapper: str) -> type | None:
    """The class of a codec's settings, from its entry or from the annotation of its `build`."""
    name = entry(wrapper).settings
    if not plugins.is_outside(wrapper):
        place, _, kind_name = str(name).rpartition(".")
        return getattr(import_module(f"codec_wrappers.{place}") if place else package_settings, kind_name)
    module = plugins.module_of(wrapper)
    if name is None:
        kind = _annotation(plugins.load(wrapper), module)
        return kind if dataclasses.is_dataclass(kind) and isinstance(kind, type) else None
    kind = getattr(module, name, None)
    if not (dataclasses.is_dataclass(kind) and isinstance(kind, type)):
        raise CodecError(f"{wrapper}: ENTRY: settings: {module.__file__} has no dataclass {name!r}; correct the name")
    return kind


def _annotation(function: Callable[..., Any], module: ModuleType) -> Any:
    """The annotation of the first parameter of a function or class."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise PluginError(f"{function.__name__} of {module.__file__} takes no argument; it must take its settings")
    hint = parameters[0].annotation
    return getattr(module, hint, None) if isinstance(hint, str) else hint


@cache
def _entries() -> dict[str, Entry]:
    content = yaml.safe_load(CODECS.read_text(encoding="utf-8"))
    return {name: _of_package(name, values) for name, values in content.items()}


def _of_package(name: str, values: Mapping[str, Any]) -> Entry:
    try:
        item = settings.build(Entry, {**values, "name": name})
    except SettingsError as error:
        raise CodecError(f"{CODECS}: {name}: {'; '.join(map(str, as_faults(error)))}") from error
    return replace(item, forms={key: _complete(form, item) for key, form in item.forms.items()})


def _complete(form: Form, owner: Entry) -> Form:
    """A form from `codecs.yaml`, completed from its entry."""
    return replace(form, wrapper=owner.name, small={**owner.small, **form.model, **form.small})
