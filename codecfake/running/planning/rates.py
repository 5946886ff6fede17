"""How fast the steps go and how large their files are, each number with where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from codecfake.base import installation, settings

MEASURED, GOAL, ESTIMATE, YOURS = BASES = ("measured", "goal", "estimate", "yours")


class RateError(ValueError):
    """A rate is not known, or not a rate."""


@dataclass(frozen=True)
class Rate:
    """A number, what it rests on (of `BASES`), and how it was found."""

    value: float
    basis: str
    source: str

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise RateError(f"basis {self.basis!r} is not known; known: {', '.join(BASES)}")
        if not 0 < self.value < float("inf"):
            raise RateError(f"a rate is a positive number, not {self.value!r}")


class Rates:
    """Rates by name, which remember what they were asked for."""

    def __init__(self, known: Mapping[str, Rate]) -> None:
        self._known = dict(known)
        self.used: dict[str, Rate] = {}

    def __getitem__(self, name: str) -> float:
        """Raises RateError for a name that is not known."""
        if name not in self._known:
            raise RateError(f"no rate {name!r} is known; known: {', '.join(self._known)}")
        self.used[name] = self._known[name]
        return self.used[name].value

    def all(self) -> dict[str, Rate]:
        """Every rate by name."""
        return dict(self._known)

    def changed(self, values: Mapping[str, float], source: str) -> "Rates":
        """The same with some values of the user's own. Raises RateError for a name that is not known."""
        for name in values:
            if name not in self._known:
                raise RateError(f"{source}: no rate {name!r} is known; known: {', '.join(self._known)}")
        return Rates(self._known | {name: Rate(float(value), YOURS, source) for name, value in values.items()})


def shipped(path: Path | None = None) -> Rates:
    """The rates that come with the workflow, or those of `path`. Raises RateError naming the entry at fault."""
    path = path or installation.rates()
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Rates({name: _rate(path, name, entry) for name, entry in content.items()})


def given(rates: Rates, file: Path | None, single: list[str]) -> Rates:
    """Rates with those of a file (YAML, `name: value` or as the shipped ones) and then `name=value` over them."""
    if file is not None:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise RateError(f"{file}: expected a mapping of names to rates")
        values = {name: entry["value"] if isinstance(entry, dict) else entry for name, entry in content.items()}
        rates = rates.changed(values, str(file))
    return rates.changed(dict(_parsed(text) for text in single), "--rate")


def _parsed(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise RateError(f"--rate {text}: write NAME=NUMBER, e.g. resynthesis.encodec.gpu=1200") from None


def _rate(path: Path, name: str, entry: Mapping[str, Any]) -> Rate:
    try:
        return settings.build(Rate, entry)
    except ValueError as error:
        raise RateError(f"{path}: {name}: {error}") from error
