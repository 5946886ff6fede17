"""The utterances that a report shows and plays."""

from pathlib import Path

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE


def first_bonafide_utterances(protocol: Path) -> dict[str, str]:
    """Corpus -> its first bona fide utterance, in order of ids, in an evaluation protocol."""
    trials = files.read_tsv(protocol)
    bonafide = trials[trials["key"] == BONAFIDE]
    return {str(corpus): min(group["utterance_id"]) for corpus, group in bonafide.groupby("corpus")}
