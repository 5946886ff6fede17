"""Verdicts on audio files, which are read by the same code as the recordings of training.

Channels are averaged, samples go through the one resampler to 16 kHz and are rounded to 16 bit; what ingest rejects
gets no score. The detector's input is a window of 64,600 samples, as published. A longer file is cut into adjacent
windows, the last of which ends with the file; a shorter one is padded as in training. A file's score is the mean over
its windows. Detectors that were published for whole recordings have one window of any length. For protocols,
`conditions` scores only the first window, as in the papers.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from codecfake.audio import waveforms
from codecfake.audio.containers import SUFFIXES
from codecfake.audio.waveforms import AudioError
from codecfake.base.hidden_files import is_hidden
from codecfake.base.printing import printable
from codecfake.corpora.inspection import read_usable
from codecfake.detectors import SAMPLE_RATE, models
from codecfake.detectors.detector import score as score_of
from codecfake.detectors.released import PUBLISHED_SCORES
from codecfake.detectors.released_forms import WHOLE
from codecfake.features.clips import clip
from codecfake.scoring import folders
from codecfake.scoring.verdicts import DevResult, Rule

MIN_DURATION = 0.1  # seconds, as at ingest
BATCH_SIZE = 8  # windows; more are no faster on a CPU


@dataclass(frozen=True)
class LeftOut:
    """What folders have besides audio files."""

    others: int = 0  # files without an audio suffix, and hidden ones
    special: list[Path] = field(default_factory=list)  # as in `folders.Members`
    unreadable: dict[Path, str] = field(default_factory=dict)

    def __add__(self, more: "LeftOut") -> "LeftOut":
        unreadable = {**self.unreadable, **more.unreadable}
        return LeftOut(self.others + more.others, self.special + more.special, unreadable)

    def __str__(self) -> str:
        parts = [f"Skipped files that are hidden or have no audio suffix: {self.others}."] if self.others else []
        if self.special:
            first = printable(str(self.special[0]))
            kinds = "links that lead nowhere or to folders, devices and the like"
            parts.append(f"Skipped {kinds}: {len(self.special)} ({first}{', …' if len(self.special) > 1 else ''}).")
        parts += [f"Cannot read {printable(str(path))} ({reason})." for path, reason in sorted(self.unreadable.items())]
        return " ".join(parts)


@dataclass(frozen=True)
class Window:
    start: float  # seconds
    score: float


@dataclass(frozen=True)
class Judgment:
    path: Path
    duration: float  # seconds
    clipped_samples: int  # at 16 kHz and 16 bit
    score: float  # the mean of the windows'; higher means more bona fide
    windows: list[Window]
    published: float | None  # as released code computes it, of the first window only

    @property
    def lowest(self) -> Window:
        return min(self.windows, key=lambda window: window.score)


@dataclass(frozen=True)
class Failure:
    path: Path
    reason: str


Outcome = Judgment | Failure
EMPTY = LeftOut()


class Judge:
    """A model folder's detector, for audio files."""

    def __init__(
        self,
        model: Path,
        device: torch.device,
        front_end_weights: str | None = None,
        published: str | None = None,
    ) -> None:
        """`published` is the form of PUBLISHED_SCORES to give too. Raises ModelError as `models.load`."""
        self._detector, crop_samples = models.load(model, device, front_end_weights)
        settings = models.read_record(model)["settings"]
        self._pad = settings.get("pad", "repeat")
        self.window_samples = None if settings.get("crop") == WHOLE else crop_samples  # None: the whole recording
        self._device = device
        self._published = published

    def __call__(self, path: Path) -> Judgment:
        """Raises AudioError if a file cannot be used, or if the detector has no finite score for it."""
        return self.of_samples(*waveform(path), path)

    def of_samples(self, wav: np.ndarray, clipped: int = 0, path: Path = Path()) -> Judgment:
        """The judgment of samples `[T]` from `as_in_shards`. Raises AudioError if there is no finite score."""
        starts = window_starts(len(wav), self.window_samples or len(wav))
        logits = torch.cat([self._logits(wav, starts[n : n + BATCH_SIZE]) for n in range(0, len(starts), BATCH_SIZE)])
        scores = score_of(logits).tolist()
        if not np.isfinite(scores).all():
            raise AudioError("the detector has no finite score for it")
        windows = [Window(start / SAMPLE_RATE, score) for start, score in zip(starts, scores, strict=True)]
        published = float(PUBLISHED_SCORES[self._published](logits)[0]) if self._published else None
        return Judgment(path, len(wav) / SAMPLE_RATE, clipped, math.fsum(scores) / len(scores), windows, published)

    @torch.no_grad()
    def _logits(self, wav: np.ndarray, starts: Sequence[int]) -> torch.Tensor:
        size = self.window_samples or len(wav)
        clips = np.stack([clip(wav[start : start + size], size, self._pad).astype(np.float32) for start in starts])
        return self._detector(torch.from_numpy(clips).to(self._device)).cpu()


def judge_files(judge: Judge, paths: Sequence[Path]) -> Iterator[Outcome]:
    """The judgment of each file, or why it failed. Faults of a file raise nothing, so the others are judged."""
    for path in paths:
        try:
            yield judge(path)
        except AudioError as error:
            yield Failure(path, str(error).removeprefix(f"{path}: "))
        except (OSError, ValueError, RuntimeError, MemoryError) as error:
            yield Failure(path, f"{type(error).__name__}: {error}")


def audio_files(paths: Sequence[Path]) -> tuple[list[Path], LeftOut]:
    """Files as given and, in order of names, those with a suffix of SUFFIXES in folders; and what was left out there.

    Raises AudioError if a folder has no audio file.
    """
    files, left_out = [], LeftOut()
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        members = folders.members(path)
        audible = [member for member in members.files if _is_audio(member.relative_to(path))]
        here = LeftOut(len(members.files) - len(audible), members.special, members.unreadable)
        if not audible:
            more = f" ({here})" if here.special or here.unreadable else ""
            raise AudioError(
                f"{path}: none of its {len(members.files)} files has an audio suffix{more}; name the file itself"
            )
        files += audible
        left_out += here
    return files, left_out


def _is_audio(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not is_hidden(path)


def waveform(path: Path) -> tuple[np.ndarray, int]:
    """A file as stored in 16-bit shards at 16 kHz, `[T]` in float64, and how many samples were clipped.

    Raises AudioError if ingest would reject it.
    """
    recording = read_usable(path, MIN_DURATION)
    return as_in_shards(recording.wav, recording.sample_rate)


def as_in_shards(wav: np.ndarray, sample_rate: int) -> tuple[np.ndarray, int]:
    """Speech `[T]` as stored in 16-bit shards at 16 kHz, in float64, and how many samples were clipped."""
    samples, clipped = waveforms.to_int16(waveforms.resample(wav, sample_rate, SAMPLE_RATE))
    return samples / waveforms.FULL_SCALE, clipped


def window_starts(num_samples: int, window_samples: int) -> list[int]:
    """First samples of adjacent windows, and of one more that ends with the recording if samples are left."""
    starts = list(range(0, max(1, num_samples - window_samples + 1), window_samples))
    rest = num_samples - window_samples
    return starts if rest <= starts[-1] else [*starts, rest]


def as_json(
    judge: Judge, outcomes: Sequence[Outcome], rule: Rule, dev: DevResult | None, left_out: LeftOut = EMPTY
) -> str:
    """All results for files, and the rule for verdicts."""
    values = {
        "threshold": rule.threshold,
        "threshold_reason": rule.reason,
        "window_seconds": judge.window_samples and judge.window_samples / SAMPLE_RATE,
        "judged": [_row(outcome, rule, dev) for outcome in outcomes if isinstance(outcome, Judgment)],
        "not_judged": [
            {"path": str(outcome.path), "reason": outcome.reason}
            for outcome in outcomes
            if isinstance(outcome, Failure)
        ],
        "left_out": {
            "other_files": left_out.others,
            "special": list(map(str, left_out.special)),
            "unreadable": {str(path): reason for path, reason in left_out.unreadable.items()},
        },
    }
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)


def _row(outcome: Judgment, rule: Rule, dev: DevResult | None) -> dict[str, Any]:
    llr = dev.llr(outcome.score) if dev else None
    return {
        **asdict(outcome),
        "path": str(outcome.path),
        "verdict": rule.verdict(outcome.score),
        "llr": llr,
        "probability": None if llr is None else _probability(llr),
        "beyond_dev": dev is not None and dev.is_beyond(outcome.score),
        "lowest_window": asdict(outcome.lowest),
    }


def as_line(outcome: Outcome, rule: Rule, dev: DevResult | None) -> str:
    """A file in one line, for people."""
    if isinstance(outcome, Failure):
        return printable(f"{outcome.path}: not judged: {outcome.reason}")
    facts = [f"score {outcome.score:.4g}"]
    llr = dev.llr(outcome.score) if dev else None
    if llr is None:
        facts.append("uncalibrated")
    else:
        facts.append(f"LLR {llr:.4g}, P(bona fide) {_probability(llr):.4g} at equal priors")
    if dev and dev.is_beyond(outcome.score):
        facts.append("beyond all dev scores, so extrapolated")
    if outcome.published is not None:
        facts.append(f"as published {outcome.published:.9g}")
    if len(outcome.windows) > 1:
        lowest = outcome.lowest
        facts.append(f"lowest of {len(outcome.windows)} windows {lowest.score:.4g} at {lowest.start:.2f} s")
    if outcome.clipped_samples:
        facts.append(f"{outcome.clipped_samples} samples clipped")
    return f"{printable(str(outcome.path))}: {rule.verdict(outcome.score)} ({'; '.join(facts)})"


def summary(judge: Judge, outcomes: Sequence[Outcome], rule: Rule, left_out: LeftOut) -> str:
    """An explanation of the lines above."""
    failed = sum(isinstance(outcome, Failure) for outcome in outcomes)
    of = "of the whole recording"
    if judge.window_samples is not None:
        of = f"the mean over windows of {judge.window_samples / SAMPLE_RATE:.4g} s"
    above = "No verdicts" if rule.threshold is None else f"Scores above {rule.threshold:.4g} are judged bona fide"
    return (
        f"{len(outcomes) - failed} of {len(outcomes)} files judged. {left_out}".rstrip() + "\n"
        f"{above}: {rule.reason}.\n"
        f"A score is logit(bona fide) - logit(spoof), {of}."
    )


def _probability(llr: float) -> float:
    """Of bona fide at equal priors."""
    return 1 / (1 + math.exp(-llr)) if llr > 0 else math.exp(llr) / (1 + math.exp(llr))
