"""ASVspoof 2021 logical access: VCTK and spoofs by the attacks of 2019 through telephone codecs; evaluation only."""

from collections.abc import Mapping
from pathlib import Path

from codecfake.corpora import asvspoof2021
from codecfake.corpora.listing import Listing

# LA_9009 LA_E_9000001 alaw ita_tx A07 spoof notrim eval
# LA_9010 LA_E_9000003 opus sin_tx bonafide bonafide notrim eval
TASK = asvspoof2021.Task("LA", "speaker trial codec transmission attack key trim phase")
MARKER = (TASK.keys,)
OFFICIAL = TASK.official
OPTIONS = asvspoof2021.Asvspoof2021Options
LICENSE = asvspoof2021.LICENSE


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if the recordings are not there."""
    asvspoof2021.check(TASK, root)


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The trials of the challenge; the coding is the telephone codec, `none` or one of six."""
    return asvspoof2021.utterances(TASK, root, options)
