"""ASVspoof 2021 deepfake: spoofs of ASVspoof 2019, VCC 2018 and VCC 2020, both keys compressed; evaluation only."""

from collections.abc import Mapping
from pathlib import Path

from codecfake.corpora import asvspoof2021
from codecfake.corpora.listing import Listing

# LA_9023 DF_E_9000001 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -
# TEF2 DF_E_9000002 low_m4a vcc2020 Task1-team20 spoof notrim eval neural_vocoder_nonautoregressive Task1 team20 FF E
TASK = asvspoof2021.Task("DF", "speaker trial codec source attack key trim phase vocoder task team gender language")
MARKER = (TASK.keys,)
OFFICIAL = TASK.official
OPTIONS = asvspoof2021.Asvspoof2021Options
LICENSE = asvspoof2021.LICENSE


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if the recordings are not there."""
    asvspoof2021.check(TASK, root)


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The trials of the challenge; the coding is the compression, `nocodec` or one of eight.

    The last word is the language of the speaker whose voice is imitated; what is said is English.
    """
    return asvspoof2021.utterances(TASK, root, options)
