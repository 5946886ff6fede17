"""Files that exist whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
