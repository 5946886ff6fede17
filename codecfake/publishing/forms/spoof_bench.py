"""Data sets of the arena of speech-spoof-bench: one folder for each evaluated condition, in its schema.

https://github.com/lab260ru/speech_spoof_bench: columns path, audio (16 kHz, mono), label (bonafide is class 0)
and notes (a JSON object with a unique utterance_id), `data/labels.parquet`, `eval.yaml`, and a card tagged arena-ready.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import yaml

from codecfake.base import json_texts
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import KEYS
from codecfake.publishing import card, listed_clips, statements
from codecfake.publishing.card_header import README
from codecfake.publishing.catalog import EVAL
from codecfake.publishing.clips import Clip, Place, PublishingError
from codecfake.publishing.forms import arena
from codecfake.publishing.output import MANIFEST, Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip, from_columns
from codecfake.publishing.rows import COLUMNS, row

ABOUT = "parquet in the schema of speech-spoof-bench, one data set for each evaluated condition"
USE = """\
Each folder is a data set of its own, with its card. Upload one with
`hf upload OWNER/NAME CONDITION --repo-type dataset`.

```
speech-spoof-bench validate-dataset ./CONDITION
```
"""
USE_OF_CONDITION = """\
```python
import datasets

data = datasets.load_dataset("FOLDER OR REPOSITORY", split="test")
```

`label` is 0 for bona fide speech and 1 for spoofs. `notes` is a JSON object with the columns below, except that
`utterance_id` is that of the clip.
"""
LABELS = "data/labels.parquet"
MARKER = f"**/{LABELS}"
PATTERN = "data/test-*.parquet"
SPLIT, SAMPLE_RATE = "test", 16_000
AUDIO, TEXTS = "audio", ["path", "label", "notes"]
FEATURES = {
    "path": {"dtype": "string", "_type": "Value"},
    AUDIO: {"sampling_rate": SAMPLE_RATE, "_type": "Audio"},
    "label": {"names": list(KEYS), "_type": "ClassLabel"},  # bona fide speech is class 0, unlike in our other forms
    "notes": {"dtype": "string", "_type": "Value"},
}
SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        (AUDIO, pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("label", pa.int64()),
        ("notes", pa.string()),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
)
ROW_GROUP = 64  # clips that are in memory at a time
TAGS = ["arena-ready", "anti-spoofing", "audio-deepfake-detection", "speech", "benchmark"]
ARXIV = re.compile(r"\b\d{4}\.\d{4,5}\b")
WITHOUT = ("utterance_id",)

place_of = arena.place_of


def require(publication: Publication) -> None:
    """Raise PublishingError for audio at another sample rate than that of the arena."""
    for source in publication.sources:
        if source.sample_rates != (SAMPLE_RATE,):
            raise PublishingError(
                f"{source.corpus}/{source.source}: sample rates {', '.join(map(str, source.sample_rates))} Hz, but "
                f"speech-spoof-bench has {SAMPLE_RATE}; leave it out (--sources), or run with audio: {{sample_rate: "
                f"{SAMPLE_RATE}}}"
            )


def configurations(publication: Publication) -> dict[str, dict[str, list[str]]]:
    """Every condition is a configuration with the split test."""
    return {part: {SPLIT: [f"{part}/{PATTERN}"]} for part in publication.parts}


def write(publication: Publication, output: Output) -> None:
    """Write the data set of each condition."""
    for part in publication.parts:
        _write_condition(publication.of_part(part), part, output)


def read(folder: Path) -> Iterator[PublishedClip]:
    """The clips of all data sets, a few at a time. Raises PublishingError for a file that cannot be read."""
    with_audio = partial(_of_files, folder, [*TEXTS, AUDIO])
    return listed_clips.once(with_audio, partial(_of_files, folder, TEXTS))


def _write_condition(condition: Publication, part: str, output: Output) -> None:
    labels: list[tuple[str, int]] = []
    for shard in condition.shards():
        name = f"{part}/data/{SPLIT}-{shard.corpus}-{shard.source}-{shard.name}.parquet"
        if not output.keeps(name):
            _write_clips(output, name, shard.clips)
        labels += [(clip.clip_id, KEYS.index(clip.key)) for clip in shard.clips]
    _write_labels(output, f"{part}/{LABELS}", labels)
    output.write_text(f"{part}/eval.yaml", _tasks(condition, part))
    output.write_text(f"{part}/{README}", card.text(condition, USE_OF_CONDITION, _header(condition, part), COLUMNS))
    output.write_text(f"{part}/{MANIFEST}", output.manifest(part))


def _write_clips(output: Output, name: str, clips: Sequence[Clip]) -> None:
    # neither a dictionary nor statistics of audio, which would be copies of it
    options = {"use_dictionary": False, "write_statistics": TEXTS, "write_page_checksum": True}
    with output.writing(name) as part, pyarrow.parquet.ParquetWriter(part, SCHEMA, **options) as writer:
        for start in range(0, len(clips), ROW_GROUP):
            rows = [_row(clip) for clip in clips[start : start + ROW_GROUP]]
            writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))


def _row(clip: Clip) -> dict[str, Any]:
    notes = {**row(clip), "utterance_id": clip.clip_id}
    return {
        "path": clip.path,
        AUDIO: {"bytes": clip.audio(), "path": clip.file_name},
        "label": KEYS.index(clip.key),
        "notes": json.dumps(notes, ensure_ascii=False),
    }


def _write_labels(output: Output, name: str, labels: Sequence[tuple[str, int]]) -> None:
    names, classes = zip(*labels, strict=True)
    table = pa.table({"utterance_id": pa.array(names, pa.string()), "label": pa.array(classes, pa.int8())})
    if not output.keeps(name):
        with output.writing(name) as part:
            pyarrow.parquet.write_table(table, part)


def _tasks(condition: Publication, part: str) -> str:
    """`eval.yaml` with the one task of a condition."""
    task = {
        "id": "antispoofing_eval",
        "config": "default",
        "split": SPLIT,
        "field_spec": {"input": AUDIO, "target": "label"},
        "solvers": [{"name": "speech_spoof_bench_solver"}],
        "scorers": [{"name": "speech_spoof_scorer"}],
        "metrics": ["eer_percent"],
    }
    values = {
        "name": _title(condition, part),
        "description": statements.summary(condition),
        "evaluation_framework": "inspect-ai",
        "tasks": [task],
    }
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120)


def _header(condition: Publication, part: str) -> dict[str, Any]:
    """The header of a condition's card, with the keys that the arena asks for."""
    usual = card.header(condition, {"default": {SPLIT: [PATTERN]}})
    papers = dict.fromkeys(ARXIV.findall(" ".join(statements.citations(condition))))
    return {**usual, "pretty_name": _title(condition, part), "tags": TAGS, "arxiv": list(papers)}


def _title(condition: Publication, part: str) -> str:
    return f"{condition.facts.title}, {part}"


def _of_files(folder: Path, columns: list[str]) -> Iterator[PublishedClip]:
    """The rows of all files; the audio is empty unless it is one of the columns."""
    for path in visible(folder.glob(f"**/{PATTERN}")):
        name = path.relative_to(folder)
        place = Place(name.parts[0] if len(name.parts) > 2 else "", EVAL)
        try:
            with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
                rows = (
                    values for batch in file.iter_batches(ROW_GROUP, columns=columns) for values in batch.to_pylist()
                )
                for number, values in enumerate(rows):
                    yield _clip(f"{name.as_posix()}, row {number}", values, place)
        except (pa.ArrowException, OSError) as error:
            raise PublishingError(f"{path}: damaged: it cannot be read as parquet ({error})") from error


def _clip(where: str, values: dict[str, Any], place: Place) -> PublishedClip:
    try:
        notes = json_texts.parse(values["notes"])
        clip_id, key = notes.pop("utterance_id"), KEYS[values["label"]]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise PublishingError(
            f"{where}: not the schema of speech-spoof-bench, with a label of 0 or 1 and an utterance_id in notes "
            f"({error!r}); write it again"
        ) from error
    audio = (values.get(AUDIO) or {}).get("bytes") or b""
    return from_columns(where, {**notes, "clip_id": clip_id, "key": key}, (place,), partial(bytes, audio))
