"""Files that exist whole or not at all."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` if the block succeeds, else remove it.

    A job killed inside the block leaves only the temporary name, which the next attempt overwrites.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, values: Any) -> None:
    """Write values as indented JSON with sorted keys, atomically."""
    write_text(path, json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_tsv(path: Path, table: pd.DataFrame) -> None:
    """Write a tab-separated table with a header, atomically; the order of rows and columns is kept."""
    with atomic(path) as part:
        table.to_csv(part, sep="\t", index=False, lineterminator="\n")


def read_tsv(path: Path) -> pd.DataFrame:
    """Read a table written by `write_tsv`, every column as text: ids like `0012` keep their zeros."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a parquet table atomically."""
    with atomic(path) as part:
        table.to_parquet(part, index=False)


def sha256(path: Path) -> str:
    """Hex sha256 of a file; of a folder, that of its `sha256sum` listing in order of names."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    members = sorted(member for member in path.rglob("*") if member.is_file())
    listing = "".join(f"{sha256(member)}  {member.relative_to(path).as_posix()}\n" for member in members)
    return hashlib.sha256(listing.encode()).hexdigest()
