"""The utterance table of a corpus of fakes that a generator made: from the indexes of its shards, not from files."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from codecfake.base import files
from codecfake.corpora.ingest import DTYPES, IngestError
from codecfake.corpora.settings import GeneratedSettings

FROM_INDEX = (
    "utterance_id", "num_samples", "sample_rate", "sha256", "key", "attack", "speaker_id", "language", "text",
)  # fmt: skip
MOST_REASONS = 10


def write_utterances(
    settings: GeneratedSettings, indexes: Sequence[Path], left_out: Path, utterances_path: Path, rejections_path: Path
) -> None:
    """Write the utterance table (parquet) and the rejections (TSV: path, reason) of a generated corpus.

    `indexes` are those of all shards, and `left_out` the texts without an item in the generation list. Raises
    IngestError if more than `max_rejected` of the items were not generated.
    """
    files.discard(utterances_path)
    table = pd.concat([_rows(index) for index in sorted(indexes)], ignore_index=True)
    unspoken = [files.read_tsv(index.with_suffix(".rejected.tsv")) for index in sorted(indexes)]
    rejected = pd.concat(unspoken, ignore_index=True)
    files.write_tsv(rejections_path, pd.concat([files.read_tsv(left_out), rejected]).sort_values(["path", "reason"]))
    _check(settings, len(table), rejected)
    table = table.assign(corpus=settings.corpus, split=None, channels=1).sort_values("utterance_id")
    files.write_parquet(utterances_path, table[list(DTYPES)].astype(DTYPES))


def _rows(index: Path) -> pd.DataFrame:
    """The rows of one shard; `path` is the name of the file in its tar, relative to the corpus's audio."""
    rows = files.read_parquet(index, FROM_INDEX)
    place = f"{index.parent.name}/{index.with_suffix('.tar').name}/"
    return rows.assign(path=place + rows["utterance_id"] + ".flac")


def _check(settings: GeneratedSettings, number: int, rejected: pd.DataFrame) -> None:
    total = number + len(rejected)
    if number and len(rejected) <= settings.max_rejected * total:
        return
    reasons = "".join(f"\n  {row.path}: {row.reason}" for row in rejected[:MOST_REASONS].itertuples())
    more = f"\n  … and {len(rejected) - MOST_REASONS} more" if len(rejected) > MOST_REASONS else ""
    raise IngestError(
        f"corpus {settings.corpus}: {len(rejected)} of {total} items were not generated, but max_rejected is "
        f"{settings.max_rejected:g}. Give its texts another rule, or raise max_rejected:{reasons}{more}"
    )
