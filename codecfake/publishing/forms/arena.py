"""The protocol files of the Speech DF Arena: a table of file names and labels for each evaluated condition.

https://github.com/Speech-Arena/speech_df_arena: its tables have absolute paths. Here they are relative to the data set,
which can be moved; its users write the absolute ones where they unpack it.
"""

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from codecfake.audio import decoding
from codecfake.base.hidden_files import visible
from codecfake.publishing import flat_names, listed_clips, loose_files
from codecfake.publishing.catalog import BONAFIDE_PART, EVAL
from codecfake.publishing.clips import Clip, Place, PublishingError
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip, key_of

ABOUT = "FLAC files and protocol files of the Speech DF Arena, of evaluated conditions"
USE = """\
The toolkit of the Speech DF Arena evaluates every table in `DF_ARENA_PROTOCOL_FILES_DIR`, and needs absolute paths.
Write them from within this folder:

```
mkdir absolute
for table in protocol_files/*.csv; do sed "2,\\$s|^|$PWD/|" $table > absolute/$(basename $table); done
export DF_ARENA_PROTOCOL_FILES_DIR=$PWD/absolute
```
"""
FOLDER, AUDIO = "protocol_files", "audio"
MARKER = f"{FOLDER}/*.csv"
HEADER = ("file_name", "label")
WITHOUT = ("corpus", "codec", "speaker_id", "utterance_id", "twin_id", "sha256")

require = flat_names.require_unique


def place_of(place: Place) -> Place | None:
    """Evaluated conditions alone."""
    return place if place.split == EVAL and place.part != BONAFIDE_PART else None


def configurations(publication: Publication) -> dict[str, dict[str, list[str]]]:
    """The Hub cannot load this form."""
    return {}


def write(publication: Publication, output: Output) -> None:
    """Write all audio and the tables."""
    loose_files.write(publication, output, lambda clip: [_path(clip)], _lines_of, header=",".join(HEADER))


def read(folder: Path) -> Iterator[PublishedClip]:
    """The clips of all tables. Raises PublishingError for a table without the two columns."""
    return listed_clips.once(partial(_of_tables, folder))


def _path(clip: Clip) -> str:
    return f"{AUDIO}/{clip.path}"


def _lines_of(clip: Clip) -> Iterator[tuple[str, str]]:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([_path(clip), clip.key])
    for place in clip.places:
        yield f"{FOLDER}/{place.part}.csv", text.getvalue()


def _of_tables(folder: Path) -> Iterator[PublishedClip]:
    for path in visible(folder.glob(MARKER)):
        name = path.relative_to(folder).as_posix()
        with path.open(encoding="utf-8", newline="") as file:
            for number, values in enumerate(csv.DictReader(file), start=2):
                file_name, label = (values.get(column) for column in HEADER)
                if not file_name or not label:
                    raise PublishingError(f"{path}: line {number} has no {' or '.join(HEADER)}; write both columns")
                audio = partial(decoding.read_bytes, folder / file_name)
                clip_id = unquote(PurePosixPath(file_name).stem)
                yield PublishedClip(f"{name}, line {number}", clip_id, key_of(label), (Place(path.stem, EVAL),), audio)
