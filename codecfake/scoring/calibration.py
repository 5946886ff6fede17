"""Scores to log-likelihood ratios: one slope and one offset, fitted on dev, applied to eval.

The fit is logistic regression with both keys weighted to a prior (Brümmer and du Preez 2006), which lowers the Cllr of
dev. Its targets are those of Platt 1999: for n trials of a key, (n + 1) / (n + 2) instead of 1. With them, a dev set
without errors gives ratios of about log n at most, where plain logistic regression has no finite slope. For thousands
of trials with many errors they make no difference.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from codecfake.base import files
from codecfake.base.settings import from_json_file
from codecfake.statistics.error_counts import finite_scores


class CalibrationError(ValueError):
    """Scores cannot be calibrated."""


@dataclass(frozen=True)
class Calibration:
    """The map from scores to log-likelihood ratios of bona fide over spoof (natural logarithm), and its origin."""

    slope: float  # 0 where dev ranks spoofs above bona fide trials: scores are never inverted
    offset: float
    prior: float  # share of bona fide to which the fit was weighted
    num_bonafide: int  # trials of dev
    num_spoof: int

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Log-likelihood ratios of scores `[N]`."""
        return self.slope * np.asarray(scores, dtype=np.float64) + self.offset


@dataclass(frozen=True)
class ReliabilityBin:
    """Trials with predicted probabilities of being bona fide in [low, high); the last bin includes 1."""

    low: float
    high: float
    predicted: float  # mean of their predictions
    observed: float  # share of them that is bona fide
    count: int


def fit(bonafide: np.ndarray, spoof: np.ndarray, prior: float = 0.5) -> Calibration:
    """Calibrate on the scores of dev. The result is a function of the scores alone, in any order.

    If bona fide trials do not outscore spoofs, the best slope is not above 0. The scores are then useless, and every
    log-likelihood ratio is 0.

    Raises CalibrationError if all scores are equal or `prior` is not between 0 and 1, and ValueError if one key has
    no score or a score is not finite.
    """
    bonafide, spoof = np.sort(finite_scores(bonafide, "bonafide")), np.sort(finite_scores(spoof, "spoof"))
    if not 0 < prior < 1:
        raise CalibrationError(f"prior is {prior}; the share of bona fide must be between 0 and 1")
    scores = np.concatenate((bonafide, spoof))
    center, scale = float(scores.mean()), float(scores.std())
    if scores.min() == scores.max():
        raise CalibrationError(f"all {len(scores)} scores are {center:.6g}; constant scores have no slope")
    slope, offset = _logistic((bonafide - center) / scale, (spoof - center) / scale, prior)
    if slope <= 0:
        slope, offset = 0.0, 0.0
    return Calibration(slope / scale, offset - slope / scale * center, prior, len(bonafide), len(spoof))


def write(path: Path, calibration: Calibration) -> None:
    """Write a calibration as JSON."""
    files.write_json(path, asdict(calibration))


def read(path: Path) -> Calibration:
    """Read a calibration. Raises SettingsError for an entry that is unknown, missing or of the wrong type."""
    return from_json_file(Calibration, path, files.MAKE_AGAIN)


def reliability(bonafide: np.ndarray, spoof: np.ndarray, bins: int = 10) -> Iterator[ReliabilityBin]:
    """Predicted and observed shares of bona fide, of log-likelihood ratios, in the non-empty bins of equal width.

    The prior of the predictions is the share of bona fide among these trials. Raises ValueError as `fit`.
    """
    from scipy import special

    bonafide, spoof = finite_scores(bonafide, "bonafide"), finite_scores(spoof, "spoof")
    predicted = special.expit(np.concatenate((bonafide, spoof)) + np.log(len(bonafide) / len(spoof)))
    is_bonafide = np.arange(len(predicted)) < len(bonafide)
    bin_of = np.minimum((predicted * bins).astype(int), bins - 1)
    for index in np.unique(bin_of):
        in_bin = bin_of == index
        shares = float(predicted[in_bin].mean()), float(is_bonafide[in_bin].mean())
        yield ReliabilityBin(int(index) / bins, (int(index) + 1) / bins, *shares, int(in_bin.sum()))


def _logistic(bonafide: np.ndarray, spoof: np.ndarray, prior: float) -> tuple[float, float]:
    """Slope and offset that minimize the cross-entropy of standardized scores with Platt's targets."""
    from scipy import optimize, special

    scores = np.concatenate((bonafide, spoof))
    keys = [
        (len(bonafide), prior, (len(bonafide) + 1) / (len(bonafide) + 2)),
        (len(spoof), 1 - prior, 1 / (len(spoof) + 2)),
    ]
    weight = np.concatenate([np.full(count, share / count) for count, share, _ in keys])
    target = np.concatenate([np.full(count, aim) for count, _, aim in keys])
    design = np.stack((scores, np.ones_like(scores)))

    def log_odds(line: np.ndarray) -> np.ndarray:
        return line @ design + special.logit(prior)

    def loss(line: np.ndarray) -> float:
        return float(weight @ (np.logaddexp(0, log_odds(line)) - target * log_odds(line)))

    def gradient(line: np.ndarray) -> np.ndarray:
        return design @ (weight * (special.expit(log_odds(line)) - target))

    def curvature(line: np.ndarray) -> np.ndarray:
        share = special.expit(log_odds(line))
        return (design * (weight * share * (1 - share))) @ design.T

    minimum = optimize.minimize(
        loss, np.zeros(2), jac=gradient, hess=curvature, method="trust-exact", options={"gtol": 1e-10}
    )
    assert np.linalg.norm(minimum.jac) < 1e-6, minimum  # convex and smooth, with finite targets: a minimum exists
    return float(minimum.x[0]), float(minimum.x[1])
