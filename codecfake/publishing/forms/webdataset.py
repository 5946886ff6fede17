"""WebDataset: tar files in which a `.json` member with the row of a clip follows its `.flac` member."""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from codecfake.base import json_texts
from codecfake.base.exported_names import exported_name
from codecfake.publishing import groups as grouping
from codecfake.publishing.card_header import places_by_file
from codecfake.publishing.clips import SUFFIX, Clip, Place, PublishingError
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip, from_columns
from codecfake.publishing.rows import row

ABOUT = "WebDataset tars: a `.json` beside each `.flac`"
USE = """\
```python
import io, json, soundfile, webdataset

data = webdataset.WebDataset("FOLDER/data/CORPUS/SOURCE/train-0000.tar", shardshuffle=False)
for clip in data:
    row = json.loads(clip["json"])
    samples, sample_rate = soundfile.read(io.BytesIO(clip["flac"]))
```

The header of this file has the tars of each part and split. `datasets.load_dataset` reads them, too, with torchcodec.
"""
MARKER = "**/*.tar"
PATTERN = "{}-*.tar"
LARGEST_MEMBER = 1 << 30  # bytes


def configurations(publication: Publication) -> dict[str, dict[str, list[str]]]:
    """Part -> split -> globs of tars."""
    return grouping.configurations(publication, PATTERN)


def write(publication: Publication, output: Output) -> None:
    """Write one tar for each shard and group."""
    of = grouping.groups(publication)
    for shard in publication.shards():
        for path, clips in of.of_shard(shard):
            name = f"{path}-{shard.name}.tar"
            if not output.keeps(name):
                _write_clips(output, name, clips)


def read(folder: Path) -> Iterator[PublishedClip]:
    """The clips of all tars: members with one name up to the first dot, a `.json` and one of another suffix.

    Raises PublishingError for a tar that is damaged.
    """
    for name, places in places_by_file(folder, MARKER).items():
        try:
            with tarfile.open(folder / name, "r:") as tar:
                yield from _clips(name, tar, places)
        except (tarfile.TarError, ValueError, EOFError) as error:
            raise PublishingError(f"{folder / name}: damaged: {error}") from error


def key_of(clip: Clip) -> str:
    """The name of a clip's members without suffix; a dot would end it, and is encoded."""
    return exported_name(clip.clip_id).replace(".", "%2E")


def _write_clips(output: Output, name: str, clips: Sequence[Clip]) -> None:
    with output.writing(name) as part, tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar:
        for clip in clips:
            _add(tar, key_of(clip) + SUFFIX, clip.audio())
            _add(tar, key_of(clip) + ".json", json.dumps(row(clip), ensure_ascii=False).encode())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    # the default member has no owner, and the time 0
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _clips(name: str, tar: tarfile.TarFile, places: tuple[Place, ...]) -> Iterator[PublishedClip]:
    """The clips of one tar, whose members stand together."""
    key = ""
    members: dict[str, bytes] = {}
    for member in tar:
        if not member.isfile() or member.size > LARGEST_MEMBER:
            raise ValueError(f"member {member.name!r} is no file, or too large")
        path = PurePosixPath(member.name)
        stem, _, suffix = path.name.partition(".")
        if str(path.with_name(stem)) != key:
            yield from _clip(f"{name}, {key}", members, places)
            key, members = str(path.with_name(stem)), {}
        file = tar.extractfile(member)
        assert file is not None
        members[suffix] = file.read()
        tar.members = []  # type: ignore[attr-defined]  # otherwise all headers stay in memory
    yield from _clip(f"{name}, {key}", members, places)


def _clip(where: str, members: dict[str, bytes], places: tuple[Place, ...]) -> Iterator[PublishedClip]:
    if not members:
        return
    values = json_texts.parse(members.pop("json", b"{}").decode())
    if not isinstance(values, dict):
        raise ValueError(f"{where}: its .json is not an object")
    audio = next(iter(members.values()), b"")
    yield from_columns(where, values, places, partial(bytes, audio))
