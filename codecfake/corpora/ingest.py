"""Ingest: makes an utterance table of a corpus, and decodes every recording completely once.

Every dropped recording has a row in the table of rejections.
"""

import logging
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from pebble import ProcessExpired, ProcessPool

from codecfake import corpora
from codecfake.audio.waveforms import AudioError
from codecfake.base import files, processes, utterances
from codecfake.base.progress import progress
from codecfake.base.utterances import CODING, NO_CODING, Utterance
from codecfake.corpora.inspection import Inspection, inspect_below
from codecfake.corpora.listing import Listing, Rejection
from codecfake.corpora.settings import IngestSettings

DTYPES = dict.fromkeys(utterances.COLUMNS, "str") | dict.fromkeys(("sample_rate", "channels", "num_samples"), "int64")
MOST_REASONS = 10

logger = logging.getLogger(__name__)


class IngestError(ValueError):
    """Too much of a corpus is unusable."""


def ingest(root: Path, settings: IngestSettings, utterances_path: Path, rejections_path: Path, workers: int) -> None:
    """Write the utterance table (parquet) and the rejections (TSV: path, reason) of the corpus at `root`.

    Raises CorpusError if `root` does not hold the corpus, and IngestError if more than `max_rejected` of its
    utterances are rejected; then rejections are written and logged, but the utterance table is not.
    """
    files.discard(utterances_path)
    listing = corpora.layout(settings.layout).utterances(root, settings.options)
    recordings: list[dict[str, Any]] = []
    rejections = list(listing.rejections)
    for utterance, outcome in _inspect_all(root, listing, settings, workers):
        if isinstance(outcome, Inspection):
            recordings.append({"corpus": settings.corpus, **asdict(utterance), **asdict(outcome)})
        else:
            rejections.append(Rejection(utterance.path, outcome))
    rejections.sort(key=lambda rejection: (rejection.path, rejection.reason))
    _write_rejections(rejections_path, rejections)
    _check(settings, len(recordings), rejections, rejections_path)
    files.write_parquet(utterances_path, _table(recordings))


def _table(recordings: list[dict[str, Any]]) -> pd.DataFrame:
    """The column of codings is left out where no recording has one, as in the tables of older runs."""
    is_coded = any(recording[CODING] != NO_CODING for recording in recordings)
    dtypes = DTYPES | ({CODING: "str"} if is_coded else {})
    return pd.DataFrame(recordings, columns=list(dtypes)).astype(dtypes)


def _inspect_all(
    root: Path, listing: Listing, settings: IngestSettings, workers: int
) -> Iterator[tuple[Utterance, Inspection | str]]:
    """Each utterance with the content of its file, or the reason for its rejection; in the order of the listing.

    A damaged file can hang or crash a decoder, so each is decoded in a process that can be killed.
    """
    processes.require_shared_memory()
    pool = ProcessPool(workers, context=get_context("spawn"))
    try:
        futures = [
            pool.schedule(inspect_below, args=(root, utterance.path, settings.min_duration), timeout=settings.deadline)
            for utterance in listing.utterances
        ]
        with progress(None, f"ingest {settings.corpus}", total=len(futures), unit="files") as bar:
            for utterance, future in zip(listing.utterances, futures, strict=True):
                yield utterance, _outcome(future, settings.deadline)
                bar.update()
    finally:
        pool.stop()
        pool.join()


def _outcome(future: "Future[Inspection]", deadline: float) -> Inspection | str:
    try:
        return future.result()
    except AudioError as error:
        return str(error)
    except MemoryError:
        return "it does not fit in memory; divide it into shorter recordings"
    except TimeoutError:
        return f"not read and decoded within {deadline:g} s, so the attempt was killed"
    except ProcessExpired as error:
        return f"the decoder crashed on it ({_end(error.exitcode)})"


def _end(exitcode: int) -> str:
    return signal.Signals(-exitcode).name if exitcode < 0 else f"exit status {exitcode}"


def _write_rejections(path: Path, rejections: list[Rejection]) -> None:
    rows = [(rejection.path, rejection.reason) for rejection in rejections]
    files.write_tsv(path, pd.DataFrame(rows, columns=["path", "reason"]))


def _check(settings: IngestSettings, num_recordings: int, rejections: list[Rejection], rejections_path: Path) -> None:
    unexpected = [rejection for rejection in rejections if not rejection.expected]
    total = num_recordings + len(unexpected)
    if num_recordings and len(unexpected) <= settings.max_rejected * total:
        return
    # Snakemake deletes the outputs of a failed job, but keeps its log
    for rejection in rejections:
        logger.error("rejected: %s: %s", rejection.path, rejection.reason)
    examples = unexpected or rejections
    reasons = "".join(f"\n  {rejection.path}: {rejection.reason}" for rejection in examples[:MOST_REASONS])
    more = f"\n  … and {len(examples) - MOST_REASONS} more" if len(examples) > MOST_REASONS else ""
    raise IngestError(
        f"corpus {settings.corpus}: {_verdict(settings, num_recordings, len(unexpected))}{reasons}{more}\n"
        f"The whole list is in {rejections_path} and in this command's log"
    )


def _verdict(settings: IngestSettings, num_recordings: int, num_rejections: int) -> str:
    if not num_recordings:
        return "no usable recordings; restore its audio:"
    total = num_recordings + num_rejections
    return (
        f"{num_rejections} of {total} utterances ({num_rejections / total:.2%}) are rejected, but max_rejected is "
        f"{settings.max_rejected:g}. Remove the causes below; max_rejected is only for damage of the published corpus "
        f"that cannot be repaired:"
    )
