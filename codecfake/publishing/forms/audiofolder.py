"""The `audiofolder` of `datasets`: folders of FLAC files, each with a `metadata.csv`."""

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import pandas as pd

from codecfake.audio import decoding
from codecfake.base.utterances import BONAFIDE
from codecfake.publishing import groups as grouping
from codecfake.publishing.card_header import places_by_file
from codecfake.publishing.clips import Clip, PublishingError
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip, from_columns
from codecfake.publishing.rows import row

ABOUT = f"folders of FLAC files with a metadata.csv, whose column `key` is text ({BONAFIDE} or spoof)"
USE = """\
```python
import datasets

data = datasets.load_dataset("FOLDER OR REPOSITORY", "PART", split="SPLIT")  # needs torchcodec
```

Every `metadata.csv` can be read without it: its column `file_name` names the files beside it.
"""
METADATA = "metadata.csv"
MARKER = f"**/{METADATA}"
PATTERN = "{}-*/*"
FILE_NAME = "file_name"


def configurations(publication: Publication) -> dict[str, dict[str, list[str]]]:
    """Part -> split -> globs of audio files and their metadata."""
    return grouping.configurations(publication, PATTERN)


def write(publication: Publication, output: Output) -> None:
    """Write one folder for each shard and group."""
    of = grouping.groups(publication)
    for shard in publication.shards():
        for path, clips in of.of_shard(shard):
            _write_folder(output, f"{path}-{shard.name}", clips)


def read(folder: Path) -> Iterator[PublishedClip]:
    """The clips that the metadata name. Raises PublishingError for a table without the column `file_name`."""
    for name, places in places_by_file(folder, MARKER).items():
        path = folder / name
        with path.open(encoding="utf-8", newline="") as file:
            for number, values in enumerate(csv.DictReader(file), start=2):
                if not values.get(FILE_NAME):
                    raise PublishingError(f"{path}: line {number} has no {FILE_NAME}; write it into that column")
                audio = partial(decoding.read_bytes, path.parent / values[FILE_NAME])
                # files of others can have the same name in two folders
                values[FILE_NAME] = (PurePosixPath(name).parent / values[FILE_NAME]).as_posix()
                yield from_columns(f"{name}, line {number}", values, places, audio)


def _write_folder(output: Output, name: str, clips: Sequence[Clip]) -> None:
    for clip in clips:
        output.write_audio(f"{name}/{clip.file_name}", clip)
    table = pd.DataFrame([{FILE_NAME: clip.file_name, **row(clip)} for clip in clips])
    output.write_text(f"{name}/{METADATA}", table.to_csv(index=False, lineterminator="\n"))
