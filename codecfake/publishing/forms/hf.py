"""Parquet as the Hugging Face Hub and `datasets` read it: one configuration per part, with `Audio` and `ClassLabel`.

Written by pyarrow alone. The features are declared in the metadata of each file, as `datasets` writes them itself.
"""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from codecfake.publishing import benchmark, croissant, labels
from codecfake.publishing import groups as grouping
from codecfake.publishing.card_header import places_by_file
from codecfake.publishing.clips import Clip, Place, PublishingError
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip, from_columns
from codecfake.publishing.rows import COLUMNS, KEY_NAMES, row

ABOUT = "parquet for the Hugging Face Hub, with Audio and ClassLabel columns"
USE = """\
```python
import datasets

data = datasets.load_dataset("FOLDER OR REPOSITORY", "PART", split="SPLIT")
```

Decoding needs torchcodec. Without it, read the FLAC bytes and decode them with soundfile:

```python
data = data.cast_column("audio", datasets.Audio(decode=False))
samples, sample_rate = soundfile.read(io.BytesIO(data[0]["audio"]["bytes"]))
```
"""
MARKER = "**/*.parquet"
PATTERN = "{}-*.parquet"
ROW_GROUP = 64  # clips that are in memory at a time
TYPES = {
    "key": pa.int64(), "quantizers": pa.int32(), "bitrate_kbps": pa.float64(), "duration": pa.float64(),
    "sample_rate": pa.int32(),
}  # fmt: skip
AUDIO, AUDIO_FIELDS = "audio", [("bytes", pa.binary()), ("path", pa.string())]


def configurations(publication: Publication) -> dict[str, dict[str, list[str]]]:
    """Part -> split -> globs of parquet files."""
    return grouping.configurations(publication, PATTERN)


def write(publication: Publication, output: Output) -> None:
    """Write the parquet files, the table of all labels, eval.yaml and the Croissant description."""
    of, layout = grouping.groups(publication), schema(publication)
    for shard in publication.shards():
        for path, clips in of.of_shard(shard):
            name = f"{path}-{shard.name}.parquet"
            if not output.keeps(name):
                _write_clips(output, name, clips, layout)
    labels.write(publication, output)
    benchmark.write(publication, output)
    croissant.write(publication, configurations(publication), output)


def read(folder: Path) -> Iterator[PublishedClip]:
    """The clips of a folder of parquet files with an audio column, a few at a time.

    Configurations and splits are those in the header of README.md or, without one, by the names of files.
    Raises PublishingError for a file without an audio column, or one that cannot be read.
    """
    usual = f"data/{MARKER}"
    pattern = usual if next(folder.glob(usual), None) else MARKER
    for name, places in places_by_file(folder, pattern).items():
        try:
            with pyarrow.parquet.ParquetFile(folder / name, page_checksum_verification=True) as file:
                yield from _clips(name, file, places)
        except (pa.ArrowException, OSError) as error:
            raise PublishingError(f"{folder / name}: damaged: it cannot be read as parquet ({error})") from error


def schema(publication: Publication) -> pa.Schema:
    """The columns of every file, with the features of `datasets` in the metadata."""
    fields = [pa.field(name, TYPES.get(name, pa.string())) for name in COLUMNS]
    rates = {rate for source in publication.sources for rate in source.sample_rates}
    one_rate = {"sampling_rate": rates.pop()} if len(rates) == 1 else {}
    features: dict[str, Any] = {"audio": {**one_rate, "_type": "Audio"}}
    for each in fields:
        # `datasets` has NumPy's names of types
        features[each.name] = {"dtype": str(each.type).replace("double", "float64"), "_type": "Value"}
    features["key"] = {"names": KEY_NAMES, "_type": "ClassLabel"}
    text = json.dumps({"info": {"features": features}})
    return pa.schema([pa.field(AUDIO, pa.struct(AUDIO_FIELDS)), *fields], metadata={"huggingface": text})


def _write_clips(output: Output, name: str, clips: Sequence[Clip], layout: pa.Schema) -> None:
    # neither a dictionary nor statistics of audio, which would be copies of it
    others = [field.name for field in layout if field.name != AUDIO]
    texts = [name for name in others if name not in TYPES]
    options = {"use_dictionary": texts, "write_statistics": others, "write_page_checksum": True}
    with output.writing(name) as part, pyarrow.parquet.ParquetWriter(part, layout, **options) as writer:
        for start in range(0, len(clips), ROW_GROUP):
            rows = [_row(clip) for clip in clips[start : start + ROW_GROUP]]
            writer.write_table(pa.Table.from_pylist(rows, schema=layout))


def _row(clip: Clip) -> dict[str, Any]:
    audio = {"bytes": clip.audio(), "path": clip.file_name}
    return {"audio": audio, **row(clip), "key": KEY_NAMES.index(clip.key)}


def _clips(name: str, file: pyarrow.parquet.ParquetFile, places: tuple[Place, ...]) -> Iterator[PublishedClip]:
    layout = file.schema_arrow
    audio = next(
        (each.name for each in layout if pa.types.is_struct(each.type) and each.type.get_field_index("bytes") >= 0),
        None,
    )
    if audio is None:
        raise PublishingError(
            f"{name}: no column with the fields `bytes` and `path`, as audio has; it has {', '.join(layout.names)}"
        )
    names = _class_names(layout)
    rows = (values for batch in file.iter_batches(ROW_GROUP) for values in batch.to_pylist())
    for number, values in enumerate(rows):
        data = values.pop(audio) or {}
        texts = {column: _label(value, names.get(column)) for column, value in values.items()}
        yield from_columns(
            f"{name}, row {number}", {"path": _path(name, data, number), **texts}, places, partial(_bytes, data)
        )


def _path(name: str, audio: dict[str, Any], number: int) -> str:
    """A name for a clip without an id: files of others can have the same name in two parquet files."""
    return f"{name}/{audio.get('path') or number}"


def _bytes(audio: dict[str, Any]) -> bytes:
    return audio.get("bytes") or b""


def _class_names(layout: pa.Schema) -> dict[str, list[str]]:
    """Column -> names of its classes, as `datasets` declares them."""
    metadata = (layout.metadata or {}).get(b"huggingface", b"{}")
    features = json.loads(metadata).get("info", {}).get("features", {})
    return {name: each["names"] for name, each in features.items() if each.get("_type") == "ClassLabel"}


def _label(value: Any, names: list[str] | None) -> Any:
    """The name of a class; an index without a name stays as it is."""
    is_named = names is not None and isinstance(value, int) and 0 <= value < len(names)
    return names[value] if is_named else value  # type: ignore[index]
