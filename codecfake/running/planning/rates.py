"""Speeds of steps and sizes of their files. Unknown rates are NaN and recorded by name; nothing is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import nan
from pathlib import Path
from typing import Any

import yaml

import codec_wrappers
from codecfake.base import settings
from codecfake.base.suggestions import unknown

MEASURED, GOAL, ESTIMATE, YOURS = BASES = ("measured", "goal", "estimate", "yours")
TABLES = ("codecfake.running.planning", "codecfake.detectors")  # packages with a rates.yaml of full names


class RateError(ValueError):
    """A rate of the user has an unknown name or an invalid value."""


@dataclass(frozen=True)
class Rate:
    """A number, its basis (one of `BASES`), and how it was determined."""

    value: float
    basis: str
    source: str

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise RateError(unknown("basis", self.basis, BASES))
        if not 0 < self.value < float("inf"):
            raise RateError(f"a rate is a positive number, not {self.value!r}")


class Rates:
    """Rates by name; `used` and `unknown` record those that were looked up."""

    def __init__(self, shipped: Mapping[str, Rate], own: Mapping[str, Rate] | None = None) -> None:
        self._shipped, self._own = dict(shipped), dict(own or {})
        self.used: dict[str, Rate] = {}
        self.unknown: list[str] = []

    def __getitem__(self, name: str) -> float:
        """NaN for an unknown name."""
        rate = self._own.get(name, self._shipped.get(name))
        if rate is not None:
            self.used[name] = rate
            return rate.value
        if name not in self.unknown:
            self.unknown.append(name)
        return nan

    def all(self) -> dict[str, Rate]:
        """Every rate by name."""
        return self._shipped | self._own

    def add(self, rates: Mapping[str, Rate]) -> None:
        """Add the rates of a part that an experiment brings along; the user's rates take precedence."""
        self._shipped |= rates

    def check_own(self) -> None:
        """Raise RateError for a rate of the user that is neither shipped nor looked up by a plan."""
        names = [*self._shipped, *self.used, *self.unknown]
        for name, rate in self._own.items():
            if name not in self._shipped and name not in self.used:
                raise RateError(f"{rate.source}: {unknown('rate', name, dict.fromkeys(names))}")


def load(file: Path | None = None, single: Iterable[str] = ()) -> Rates:
    """The shipped rates, overridden by those of a file (YAML, `NAME: NUMBER`) and then by `NAME=NUMBER`.

    Raises RateError for invalid values. Names are checked after a plan has looked up its rates: `Rates.check_own`.
    """
    shipped = {name: rate for package in TABLES for name, rate in _table(package).items()}
    for wrapper in codec_wrappers.names():
        shipped |= of_codec(wrapper, wrapper)
    own = {} if file is None else _of_file(file)
    return Rates(shipped, own | dict(_parsed(text) for text in single))


def of_codec(wrapper: str, name: str) -> dict[str, Rate]:
    """The rates in the entry of a codec, packaged or not; `name` is its part of their names."""
    entry = codec_wrappers.entry(wrapper)
    rates = {key: Rate(rate.value, rate.basis, rate.source) for key, rate in entry.rates.items()}
    if entry.sample_rate:
        rates["sample_rate"] = Rate(entry.sample_rate, MEASURED, "as published")
    return {_full_name(key, name): rate for key, rate in rates.items()}


def _full_name(key: str, part: str) -> str:
    """`resynthesis.cpu` of encodec is `resynthesis.encodec.cpu`."""
    kind, *device = key.split(".")
    return ".".join([kind, part, *device])


@cache
def _table(package: str) -> dict[str, Rate]:
    content = yaml.safe_load(resources.files(package).joinpath("rates.yaml").read_text(encoding="utf-8"))
    return {name: _rate(f"{package}/rates.yaml: {name}", entry) for name, entry in content.items()}


def _rate(where: str, entry: Mapping[str, Any]) -> Rate:
    try:
        return settings.build(Rate, entry)
    except ValueError as error:
        raise RateError(f"{where}: {error}") from error


def _of_file(file: Path) -> dict[str, Rate]:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise RateError(f"{file}: expected a mapping of names to rates")
    values = {name: entry["value"] if isinstance(entry, dict) else entry for name, entry in content.items()}
    return {name: Rate(float(value), YOURS, str(file)) for name, value in values.items()}


def _parsed(text: str) -> tuple[str, Rate]:
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        raise RateError(f"--rate {text}: write NAME=NUMBER, e.g. resynthesis.encodec.gpu=1200") from None
    return name, Rate(number, YOURS, "--rate")
