"""Utterances of which nothing is left in their shards: every sample is the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from codecfake.audio import waveforms
from codecfake.audio.shards import AudioStore
from codecfake.audit.lists import TrialList
from codecfake.protocols.lists import RECORDINGS

# FLAC writes a constant block in a few bytes: about 14 for 4,096 samples. No larger file needs to be decoded.
HEADER_BYTES, SAMPLES_PER_BYTE = 512, 64


@dataclass(frozen=True)
class Silent:
    """`silent` of the `utterances` of a source that are used are digital silence."""

    corpus: str
    source: str
    silent: int
    utterances: int
    example: str

    def __str__(self) -> str:
        remedy = (
            "take them out of the corpus, and ingest it again" if self.source == RECORDINGS
            else "check the codec's weights, sample rate and `gain`, and make the shards again"
        )  # fmt: skip
        return (
            f"{self.corpus}/{self.source}: {self.silent} of {self.utterances} utterances are digital silence, first "
            f"{self.example}; {remedy}"
        )


def silent_sources(lists: list[TrialList], store: AudioStore) -> list[Silent]:
    """The sources with silent utterances among the trials of all lists, sorted."""
    used = pd.concat([item.trials[["corpus", "source", "utterance_id", "row"]] for item in lists]).drop_duplicates()
    return list(_silent_sources(used, store))


def _silent_sources(used: pd.DataFrame, store: AudioStore) -> Iterator[Silent]:
    for (corpus, source), rows in used.sort_values("utterance_id").groupby(["corpus", "source"]):
        entries = store.index.entries[rows["row"].to_numpy()]
        small = entries["num_bytes"] <= HEADER_BYTES + entries["num_samples"] // SAMPLES_PER_BYTE
        silent = [row.utterance_id for row in rows[small].itertuples() if _is_silent(store.bytes_of(int(row.row)))]
        if silent:
            yield Silent(corpus, source, len(silent), len(rows), silent[0])


def _is_silent(flac: bytes) -> bool:
    samples, _ = waveforms.decode_int16(flac)
    return bool(np.all(samples == samples[:1]))
