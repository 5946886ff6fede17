"""Intervals of the error rates in the tables, and of their mean over seeds, all from the same draws of one cell."""

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
from codecfake.tables.trials import Judged


@dataclass(frozen=True)
class SeedIntervals:
    """Intervals of one detector, training set and strategy under one condition."""

    seeds: list[Interval]
    mean: Interval  # over speakers and trials, for these very seeds: what other seeds would give is not in it


def seed_intervals(
    judged: Judged, scores: Sequence[np.ndarray], settings: BootstrapSettings, rng: np.random.Generator
) -> SeedIntervals:
    """Intervals of the EERs of `scores` `[N]`, an array a seed, and of their mean.

    Draws what `judged.drawn` says; where a key rests on a single speaker, or attacks share too few, the next in line
    down to trials, which takes them for independent. The note says so. A single trial of a key has no bounds (NaN).
    """
    refused: list[str] = []
    for by in dict.fromkeys((judged.drawn, "speaker", "trial")):
        try:
            return _with_notes(_drawn(judged, scores, replace(settings, by=by), rng), refused)
        except ValueError as error:
            refused.append(f"not drawn by {by.replace('_', ' ')}: {error}")
    return _with_notes(_bare(judged, scores, settings), refused)


def trial_intervals(
    judged: Judged, scores: Sequence[np.ndarray], settings: BootstrapSettings, rng: np.random.Generator
) -> list[Interval]:
    """Intervals of the EERs of `scores` as if all trials were independent, to be compared with `seed_intervals`."""
    try:
        return _drawn(judged, scores, replace(settings, by="trial"), rng).seeds
    except ValueError:  # a single trial of a key
        return _bare(judged, scores, settings).seeds


def generator(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for one cell, so that no other cell changes its numbers."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def _drawn(
    judged: Judged, scores: Sequence[np.ndarray], settings: BootstrapSettings, rng: np.random.Generator
) -> SeedIntervals:
    systems = [rank(one, judged.is_bonafide) for one in scores]
    design = design_of(judged.trials, settings.by)
    values = np.concatenate(
        [
            np.stack([eers(Tally(system, counts[:, system.order])) for system in systems])
            for counts in draws(design, settings.resamples, rng)
        ],
        axis=1,
    )
    tallies = [full_sample(system) for system in systems]
    rates = [float(eers(tally)[0]) for tally in tallies]
    step = 1 / min(judged.is_bonafide.sum(), (~judged.is_bonafide).sum())
    seeds = [
        join_exact_bounds(log_odds_interval(rate, drawn, settings.level, design, step), tally, design)
        for rate, drawn, tally in zip(rates, values, tallies, strict=True)
    ]
    if len(seeds) == 1:
        return SeedIntervals(seeds, seeds[0])
    mean = log_odds_interval(float(np.mean(rates)), values.mean(axis=0), settings.level, design, step)
    return SeedIntervals(seeds, mean)


def _bare(judged: Judged, scores: Sequence[np.ndarray], settings: BootstrapSettings) -> SeedIntervals:
    """EERs without bounds."""
    rates = [float(eers(full_sample(rank(one, judged.is_bonafide)))[0]) for one in scores]
    bare = [Interval(rate, np.nan, np.nan, settings.level, "none", 1, 0) for rate in (*rates, float(np.mean(rates)))]
    return SeedIntervals(bare[:-1], bare[-1])


def _with_notes(found: SeedIntervals, notes: list[str]) -> SeedIntervals:
    def noted(interval: Interval) -> Interval:
        few = [f"rests on {interval.clusters} clusters alone"] if interval.few_clusters else []
        return replace(interval, note="; ".join(filter(None, [interval.note, *notes, *few])))

    return SeedIntervals([noted(interval) for interval in found.seeds], noted(found.mean))
