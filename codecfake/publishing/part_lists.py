"""Lists of the parts of a data set, for forms whose own lists have all parts together: `parts/{part}/{split}.txt`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from codecfake.base.hidden_files import visible
from codecfake.publishing.catalog import BONAFIDE_PART
from codecfake.publishing.clips import Clip, Place

FOLDER = "parts"


def place_of(place: Place) -> Place | None:
    """All places but those of the part of all recordings, which has no trials of its own."""
    return None if place.part == BONAFIDE_PART else place


def splits_of(clip: Clip) -> list[str]:
    """The splits of a clip over all parts, sorted."""
    return sorted({place.split for place in clip.places})


def name_of(place: Place) -> str:
    """The list of a place, relative to the data set."""
    return f"{FOLDER}/{place.part}/{place.split}.txt"


def paths(folder: Path, others: Mapping[Place, Path]) -> Iterator[tuple[Place, Path]]:
    """The lists of all parts; without any, those of `others` that exist."""
    lists = visible((folder / FOLDER).glob("*/*.txt"))
    if lists:
        yield from ((Place(path.parent.name, path.stem), path) for path in lists)
    else:
        yield from ((place, path) for place, path in others.items() if path.is_file())
