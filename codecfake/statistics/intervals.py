"""How sure a number is: bootstrap intervals over trials, speakers or attacks, and exact bounds where nothing erred.

Trials of one speaker resemble one another, so speakers are drawn, not trials, and a speaker's bona fide and spoof
trials come together. Where spoofs of several attacks are pooled and the claim is about attacks like these, both
speakers and attacks are drawn and a trial counts as often as the two together (Owen 2007, the pigeonhole bootstrap,
which errs on the wide side).

A metric between 0 and 1 gets Student's interval on the scale of log odds, with the spread of the resamples there and
n − 1 degrees of freedom, n the number of clusters. With 10 speakers and an EER of 3 % it held the true EER in 97 of 100
simulated data sets, percentiles in 85 and BCa intervals, whose acceleration has no value where no error is left, in 86.
A minimum over thresholds is lower still in a resample, whose percentiles then lie beside the truth. Costs without an
upper end get percentiles, taken further out where clusters are few: a normal quantile becomes Student's, times
√(n / (n − 1)) (Hesterberg 2015, the expanded percentile interval). `benchmarks/README.md` has the measured coverage.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from codecfake.statistics.error_counts import Metric, Tally, crossings, eers, min_cllrs, min_dcfs, once, rank, roc_aucs

DRAWN = ("trial", "speaker", "speaker_and_attack")
FEW_CLUSTERS = 10  # an interval that rests on fewer says little of its own reliability
FEW_ERRORS = 10  # of a key: draws of fewer are too coarse
MOST_DRAWS = 100
SHARES: tuple[Metric, ...] = (eers, min_dcfs, min_cllrs, roc_aucs)  # lie between 0 and 1
CELLS = 2**15  # counts held at a time, resamples × trials: 256 KiB an array (or one resample) stays in a cache


@dataclass(frozen=True)
class BootstrapSettings:
    """How intervals are drawn."""

    by: str = "speaker"
    resamples: int = 1000
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.by not in DRAWN:
            raise ValueError(f"by is {self.by!r}; what is drawn must be one of {', '.join(DRAWN)}")
        if self.resamples < 1:
            raise ValueError(f"resamples is {self.resamples}; at least 1 is needed (1000 for two digits)")
        if not 0 < self.level < 1:
            raise ValueError(f"level is {self.level}; it must be between 0 and 1, as 0.95 does")


@dataclass(frozen=True)
class Interval:
    estimate: float
    low: float
    high: float
    level: float
    method: str
    clusters: int  # those that the key (or the attacks) with fewest rests on
    resamples: int  # 0 where the bounds are exact
    note: str = ""  # what a reader must know, in words; "" if nothing
    few_clusters: bool = False  # fewer than FEW_CLUSTERS: a warning to be shown


@dataclass(frozen=True)
class Trials:
    """Judged trials in the order of their scores; all arrays are `[N]`. Speakers of two corpora need two names."""

    is_bonafide: np.ndarray
    speakers: np.ndarray | None = None
    attacks: np.ndarray | None = None  # read for spoofs alone

    def __post_init__(self) -> None:
        if self.is_bonafide.dtype != bool or self.is_bonafide.ndim != 1:
            raise ValueError(f"is_bonafide is {self.is_bonafide.dtype}, {self.is_bonafide.shape}; it must be bool [N]")
        for name in ("speakers", "attacks"):
            labels = getattr(self, name)
            if labels is not None and labels.shape != self.is_bonafide.shape:
                raise ValueError(
                    f"{name} has shape {labels.shape}, is_bonafide {self.is_bonafide.shape}; they must agree"
                )


def bootstrap(
    trials: Trials,
    scores: np.ndarray,
    metrics: Mapping[str, Metric],
    settings: BootstrapSettings,
    rng: np.random.Generator,
) -> dict[str, Interval]:
    """The interval of each metric of `tallies`, all from the same draws.

    Raises ValueError if trials lack the labels that are drawn, rest on a single cluster, or as `tallies.checked`.
    """
    ranked = rank(scores, trials.is_bonafide)
    design = design_of(trials, settings.by)
    chunks: dict[str, list[np.ndarray]] = {name: [] for name in metrics}
    for counts in draws(design, settings.resamples, rng):
        tally = Tally(ranked, counts[:, ranked.order])
        for name, metric in metrics.items():
            chunks[name].append(metric(tally))
    values = {name: np.concatenate(chunk) for name, chunk in chunks.items()}
    as_given = once(ranked)
    return {name: _interval(metric, as_given, values[name], settings.level, design) for name, metric in metrics.items()}


@dataclass(frozen=True)
class Factor:
    """One way in which trials are clustered."""

    cluster: np.ndarray  # int [N]: the cluster of each trial, or -1: the trial has none and is always kept
    strata: tuple[np.ndarray, ...]  # clusters that are drawn among themselves: each has the same keys

    @property
    def size(self) -> int:
        return sum(map(len, self.strata))


@dataclass(frozen=True)
class Design:
    """What a resample draws; a trial counts the product of how often each of its clusters was drawn."""

    by: str
    is_bonafide: np.ndarray
    factors: tuple[Factor, ...]
    clusters: int  # the fewest that a key or a factor rests on


def design_of(trials: Trials, by: str) -> Design:
    """What is drawn to resample these trials. Raises ValueError as `bootstrap`."""
    if by == "trial":
        factors = [_factor(np.arange(len(trials.is_bonafide)), trials.is_bonafide)]
    else:
        factors = [_factor(_codes(trials.speakers, "speakers"), trials.is_bonafide)]
    if by == "speaker_and_attack":
        attacks = np.full(len(trials.is_bonafide), -1)
        attacks[~trials.is_bonafide] = _codes(trials.attacks, "attacks", ~trials.is_bonafide)
        factors.append(_factor(attacks, trials.is_bonafide))
    fewest = min(_fewest(factor, trials.is_bonafide) for factor in factors)
    if fewest < 2:
        raise ValueError(f"a key rests on a single {by.replace('_', ' ')}; an interval needs two or more to draw from")
    return Design(by, trials.is_bonafide, tuple(factors), fewest)


def draws(design: Design, resamples: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each trial is drawn, int64 `[R, N]` of all resamples in turn; R bounds memory and changes no draw."""
    rows = max(1, CELLS // len(design.is_bonafide))
    for start in range(0, resamples, rows):
        yield np.stack([_draw(design, rng) for _ in range(min(rows, resamples - start))])


def percentile_interval(estimate: float, values: np.ndarray, level: float, design: Design) -> Interval:
    """The expanded percentile interval of resampled values `[R]`, widened if need be to hold the estimate."""
    from scipy import special

    tail = special.ndtr(-student(level, design) * _enlargement(design))
    low, high = (float(bound) for bound in np.quantile(values, [tail, 1 - tail]))
    found = described(design, "expanded percentile", estimate, (low, high), level, values)
    if low <= estimate <= high:
        return found
    note = f"widened to hold the estimate, which lies outside the percentiles {low:.6g} and {high:.6g}"
    return replace(found, low=min(low, estimate), high=max(high, estimate), note=note)


def log_odds_interval(estimate: float, values: np.ndarray, level: float, design: Design, step: float) -> Interval:
    """Student's interval on the scale of log odds, from the spread of resampled shares `[R]`.

    `step` is the least by which a share can differ from 0 and from 1, which count as half of it away from themselves.
    """
    from scipy import special

    center, odds = (special.logit(np.clip(shares, step / 2, 1 - step / 2)) for shares in (estimate, values))
    reach = student(level, design) * spread_of(odds, design)
    low, high = float(special.expit(center - reach)), float(special.expit(center + reach))
    bounds = (min(low, estimate), max(high, estimate))
    return described(design, "Student's t of log odds", estimate, bounds, level, values)


def student(level: float, design: Design) -> float:
    """How many standard errors an interval of Student's distribution reaches to each side."""
    from scipy import special

    return -float(special.stdtrit(design.clusters - 1, (1 - level) / 2))


def spread_of(values: np.ndarray, design: Design) -> float:
    """Standard error from resampled values `[R]`: the variance of draws of n clusters is short by (n − 1) / n."""
    return float(np.std(values)) * _enlargement(design)


def described(
    design: Design, method: str, estimate: float, bounds: tuple[float, float], level: float, values: np.ndarray
) -> Interval:
    """An interval from resampled values `[R]` with what these and their design say of it."""
    method, few = f"bootstrap by {design.by}, {method}", design.clusters < FEW_CLUSTERS
    note = "no resample differs from another, so the bounds say nothing" if values.min() == values.max() else ""
    return Interval(estimate, *bounds, level, method, design.clusters, len(values), note, few)


def widened_by_exact(interval: Interval, as_given: Tally, design: Design) -> Interval:
    """The interval of an EER, joined with `exact_eer` where it rests on few errors, as draws of few vary too little.

    Without any error every resample has none either, and the exact bounds stand alone.
    """
    missed, accepted = (int(errors[0]) for errors in crossings(as_given))
    num_bonafide, num_spoof = as_given.num_bonafide.item(), as_given.num_spoof.item()
    if min(missed, num_bonafide - missed, accepted, num_spoof - accepted) >= FEW_ERRORS:
        return interval
    low, high = exact_eer(missed, num_bonafide, accepted, num_spoof, interval.level)
    if missed == accepted == 0:
        share = exact_rate(0, design.clusters, interval.level)[1]
        note = f"no error; the bounds take trials for independent, up to {share:.1%} of clusters may yet have errors"
        return replace(interval, low=0.0, high=high, method="exact (Clopper and Pearson)", resamples=0, note=note)
    return replace(
        interval,
        low=min(low, interval.low),
        high=max(high, interval.high),
        method=f"{interval.method}, joined with exact bounds",
        note=f"{missed} missed and {accepted} accepted; the exact bounds take trials for independent",
    )


def exact_eer(missed: int, num_bonafide: int, accepted: int, num_spoof: int, level: float) -> tuple[float, float]:
    """Bounds of the true EER, from the errors of independent trials where the rates are nearest.

    The true EER's threshold lies on one side of the observed one. Below it, as many bona fide trials or fewer were
    missed as observed; above it, as many spoofs or fewer accepted. So an EER above the larger of the two upper
    Clopper–Pearson bounds makes one of two binomial counts improbably low, and likewise below the smaller lower
    bound: each of the four has a quarter of 1 − level. Without any error only the two upper ones are at stake.
    """
    sides = 2 if missed == accepted == 0 else 4
    one_sided = 2 * (1 - level) / sides
    bounds = [exact_rate(missed, num_bonafide, 1 - one_sided), exact_rate(accepted, num_spoof, 1 - one_sided)]
    return min(low for low, _ in bounds), max(high for _, high in bounds)


def exact_rate(errors: int, trials: int, level: float) -> tuple[float, float]:
    """The two-sided Clopper–Pearson bounds of an error rate seen in independent trials."""
    from scipy import stats

    bounds = stats.binomtest(int(errors), int(trials)).proportion_ci(level, method="exact")
    return float(bounds.low), float(bounds.high)


def _interval(metric: Metric, as_given: Tally, values: np.ndarray, level: float, design: Design) -> Interval:
    estimate, plain = float(metric(as_given)[0]), getattr(metric, "func", metric)  # that of a partial with its own cost
    if plain not in SHARES:
        return percentile_interval(estimate, values, level, design)
    num_bonafide, num_spoof = as_given.num_bonafide.item(), as_given.num_spoof.item()
    step = 1 / (num_bonafide * num_spoof) if plain is roc_aucs else 1 / min(num_bonafide, num_spoof)
    found = log_odds_interval(estimate, values, level, design, step)
    return widened_by_exact(found, as_given, design) if plain is eers else found


def _enlargement(design: Design) -> float:
    return math.sqrt(design.clusters / (design.clusters - 1))


def _factor(cluster: np.ndarray, is_bonafide: np.ndarray) -> Factor:
    """Clusters fall into strata by the keys that they hold, so that a draw takes as many of each sort as there are."""
    size = int(cluster.max()) + 1
    holds = [np.bincount(cluster[(cluster >= 0) & key], minlength=size) > 0 for key in (is_bonafide, ~is_bonafide)]
    sorts = (holds[0] & ~holds[1], ~holds[0] & holds[1], holds[0] & holds[1])
    return Factor(cluster, tuple(np.flatnonzero(sort) for sort in sorts if sort.any()))


def _fewest(factor: Factor, is_bonafide: np.ndarray) -> int:
    """The number of clusters that the key with fewest rests on, of the keys that are clustered."""
    held = (np.unique(factor.cluster[key]) for key in (is_bonafide, ~is_bonafide))
    return min(len(clusters) for clusters in held if clusters[0] >= 0)


def _codes(labels: np.ndarray | None, name: str, chosen: np.ndarray | slice = slice(None)) -> np.ndarray:
    if labels is None:
        raise ValueError(f"trials have no {name}; give them, or draw by='trial'")
    return np.unique(labels[chosen], return_inverse=True)[1]


def _draw(design: Design, rng: np.random.Generator) -> np.ndarray:
    """One resample in which both keys remain; where attacks meet few speakers, a draw may have to be made again."""
    for _ in range(MOST_DRAWS):
        counts = np.ones(len(design.is_bonafide), dtype=np.int64)
        for factor in design.factors:
            counts *= _times_drawn(factor, rng)[factor.cluster]
        if counts[design.is_bonafide].any() and counts[~design.is_bonafide].any():
            return counts
    raise ValueError(
        f"{MOST_DRAWS} draws by {design.by} in turn left one key without a trial; too few attacks share speakers: "
        f"draw by='speaker'"
    )


def _times_drawn(factor: Factor, rng: np.random.Generator) -> np.ndarray:
    """How often each cluster is drawn, int64, with a last entry of 1 for the cluster -1."""
    drawn = [stratum[rng.integers(len(stratum), size=len(stratum))] for stratum in factor.strata]
    return np.append(np.bincount(np.concatenate(drawn), minlength=factor.size), 1)
