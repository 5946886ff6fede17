"""The one door for settings: JSON text in, a frozen dataclass out, unknown keys refused."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class SettingsError(ValueError):
    """A setting is unknown, missing or of the wrong kind."""


def from_json(cls: type[T], text: str) -> T:
    """Build the dataclass `cls` from a JSON object. Raises SettingsError naming the key at fault."""
    return build(cls, json.loads(text))


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build the dataclass `cls`, and dataclasses nested in it, from a mapping of plain values."""
    known = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise SettingsError(
            f"{cls.__name__}: unknown setting {unknown[0]!r}; known settings: {', '.join(sorted(known))}"
        )
    required = {
        name
        for name, field in known.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    missing = sorted(required - set(values))
    if missing:
        raise SettingsError(f"{cls.__name__}: setting {missing[0]!r} is missing")
    hints = typing.get_type_hints(cls)
    return cls(**{name: _convert(hints[name], value, f"{cls.__name__}.{name}") for name, value in values.items()})


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        options = [argument for argument in arguments if argument is not type(None)]
        return _first_that_fits(options, value, where)
    if origin in (list, tuple):
        if not isinstance(value, list | tuple):
            raise SettingsError(f"{where}: expected a list, found {value!r}")
        return origin(_convert(arguments[0], item, where) for item in value)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise SettingsError(f"{where}: expected a mapping, found {value!r}")
        return {key: _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if hasattr(hint, "from_plain"):
        return hint.from_plain(value)
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise SettingsError(f"{where}: expected a mapping, found {value!r}")
        return build(hint, value)  # type: ignore[arg-type]
    return _convert_plain(hint, value, where)


def _first_that_fits(options: list[Any], value: Any, where: str) -> Any:
    for option in options[:-1]:
        try:
            return _convert(option, value, where)
        except SettingsError:
            continue
    return _convert(options[-1], value, where)


def _convert_plain(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise SettingsError(f"{where}: expected {hint.__name__}, found {value!r}")
