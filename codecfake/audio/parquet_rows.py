"""Recordings in the rows of parquet files, as data sets of the Hugging Face Hub hold them.

Such a recording has the path `{file}.parquet/{column}/{row}`, rows counted from 0. The column holds bytes of audio
files, or structs of `bytes` and `path` (the feature Audio of the package `datasets`).
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from codecfake.audio.containers import AudioError
from codecfake.base import regular_files

SUFFIX = ".parquet"
MOST_BYTES_OF_GROUP = 1 << 31  # a parquet file is read by groups of rows, which the package `datasets` makes of 100
MOST_BYTES_KEPT = 1 << 28  # of groups that were read before
READ_AGAIN = "download the file again"


def path_of(file: str, column: str, row: int) -> str:
    """The path of a recording, below the same folder as the parquet file."""
    return f"{file}/{column}/{row}"


def is_row(path: PurePath) -> bool:
    """Whether a path has the form of a row; a folder may have such a name too."""
    return len(path.parts) > 2 and path.parts[-3].lower().endswith(SUFFIX) and path.name.isdecimal()


def read_bytes(path: Path) -> bytes:
    """The bytes in a row. Raises AudioError (without the path) if it has none or cannot be read; OSError as `open`."""
    file, column, row = path.parents[1], path.parent.name, int(path.name)
    regular_files.require_regular(file)
    try:
        data = _GROUPS.value(file, column, row)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise AudioError(f"cannot be read as parquet ({error}); {READ_AGAIN}") from error
    if data is None:
        raise AudioError("its row holds no bytes, only the name of a file; save the data set with its audio embedded")
    return data


@dataclass
class _Groups:
    """The audio of the groups of rows that were read last. Neighboring rows are in one group, so it is read once."""

    tables: "OrderedDict[tuple[object, ...], pa.ChunkedArray]" = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def value(self, file: Path, column: str, row: int) -> bytes | None:
        status = file.stat()
        with self.lock, pyarrow.parquet.ParquetFile(file) as parquet:
            group, first = _group_of(parquet.metadata, row)
            key = (file, status.st_mtime_ns, status.st_size, column, group)
            if key not in self.tables:
                self.tables[key] = _read(parquet, column, group)
                self._forget()
            self.tables.move_to_end(key)
            return self.tables[key][row - first].as_py()

    def _forget(self) -> None:
        """Drop the groups that were used longest ago; the last one stays, whatever its size."""
        while len(self.tables) > 1 and sum(one.nbytes for one in self.tables.values()) > MOST_BYTES_KEPT:
            self.tables.popitem(last=False)


def _group_of(metadata: "pyarrow.parquet.FileMetaData", row: int) -> tuple[int, int]:
    """The group of a row, and the number of the group's first row."""
    first = 0
    for group in range(metadata.num_row_groups):
        number = metadata.row_group(group).num_rows
        if row < first + number:
            return group, first
        first += number
    raise AudioError(f"the parquet file has {first} rows, so no row {row}; ingest the corpus again")


def _read(parquet: "pyarrow.parquet.ParquetFile", column: str, group: int) -> pa.ChunkedArray:
    size = parquet.metadata.row_group(group).total_byte_size
    if size > MOST_BYTES_OF_GROUP:
        raise AudioError(
            f"its group of rows has {size} bytes, and at most {MOST_BYTES_OF_GROUP} are read; save the data set with "
            f"smaller groups of rows, e.g. `dataset.to_parquet(PATH, batch_size=100)`"
        )
    values = parquet.read_row_group(group, columns=[column])[column]
    return pa.compute.struct_field(values, "bytes") if pa.types.is_struct(values.type) else values


_GROUPS = _Groups()
