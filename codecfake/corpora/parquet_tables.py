"""Parquet files of data sets of the Hugging Face Hub: their texts, and their labels by name, without their audio."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from codecfake.base import regular_files
from codecfake.corpora.listing import CorpusError

METADATA = b"huggingface"  # key of the schema's metadata, with the features of the data set as JSON
ROWS = 1000  # at a time
NAME = "utterance_id"  # of a row, from the name of its audio

Cells = Mapping[str, str | None]


class ParquetTable:
    """One parquet file. Raises CorpusError if it is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            regular_files.require_regular(path)
            self._schema = pyarrow.parquet.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{path}: cannot be read as parquet ({error}); download the file again") from error
        self._names_of_labels = dict(_labels(path, self._schema.metadata or {}))

    def require(self, columns: Mapping[str, str], audio: str) -> None:
        """Raise CorpusError for a column that does not exist or is no text, and for a column `audio` without bytes."""
        self._require_audio(audio)
        for column in columns.values():
            self._require_text(column)

    def rows(self, columns: Mapping[str, str], audio: str, named_by_audio: bool) -> Iterator[tuple[int, Cells]]:
        """The number of each row, from 0, and its cells as text, by the names that `columns` gives to columns.

        With `named_by_audio`, the name of the audio file is the cell `NAME`. Raises CorpusError as `require`, and for a
        label without a name.
        """
        self.require(columns, audio)
        path = [f"{audio}.path"] if named_by_audio and pa.types.is_struct(self._schema.field(audio).type) else []
        for row, values in enumerate(self._values([*dict.fromkeys(columns.values()), *path])):
            cells = {name: self._text(column, values[column], row) for name, column in columns.items()}
            yield row, {**cells, NAME: (values.get(audio) or {}).get("path")} if named_by_audio else cells

    def _values(self, fields: list[str]) -> Iterator[dict[str, Any]]:
        """The values of each row; only `ROWS` of them are in memory."""
        with pyarrow.parquet.ParquetFile(self._path) as file:
            if not fields:
                yield from ({} for _ in range(file.metadata.num_rows))
                return
            for batch in file.iter_batches(ROWS, columns=fields):
                yield from batch.to_pylist()

    def _require_audio(self, column: str) -> None:
        kind = self._kind(column, "audio")
        is_audio = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0 and kind.get_field_index("path") >= 0
        if not (is_audio or _is_bytes(kind)):
            raise CorpusError(
                f"{self._path}: column {column!r} has {kind}, no bytes of audio files; name the column of audio "
                f"(`columns: {{audio: …}}`), one of {self._columns()}"
            )

    def _require_text(self, column: str) -> None:
        kind = self._kind(column, "")
        if pa.types.is_nested(kind) or _is_bytes(kind):
            raise CorpusError(f"{self._path}: column {column!r} has {kind}, no texts; map another column to it")

    def _kind(self, column: str, what: str) -> pa.DataType:
        if column not in self._schema.names:
            raise CorpusError(
                f"{self._path}: no column {column!r}{' of ' + what if what else ''}; correct the option columns: the "
                f"file has {self._columns()}"
            )
        return self._schema.field(column).type

    def _columns(self) -> str:
        return ", ".join(self._schema.names)

    def _text(self, column: str, value: Any, row: int) -> str | None:
        names = self._names_of_labels.get(column)
        if value is None or names is None:
            return None if value is None else str(value)
        if not 0 <= value < len(names):
            raise CorpusError(
                f"{self._path}: row {row}: {column} {value} has no name: the file names {len(names)} labels "
                f"({', '.join(names)}); leave its split out, or correct the data set"
            )
        return names[value]


def num_rows(path: Path) -> int:
    """The number of rows of a parquet file; 0 for a file that cannot be read, which `ParquetTable` refuses."""
    try:
        regular_files.require_regular(path)
        return int(pyarrow.parquet.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError):
        return 0


def _is_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _labels(path: Path, metadata: Mapping[bytes, bytes]) -> Iterator[tuple[str, list[str]]]:
    """The columns of numbers that stand for names (the feature ClassLabel), and the names."""
    if METADATA not in metadata:
        return
    try:
        features = json.loads(metadata[METADATA])["info"]["features"]
        for column, feature in features.items():
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
                yield column, [str(name) for name in feature["names"]]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise CorpusError(
            f"{path}: its metadata `huggingface` does not describe features ({error!r}); download the file again"
        ) from error
