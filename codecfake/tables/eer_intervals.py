"""Intervals of the EERs in the tables, and of their means over seeds, from the same draws for all seeds of a cell."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from codecfake.statistics.error_counts import Tally, eers, full_sample, rank
from codecfake.statistics.intervals import (
    BootstrapSettings,
    Interval,
    design_of,
    draws,
    join_exact_bounds,
    log_odds_interval,
)
from codecfake.tables.trials import ConditionTrials


@dataclass(frozen=True)
class SeedIntervals:
    """Intervals of one detector, training set and strategy under one condition."""

    seeds: list[Interval]
    mean: Interval  # over speakers and trials, for these seeds; it does not include the variation between seeds


def seed_intervals(
    trials: ConditionTrials, scores: Sequence[np.ndarray], settings: BootstrapSettings, rng: np.random.Generator
) -> SeedIntervals:
    """Intervals of the EERs of `scores` `[N]`, one array per seed, and of their mean.

    The bootstrap draws `trials.resampling_unit`. If a key has only one speaker, or attacks share too few speakers, it
    draws speakers or trials instead, and the note says so; drawing trials assumes that they are independent. With a
    single trial of a key, bounds are NaN.
    """
    reasons: list[str] = []
    for by in dict.fromkeys((trials.resampling_unit, "speaker", "trial")):
        try:
            return _with_notes(_bootstrap(trials, scores, replace(settings, by=by), rng), reasons)
        except ValueError as error:
            reasons.append(f"no resampling by {by.replace('_', ' ')}: {error}")
    return _with_notes(_without_bounds(trials, scores, settings), reasons)


def trial_intervals(
    trials: ConditionTrials, scores: Sequence[np.ndarray], settings: BootstrapSettings, rng: np.random.Generator
) -> list[Interval]:
    """Intervals of the EERs of `scores` that assume independent trials, for comparison with `seed_intervals`."""
    try:
        return _bootstrap(trials, scores, replace(settings, by="trial"), rng).seeds
    except ValueError:  # a single trial of a key
        return _without_bounds(trials, scores, settings).seeds


def generator(seed: int, *names: str) -> np.random.Generator:
    """A separate generator for each cell, so that no other cell changes its numbers."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def _bootstrap(
    trials: ConditionTrials, scores: Sequence[np.ndarray], settings: BootstrapSettings, rng: np.random.Generator
) -> SeedIntervals:
    systems = [rank(one, trials.is_bonafide) for one in scores]
    design = design_of(trials.labels, settings.by)
    values = np.concatenate(
        [
            np.stack([eers(Tally(system, counts[:, system.order])) for system in systems])
            for counts in draws(design, settings.resamples, rng)
        ],
        axis=1,
    )
    tallies = [full_sample(system) for system in systems]
    estimates = [float(eers(tally)[0]) for tally in tallies]
    step = 1 / min(trials.is_bonafide.sum(), (~trials.is_bonafide).sum())
    seeds = [
        join_exact_bounds(log_odds_interval(rate, resamples, settings.level, design, step), tally, design)
        for rate, resamples, tally in zip(estimates, values, tallies, strict=True)
    ]
    if len(seeds) == 1:
        return SeedIntervals(seeds, seeds[0])
    mean = log_odds_interval(float(np.mean(estimates)), values.mean(axis=0), settings.level, design, step)
    return SeedIntervals(seeds, mean)


def _without_bounds(
    trials: ConditionTrials, scores: Sequence[np.ndarray], settings: BootstrapSettings
) -> SeedIntervals:
    """EERs without bounds."""
    estimates = [float(eers(full_sample(rank(one, trials.is_bonafide)))[0]) for one in scores]
    bare = [
        Interval(rate, np.nan, np.nan, settings.level, "none", 1, 0) for rate in (*estimates, float(np.mean(estimates)))
    ]
    return SeedIntervals(bare[:-1], bare[-1])


def _with_notes(intervals: SeedIntervals, notes: list[str]) -> SeedIntervals:
    def add_notes(interval: Interval) -> Interval:
        few = [f"few clusters ({interval.clusters})"] if interval.few_clusters else []
        return replace(interval, note="; ".join(filter(None, [interval.note, *notes, *few])))

    return SeedIntervals([add_notes(interval) for interval in intervals.seeds], add_notes(intervals.mean))
