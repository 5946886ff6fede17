"""Groups of clips that the same parts and splits use, so that a clip is stored once and no list of clips is needed.

A condition and a training set often share their bona fide recordings. Files hold one group each, and the splits of a
part name the files of their groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from codecfake.publishing.clips import Clip, Place, home
from codecfake.publishing.publication import ClipShard, Publication

FOLDER = "data"


@dataclass(frozen=True)
class Groups:
    """`names`: (corpus, source) -> the places of a clip -> the name of its group, such as `train` or `eval2`."""

    names: dict[tuple[str, str], dict[tuple[Place, ...], str]]

    def path(self, clip: Clip) -> str:
        """The path of a clip's group: `data/english/F01/train`."""
        return _path(clip.corpus, clip.source, self.names[clip.corpus, clip.source][clip.places])

    def of_shard(self, shard: ClipShard) -> Iterator[tuple[str, list[Clip]]]:
        """The path of each group in a shard with its clips, sorted by path."""
        clips: dict[str, list[Clip]] = {}
        for clip in shard.clips:
            clips.setdefault(self.path(clip), []).append(clip)
        yield from sorted(clips.items())

    def of_place(self, place: Place) -> list[str]:
        """The paths of all groups of a split of a part, sorted."""
        return sorted(
            _path(*source, name)
            for source, names in self.names.items()
            for places, name in names.items()
            if place in places
        )


def groups(publication: Publication) -> Groups:
    """The groups of a publication."""
    return Groups({source: _named(places) for source, places in publication.places.items()})


def configurations(publication: Publication, pattern: str) -> dict[str, dict[str, list[str]]]:
    """Part -> split -> patterns of its files; `{}` in `pattern` is the path of a group."""
    of = groups(publication)
    return {
        part: {split: [pattern.format(path) for path in of.of_place(Place(part, split))] for split in splits}
        for part, splits in publication.parts.items()
    }


def _named(sets: set[tuple[Place, ...]]) -> dict[tuple[Place, ...], str]:
    """The home split of each set of places, numbered from the second of a split."""
    numbers: dict[str, int] = {}
    names: dict[tuple[Place, ...], str] = {}
    for places in sorted(sets):
        split = home({place.split for place in places})
        numbers[split] = numbers.get(split, 0) + 1
        names[places] = split if numbers[split] == 1 else f"{split}{numbers[split]}"
    return names


def _path(corpus: str, source: str, group: str) -> str:
    return f"{FOLDER}/{corpus}/{source}/{group}"
