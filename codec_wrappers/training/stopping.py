"""When a codec's training ends and which weights it keeps, decided by the history of its validations.

Only validations of the last stage count: an earlier one can have another decoder or other losses. No torch: an
experiment is checked before any job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from codecfake.base.settings import Range, fault
from codecfake.base.suggestions import unknown

CHOICES = BEST, LAST = ("best", "last")
ENDS = STEPS, CONVERGED = ("steps", "converged")
SHARE_HELD_OUT = 0.1  # of all utterances, at most: small corpora have fewer than a schedule asks for

History = Sequence[Mapping[str, float]]  # rows with `step` and `mel_distance`


@dataclass(frozen=True)
class ValidationSchedule:
    every: Annotated[int, Range(least=1)]  # steps; the last step is validated too
    utterances: Annotated[int, Range(least=1)] = 64  # held out
    keep: str = BEST  # the weights with the smallest mel distance; or "last"
    until: str = STEPS  # all steps of the recipe; or "converged", if that is earlier
    patience: Annotated[int, Range(least=1)] = 10  # validations without a gain, after which training has converged
    least_gain: Annotated[float, Range(least=0, most=1)] = 0.005  # of the smallest mel distance so far

    def __post_init__(self) -> None:
        for name, value, choices in (("keep", self.keep, CHOICES), ("until", self.until, ENDS)):
            if value not in choices:
                raise fault(unknown("value", value, choices), name)

    def num_held_out(self, num_utterances: int, least: int) -> int:
        """The number of utterances for validation: at least `least`."""
        return max(least, min(self.utterances, int(SHARE_HELD_OUT * num_utterances)))

    def row_to_keep(self, history: History, from_step: int) -> Mapping[str, float]:
        """The row of the weights to keep, of those after `from_step`."""
        rows = _of_stage(history, from_step)
        return rows[-1] if self.keep == LAST else min(rows, key=lambda row: row["mel_distance"])

    def has_converged(self, history: History, from_step: int) -> bool:
        """Whether the last `patience` validations brought no gain."""
        if self.until != CONVERGED:
            return False
        distances = [row["mel_distance"] for row in _of_stage(history, from_step)]
        last_gain = 0
        for number, distance in enumerate(distances):
            if distance < distances[last_gain] * (1 - self.least_gain):
                last_gain = number
        return len(distances) - 1 - last_gain >= self.patience


def _of_stage(history: History, from_step: int) -> list[Mapping[str, float]]:
    return [row for row in history if row["step"] > from_step]
