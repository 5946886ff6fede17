"""`labels.parquet`: one row per trial, without audio, for programs that need keys alone."""

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.parquet

from codecfake.publishing.output import Output
from codecfake.publishing.publication import ClipShard, Publication
from codecfake.publishing.rows import row

NAME = "labels.parquet"


def write(publication: Publication, output: Output) -> None:
    """Write the table, shard by shard."""
    if output.keeps(NAME):
        return
    tables = _tables(publication)
    first = next(tables)
    with output.writing(NAME) as part, pyarrow.parquet.ParquetWriter(part, first.schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table)


def _tables(publication: Publication) -> Iterator[pa.Table]:
    for shard in publication.shards():
        yield pa.Table.from_pylist(_rows(shard))


def _rows(shard: ClipShard) -> list[dict[str, object]]:
    return [{"part": place.part, "split": place.split, **row(clip)} for clip in shard.clips for place in clip.places]
