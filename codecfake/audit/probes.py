"""Probes: how well simple classifiers separate fakes from recordings by one trivial feature, and by all of them.

A probe is never tested on speakers that it was fitted on (grouped cross-validation). A logistic regression finds
monotonic differences, a small tree finds values in a band, such as peaks that were all set to one value. The better of
the two counts, so chance is slightly above 0.5. Fakes made here are compared with their own recordings, so any
difference comes from the codec or from a fault in the handling of files.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from codecfake.audio.shards import AudioStore
from codecfake.audit.features import FEATURES, HANDLING, NAMES
from codecfake.audit.lists import TrialList
from codecfake.audit.measurement import measure_all
from codecfake.audit.overlap import FAULT, REPORTED
from codecfake.audit.settings import AuditSettings, Limits
from codecfake.base.degraded_names import base_of, degradation_of, with_degradation
from codecfake.base.progress import progress
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.protocols.labels import ORIGINAL_KEY
from codecfake.protocols.lists import RECORDINGS
from codecfake.protocols.trials import SPEECH
from codecfake.statistics.error_counts import roc_aucs
from codecfake.statistics.intervals import BootstrapSettings, Trials, bootstrap
from codecfake.statistics.metrics import roc_auc

ALL = "all"  # the probe on all features, with exempt ones: only reported
FOLDS = 5
RESAMPLES = 200
FEWEST = 20  # files per key; with fewer, a probe means nothing
CONSTANT = "constant"  # in place of a classifier
NEARLY_CERTAIN = 0.95  # above this, bounds in log-odds mean little: a resample without errors is at infinity
BELOW, EXEMPT, UNPROBED = "below", "exempt", "not probed"


@dataclass(frozen=True)
class Arms:
    """The files of a probe; with `paired`, each row has the fake and the recording of one utterance."""

    source: str  # of fakes, or the condition whose spoofs came as recordings
    paired: bool
    bonafide: pd.DataFrame  # columns row, speaker
    spoof: pd.DataFrame


@dataclass(frozen=True)
class Shortcut:
    source: str
    feature: str
    auc: float  # of the better classifier; NaN if not probed
    low: float
    high: float
    classifier: str
    num_bonafide: int
    num_spoof: int
    speakers: int
    differ: float  # share of pairs whose values differ; NaN without pairs
    sign: float  # share of pairs with the larger value in the fake, minus the share with the smaller
    verdict: str
    why: str


def shortcuts(settings: AuditSettings, lists: list[TrialList], store: AudioStore) -> list[Shortcut]:
    """Probe every source of fakes, and the spoofs of every condition whose spoofs came as recordings."""
    cache: dict[tuple[int, ...], np.ndarray] = {}

    def values(rows: pd.Series) -> np.ndarray:
        key = tuple(rows)
        if key not in cache:
            cache[key] = measure_all(map(store.bytes_of, key))
        return cache[key]

    everything = [*fakes_made_here(settings, lists, store), *spoofs_as_published(settings, lists)]
    return [
        row
        for arms in progress(everything, "probing", len(everything), "source")
        for row in _probe(settings, arms, values)
    ]


def fakes_made_here(settings: AuditSettings, lists: list[TrialList], store: AudioStore) -> Iterator[Arms]:
    """Each source of fakes made here, with the recordings of the same utterances; degraded ones with degraded ones."""
    samples: dict[str, pd.DataFrame] = {}
    sources = dict.fromkeys(source for item in lists for source in item.trials["source"].unique())
    for source in sources:
        if base_of(source) == RECORDINGS:
            continue
        partner = with_degradation(RECORDINGS, degradation_of(source))
        if partner not in samples:
            samples[partner] = _recordings(settings, lists, partner)
        recordings = samples[partner]
        fake = store.index.rows(recordings.assign(source=source)[["corpus", "source", "utterance_id"]])
        there = (fake >= 0) & (recordings["row"] >= 0).to_numpy()
        columns = recordings.loc[there, ["row", "speaker"]]
        yield Arms(str(source), True, columns, columns.assign(row=fake[there]))


def spoofs_as_published(settings: AuditSettings, lists: list[TrialList]) -> Iterator[Arms]:
    """Conditions whose spoofs were not made here: what their files reveal is reported and is never a fault."""
    for name in settings.conditions:
        trials = pd.concat([item.trials for item in lists if item.protocol == f"eval/{name}"])
        spoof = trials[trials["key"] == SPOOF]
        if set(spoof["source"].map(base_of)) == {RECORDINGS}:
            arms = (_sample(settings, part) for part in (trials[trials["key"] == BONAFIDE], spoof))
            yield Arms(f"eval/{name}", False, *(arm[["row", "speaker"]] for arm in arms))


def _recordings(settings: AuditSettings, lists: list[TrialList], source: str) -> pd.DataFrame:
    """Recordings for the probes, plain or degraded, from resynthesized corpora: bona fide ones, and spoofs that codecs
    resynthesized.
    """
    trials = pd.concat([item.trials for item in lists])
    corpora = trials.loc[trials["source"].map(base_of) != RECORDINGS, "corpus"].unique()
    recorded = trials[(trials["source"] == source) & trials["corpus"].isin(corpora)]
    speech = pd.MultiIndex.from_frame(recorded[SPEECH])
    coded = pd.MultiIndex.from_frame(trials.loc[_is_coded_spoof(trials), SPEECH])
    originals = recorded[(recorded["key"] == BONAFIDE) | speech.isin(coded)]
    return _sample(settings, originals.drop_duplicates(SPEECH))


def _is_coded_spoof(trials: pd.DataFrame) -> pd.Series:
    original = trials[ORIGINAL_KEY] if ORIGINAL_KEY in trials else pd.Series(BONAFIDE, index=trials.index)
    return (trials["source"].map(base_of) != RECORDINGS) & (original == SPOOF)


def _sample(settings: AuditSettings, trials: pd.DataFrame) -> pd.DataFrame:
    """A sample of trials by a hash of their names: the same on any machine, and independent of other trials."""
    names = trials["corpus"] + "/" + trials["utterance_id"]
    order = [hashlib.sha256(f"{settings.seed}:{name}".encode()).hexdigest() for name in names]
    table = trials.assign(order=order, speaker=trials["person"])
    return table.sort_values("order").head(settings.limits.utterances).reset_index(drop=True)


def _probe(settings: AuditSettings, arms: Arms, values: Callable[[pd.Series], np.ndarray]) -> Iterator[Shortcut]:
    speakers = [set(arm["speaker"]) for arm in (arms.bonafide, arms.spoof)]
    if min(map(len, speakers)) < 2 or min(len(arms.bonafide), len(arms.spoof)) < FEWEST:
        yield _unprobed(arms, len(speakers[0] | speakers[1]))
        return
    bonafide, spoof = values(arms.bonafide["row"]), values(arms.spoof["row"])
    handling = [feature.name for feature in FEATURES if not feature.codec_touches]
    handling = [name for name in handling if name not in settings.limits.reasons(arms.source)]
    columns = {name: [place] for place, name in enumerate(NAMES)}
    columns |= {HANDLING: [NAMES.index(name) for name in handling], ALL: list(range(len(NAMES)))}
    for name, places in columns.items():
        if places:  # all features that depend on handling may be exempt
            yield _shortcut(settings, arms, name, bonafide[:, places], spoof[:, places])


def _unprobed(arms: Arms, speakers: int) -> Shortcut:
    nan, counts = float("nan"), (len(arms.bonafide), len(arms.spoof), speakers)
    why = f"{counts[0]} recordings, {counts[1]} fakes, {speakers} speakers; needs {FEWEST} of each and 2 speakers"
    return Shortcut(arms.source, ALL, nan, nan, nan, "", *counts, nan, nan, UNPROBED, why)


def _shortcut(settings: AuditSettings, arms: Arms, name: str, bonafide: np.ndarray, spoof: np.ndarray) -> Shortcut:
    speakers = pd.concat([arms.bonafide["speaker"], arms.spoof["speaker"]]).to_numpy(str)
    is_bonafide = np.arange(len(speakers)) < len(bonafide)
    values = np.concatenate([bonafide, spoof])
    rng = np.random.default_rng([settings.seed, zlib.crc32(f"{arms.source} {name}".encode())])
    label, scores = _best(values, is_bonafide, speakers)
    bounds = _interval(scores, is_bonafide, speakers, rng)
    single = arms.paired and name in NAMES
    signs = _signs(name, spoof[:, 0] - bonafide[:, 0]) if single else np.array([np.nan])
    shares = float(np.abs(signs).mean()), float(signs.mean())
    verdict, why = _verdict(settings.limits, arms, name, bounds, shares[0])
    counts = len(bonafide), len(spoof), len(set(speakers))
    return Shortcut(arms.source, name, *bounds, label, *counts, *shares, verdict, why)


def _signs(name: str, differences: np.ndarray) -> np.ndarray:
    """−1, 0 or 1 for each pair `[N]`: lengths at two rates agree up to rounding."""
    tolerance = next(feature.tolerance for feature in FEATURES if feature.name == name)
    return np.where(np.abs(differences) <= tolerance, 0.0, np.sign(differences))


def _verdict(limits: Limits, arms: Arms, name: str, auc: tuple[float, float, float], differ: float) -> tuple[str, str]:
    if not arms.paired:
        return REPORTED, "these spoofs came as recordings; their files are as published"
    if name == ALL:
        return REPORTED, "includes what exempt features reveal"
    exact = next((feature.exact for feature in FEATURES if feature.name == name), False)
    is_sure = auc[1] > 0.5 or auc[0] > NEARLY_CERTAIN
    differs, tells = exact and differ > 0, auc[0] > limits.max_shortcut_auc and is_sure
    if name in limits.reasons(arms.source):
        return EXEMPT, limits.reasons(arms.source)[name]
    if differs:
        return FAULT, f"{differ:.0%} of fakes differ from their recordings, but no codec requires this"
    return (FAULT, f"AUC above {limits.max_shortcut_auc:g}") if tells else (BELOW, "")


def _best(values: np.ndarray, is_bonafide: np.ndarray, speakers: np.ndarray) -> tuple[str, np.ndarray]:
    """The classifier with the larger AUC, and its scores `[N]`; constant if features carry no information."""
    if (values == values[0]).all():
        return CONSTANT, np.full(len(values), 0.5)
    makers = _classifiers(values.shape[1]).items()
    scores_of = {label: _held_out_scores(make, values, is_bonafide, speakers) for label, make in makers}
    return max(scores_of.items(), key=lambda item: roc_auc(item[1][is_bonafide], item[1][~is_bonafide]))


def _classifiers(num_features: int) -> dict[str, Callable[[], Any]]:
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    def trees() -> Any:
        if num_features == 1:
            return DecisionTreeClassifier(max_depth=3, min_samples_leaf=0.05, random_state=0)
        return GradientBoostingClassifier(n_estimators=40, max_depth=2, min_samples_leaf=0.03, random_state=0)

    return {"logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()), "tree": trees}


def _held_out_scores(
    make: Callable[[], Any], values: np.ndarray, is_bonafide: np.ndarray, speakers: np.ndarray
) -> np.ndarray:
    """Probability of bona fide, `[N]`, by classifiers fitted on other speakers; 0.5 where none can be fitted."""
    from sklearn.model_selection import StratifiedGroupKFold

    scores = np.full(len(values), 0.5)
    folds = StratifiedGroupKFold(min(FOLDS, len(set(speakers))))
    for train, test in folds.split(values, is_bonafide, speakers):
        if len(set(is_bonafide[train])) == 2:
            scores[test] = make().fit(values[train], is_bonafide[train]).predict_proba(values[test])[:, 1]
    return scores


def _interval(
    scores: np.ndarray, is_bonafide: np.ndarray, speakers: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, float]:
    """The AUC and its bounds (bootstrap over speakers)."""
    if (scores == scores[0]).all():
        return 0.5, 0.5, 0.5
    trials, settings = Trials(is_bonafide, speakers), BootstrapSettings("speaker", RESAMPLES)
    interval = bootstrap(trials, scores, {"auc": roc_aucs}, settings, rng)["auc"]
    return interval.estimate, interval.low, interval.high
