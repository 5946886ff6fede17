"""Who the speakers of corpora are: the one rule for splits, lists of speakers, audits and intervals.

Equal speaker ids are one person, in any corpora, unless the experiment says otherwise (`speakers_of`): the fakes of a
corpus usually keep its speaker ids. The id `-` means an unknown speaker, who is never that of another corpus.
"""

import unicodedata
from collections.abc import Iterable, Mapping

import pandas as pd

UNKNOWN = "-"
OWN = "own"
COLUMNS = ["corpus", "speaker_id"]

SpeakersOf = Mapping[str, str]  # corpus -> the corpus whose speakers its ids name, or `OWN`


class People:
    """The people of some corpora; each is named after the first of these corpora that has them: `vctk/p225`."""

    def __init__(self, rows: pd.DataFrame, corpora: Iterable[str] | None = None, speakers_of: SpeakersOf | None = None):
        """`rows` have the columns corpus and speaker_id; `corpora` is their order, alphabetical by default."""
        self.corpora = list(dict.fromkeys(corpora)) if corpora is not None else sorted(rows["corpus"].unique())
        self._speakers_of = dict(speakers_of or {})
        self._first: dict[tuple[str, str], str] = {}  # group and id -> name
        pairs = rows[COLUMNS].drop_duplicates().reset_index(drop=True)
        place = pairs["corpus"].map({corpus: place for place, corpus in enumerate(self.corpora)})
        for corpus, speaker in pairs.loc[place.sort_values(kind="stable").index].itertuples(index=False, name=None):
            self._first.setdefault((group(corpus, self._speakers_of), _composed(speaker)), f"{corpus}/{speaker}")

    def names(self, rows: pd.DataFrame, speakers_of: SpeakersOf | None = None) -> pd.Series:
        """The person of each row; `speakers_of` has changes for these rows."""
        changed = {**self._speakers_of, **(speakers_of or {})}
        pairs = rows[COLUMNS].drop_duplicates().itertuples(index=False, name=None)
        name_of = {f"{corpus}/{speaker}": self._name(corpus, speaker, changed) for corpus, speaker in pairs}
        return (rows["corpus"] + "/" + rows["speaker_id"]).map(name_of)

    def _name(self, corpus: str, speaker: str, speakers_of: SpeakersOf) -> str:
        own = f"{corpus}/{speaker}"
        return own if speaker == UNKNOWN else self._first.get((group(corpus, speakers_of), _composed(speaker)), own)


def _composed(speaker: str) -> str:
    """A name in one Unicode form: a Mac writes an umlaut as two characters."""
    return speaker if speaker.isascii() else unicodedata.normalize("NFC", speaker)


def group(corpus: str, speakers_of: SpeakersOf) -> str:
    """The corpus that owns the speaker ids of `corpus`; "" for ids that all corpora share by default."""
    owners = _owners(corpus, speakers_of)
    return [corpus, *owners][-2] if owners and owners[-1] == OWN else ""


def is_circular(corpus: str, speakers_of: SpeakersOf) -> bool:
    """Whether `speakers_of` leads from a corpus back to itself."""
    return corpus in _owners(corpus, speakers_of)


def _owners(corpus: str, speakers_of: SpeakersOf) -> list[str]:
    """Where `speakers_of` leads from a corpus: each owner once, `OWN` at the end if there is one."""
    owners: list[str] = []
    following = speakers_of.get(corpus)
    while following is not None and following not in owners:
        owners.append(following)
        following = None if following == OWN else speakers_of.get(following)
    return owners
