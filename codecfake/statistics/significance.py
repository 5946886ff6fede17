"""Whether one system is better than another on the same trials, and how much a result varies over seeds.

`compare` is for claims: it draws speakers and evaluates both systems on the same draw, so effects of speakers that both
systems share cancel out, and utterances of one speaker are not assumed to be independent. `paired_tests` are those of
Wu et al. 2024 (§3: significant if both p values are below 0.01), for comparison with that paper; they assume
independent utterances.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from codecfake.statistics import metrics
from codecfake.statistics.error_counts import RankedScores, Tally, crossings, eers, full_sample, rank
from codecfake.statistics.intervals import (
    FEW_ERRORS,
    BootstrapSettings,
    Interval,
    Trials,
    bootstrap_interval,
    design_of,
    draws,
    standard_error,
    student_quantile,
)

WU_LEVEL = 0.01


@dataclass(frozen=True)
class Comparison:
    """The EERs of two systems on the same trials.

    `first` and `second` are in [0, 1], and `difference` is first − second. `p_value` is two-sided, of no difference; it
    is below 1 − level exactly if the interval excludes 0. `bounded`: all draws give the same difference, so that
    `p_value` is an upper bound, and the interval means nothing.
    """

    first: float
    second: float
    difference: Interval
    p_value: float
    bounded: bool = False


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
    """A result over training seeds; with one seed, only the mean is known."""

    mean: float
    std: float | None  # of a sample: the sum of squares is divided by n − 1
    low: float | None  # of Student's interval of the mean
    high: float | None
    level: float
    seeds: int


def compare(
    trials: Trials, first: np.ndarray, second: np.ndarray, settings: BootstrapSettings, rng: np.random.Generator
) -> Comparison:
    """Student's test and interval of the difference of two EERs, with the standard error from draws of both.

    `first` and `second` are the scores `[N]` of `trials`. Raises ValueError as `intervals.bootstrap`.
    """
    systems = [rank(scores, trials.is_bonafide) for scores in (first, second)]
    design = design_of(trials, settings.by)
    values = np.concatenate([_difference(systems, counts) for counts in draws(design, settings.resamples, rng)])
    error = standard_error(values, design)
    error_rates = [eers(full_sample(system)).item() for system in systems]
    difference, reach = error_rates[0] - error_rates[1], student_quantile(settings.level, design) * error
    bounds = (difference - reach, difference + reach)
    interval = bootstrap_interval(design, "paired, Student's t", difference, bounds, settings.level, values)
    few = min(min(int(errors[0]) for errors in crossings(full_sample(system))) for system in systems)
    if few < FEW_ERRORS:
        rough = f"an EER counts only {few} errors of one key; the test is approximate below {FEW_ERRORS}"
        interval = replace(interval, note="; ".join(filter(None, [interval.note, rough])))
    if error == 0 and difference != 0:
        bound = max(1 / (1 + len(values)), _least_p(design.clusters))
        return Comparison(error_rates[0], error_rates[1], interval, bound, bounded=True)
    return Comparison(error_rates[0], error_rates[1], interval, _p_value(difference, error, design.clusters))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Adjusted p values of a family of tests, in its order; rejecting those below α has a family-wise error of at most
    α.

    Holm 1979: the smallest of m p values is multiplied by m, the next by m − 1, and so on, without changing their
    order.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1)), 1)
    return adjusted


def paired_tests(first: np.ndarray, second: np.ndarray) -> PairedTests:
    """The paired t-test and the Wilcoxon signed-rank test of two systems' predictions `[N]` for the same utterances.

    The paper does not define its predictions. Scores of two systems differ in scale, so a test on scores is
    meaningless; `utterance_errors` are predictions that fit its null hypothesis, equal EERs.

    Raises ValueError if the two differ in length or have fewer than two utterances.
    """
    from scipy import stats

    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(
            f"predictions have shapes {first.shape} and {second.shape}; both need one for each of 2 or more utterances"
        )
    if np.array_equal(first, second):
        return PairedTests(0.0, 1.0, 1.0, len(first))
    differences = first - second
    wilcoxon = _above_zero(float(stats.wilcoxon(differences).pvalue))
    if np.ptp(differences) == 0:  # without spread, t is undefined, and the t-test would return a p value of 0
        return PairedTests(float(differences[0]), _least_p(len(first)), wilcoxon, len(first))
    t_test = _above_zero(float(stats.ttest_rel(first, second).pvalue))
    return PairedTests(float(np.mean(differences)), t_test, wilcoxon, len(first))


def utterance_errors(scores: np.ndarray, is_bonafide: np.ndarray) -> np.ndarray:
    """1.0 for each trial that is misclassified at the threshold of the scores' own EER, else 0.0; `[N]`."""
    threshold = metrics.eer(scores[is_bonafide], scores[~is_bonafide]).threshold
    return ((scores > threshold) != is_bonafide).astype(np.float64)


def over_seeds(values: Sequence[float], level: float = 0.95) -> SeedSpread:
    """Mean and spread of a result over training seeds. Raises ValueError without results."""
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
    """The lowest p value that `pairs` can give: all differences agree in sign, as in 2 of the 2ⁿ possible swaps."""
    return _above_zero(math.ldexp(1.0, 1 - pairs))


def _above_zero(p_value: float) -> float:
    """A p value is never 0: one that is too small for a float becomes the smallest positive float."""
    return max(p_value, sys.float_info.min)
