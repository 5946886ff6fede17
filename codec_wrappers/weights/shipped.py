"""The small weights that the package contains, which it trained itself. Each folder here has their name.

A folder is the result of one codec training (`codec_wrappers.training.loop`) with a card in `card.md`. Needs neither
torch nor a codec's package.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from codec_wrappers.weights.checkpoints import WEIGHTS
from codecfake.base import files
from codecfake.base.suggestions import unknown

FOLDER = Path(__file__).with_name("shipped")
SETTINGS, CARD = "settings.json", "card.md"
LICENSE = "Apache-2.0"  # theirs, as the package's; the cards credit the recordings


class ShippedError(ValueError):
    """No such weights are in the package, or their folder is incomplete."""


@dataclass(frozen=True)
class Shipped:
    """Weights in the package, and the settings of the codec that they belong to."""

    name: str
    wrapper: str
    model: dict[str, Any]
    gain: str | None

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def path(self) -> Path:
        return self.folder / WEIGHTS


def names() -> tuple[str, ...]:
    """The weights in the package, by name."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob(f"*/{WEIGHTS}")))


@cache
def find(name: str) -> Shipped:
    """The weights of that name. Raises ShippedError if no weights have it."""
    if name not in names():
        raise ShippedError(unknown("shipped weights", name, names()))
    values: Mapping[str, Any] = files.read_json(FOLDER / name / SETTINGS)
    return Shipped(name, values["wrapper"], dict(values["model"]), values["gain"])
