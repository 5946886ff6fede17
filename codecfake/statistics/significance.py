"""Whether one system is better than another on the same trials, and how far a result varies over seeds.

`compare` is for claims: it draws speakers, both systems judged on the same draw, so what speakers have in common
cancels out and utterances of one speaker are not taken for independent. `paired_tests` are those of Wu et al. 2024
(§3: significant where both stay under 0.01), for comparison with that paper: they take utterances for independent.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from codecfake.statistics import metrics
from codecfake.statistics.error_counts import RankedScores, Tally, crossings, eers, once, rank
from codecfake.statistics.intervals import (
    FEW_ERRORS,
    BootstrapSettings,
    Interval,
    Trials,
    described,
    design_of,
    draws,
    spread_of,
    student,
)

WU_LEVEL = 0.01


@dataclass(frozen=True)
class Comparison:
    """The EERs of two systems on the same trials."""

    first: float
    second: float
    difference: Interval  # first − second
    p_value: (
        float  # two-sided, of no difference; below 1 − level just where the interval leaves out 0, but see `bounded`
    )
    bounded: bool = False  # no draw differs from another: the p value is an upper bound, and the interval says nothing


@dataclass(frozen=True)
class PairedTests:
    """Paired tests over utterances, two-sided."""

    mean_difference: float  # first − second
    t_test_p: float
    wilcoxon_p: float
    utterances: int

    def significant(self, level: float = WU_LEVEL) -> bool:
        """Whether both tests say that the systems differ."""
        return max(self.t_test_p, self.wilcoxon_p) < level


@dataclass(frozen=True)
class SeedSpread:
    """A result over training seeds; of one seed nothing but the mean is known."""

    mean: float
    std: float | None  # of a sample: divided by n − 1
    low: float | None  # of the interval of the mean, Student's
    high: float | None
    level: float
    seeds: int


def compare(
    trials: Trials, first: np.ndarray, second: np.ndarray, settings: BootstrapSettings, rng: np.random.Generator
) -> Comparison:
    """Student's test and interval of the difference of two EERs, its standard error from draws made for both.

    `first` and `second` are the scores `[N]` of `trials`. Raises ValueError as `intervals.bootstrap`.
    """
    systems = [rank(scores, trials.is_bonafide) for scores in (first, second)]
    design = design_of(trials, settings.by)
    values = np.concatenate([_difference(systems, counts) for counts in draws(design, settings.resamples, rng)])
    error = spread_of(values, design)
    rates = [eers(once(system)).item() for system in systems]
    difference, reach = rates[0] - rates[1], student(settings.level, design) * error
    bounds = (difference - reach, difference + reach)
    found = described(design, "paired, Student's t", difference, bounds, settings.level, values)
    few = min(min(int(errors[0]) for errors in crossings(once(system))) for system in systems)
    if few < FEW_ERRORS:
        rough = f"an EER rests on {few} errors of a key; the test is rough below {FEW_ERRORS}"
        found = replace(found, note="; ".join(filter(None, [found.note, rough])))
    if error == 0 and difference != 0:
        bound = max(1 / (1 + len(values)), _least_p(design.clusters))
        return Comparison(rates[0], rates[1], found, bound, bounded=True)
    return Comparison(rates[0], rates[1], found, _p_value(difference, error, design.clusters))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """The p values of a family of tests, adjusted in its order: those under α reject with a family-wise error ≤ α.

    Holm 1979: of m tests the smallest is multiplied by m, the next by m − 1, and so on; none ends below a smaller one.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1)), 1)
    return adjusted


def paired_tests(first: np.ndarray, second: np.ndarray) -> PairedTests:
    """The paired t-test and the Wilcoxon signed-rank test of two systems' predictions `[N]` for the same utterances.

    The paper does not say what its predictions are. Scores of two systems differ in scale, so scores alone decide
    nothing; `utterance_errors` are predictions that bear on its null hypothesis, equal EERs.

    Raises ValueError if the two differ in length or are of fewer than two utterances.
    """
    from scipy import stats

    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(
            f"predictions are {first.shape} and {second.shape}; both must be of the same 2 or more utterances"
        )
    if np.array_equal(first, second):
        return PairedTests(0.0, 1.0, 1.0, len(first))
    differences = first - second
    wilcoxon = _above_zero(float(stats.wilcoxon(differences).pvalue))
    if np.ptp(differences) == 0:  # no spread, so no t; by the t-test alone the p value would be 0
        return PairedTests(float(differences[0]), _least_p(len(first)), wilcoxon, len(first))
    t_test = _above_zero(float(stats.ttest_rel(first, second).pvalue))
    return PairedTests(float(np.mean(differences)), t_test, wilcoxon, len(first))


def utterance_errors(scores: np.ndarray, is_bonafide: np.ndarray) -> np.ndarray:
    """1.0 for each trial that is judged wrongly at the threshold of the scores' own EER, else 0.0; `[N]`."""
    threshold = metrics.eer(scores[is_bonafide], scores[~is_bonafide]).threshold
    return ((scores > threshold) != is_bonafide).astype(np.float64)


def over_seeds(values: Sequence[float], level: float = 0.95) -> SeedSpread:
    """Mean and spread of a result over training seeds. Raises ValueError if there is none."""
    from scipy import special

    count = len(values)
    if count == 0:
        raise ValueError("no result of any seed; a mean needs at least one")
    mean = math.fsum(values) / count
    if count == 1:
        return SeedSpread(mean, None, None, None, level, count)
    std = float(np.std(values, ddof=1))
    reach = -float(special.stdtrit(count - 1, (1 - level) / 2)) * std / math.sqrt(count)
    return SeedSpread(mean, std, mean - reach, mean + reach, level, count)


def _difference(systems: list[RankedScores], counts: np.ndarray) -> np.ndarray:
    first, second = (eers(Tally(system, counts[:, system.order])) for system in systems)
    return first - second


def _p_value(difference: float, error: float, clusters: int) -> float:
    from scipy import special

    if difference == 0:
        return 1.0
    return _above_zero(2 * float(special.stdtr(clusters - 1, -abs(difference) / error)))


def _least_p(pairs: int) -> float:
    """The least p value that `pairs` can give: all agree, as in 2 of the 2ⁿ ways to exchange the two within pairs."""
    return _above_zero(math.ldexp(1.0, 1 - pairs))


def _above_zero(p_value: float) -> float:
    """Nothing is certain: a p value too small for a float is the smallest one."""
    return max(p_value, sys.float_info.min)
