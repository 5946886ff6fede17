"""Detectors that come with the package, by name: model folders in `shipped/`, each with a card.

They are demonstrations: small enough for a package, and trained on little speech. Every verdict of theirs says so.
"""

from pathlib import Path

from codecfake.base import files
from codecfake.base.hidden_files import visible
from codecfake.base.suggestions import unknown

DEFAULT = "demonstration"  # the detector of `score` and `load_detector` without a model
SHIPPED = Path(__file__).with_name("shipped")
CARD = "card.md"
SEALED = ("weights.safetensors", "settings.json", "calibration.json")


class ShippedModelError(ValueError):
    """A detector that should come with the package is unknown, missing or damaged."""


def names() -> list[str]:
    """The names of all shipped detectors, sorted."""
    return [path.name for path in visible(SHIPPED.glob("*")) if path.is_dir()]


def folder(name: str = DEFAULT) -> Path:
    """The model folder of a shipped detector.

    Raises ShippedModelError if there is no such detector or a file of it is missing, and FileError if one is damaged.
    """
    if name not in names():
        if name == DEFAULT:
            raise ShippedModelError(
                f"this installation of codecfake has no detector {name!r}, the default ({SHIPPED / name} is missing); "
                f"name a detector with --model: a model folder, or a hub id OWNER/NAME"
            )
        raise ShippedModelError(unknown("shipped detector", name, names()))
    path = SHIPPED / name
    for part in (CARD, *SEALED, *(f"{sealed}{files.SEAL}" for sealed in SEALED)):
        if not (path / part).is_file():
            raise ShippedModelError(f"{path}: the shipped detector {name!r} lacks {part}; install codecfake again")
    for sealed in SEALED:
        files.require_seal(path / sealed)
    return path


def is_shipped(model: Path) -> bool:
    """Whether a model folder is one of the shipped ones, however it was named."""
    return model.resolve().parent == SHIPPED.resolve()


def about(name: str) -> str:
    """The title of a detector's card; empty if it has none."""
    card = SHIPPED / name / CARD
    lines = card.read_text(encoding="utf-8").splitlines() if card.is_file() else []
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), "")
