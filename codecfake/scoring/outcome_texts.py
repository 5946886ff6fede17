"""Outcomes as text for people and as JSON for programs, written one by one so that memory does not grow with them."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codecfake.base.printing import printable
from codecfake.detectors import SAMPLE_RATE
from codecfake.scoring.audio_files import EMPTY, LeftOut
from codecfake.scoring.judging import Judgment, Outcome
from codecfake.scoring.reading import Failure
from codecfake.scoring.verdicts import DevResult, Rule

INDENT = 2  # of the JSON


@dataclass(frozen=True)
class Texts:
    """The words for one detector: its rule for verdicts, its calibration and its kind."""

    rule: Rule
    dev: DevResult | None
    window_samples: int | None  # None: the whole recording
    card: Path | None = None  # of a demonstration; None for any other detector

    def line(self, outcome: Outcome) -> str:
        """A file in one line, for people."""
        if isinstance(outcome, Failure):
            return printable(f"{outcome.path}: not judged: {outcome.reason}")
        facts = ["demonstration"] if self.card else []
        facts += [f"score {outcome.score:.4g}", *self._calibrated(outcome)]
        if outcome.published is not None:
            facts.append(f"as published {outcome.published:.9g}")
        if len(outcome.windows) > 1:
            lowest = outcome.lowest
            facts.append(f"lowest of {len(outcome.windows)} windows {lowest.score:.4g} at {lowest.start:.2f} s")
        if outcome.clipped_samples:
            facts.append(f"{outcome.clipped_samples} samples clipped")
        return f"{printable(str(outcome.path))}: {self.rule.verdict(outcome.score)} ({'; '.join(facts)})"

    def summary(self, num_judged: int, num_failed: int, left_out: LeftOut = EMPTY) -> str:
        """An explanation of the lines above."""
        of = "of the whole recording"
        if self.window_samples is not None:
            of = f"the mean over windows of {self.window_samples / SAMPLE_RATE:.4g} s"
        above = "No verdicts"
        if self.rule.threshold is not None:
            above = f"Scores above {self.rule.threshold:.4g} are judged bona fide"
        return (
            f"{num_judged} of {num_judged + num_failed} files judged. {left_out}".rstrip() + "\n"
            f"{above}: {self.rule.reason}.\n"
            f"A score is logit(bona fide) - logit(spoof), {of}."
        )

    def json_pieces(self, outcomes: Iterable[Outcome], left_out: LeftOut = EMPTY) -> Iterator[str]:
        """The pieces of one JSON object with all outcomes; every piece but the last lacks its line break."""
        yield _dumps(self._header())[: -len("\n}")] + ',\n  "judged": ['
        failures, separator = [], "\n"
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                failures.append({"path": str(outcome.path), "reason": outcome.reason})
            else:
                yield separator + _indented(_dumps(self._row(outcome)), 2 * INDENT)
                separator = ",\n"
        end = {
            "not_judged": failures,
            "left_out": {
                "other_files": left_out.others,
                "special": list(map(str, left_out.special)),
                "unreadable": {str(path): reason for path, reason in left_out.unreadable.items()},
            },
        }
        yield ("]" if separator == "\n" else "\n  ]") + "," + _dumps(end)[len("{") :]

    def _header(self) -> dict[str, Any]:
        return {
            "threshold": self.rule.threshold,
            "threshold_reason": self.rule.reason,
            "window_seconds": self.window_samples and self.window_samples / SAMPLE_RATE,
            "demonstration": self.card is not None,
            "card": None if self.card is None else str(self.card),
        }

    def _row(self, outcome: Judgment) -> dict[str, Any]:
        llr = self.dev.llr(outcome.score) if self.dev else None
        return {
            **asdict(outcome),
            "path": str(outcome.path),
            "verdict": self.rule.verdict(outcome.score),
            "demonstration": self.card is not None,
            "llr": llr,
            "probability": None if llr is None else _probability(llr),
            "beyond_dev": self.dev is not None and self.dev.is_beyond(outcome.score),
            "lowest_window": asdict(outcome.lowest),
        }

    def _calibrated(self, outcome: Judgment) -> Iterator[str]:
        llr = self.dev.llr(outcome.score) if self.dev else None
        if llr is None:
            yield "uncalibrated"
        else:
            yield f"LLR {llr:.4g}, P(bona fide) {_probability(llr):.4g} at equal priors"
        if self.dev and self.dev.is_beyond(outcome.score):
            yield "beyond all dev scores, so extrapolated"


def _dumps(values: Any) -> str:
    return json.dumps(values, indent=INDENT, ensure_ascii=False, allow_nan=False)


def _indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line for line in text.split("\n"))


def _probability(llr: float) -> float:
    """Of bona fide at equal priors."""
    return 1 / (1 + math.exp(-llr)) if llr > 0 else math.exp(llr) / (1 + math.exp(llr))
