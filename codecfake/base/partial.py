"""What faulty settings still hold, so that one fault does not hide another."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from codecfake.base import settings
from codecfake.base.settings import Fault, Keys

T = TypeVar("T")


def sound(cls: type[T], values: Mapping[str, Any]) -> tuple[T | None, list[Fault]]:
    """`cls` built without its faulty values, and all faults; None if the rest is not enough to build it."""
    faults = settings.faults_of(cls, values)
    return built_without(cls, values, [fault.place for fault in faults]), faults


def built_without(cls: type[T], values: Mapping[str, Any], places: Iterable[Keys]) -> T | None:
    """`cls` built without the values at some places; None if the rest is not enough to build it."""
    rest = copy.deepcopy(dict(values))
    for place in places:
        _remove(rest, place)
    try:
        return settings.build(cls, rest)
    except ValueError:
        return None


def depth(values: Any, keys: Keys) -> int:
    """How many of the keys lead from mapping to mapping, from the first on."""
    for number, key in enumerate(keys):
        if not isinstance(values, Mapping) or key not in values:
            return number
        values = values[key]
    return len(keys)


def value(values: Any, keys: Keys) -> Any:
    """The value at `keys`; None if a key is missing."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _remove(values: Any, keys: Keys) -> None:
    around = value(values, keys[:-1])
    if keys and isinstance(around, dict):
        around.pop(keys[-1], None)
