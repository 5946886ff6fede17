"""Files that exist completely or not at all, and whose content is checked when they are read."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

SEAL = ".sha256"
MAKE_AGAIN = "`codecfake check --delete` deletes damaged files and prints the command that makes them again"
REMEDIES = {
    errno.ENOSPC: "free some space there, then give the same command again",
    errno.EDQUOT: "free some of the quota, then give the same command again",
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f unlimited`), then give the same command again",
    errno.EROFS: "make that place writable, then give the same command again",
    errno.EACCES: "make that place writable for this user, then give the same command again",
}


class FileError(ValueError):
    """A file differs from what was written."""


class WriteError(OSError):
    """`filename` cannot be written."""

    def __str__(self) -> str:
        return f"{self.filename}: cannot be written ({self.strerror}); {REMEDIES[self.errno or errno.ENOSPC]}"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` if the block succeeds, otherwise remove it.

    A job killed inside the block leaves only the temporary name, which the next attempt overwrites.
    Raises WriteError if the disk is full or cannot be written to.
    """
    part = path.with_name(f".{path.name}.part")
    with explaining(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            with part.open("rb") as file:
                os.fsync(file.fileno())
            seal_of(path).unlink(missing_ok=True)
            part.replace(path)
        except BaseException:
            with suppress(OSError):  # what prevents writing a file may prevent removing it
                part.unlink(missing_ok=True)
            raise


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn disk errors that occur while `path` is written into a WriteError."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        raise WriteError(error.errno, os.strerror(error.errno), str(path)) from error


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write bytes atomically. Writers that serialize to memory first use it, so a full disk gives a clear error."""
    with atomic(path) as part:
        part.write_bytes(data)


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
    """Read a table written by `write_tsv`, every column as text: ids like `0012` keep their zeros.

    Raises FileError as `require_seal`.
    """
    require_seal(path)
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a parquet table atomically, with a checksum of every page."""
    with atomic(path) as part:
        table.to_parquet(part, index=False, write_page_checksum=True)


def read_parquet(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of a parquet table. Raises FileError as `read_arrow`."""
    return read_arrow(path, columns).to_pandas()


def read_arrow(path: Path, columns: Sequence[str]) -> pa.Table:
    """Columns of a parquet table. Raises FileError if it is damaged, lacks one of them, or as `require_seal`."""
    require_seal(path)
    try:
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            missing = sorted(set(columns) - set(file.schema_arrow.names))
            if not missing:
                return file.read(list(columns))
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{path}: damaged: it cannot be read as parquet ({error}); {MAKE_AGAIN}") from error
    raise FileError(f"{path}: damaged, or from another version: it has no column {missing[0]!r}; {MAKE_AGAIN}")


def seal(path: Path) -> None:
    """Record the sha256 of a file without a checksum of its own in a file beside it, in the format of `sha256sum`."""
    write_text(seal_of(path), f"{sha256(path)}  {path.name}\n")


def seal_of(path: Path) -> Path:
    return path.with_name(path.name + SEAL)


def sealed_sha256(path: Path) -> str | None:
    """The sha256 that was recorded when a file was written; None if it was not."""
    try:
        return seal_of(path).read_text(encoding="utf-8").split()[0]
    except FileNotFoundError:
        return None
    except (IndexError, UnicodeDecodeError):
        raise FileError(f"{seal_of(path)}: damaged: it does not begin with a sha256; delete it") from None


def require_seal(path: Path) -> None:
    """Raise FileError if a file has changed since its sha256 was recorded."""
    digest = sealed_sha256(path)
    if digest is not None and path.exists() and sha256(path) != digest:
        raise FileError(
            f"{path}: damaged, or changed by hand: its sha256 is not the one in {seal_of(path).name} beside it. "
            f"Restore it, or {MAKE_AGAIN}; if you made the change on purpose, delete {seal_of(path)}"
        )


def sha256(path: Path) -> str:
    """Hex sha256 of a file; for a folder, of its `sha256sum` listing sorted by name.

    Raises FileNotFoundError if neither exists.
    """
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    members = sorted(member for member in path.rglob("*") if member.is_file())
    listing = "".join(f"{sha256(member)}  {member.relative_to(path).as_posix()}\n" for member in members)
    return hashlib.sha256(listing.encode()).hexdigest()
