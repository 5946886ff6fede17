"""Intervals of any metric of trials that are clustered by speaker: the bootstrap draws speakers with all their trials.

Bounds are those of `intervals`: on the scale of log odds for shares, expanded percentiles for everything else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from codecfake.statistics.intervals import (
    BootstrapSettings,
    Design,
    Interval,
    log_odds_interval,
    percentile_interval,
)

LEAST_SHARE = 0.9  # of resamples, in which a metric must have a value


@dataclass(frozen=True)
class TrialMetric:
    """A metric of a selection of trials, given by their numbers `[M]`, of which a resample has some more than once."""

    value: Callable[[np.ndarray], float]
    is_share: bool  # between 0 and 1


def bootstrap(
    metrics: Mapping[str, TrialMetric], speakers: np.ndarray, settings: BootstrapSettings, rng: np.random.Generator
) -> dict[str, Interval]:
    """The interval of each metric of the trials of these speakers `[N]`, all from the same draws.

    Bounds are NaN, and a note says why, for a single speaker, and for a metric without a value in most resamples.
    """
    names, clusters = np.unique(speakers, return_inverse=True)
    every = np.arange(len(speakers))
    estimates = {name: metric.value(every) for name, metric in metrics.items()}
    if len(names) < 2:
        note = "all trials come from one speaker; resampling needs at least two"
        return {name: _without_bounds(value, settings, 1, note) for name, value in estimates.items()}
    design = Design("speaker", np.ones(len(speakers), dtype=bool), (), len(names))
    values = {name: np.empty(settings.resamples) for name in metrics}
    for number in range(settings.resamples):
        draw = _draw(clusters, len(names), rng)  # one at a time, since all would not fit in memory
        for name, metric in metrics.items():
            values[name][number] = metric.value(draw)
    return {
        name: _interval(metric, estimates[name], values[name], settings, design) for name, metric in metrics.items()
    }


def _draw(clusters: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """The numbers of the trials of as many speakers as there are, drawn with replacement."""
    counts = np.bincount(rng.integers(size, size=size), minlength=size)
    return np.repeat(np.arange(len(clusters)), counts[clusters])


def _interval(
    metric: TrialMetric, estimate: float, values: np.ndarray, settings: BootstrapSettings, design: Design
) -> Interval:
    finite = values[np.isfinite(values)]
    if not np.isfinite(estimate) or len(finite) < LEAST_SHARE * len(values):
        note = f"{len(values) - len(finite)} of {len(values)} resamples have no value"
        return _without_bounds(estimate, settings, design.clusters, note)
    if metric.is_share:
        step = 1 / len(design.is_bonafide)
        interval = log_odds_interval(estimate, finite, settings.level, design, step)
    else:
        interval = percentile_interval(estimate, finite, settings.level, design)
    few = f"few clusters ({interval.clusters})" if interval.few_clusters else ""
    return replace(interval, note="; ".join(filter(None, (interval.note, few))))


def _without_bounds(estimate: float, settings: BootstrapSettings, clusters: int, note: str) -> Interval:
    return Interval(estimate, float("nan"), float("nan"), settings.level, "none", clusters, 0, note)
