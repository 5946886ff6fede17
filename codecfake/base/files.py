"""Files that exist completely or not at all, and whose content is checked when they are read."""

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from codecfake.base import forms, json_texts
from codecfake.base.json_texts import JsonError

SEAL = ".sha256"
WITHOUT_SEALS = "CODECFAKE_WITHOUT_SEALS"  # an environment variable of jobs, which the workflow sets
SEAL_TEXT = re.compile(r"([0-9a-f]{64}) [ *][^\n]+\n")  # as `sha256sum` writes it; a shorter text was cut
MAKE_AGAIN = "`codecfake check --delete` deletes damaged files and prints the command that makes them again"
RESTORE = f"restore it, or {MAKE_AGAIN}"
REMEDIES = {
    errno.ENOSPC: "free some space there, then give the same command again",
    errno.EDQUOT: "free some of the quota, then give the same command again",
    errno.EROFS: "make that place writable, then give the same command again",
    errno.EACCES: "make that place writable for this user, then give the same command again",
    errno.EFBIG: "raise the limit on file sizes (`ulimit -f unlimited`), then give the same command again",
}


class FileError(ValueError):
    """A file differs from what was written."""


class WriteError(OSError):
    """`filename` cannot be written."""

    def __str__(self) -> str:
        return f"{self.filename}: cannot be written ({self.strerror}); {REMEDIES[self.errno or errno.ENOSPC]}"


@contextmanager
def sealed(path: Path) -> Iterator[Path]:
    """As `atomic`, and record the sha256 of the file in a seal beside it, in the format of `sha256sum`.

    All results are written this way; readers refuse a file that its seal does not match. Jobs with a storage write no
    seals: a storage carries only the files that rules name, and a seal left on a machine would be of an older content.
    """
    if os.environ.get(WITHOUT_SEALS):
        with atomic(path) as part:
            yield part
        return
    with _part_of(seal_of(path)) as part_of_seal, _part_of(path) as part:
        yield part
        _to_disk(part)
        part_of_seal.write_text(f"{sha256(part)}  {path.name}\n", encoding="utf-8")
        _to_disk(part_of_seal)
        _drop_seal(path)
        part.replace(path)
        part_of_seal.replace(seal_of(path))
        _to_disk(path.parent)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` if the block succeeds, otherwise remove it.

    A job killed inside the block leaves only the temporary name, which the next attempt overwrites. File and folder
    have reached the disk when this returns, so a power failure cannot leave part of a file under its name.
    Raises WriteError if the disk is full or cannot be written to.
    """
    with _part_of(path) as part:
        yield part
        _to_disk(part)
        _drop_seal(path)
        part.replace(path)
        _to_disk(path.parent)


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.part")
    with explaining(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
        except BaseException:
            with suppress(OSError):  # what prevents writing a file may prevent removing it
                part.unlink(missing_ok=True)
            raise


def _to_disk(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, have reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems cannot do this for folders
            raise
    finally:
        os.close(descriptor)


def _drop_seal(path: Path) -> None:
    """Remove the seal of an earlier content first: at no moment does a seal stand beside a content of another time."""
    if seal_of(path).exists():
        seal_of(path).unlink()
        _to_disk(path.parent)


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
    """Write and seal bytes. Writers that serialize to memory first use it, so a full disk gives a clear error."""
    with sealed(path) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write and seal a UTF-8 text file."""
    with sealed(path) as part:
        part.write_text(text, encoding="utf-8")


def write_note(path: Path, text: str) -> None:
    """Write a UTF-8 text file without a seal, atomically: what is no result of a run."""
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, values: Any) -> None:
    """Write and seal values as indented JSON with sorted keys."""
    write_text(path, as_json(values))


def as_json(values: Any) -> str:
    """Indented JSON with sorted keys."""
    return json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises FileError if it is damaged or holds another value, or as `require_seal`."""
    require_seal(path)
    try:
        return json_texts.read_object(path, RESTORE)
    except JsonError as error:
        raise FileError(str(error)) from error


def write_tsv(path: Path, table: pd.DataFrame) -> None:
    """Write and seal a tab-separated table with a header; the order of rows and columns is kept."""
    with sealed(path) as part:
        table.to_csv(part, sep="\t", index=False, lineterminator="\n")


def read_tsv(path: Path) -> pd.DataFrame:
    """Read a table written by `write_tsv`, every column as text: ids like `0012` keep their zeros.

    Raises FileError if it has no header or a short row, or as `require_seal`.
    """
    table = read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    uneven = forms.uneven_row(path) if sealed_sha256(path) is None else None
    if uneven:  # pandas fills a short row with empty cells
        raise FileError(f"{path}: damaged: row {uneven} has another number of cells than the header; {RESTORE}")
    return table


def read_csv(path: Path, **options: Any) -> pd.DataFrame:
    """Read a table as `pandas.read_csv` does. Raises FileError if it has no header, or as `require_seal`."""
    require_seal(path)
    try:
        return pd.read_csv(path, **options)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: damaged: it cannot be read as a table ({error}); {RESTORE}") from error


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write and seal a parquet table, with a checksum of every page."""
    with sealed(path) as part:
        table.to_parquet(part, index=False, write_page_checksum=True)


def read_parquet(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Columns of a parquet table. Raises FileError as `read_arrow`."""
    return read_arrow(path, columns, optional).to_pandas()


def read_arrow(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> pa.Table:
    """Columns of a parquet table, and those of `optional` that it has.

    Raises FileError if it is damaged, lacks one of `columns`, or as `require_seal`.
    """
    require_seal(path)
    try:
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            names = file.schema_arrow.names
            missing = sorted(set(columns) - set(names))
            if not missing:
                return file.read([*columns, *(name for name in optional if name in names)])
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{path}: damaged: it cannot be read as parquet ({error}); {MAKE_AGAIN}") from error
    raise FileError(f"{path}: damaged, or from another version: it has no column {missing[0]!r}; {MAKE_AGAIN}")


def seal(path: Path) -> None:
    """Seal a file that was written without a seal; `sealed` does both at once."""
    with atomic(seal_of(path)) as part:
        part.write_text(f"{sha256(path)}  {path.name}\n", encoding="utf-8")


def discard(path: Path) -> None:
    """Remove a file that is about to be replaced, and its seal."""
    path.unlink(missing_ok=True)
    seal_of(path).unlink(missing_ok=True)


def seal_of(path: Path) -> Path:
    return path.with_name(path.name + SEAL)


def sealed_sha256(path: Path) -> str | None:
    """The sha256 that was recorded when a file was written; None if it was not. Raises FileError for a damaged seal."""
    seal = seal_of(path)
    try:
        text = seal.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    match = SEAL_TEXT.fullmatch(text)
    if match is None:
        raise FileError(f"{seal}: damaged: it is not one line with a sha256 and a file name; delete it")
    return match[1]


def require_seal(path: Path) -> None:
    """Raise FileError if a file has changed since its sha256 was recorded."""
    if differs_from_seal(path):
        raise FileError(
            f"{path}: damaged, or changed by hand: its sha256 is not the one in {seal_of(path).name} beside it. "
            f"Restore it, or {MAKE_AGAIN}; if you made the change on purpose, delete {seal_of(path)}"
        )


def differs_from_seal(path: Path) -> bool:
    """Whether a file exists and has another sha256 than its seal. Raises FileError for a damaged seal."""
    digest = sealed_sha256(path)
    if digest is None or not path.exists() or sha256(path) == digest:
        return False
    return sealed_sha256(path) == digest  # otherwise, a running job replaced both while they were read


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
