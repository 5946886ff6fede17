"""The EER of segments or of stretches of time, with intervals that know that those of one speaker resemble one another.

Trials can have weights. Where trials of both keys have the same score, both orders count half, so that the EER of a
detector that cannot tell two equal sets of trials apart is exactly 0.5, also if their number is odd.
"""

from dataclasses import replace

import numpy as np

from codecfake.statistics.error_counts import Tally, eers, rank
from codecfake.statistics.exact_bounds import exact_rate
from codecfake.statistics.intervals import (
    BootstrapSettings,
    Design,
    Interval,
    Trials,
    design_of,
    draws,
    log_odds_interval,
)


def clustered_eer(
    scores: np.ndarray,
    is_bonafide: np.ndarray,
    clusters: np.ndarray,
    settings: BootstrapSettings,
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
) -> Interval:
    """The EER of trials `[N]` with their clusters (names) and weights (whole numbers), and its interval.

    Without errors, the upper bound is that of Clopper and Pearson for as many trials as there are clusters. Raises
    ValueError if a key has only one cluster, and as `rank`.
    """
    weights = np.ones(len(scores), np.int64) if weights is None else weights
    design = design_of(Trials(is_bonafide, clusters), "speaker")
    estimate = float(eer_of_counts(scores, is_bonafide, weights[None])[0])
    values = np.concatenate(
        [
            eer_of_counts(scores, is_bonafide, counts * weights)
            for counts in draws(design, settings.resamples, rng)
        ]
    )  # fmt: skip
    step = 1 / min(weights[is_bonafide].sum(), weights[~is_bonafide].sum())
    interval = log_odds_interval(estimate, values, settings.level, design, step)
    return _without_errors(interval, design) if estimate in (0, 1) else interval


def eer_of_counts(scores: np.ndarray, is_bonafide: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The EERs `[R]` of samples that count the trials `counts` times, `[R, N]`."""
    bonafide_first, spoof_first = rank(scores, is_bonafide), rank(scores, ~is_bonafide)
    # with the keys exchanged, misses are accepted spoofs of the other order, so the EER is one minus that of this order
    exchanged = eers(Tally(spoof_first, counts[:, spoof_first.order]))
    return (eers(Tally(bonafide_first, counts[:, bonafide_first.order])) + (1 - exchanged)) / 2


def _without_errors(interval: Interval, design: Design) -> Interval:
    share = exact_rate(0, design.clusters, interval.level)[1]
    low, high = (0.0, share) if interval.estimate == 0 else (1 - share, 1.0)
    note = "no resample has another value; the bound is exact for as many independent trials as there are clusters"
    return replace(interval, low=low, high=high, method="exact (Clopper and Pearson)", resamples=0, note=note)
