"""Manifests of Lhotse for each part and split: recordings, supervisions and cuts, as JSON lines.

https://lhotse.readthedocs.io/en/latest/corpus.html; the lines are not compressed, as compressors differ in their bytes.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from codecfake.audio import decoding
from codecfake.base import json_texts
from codecfake.base.hidden_files import visible
from codecfake.publishing import listed_clips, loose_files
from codecfake.publishing.card_header import split_in_name
from codecfake.publishing.clips import Clip, Place, PublishingError
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip, from_columns
from codecfake.publishing.rows import row

ABOUT = "FLAC files and manifests of Lhotse: recordings, supervisions, cuts"
USE = """\
```python
from lhotse import CutSet

cuts = CutSet.from_file("FOLDER/manifests/PART_cuts_SPLIT.jsonl").with_recording_path_prefix("FOLDER")
for cut in cuts:
    samples, key = cut.load_audio(), cut.supervisions[0].custom["key"]
```

`custom` of a supervision has the columns below. Paths of recordings are relative to this folder.
"""
FOLDER, AUDIO = "manifests", "audio"
MARKER = "**/*cuts*.jsonl*"
NAME = re.compile(r"(?P<part>.+)_cuts_(?P<split>[^_]+)\.jsonl(\.gz)?")


def configurations(publication: Publication) -> dict[str, dict[str, list[str]]]:
    """The Hub cannot load this form."""
    return {}


def write(publication: Publication, output: Output) -> None:
    """Write all audio and the manifests."""
    texts = {source.corpus: publication.transcripts(source.corpus) for source in publication.sources}
    loose_files.write(publication, output, lambda clip: [_path(clip)], partial(_lines_of, texts))


def read(folder: Path) -> Iterator[PublishedClip]:
    """The clips of all manifests of cuts. Raises PublishingError for a cut without a recording in one file."""
    return listed_clips.once(partial(_of_manifests, folder))


def _path(clip: Clip) -> str:
    return f"{AUDIO}/{clip.path}"


def _lines_of(texts: Mapping[str, Mapping[str, str]], clip: Clip) -> Iterator[tuple[str, str]]:
    values = _values(clip, texts[clip.corpus].get(clip.utterance_id))
    lines = {kind: json.dumps(value, ensure_ascii=False) for kind, value in values.items()}
    for place in clip.places:
        for kind, line in lines.items():
            yield f"{FOLDER}/{place.part}_{kind}_{place.split}.jsonl", line


def _values(clip: Clip, text: str | None) -> dict[str, dict[str, Any]]:
    """The objects of a clip by kind of manifest. An id has the corpus, so that ids are unique."""
    name = f"{clip.corpus}-{clip.clip_id}"
    recording = {
        "id": name,
        "sources": [{"type": "file", "channels": [0], "source": _path(clip)}],
        "sampling_rate": clip.sample_rate,
        "num_samples": clip.num_samples,
        "duration": clip.duration,
        "channel_ids": [0],
    }
    whole = {"start": 0.0, "duration": clip.duration, "channel": 0}
    supervision = {
        "id": name,
        "recording_id": name,
        **whole,
        **({"text": text} if text else {}),
        "language": clip.language,
        "speaker": clip.speaker_id,
        "custom": row(clip),
    }
    cut = {"id": name, **whole, "supervisions": [supervision], "recording": recording, "type": "MonoCut"}
    return {"recordings": recording, "supervisions": supervision, "cuts": cut}


def _of_manifests(folder: Path) -> Iterator[PublishedClip]:
    for path in visible(folder.glob(MARKER)):
        name = path.relative_to(folder).as_posix()
        match = NAME.fullmatch(path.name)
        place = Place(match["part"], match["split"]) if match else Place("", split_in_name(name))
        for number, line in enumerate(_lines(path), start=1):
            yield _clip(folder, f"{name}, line {number}", line, place)


def _lines(path: Path) -> Iterator[str]:
    opened: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            yield from file
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise PublishingError(f"{path}: damaged: {error}") from error


def _clip(folder: Path, where: str, line: str, place: Place) -> PublishedClip:
    try:
        cut = json_texts.parse(line)
        (source,) = cut["recording"]["sources"]
        file = {"file": source["source"]}[source["type"]]
        supervision = cut["supervisions"][0] if cut["supervisions"] else {}
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise PublishingError(f"{where}: no cut of one recording in a file ({error!r}); write it again") from error
    custom = supervision.get("custom") or {}
    values = {"clip_id": cut.get("id"), "speaker_id": supervision.get("speaker"), **custom}
    return from_columns(where, values, (place,), partial(decoding.read_bytes, folder / file))
