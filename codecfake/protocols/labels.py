"""Label policies: which key coded speech has. A policy changes keys alone; which audio exists does not depend on it.

A codec can be an attack, as in a speech language model, or a channel, as in a telephone call. The key of coded bona
fide speech therefore depends on the study.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from codecfake.base.settings import Fault
from codecfake.base.utterances import BONAFIDE, RESYNTHESIZE, SPOOF

ORIGINAL_KEY = "original_key"  # a further column, of protocols with another policy than the default
EXCLUDED = "excluded"
NO_ATTACK = "-"

Purpose = Literal["transmission", "generation"]
Label = Literal["bonafide", "spoof", "excluded"]
CodedKeys = Mapping[str, str]  # key of the original -> key of its coded version, or EXCLUDED
DEFAULT: CodedKeys = {BONAFIDE: SPOOF, SPOOF: SPOOF}


@dataclass(frozen=True)
class Labels:
    """The policy of a domain; by default, all coded speech is spoof."""

    coded_bonafide: Label | dict[Purpose, Label] = "spoof"  # for all codecs, or by the purpose of the codec
    coded_spoof: Literal["spoof", "excluded"] = "spoof"

    def keys(self, purpose: str | None) -> CodedKeys:
        """The keys of speech that a codec of this purpose coded. Raises KeyError if the policy says nothing of it."""
        by_purpose: Mapping[str | None, str] | str = self.coded_bonafide  # type: ignore[assignment]
        label = by_purpose if isinstance(by_purpose, str) else by_purpose[purpose]
        return {BONAFIDE: label, SPOOF: self.coded_spoof}

    def fault(self, codec: str, purpose: str | None) -> Fault | None:
        """Why the policy does not say which key the speech of a codec has."""
        if isinstance(self.coded_bonafide, str) or purpose in self.coded_bonafide:
            return None
        if purpose is None:
            text = f"codec {codec} has no purpose; write `purpose: transmission` or `generation` in codecs.{codec}"
        else:
            text = f"codec {codec} is for {purpose}, which has no label; add `{purpose}: spoof`, or another label"
        return Fault(("coded_bonafide",), text)


def originals(rows: pd.DataFrame, key: str, resynthesized: Mapping[str, str]) -> pd.DataFrame:
    """The rows with a key that codecs resynthesize.

    `resynthesized` has the choices of corpora, as in `RESYNTHESIZE`; the others resynthesize bona fide speech alone.
    """
    corpora = [corpus for corpus in rows["corpus"].unique() if key in keys_of(corpus, resynthesized)]
    return rows[(rows["key"] == key) & rows["corpus"].isin(corpora)]


def keys_of(corpus: str, resynthesized: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of the utterances that codecs resynthesize in a corpus."""
    return RESYNTHESIZE[resynthesized.get(corpus, BONAFIDE)]


def coded(source: str, rows: pd.DataFrame, keys: CodedKeys) -> pd.DataFrame:
    """Trials that a codec's source made of recordings, with their keys; excluded ones are left out.

    `rows` have the recordings' attacks and `ORIGINAL_KEY`. A coded spoof has the attack of its original; coded bona
    fide speech with the key spoof has the source as attack.
    """
    rows = rows.assign(key=rows[ORIGINAL_KEY].map({**DEFAULT, **keys}))
    rows = rows[rows["key"] != EXCLUDED]
    return rows.assign(attack=attacks(rows["attack"], source, rows[ORIGINAL_KEY], rows["key"]))


def attacks(attack: pd.Series, source: pd.Series | str, original_key: pd.Series, key: pd.Series) -> pd.Series:
    """The attacks of coded trials, from those of their originals."""
    of_bonafide = np.where(key == SPOOF, source, NO_ATTACK)
    return attack.where(original_key == SPOOF, pd.Series(of_bonafide, index=attack.index, dtype=object))
