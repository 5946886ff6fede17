"""Which utterances a report lets people see and hear."""

from pathlib import Path

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE


def choose(protocol: Path) -> dict[str, str]:
    """Corpus -> the first of its bona fide utterances, in order of ids, that an evaluation protocol judges."""
    trials = files.read_tsv(protocol)
    bonafide = trials[trials["key"] == BONAFIDE]
    return {str(corpus): min(group["utterance_id"]) for corpus, group in bonafide.groupby("corpus")}
