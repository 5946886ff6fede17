"""Measures the cost of metrics and intervals relative to a sort; with `--coverage`, the coverage of intervals.

python -m benchmarks.metrics
python -m benchmarks.metrics --coverage
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[1]))

from codecfake.scoring import calibration
from codecfake.statistics import metrics
from codecfake.statistics.error_counts import Metric, act_dcfs, cllrs, eers, min_cllrs, min_dcfs, roc_aucs
from codecfake.statistics.intervals import BootstrapSettings, Trials, bootstrap
from codecfake.statistics.significance import compare

METRICS: dict[str, Metric] = {
    "eer": eers,
    "min_dcf": min_dcfs,
    "min_cllr": min_cllrs,
    "roc_auc": roc_aucs,
    "act_dcf": act_dcfs,
    "cllr": cllrs,
}


@dataclass(frozen=True)
class Population:
    """Gaussian scores with standard deviation 1 for each key, from infinitely many speakers (and attacks)."""

    eer: float
    speakers: int
    utterances: int  # of each key, speaker and attack
    speaker_share: float = 0.0  # of the variance, separately for each key
    attacks: int = 1
    attack_share: float = 0.0

    @property
    def distance(self) -> float:
        """The distance of each key's mean from 0."""
        return -float(special.ndtri(self.eer))

    def draw(self, rng: np.random.Generator, systems: int = 1) -> tuple[Trials, np.ndarray]:
        """Trials and their scores `[systems, N]`; half of the variance between utterances is common to all systems."""
        cells = (self.speakers, self.attacks, self.utterances)
        speaker, attack, _ = np.indices(cells)
        sides = []
        for sign, attack_share in ((1, 0.0), (-1, self.attack_share)):
            of_speaker = rng.normal(size=(systems, self.speakers, 1, 1)) * np.sqrt(self.speaker_share)
            of_attack = rng.normal(size=(systems, 1, self.attacks, 1)) * np.sqrt(attack_share)
            noise = (rng.normal(size=(1, *cells)) + rng.normal(size=(systems, *cells))) / np.sqrt(2)
            rest = noise * np.sqrt(1 - self.speaker_share - attack_share)
            sides.append((sign * self.distance + of_speaker + of_attack + rest).reshape(systems, -1))
        is_bonafide = np.arange(2 * speaker.size) < speaker.size
        trials = Trials(is_bonafide, np.tile(speaker.ravel(), 2), np.tile(attack.ravel(), 2))
        return trials, np.concatenate(sides, axis=1)

    def truth(self) -> dict[str, float]:
        """Every metric of the population, from 100,000 quantiles."""
        scores = special.ndtri((np.arange(100_000) + 0.5) / 100_000) + self.distance
        return asdict(metrics.measures(scores, -scores))


def coverage(
    population: Population,
    by: str,
    rng: np.random.Generator,
    names: Sequence[str] = ("eer",),
    data_sets: int = 400,
    resamples: int = 400,
) -> dict[str, float]:
    """The share of 95 % intervals of each metric that contain the true value."""
    truth, settings = population.truth(), BootstrapSettings(by, resamples)
    hits = dict.fromkeys(names, 0)
    for _ in range(data_sets):
        trials, scores = population.draw(rng)
        intervals = bootstrap(trials, scores[0], {name: METRICS[name] for name in names}, settings, rng)
        for name in names:
            hits[name] += intervals[name].low <= truth[name] <= intervals[name].high
    return {name: count / data_sets for name, count in hits.items()}


def false_rejections(
    population: Population, by: str, rng: np.random.Generator, data_sets: int = 400, resamples: int = 400
) -> float:
    """The share of comparisons of equally good systems with p < 0.05."""
    settings, rejections = BootstrapSettings(by, resamples), 0
    for _ in range(data_sets):
        trials, scores = population.draw(rng, systems=2)
        rejections += compare(trials, scores[0], scores[1], settings, rng).p_value < 0.05
    return rejections / data_sets


POPULATIONS = [
    (Population(0.1, 50, 20), "trial"),
    (Population(0.1, 50, 20), "speaker"),
    (Population(0.1, 50, 20, speaker_share=0.25), "trial"),
    (Population(0.1, 50, 20, speaker_share=0.25), "speaker"),
    (Population(0.1, 20, 25, speaker_share=0.25), "speaker"),
    (Population(0.1, 10, 50, speaker_share=0.25), "speaker"),
    (Population(0.1, 5, 50, speaker_share=0.25), "speaker"),
    (Population(0.4, 20, 25, speaker_share=0.25), "speaker"),
    (Population(0.02, 20, 25, speaker_share=0.25), "speaker"),
    (Population(0.003, 50, 20), "trial"),
    (Population(0.1, 20, 5, speaker_share=0.1, attacks=7, attack_share=0.2), "speaker"),
    (Population(0.1, 20, 5, speaker_share=0.1, attacks=7, attack_share=0.2), "speaker_and_attack"),
]
COMPARISONS = [
    (Population(0.1, 50, 20, speaker_share=0.25), "trial"),
    (Population(0.1, 50, 20, speaker_share=0.25), "speaker"),
    (Population(0.1, 10, 50, speaker_share=0.25), "speaker"),
]


def coverage_table() -> Iterator[str]:
    """Markdown rows, one for each population and unit of resampling."""
    yield _row("true EER", "speakers", "their share", "attacks", "their share", "utterances", "drawn by", *METRICS)
    yield _row(*["---"] * (7 + len(METRICS)))
    for population, by in POPULATIONS:
        shares = coverage(population, by, np.random.default_rng(0), tuple(METRICS))
        yield _row(*_cells(population), by, *(f"{shares[name]:.1%}" for name in METRICS))
    yield ""
    yield _row("true EER", "speakers", "their share", "attacks", "their share", "utterances", "drawn by", "p < 0.05")
    yield _row(*["---"] * 8)
    for population, by in COMPARISONS:
        share = false_rejections(population, by, np.random.default_rng(0))
        yield _row(*_cells(population), by, f"{share:.1%}")


def _cells(population: Population) -> tuple[object, ...]:
    speakers, attacks = (population.speakers, population.speaker_share), (population.attacks, population.attack_share)
    return (population.eer, *speakers, *attacks, population.utterances)


def timing_table() -> Iterator[str]:
    """Markdown rows: times relative to a stable sort of the same scores."""
    rng = np.random.default_rng(0)
    bonafide, spoof = rng.normal(1, 1, 200_000), rng.normal(-1, 1, 800_000)
    scores = np.concatenate((bonafide, spoof))
    sort = _seconds(lambda: np.sort(scores, kind="stable"))
    yield _row("1,000,000 scores", "time / one sort")
    yield _row("---", "---")
    single = (metrics.eer, metrics.min_dcf, metrics.min_cllr, metrics.roc_auc, metrics.act_dcf, metrics.cllr)
    for function in (*single, metrics.measures, calibration.fit):
        yield _row(function.__name__, f"{_seconds(partial(function, bonafide, spoof)) / sort:.1f}")
    yield ""
    trials, scores = Population(0.05, 22, 601).draw(rng)
    sort = 1000 * _seconds(lambda: np.sort(scores[0], kind="stable"), repeats=50)
    yield _row("1,000 resamples of 26,444 trials", "time / 1,000 sorts")
    yield _row("---", "---")
    for by in ("trial", "speaker"):
        for name, metric_set in [*((name, {name: metric}) for name, metric in METRICS.items()), ("all", METRICS)]:
            seconds = _seconds(partial(bootstrap, trials, scores[0], metric_set, BootstrapSettings(by), rng))
            yield _row(f"{name}, by {by}", f"{seconds / sort:.2f}")


def _seconds(function: Callable[[], object], repeats: int = 3) -> float:
    """The shortest time of a few runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coverage", action="store_true", help="simulate coverage instead (takes minutes)")
    for line in coverage_table() if parser.parse_args().coverage else timing_table():
        print(line, flush=True)
