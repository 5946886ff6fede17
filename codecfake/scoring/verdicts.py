"""From scores to words: what a detector's scores on dev say of any other recording's score.

Every rule is a threshold on the score: a recording that scores above it is judged bona fide, else spoof.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from codecfake.base import files
from codecfake.base.settings import from_json
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols import trials
from codecfake.scoring import calibration
from codecfake.scoring.calibration import Calibration, CalibrationError
from codecfake.statistics import metrics

CALIBRATION = "calibration.json"  # in a model folder
WORDS = {True: "bona fide", False: "spoof", None: "undecided"}


class VerdictError(ValueError):
    """A verdict was asked for that the model's calibration cannot give."""


@dataclass(frozen=True)
class DevResult:
    """What the scores of dev say: where their error rates are equal, and how they become log-likelihood ratios."""

    eer: float  # in [0, 1]
    eer_threshold: float
    calibration: Calibration | None  # none if all scores of dev are equal
    score_range: tuple[float, ...] | None = None  # the least and the greatest score of dev

    def llr(self, score: float) -> float | None:
        """Log-likelihood ratio of bona fide over spoof, natural logarithm."""
        return None if self.calibration is None else float(self.calibration(np.array([score]))[0])

    def is_beyond(self, score: float) -> bool:
        """Whether no score of dev was as low or as high, so that what is said of it is extrapolated."""
        return self.score_range is not None and not self.score_range[0] <= score <= self.score_range[1]


@dataclass(frozen=True)
class Rule:
    """Scores above `threshold` are judged bona fide; without one, nothing is judged."""

    threshold: float | None
    reason: str

    def verdict(self, score: float) -> str:
        return WORDS[None if self.threshold is None else score > self.threshold]


def dev_result(scores: np.ndarray, is_bonafide: np.ndarray) -> DevResult:
    """Of the scores `[N]` of dev and their keys `[N]`, in any order.

    Raises ValueError if one key has no score or a score is not finite.
    """
    bonafide, spoof = scores[is_bonafide], scores[~is_bonafide]
    rate = metrics.eer(bonafide, spoof)
    try:
        fitted = calibration.fit(bonafide, spoof)
    except CalibrationError:  # scores that do not vary, of which there is nothing to say
        fitted = None
    return DevResult(rate.eer, rate.threshold, fitted, (float(scores.min()), float(scores.max())))


def write(path: Path, result: DevResult) -> None:
    """Write what dev says as JSON; in a model folder, its name is CALIBRATION."""
    files.write_json(path, asdict(result))


def read(path: Path) -> DevResult:
    """Read what `write` wrote. Raises SettingsError naming the entry that is unknown, missing or of the wrong kind."""
    return from_json(DevResult, path.read_text(encoding="utf-8"))


def calibrate(score_tsv: Path, protocol: Path, output: Path) -> None:
    """Write what the scores of a protocol's trials say, as training does of dev: for models that have no dev scores.

    Raises VerdictError unless the score file holds just the protocol's trials.
    """
    listed = trials.read([protocol]).set_index("trial_id")["key"]
    scores = files.read_tsv(score_tsv).set_index("trial_id")["score"].astype(float)
    if set(scores.index) != set(listed.index) or len(scores) != len(listed):
        raise VerdictError(
            f"{score_tsv} has {len(scores)} trials, {protocol} {len(listed)}, and they are not the same; "
            f"score this protocol with `codecfake step score-conditions`"
        )
    write(output, dev_result(scores.to_numpy(), (listed[scores.index] == BONAFIDE).to_numpy()))


def rule(name: str | None, dev: DevResult | None, where: Path) -> Rule:
    """The rule called `name`, of RULES; by default `llr` with a calibration, and `logits` without.

    Raises VerdictError if the rule needs a calibration and there is none; `where` one was looked for is then named.
    """
    if name is None:
        name = "logits" if dev is None else "llr"
    return RULES[name](dev, where)


def _llr(dev: DevResult | None, where: Path) -> Rule:
    dev = _required(dev, "llr", where)
    fitted = dev.calibration
    if fitted is None:
        return Rule(None, "all scores of dev are equal, so that none tells anything")
    if fitted.slope == 0:
        return Rule(None, "spoofs of dev do not score below bona fide trials, so that no score tells anything")
    return Rule(
        -fitted.offset / fitted.slope,
        f"LLR 0, where both are as likely at equal priors; "
        f"calibrated on {fitted.num_bonafide} bona fide and {fitted.num_spoof} spoof trials of dev",
    )


def _eer(dev: DevResult | None, where: Path) -> Rule:
    dev = _required(dev, "eer", where)
    return Rule(dev.eer_threshold, f"the EER threshold of dev, where {100 * dev.eer:.3g} % of either key are misjudged")


def _logits(dev: DevResult | None, where: Path) -> Rule:
    return Rule(0.0, "uncalibrated: both logits are equal there, which says nothing of error rates")


def _required(dev: DevResult | None, name: str, where: Path) -> DevResult:
    if dev is None:
        raise VerdictError(
            f"threshold {name} needs a calibration, and there is no {where}; make one with "
            f"`codecfake calibrate`, or ask for the threshold logits"
        )
    return dev


RULES: dict[str, Callable[[DevResult | None, Path], Rule]] = {"llr": _llr, "eer": _eer, "logits": _logits}
