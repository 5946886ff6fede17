"""Small front-ends that come with the package, by name: folders of transformers models, each with a card.

They were pre-trained by this package (`codecfake pretrain`) on little speech, so that the demo needs no download.
"""

from pathlib import Path

from codecfake.base import files
from codecfake.base.suggestions import unknown

PREFIX = "shipped:"
FOLDER = Path(__file__).with_name("front_ends")
WEIGHTS = "model.safetensors"
SEALED = (WEIGHTS, "config.json")


def names() -> list[str]:
    """The names of all shipped front-ends, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/config.json"))


def folder(weights: str) -> Path:
    """The folder of `shipped:NAME`.

    Raises ValueError if there is no such front-end, and FileError if a file of it is damaged.
    """
    name = weights.removeprefix(PREFIX)
    if name not in names():
        raise ValueError(unknown("shipped front-end", name, names()))
    for part in SEALED:
        files.require_seal(FOLDER / name / part)
    return FOLDER / name
