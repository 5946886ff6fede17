"""The files of a data set compared with its manifest."""

from collections.abc import Iterator
from pathlib import Path

from codecfake.base import files
from codecfake.base.hidden_files import is_hidden
from codecfake.publishing.checks.findings import Fault
from codecfake.publishing.output import JOURNAL, MANIFEST, read_manifest


def faults(folder: Path) -> Iterator[Fault]:
    """Files that are missing or changed, and a data set that is not complete; nothing for one without a manifest."""
    if (folder / JOURNAL).is_file():
        yield Fault("file", JOURNAL, "the data set is not complete; give the command that writes it again")
    if not (folder / MANIFEST).is_file():
        return
    for name, digest in read_manifest(folder).items():
        path = folder / name
        if not path.is_file():
            yield Fault("file", name, f"is missing, but {MANIFEST} names it")
        elif files.sha256(path) != digest:
            yield Fault("digest", name, f"its sha256 is not the one in {MANIFEST}")


def notes(folder: Path) -> Iterator[str]:
    """A data set without a manifest, and files that the manifest does not name."""
    if not (folder / MANIFEST).is_file():
        yield f"no {MANIFEST}: the digests of files were not checked"
        return
    names = set(read_manifest(folder)) | {MANIFEST}
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    others = sorted(path.as_posix() for path in paths if path.as_posix() not in names and not is_hidden(path))
    if others:
        yield f"{len(others)} files are not in {MANIFEST}, the first is {others[0]}"
