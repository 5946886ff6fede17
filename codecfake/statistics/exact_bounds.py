"""Exact bounds of error rates from few errors of independent trials (Clopper and Pearson 1934)."""


def exact_eer(misses: int, num_bonafide: int, false_alarms: int, num_spoof: int, level: float) -> tuple[float, float]:
    """Bounds of the true EER, from the errors of independent trials at the threshold where the rates are nearest.

    The threshold of the true EER is on one side of the observed one. If it is lower, at it no more bona fide trials are
    missed than observed; if it is higher, no more spoofs are accepted. So an EER above the larger of the two upper
    Clopper–Pearson bounds makes one of two binomial counts improbably low, and likewise for the lower bounds.
    Each of the four bounds gets a quarter of 1 − level; without errors, each of the two upper ones gets a half.
    """
    sides = 2 if misses == false_alarms == 0 else 4
    one_sided = 2 * (1 - level) / sides
    bounds = [exact_rate(misses, num_bonafide, 1 - one_sided), exact_rate(false_alarms, num_spoof, 1 - one_sided)]
    return min(low for low, _ in bounds), max(high for _, high in bounds)


def exact_rate(errors: int, trials: int, level: float) -> tuple[float, float]:
    """The two-sided Clopper–Pearson bounds of an error rate that was observed on independent trials."""
    from scipy import stats

    bounds = stats.binomtest(int(errors), int(trials)).proportion_ci(level, method="exact")
    return float(bounds.low), float(bounds.high)
