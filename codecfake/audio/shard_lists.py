"""The list of the shards of one source of a corpus, written when all shards exist; later stages depend on this file."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from codecfake.base import files

LIST = "shards.tsv"


def write_list(indexes: Sequence[Path], path: Path) -> None:
    """Write name, bytes of the tar, and sha256 of the index of each shard."""
    rows = [(index.stem, index.with_suffix(".tar").stat().st_size, files.sha256(index)) for index in sorted(indexes)]
    files.write_tsv(path, pd.DataFrame(rows, columns=["shard", "num_bytes", "index_sha256"]))


def missing_shards(folder: Path) -> list[Path]:
    """The indexes in a folder's list that no longer exist; empty without a list."""
    path = folder / LIST
    names = files.read_tsv(path)["shard"] if path.is_file() else []
    return [index for index in (folder / f"{name}.parquet" for name in names) if not index.is_file()]
