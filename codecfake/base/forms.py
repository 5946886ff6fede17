"""Whether a file without a seal is complete, as far as its own form can tell: for results of earlier versions."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

HEADER_LENGTH_BYTES = 8  # at the beginning of a safetensors file


def fault(path: Path) -> str:
    """What is wrong with the form of a file; empty if nothing is, or if its form tells nothing."""
    if path.stat().st_size == 0:
        return "is empty"
    return FORMS.get(path.suffix, _any)(path)


def uneven_row(path: Path) -> int | None:
    """The number of the first row (the header is 1) without the cells of the header; empty lines are no rows."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file, delimiter="," if path.suffix == ".csv" else "\t")
        try:
            columns = len(next(rows, []))
            return next((number for number, row in enumerate(rows, start=2) if row and len(row) != columns), None)
        except csv.Error:  # a cell too long for this reader
            return None


def _any(path: Path) -> str:
    return ""


def _table(path: Path) -> str:
    """All rows of a table have the cells of its header, and its last line has an end."""
    if not _text(path).endswith("\n"):
        return "was cut: its last line has no end"
    uneven = uneven_row(path)
    return f"row {uneven} has another number of cells than the header" if uneven else ""


def _json(path: Path) -> str:
    try:
        json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        return f"cannot be read as JSON ({error})"
    return ""


def _parquet(path: Path) -> str:
    try:
        with pyarrow.parquet.ParquetFile(path):
            return ""
    except (pa.ArrowException, OSError) as error:
        return f"cannot be read as parquet ({error})"


def _safetensors(path: Path) -> str:
    """A safetensors file is a length, a JSON header of that length, and tensors that the header places."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(HEADER_LENGTH_BYTES), "little")
        if HEADER_LENGTH_BYTES + length > size:
            return "was cut: its header is not complete"
        try:
            header = json.loads(file.read(length))
            end = max(
                (tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"), default=0
            )
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            return "cannot be read as safetensors: its header is damaged"
    return "" if HEADER_LENGTH_BYTES + length + end == size else "was cut: its tensors are not complete"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


FORMS: dict[str, Callable[[Path], str]] = {
    ".tsv": _table, ".csv": _table, ".json": _json, ".parquet": _parquet, ".safetensors": _safetensors,
}  # fmt: skip
