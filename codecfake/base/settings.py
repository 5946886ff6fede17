"""Reads all settings: plain values become a frozen dataclass, and every fault is reported.

The annotations of a dataclass state what is allowed: `int`, `float`, `Literal["cpu", "cuda"]`, nested dataclasses, and
`Annotated[int, Range(least=1)]`. Rules for several fields together are checked in its `__post_init__`.
"""

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from codecfake.base import json_texts, spelling
from codecfake.base.spelling import as_yaml
from codecfake.base.suggestions import unknown

T = TypeVar("T")
DERIVED = "derived"  # in the metadata of a field: it is computed, not a setting
Keys = tuple[str, ...]


class SettingsError(ValueError):
    """A setting is unknown, missing or of the wrong kind."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is wrong with the value at `keys`; `key` is an unknown key in that value."""

    keys: Keys
    text: str
    key: str | None = None

    def below(self, *keys: str) -> "Fault":
        """The same fault, seen from a mapping that holds the faulty one at `keys`."""
        return dataclasses.replace(self, keys=(*keys, *self.keys))

    @property
    def place(self) -> Keys:
        return (*self.keys, self.key) if self.key is not None else self.keys

    def __str__(self) -> str:
        return ": ".join(filter(None, (".".join(self.keys), self.text)))


class FaultsError(SettingsError):
    """Settings with one or more faults, whose keys are relative to `root`."""

    def __init__(self, root: str, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(each.below(root) if root else each) for each in faults))


@dataclasses.dataclass(frozen=True)
class Range:
    """Bounds of a number; `above` and `below` are excluded."""

    least: float = float("-inf")
    most: float = float("inf")
    above: float = float("-inf")
    below: float = float("inf")

    def check(self, value: float) -> None:
        """Raise SettingsError for a number out of bounds, or one that is not a number."""
        if not (self.least <= value <= self.most and self.above < value < self.below):
            bounds = {"at least": self.least, "at most": self.most, "more than": self.above, "less than": self.below}
            limits = (f"{words} {bound:g}" for words, bound in bounds.items() if abs(bound) != float("inf"))
            raise fault(f"{value} is out of range; it must be {' and '.join(limits)}")


@dataclasses.dataclass(frozen=True)
class Pattern:
    """A pattern that a text must match, and its meaning in words."""

    regex: str
    meaning: str

    def check(self, value: str) -> None:
        """Raise SettingsError for a text that does not match."""
        if not re.fullmatch(self.regex, value):
            raise fault(f"{value!r} is not {self.meaning}")


@dataclasses.dataclass(frozen=True)
class Filled:
    """A text, mapping or list that is not empty; a list has no duplicates."""

    def check(self, value: Any) -> None:
        """Raise SettingsError if it is empty, or if a list has duplicates."""
        if not value:
            raise fault(f"it is empty; give {'a text' if isinstance(value, str) else 'one or more'}")
        twice = [item for place, item in enumerate(value) if item in value[:place]] if isinstance(value, list) else []
        if twice:
            raise fault(f"{twice[0]!r} is listed twice; list it once")


@dataclasses.dataclass(frozen=True)
class Of:
    """A mapping from which some dataclass can be built; it stays as written."""

    settings: type

    def check(self, value: Mapping[str, Any]) -> None:
        """Raise the faults of building it."""
        build(self.settings, value)


def from_json(cls: type[T], text: str) -> T:
    """Build the dataclass `cls` from a JSON object. Raises SettingsError naming the key at fault."""
    try:
        values = json_texts.parse(text)
    except ValueError as error:
        raise SettingsError(f"{cls.__name__}: the settings are not JSON ({error}); give a JSON object") from error
    if not isinstance(values, Mapping):
        raise SettingsError(f"{cls.__name__}: expected a JSON object of settings, found {as_yaml(values)}")
    return build(cls, values)


def from_json_file(cls: type[T], path: Path, remedy: str) -> T:
    """Build the dataclass `cls` from a JSON file. Raises SettingsError or JsonError, naming the file."""
    try:
        return build(cls, json_texts.read_object(path, remedy))
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}; {remedy}") from error


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build the dataclass `cls`, and dataclasses nested in it, from a mapping of plain values.

    Raises FaultsError with all faults, or what the class's own `__post_init__` raises.
    """
    faults: list[Fault] = []
    arguments = _arguments(cls, values, faults)
    if faults:
        raise FaultsError(cls.__name__, faults)
    return cls(**arguments)


def faults_of(cls: type, values: Mapping[str, Any]) -> list[Fault]:
    """Every reason why `cls` cannot be built from these values."""
    try:
        build(cls, values)
    except ValueError as error:
        return as_faults(error)
    return []


def fault(text: str, *keys: str) -> FaultsError:
    """One fault of the value at `keys`."""
    return FaultsError("", [Fault(keys, text)])


@contextmanager
def below(*keys: str) -> Iterator[None]:
    """Faults that are raised inside become faults of the value at `keys`."""
    try:
        yield
    except ValueError as error:
        raise FaultsError("", [each.below(*keys) for each in as_faults(error)]) from error


def as_faults(error: ValueError) -> list[Fault]:
    """The faults that an error holds; any other error is one fault of the whole."""
    return error.faults if isinstance(error, FaultsError) else [Fault((), str(error))]


def _arguments(cls: type, values: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    fields = _fields(cls)
    for key in values:
        if key not in fields:
            faults.append(Fault((), unknown_setting(key, fields), key))
    missing = (dataclasses.MISSING, dataclasses.MISSING)
    for name, field in fields.items():
        if name not in values and (field.default, field.default_factory) == missing:
            faults.append(Fault((), f"setting {name!r} is missing; a value is needed", name))
    hints = typing.get_type_hints(cls, include_extras=True)
    arguments = {}
    for name, value in values.items():
        if name in fields:
            try:
                arguments[name] = _convert(hints[name], value)
            except ValueError as error:
                faults += [each.below(name) for each in as_faults(error)]
    return arguments


def _fields(cls: type) -> dict[str, "dataclasses.Field[Any]"]:
    """The settings of a dataclass by name."""
    return {field.name: field for field in dataclasses.fields(cls) if DERIVED not in field.metadata}


def unknown_setting(key: object, names: Iterable[str]) -> str:
    """The message for a key that a mapping of settings does not have."""
    names = list(names)
    close = difflib.get_close_matches(str(key), names, n=1)
    hint = f"did you mean {close[0]!r}? Known" if close else "known"
    return f"unknown setting {key!r}; {hint} settings: {', '.join(sorted(names)) or 'none'}"


def _convert(hint: Any, value: Any) -> Any:
    """`value` converted to the type `hint`. Raises ValueError, with the faults of nested values, if impossible."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _check(_convert(arguments[0], value), arguments[1:])
    if origin in (typing.Union, types.UnionType):
        return _one_of(arguments, value)
    if origin is Literal:
        if any(value == choice and type(value) is type(choice) for choice in arguments):
            return value
        raise fault(unknown("value", value, [str(choice) for choice in arguments]))
    if origin in (list, tuple):
        return _sequence(origin, arguments, value)
    if origin is dict:
        return _mapping(arguments, value)
    if hasattr(hint, "from_plain"):
        return hint.from_plain(value)
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            names = ", ".join(_fields(hint)) or "none"  # type: ignore[arg-type]
            raise fault(f"expected a mapping of settings, found {as_yaml(value)}; known settings: {names}")
        return build(hint, value)  # type: ignore[arg-type]
    return _plain(hint, value)


def _check(value: Any, rules: tuple[Any, ...]) -> Any:
    for rule in rules:
        rule.check(value)
    return value


def _one_of(options: tuple[Any, ...], value: Any) -> Any:
    """`value` as the first option that accepts it; the error is that of the last one."""
    if value is None and type(None) in options:
        return None
    kinds = [option for option in options if option is not type(None)]
    for kind in kinds[:-1]:
        try:
            return _convert(kind, value)
        except ValueError:
            continue
    return _convert(kinds[-1], value)


def _sequence(origin: Any, arguments: tuple[Any, ...], value: Any) -> Any:
    if not isinstance(value, list | tuple):
        remedy = (
            "begin each item with `- `" if isinstance(value, Mapping) else f"write it in brackets: [{as_yaml(value)}]"
        )
        raise fault(f"expected a list, found {as_yaml(value)}; {remedy}")
    return origin(_members(((str(place), arguments[0], item) for place, item in enumerate(value))).values())


def _mapping(arguments: tuple[Any, ...], value: Any) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise fault(f"expected a mapping, found {as_yaml(value)}; write `key: value` for each entry")
    for key in value:
        try:
            _convert(arguments[0], key)
        except ValueError as error:
            raise FaultsError("", [dataclasses.replace(each, key=str(key)) for each in as_faults(error)]) from None
    return _members((key, arguments[1], item) for key, item in value.items())


def _members(items: Iterator[tuple[str, Any, Any]]) -> dict[str, Any]:
    members, faults = {}, []
    for key, hint, item in items:
        try:
            members[key] = _convert(hint, item)
        except ValueError as error:
            faults += [each.below(key) for each in as_faults(error)]
    if faults:
        raise FaultsError("", faults)
    return members


def _plain(hint: Any, value: Any) -> Any:
    if hint is Any:
        return value
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise fault(spelling.of_kind(hint, value))
