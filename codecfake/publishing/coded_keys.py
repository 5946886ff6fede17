"""The label policy of a publication: which key the coded speech of each codec has, as the protocols of the run say."""

from collections.abc import Iterable, Mapping

import pandas as pd

from codecfake.base.degraded_names import base_of
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols.exports import RECORDINGS
from codecfake.protocols.labels import DEFAULT, ORIGINAL_KEY, CodedKeys
from codecfake.publishing.clips import PublishingError
from codecfake.publishing.survey import SourceFacts

CLIP = ["corpus", "source", "utterance_id"]
NO_POLICY: CodedKeys = {BONAFIDE: DEFAULT[BONAFIDE]}  # bona fide speech alone is resynthesized, and is spoof then
Policy = Mapping[str, CodedKeys]  # codec -> key of the original -> key of its coded version


def policy(trials: pd.DataFrame, sources: Iterable[SourceFacts]) -> dict[str, dict[str, str]]:
    """The keys of coded speech, for the codecs whose coded speech is not simply spoof, or is of spoofs too.

    `trials` have the columns of a `Catalog`.
    """
    codecs = {(source.corpus, source.source): source.codec for source in sources}
    columns = ["corpus", "source", ORIGINAL_KEY, "key"]
    keys: dict[str, dict[str, str]] = {}
    for corpus, source, original, key in trials[columns].drop_duplicates().astype(str).itertuples(index=False):
        if base_of(source) != RECORDINGS and (corpus, source) in codecs:
            keys.setdefault(codecs[corpus, source], {})[original] = key
    return {codec: dict(sorted(of.items())) for codec, of in sorted(keys.items()) if of != NO_POLICY}


def require_one_key(trials: pd.DataFrame) -> None:
    """Raise PublishingError if two parts give one clip different keys, which a data set has no room for."""
    pairs = trials[[*CLIP, "key"]].astype(str).drop_duplicates()
    several = pairs[pairs.duplicated(CLIP, keep=False)]
    if several.empty:
        return
    corpus, source, utterance_id = several.iloc[0][CLIP]
    same = (trials["corpus"] == corpus) & (trials["source"] == source) & (trials["utterance_id"] == utterance_id)
    places = trials.loc[same, ["part", "key"]].astype(str).drop_duplicates().itertuples(index=False)
    keys = ", ".join(f"{key} in {part}" for part, key in places)
    raise PublishingError(
        f"clip {source}_{utterance_id} is {keys}, by different label policies; publish the parts of one "
        f"policy at a time, with --parts"
    )


def allowed(policy: Policy, codec: str | None, original: str) -> set[str]:
    """The keys that the coded version of an original can have; codec: None where a data set does not say which."""
    names = [codec] if codec is not None else list(policy)
    policies = [policy.get(name, NO_POLICY) for name in names] + ([NO_POLICY] if codec is None else [])
    return {keys[original] for keys in policies if original in keys}
