"""From scores to verdicts, by a detector's scores on dev.

Every rule is a threshold: a recording with a higher score is judged bona fide, otherwise spoof.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from codecfake.base import files
from codecfake.base.settings import from_json_file
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols import trials
from codecfake.scoring import calibration
from codecfake.scoring.calibration import Calibration, CalibrationError
from codecfake.statistics import metrics

CALIBRATION = "calibration.json"  # in a model folder
CALIBRATE = "restore it, or write it again with `codecfake calibrate`"
WORDS = {True: "bona fide", False: "spoof", None: "undecided"}


class VerdictError(ValueError):
    """The model's calibration does not support this verdict."""


@dataclass(frozen=True)
class DevResult:
    """A summary of the dev scores: the EER threshold, and the map to log-likelihood ratios."""

    eer: float  # in [0, 1]
    eer_threshold: float
    calibration: Calibration | None  # None if all dev scores are equal
    score_range: tuple[float, ...] | None = None  # the lowest and the highest dev score

    def llr(self, score: float) -> float | None:
        """Log-likelihood ratio of bona fide over spoof, natural logarithm."""
        return None if self.calibration is None else float(self.calibration(np.array([score]))[0])

    def is_beyond(self, score: float) -> bool:
        """Whether a score is outside the range of dev, so that its log-likelihood ratio is extrapolated."""
        return self.score_range is not None and not self.score_range[0] <= score <= self.score_range[1]


@dataclass(frozen=True)
class Rule:
    """Scores above `threshold` mean bona fide; without a threshold there are no verdicts."""

    threshold: float | None
    reason: str

    def verdict(self, score: float) -> str:
        return WORDS[None if self.threshold is None else score > self.threshold]


def dev_result(scores: np.ndarray, is_bonafide: np.ndarray) -> DevResult:
    """The summary of the dev scores `[N]` and their keys `[N]`, in any order.

    Raises ValueError if one key has no score or a score is not finite.
    """
    bonafide, spoof = scores[is_bonafide], scores[~is_bonafide]
    rate = metrics.eer(bonafide, spoof)
    try:
        fitted = calibration.fit(bonafide, spoof)
    except CalibrationError:  # constant scores cannot be calibrated
        fitted = None
    return DevResult(rate.eer, rate.threshold, fitted, (float(scores.min()), float(scores.max())))


def write(path: Path, result: DevResult) -> None:
    """Write the dev summary as JSON; in a model folder, the file is CALIBRATION."""
    files.write_json(path, asdict(result))


def read(path: Path) -> DevResult:
    """Read a dev summary.

    Raises SettingsError for an entry that is unknown, missing or of the wrong type, and FileError if it was damaged.
    """
    files.require_seal(path)
    return from_json_file(DevResult, path, CALIBRATE)


def calibrate(score_tsv: Path, protocol: Path, output: Path) -> None:
    """Write a calibration from the scores of any protocol: for models without dev scores.

    Raises VerdictError unless the score file has exactly the protocol's trials.
    """
    keys = trials.read([protocol]).set_index("trial_id")["key"]
    scores = files.read_tsv(score_tsv).set_index("trial_id")["score"].astype(float)
    if set(scores.index) != set(keys.index) or len(scores) != len(keys):
        raise VerdictError(
            f"{score_tsv} has {len(scores)} trials, {protocol} {len(keys)}, and they are not the same; "
            f"score this protocol with `codecfake step score-conditions`"
        )
    write(output, dev_result(scores.to_numpy(), (keys[scores.index] == BONAFIDE).to_numpy()))


def rule(name: str | None, dev: DevResult | None, where: Path) -> Rule:
    """The rule called `name`, of RULES; by default `llr` with a calibration, and `logits` without.

    Raises VerdictError, naming the file `where`, if the rule needs a calibration and it is missing.
    """
    if name is None:
        name = "logits" if dev is None else "llr"
    return RULES[name](dev, where)


def _llr(dev: DevResult | None, where: Path) -> Rule:
    dev = _require_dev_result(dev, "llr", where)
    fitted = dev.calibration
    if fitted is None:
        return Rule(None, "all dev scores are equal, so scores have no meaning")
    if fitted.slope == 0:
        return Rule(None, "dev spoofs do not score below bona fide trials, so scores have no meaning")
    return Rule(
        -fitted.offset / fitted.slope,
        f"LLR 0, where both are equally likely at equal priors; "
        f"calibrated on {fitted.num_bonafide} bona fide and {fitted.num_spoof} spoof dev trials",
    )


def _eer(dev: DevResult | None, where: Path) -> Rule:
    dev = _require_dev_result(dev, "eer", where)
    return Rule(dev.eer_threshold, f"the EER threshold on dev, where {100 * dev.eer:.3g} % of each key are errors")


def _logits(dev: DevResult | None, where: Path) -> Rule:
    return Rule(0.0, "uncalibrated: both logits are equal there, which implies nothing about error rates")


def _require_dev_result(dev: DevResult | None, name: str, where: Path) -> DevResult:
    if dev is None:
        raise VerdictError(
            f"threshold {name} needs a calibration, but there is no {where}; make one with "
            f"`codecfake calibrate`, or use --threshold logits"
        )
    return dev


RULES: dict[str, Callable[[DevResult | None, Path], Rule]] = {"llr": _llr, "eer": _eer, "logits": _logits}
