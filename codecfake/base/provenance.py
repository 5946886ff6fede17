"""Checks published weights against the record that is stored beside them when they are fetched."""

import json
from collections.abc import Iterator
from pathlib import Path

from codecfake.base import files

RECORD = "provenance.json"


def faults(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files of `folder` that differ from its record, each with the fault; nothing if it has no record."""
    record = folder / RECORD
    if not record.is_file():
        return
    try:
        digests = json.loads(record.read_text(encoding="utf-8"))["weights_sha256"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        yield record, "is not a record of weights"
        return
    for name, sha256 in digests:
        path = folder / name
        if not path.is_file():
            yield path, f"is missing, but {RECORD} exists"
        elif files.sha256(path) != sha256:
            yield path, f"its sha256 is not the one in {RECORD}"
