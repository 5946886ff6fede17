"""Speeds of steps and sizes of their files. Unknown rates are NaN and recorded by name; nothing is refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources
from math import nan
from pathlib import Path
from typing import Any

import yaml

import codec_wrappers
from codec_wrappers import Rate
from codecfake import generators
from codecfake.base import settings
from codecfake.base.settings import SettingsError
from codecfake.base.suggestions import unknown
from codecfake.base.validation import read_yaml
from codecfake.generators.rates import rates_by_name
from codecfake.running.planning import operations
from codecfake.running.planning.operations import DEFAULT_GPU

TABLES = ("codecfake.running.planning", "codecfake.detectors")  # packages with a rates.yaml of full names


@dataclass
class RateTable:
    """Rates by name; the user's own take precedence. `used` and `unknown` record those that were looked up."""

    shipped: dict[str, Rate]
    own: dict[str, Rate] = field(default_factory=dict)
    used: dict[str, Rate] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        """NaN for an unknown name."""
        rate = self.own.get(name, self.shipped.get(name))
        if rate is None:
            self.unknown[name] = None
            return nan
        self.used[name] = rate
        return rate.value

    def at(self, name: str, precision: str) -> float:
        """A rate at a precision. One of the user's, or of a table, holds for all of them if its name has none."""
        precise = operations.rate_name(name, precision)
        is_computed = name in self.shipped and self.shipped[name].basis == "counted" and name not in self.own
        return self[precise if precise in self.own or is_computed else name]

    def check_own(self) -> None:
        """Raise SettingsError for a rate of the user that is neither shipped nor looked up by a plan."""
        for name, rate in self.own.items():
            if name not in self.shipped and name not in self.used:
                raise SettingsError(f"{rate.source}: {unknown('rate', name, [*self.shipped, *self.unknown])}")


def load(file: Path | None = None, single: Iterable[str] = (), gpu: str = DEFAULT_GPU) -> RateTable:
    """The shipped rates, overridden by those of a file (YAML, `NAME: NUMBER`) and then by `NAME=NUMBER`.

    `gpu`: the GPU whose speeds are computed, see `operations.gpu`; a rate that is written in a table comes before.

    Raises SettingsError for invalid values, and ConfigurationError for a file that is not a YAML mapping. Names are
    checked after a plan has looked up its rates: `check_own`.
    """
    shipped = operations.speeds(operations.gpu(gpu))
    for package in TABLES:
        table = yaml.safe_load(resources.files(package).joinpath("rates.yaml").read_text(encoding="utf-8"))
        shipped |= {name: settings.build(Rate, entry) for name, entry in table.items()}
    for codec in codec_wrappers.names():
        shipped |= codec_wrappers.rates_by_name(codec, codec)
    for generator in generators.names():
        shipped |= rates_by_name(generator, generator)
    return RateTable(shipped, ({} if file is None else _of_file(file)) | dict(map(_of_option, single)))


def _of_file(file: Path) -> dict[str, Rate]:
    content = read_yaml(file)
    values = {name: entry["value"] if isinstance(entry, dict) else entry for name, entry in content.items()}
    return {name: _own(f"{name}: {value}", value, str(file)) for name, value in values.items()}


def _of_option(text: str) -> tuple[str, Rate]:
    name, _, value = text.partition("=")
    return name, _own(text, value, "--rate")


def _own(text: str, value: Any, source: str) -> Rate:
    try:
        return settings.build(Rate, {"value": float(value), "basis": "yours", "source": source})
    except (TypeError, ValueError):
        raise SettingsError(f"{source}: {text}: give a positive number: --rate NAME=NUMBER, or NAME: NUMBER") from None
