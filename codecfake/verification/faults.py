"""Faults of a single score file."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from codecfake.verification.error_rates import ErrorRate
from codecfake.verification.reading import ScoreFile
from codecfake.verification.words import CLAIM_WORDS, digit

FAULT, NOTE = "fault", "note"
TOO_SHORT = 10  # trials of a key: below, one error is more than ten percent
FEW_VALUES = 10  # distinct scores, in a file that should have as many as trials
SATURATED_SHARE = 0.01  # of a key's trials at one extreme value: the EER threshold may be among them
KEY_NAMES = {True: "bona fide", False: "spoof"}


@dataclass(frozen=True, order=True)
class Finding:
    """A finding about one file or several; a fault means that something does not hold."""

    severity: str  # FAULT or NOTE
    kind: str
    where: str
    text: str


def obstacles(file: ScoreFile) -> list[str]:
    """Why no EER can be computed from a file; empty if one can."""
    assert file.scores is not None
    reasons = []
    if file.problems:
        reasons.append(quantity(len(file.problems), "unreadable line"))
    if not np.isfinite(file.scores).all():
        reasons.append("scores that are not finite")
    if file.bonafide is None:
        reasons.append("no keys: give --protocol")
    else:
        reasons += [f"no {KEY_NAMES[key]} trial" for key in (True, False) if not (file.bonafide == key).any()]
    return reasons


def file_findings(file: ScoreFile, where: str) -> Iterator[Finding]:
    """Findings of the lines, names, labels and scores of one file."""
    yield from unreadable_findings(file, where)
    yield from _non_finite(file, where)
    yield from _duplicates(file, where)
    yield from _labels(file, where)
    yield from _digits(file, where)
    yield from _log(file, where)
    yield from claim_findings(file, where)
    yield from _sizes(file, where)
    yield from _constant(file, where)
    yield from _saturation(file, where)


def inversion_findings(rate: ErrorRate, where: str) -> Iterator[Finding]:
    """A finding if the EER is above one half; it is reported as it is, since inverting scores would hide it."""
    if rate.percent <= 50 or not rate.has_direction:
        return
    text = f"EER is {float(rate.percent):.3f} %, above 50 %"
    if rate.low > 50:
        yield Finding(
            FAULT, "inverted", where, f"{text}: spoofs outscore bona fide trials; negate the scores or swap the keys"
        )
    else:
        yield Finding(NOTE, "chance", where, f"{text}, but its interval includes 50 %: no better than chance")


def protocol_findings(file: ScoreFile, protocol: ScoreFile, where: str) -> Iterator[Finding]:
    """Trials that only the protocol or only the file has, and trials with different keys."""
    missing, extra = protocol.names.difference(file.names), file.names.difference(protocol.names)
    name = f"{protocol.path.name}"
    yield from claim_findings(protocol, where)
    if len(missing):
        yield Finding(FAULT, "missing", where, f"{first_of(missing)} of {name} without a score; score these")
    if len(extra):
        yield Finding(FAULT, "unlisted", where, f"{first_of(extra)} not in {name}; score only the protocol's trials")
    if file.bonafide is None or protocol.bonafide is None:
        return
    places = protocol.names.get_indexer(file.names)
    differing = (places >= 0) & (protocol.bonafide[places] != file.bonafide)
    if differing.any():
        yield Finding(FAULT, "keys", where, f"{first_of(file.names[differing])} with another key in {name}")


def claim_findings(file: ScoreFile, where: str) -> Iterator[Finding]:
    """What was made of keys or scores of track 2 of ASVspoof 5, whose trials have a claimed speaker."""
    if set(CLAIM_WORDS) & set(file.words):
        text = "target and nontarget are read as bona fide: the EER is that of a countermeasure, whoever speaks"
        yield Finding(NOTE, "claims", where, f"{file.path.name}: {text}")
    if file.repeated:
        text = f"{quantity(file.repeated, 'line')} left out that repeat a recording for another claimed speaker"
        yield Finding(NOTE, "claims", where, f"{file.path.name}: {text}")


def first_of(names: pd.Index) -> str:
    """The number of trials, and the first one."""
    return f"{quantity(len(names), 'trial')} ({names[0]}{', …' if len(names) > 1 else ''})"


def quantity(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def unreadable_findings(file: ScoreFile, where: str) -> Iterator[Finding]:
    if file.problems:
        first = file.problems[0]
        more = f", and {quantity(len(file.problems) - 1, 'more line')}" if len(file.problems) > 1 else ""
        yield Finding(FAULT, "unreadable", f"{where}:{first.line}", f"{first.text}{more}; correct the file")


def _non_finite(file: ScoreFile, where: str) -> Iterator[Finding]:
    assert file.scores is not None
    bad = ~np.isfinite(file.scores)
    if bad.any():
        place = int(np.argmax(bad))
        first = f"the first {file.scores[place]} of {file.names[place]}"
        text = f"{quantity(int(bad.sum()), 'score')} not finite, {first}; score again"
        yield Finding(FAULT, "non-finite", f"{where}:{file.lines[place]}", text)


def _duplicates(file: ScoreFile, where: str) -> Iterator[Finding]:
    twice = file.names.duplicated()
    if twice.any():
        first = int(np.argmax(twice))
        yield Finding(
            FAULT, "duplicate", f"{where}:{file.lines[first]}", f"{first_of(file.names[twice])} scored again; drop one"
        )


def _labels(file: ScoreFile, where: str) -> Iterator[Finding]:
    for key in (True, False):
        words = [word for word in file.words if file.labels.is_bonafide(word) == key]
        if len(words) > 1 and set(words) != set(CLAIM_WORDS) and file.labels.bonafide_attack is None:
            text = f"{KEY_NAMES[key]} is written {' and '.join(words)}; use one word (two lists may have been merged)"
            yield Finding(FAULT, "labels", where, text)


def _digits(file: ScoreFile, where: str) -> Iterator[Finding]:
    if file.labels.bonafide_digit and any(digit(word) is not None for word in file.words):
        reason = "as the file's form says" if file.labels.digit_is_of_form else "change it with --bonafide-digit"
        text = f"labels 0 and 1: {file.labels.bonafide_digit} is read as bona fide ({reason})"
        yield Finding(NOTE, "digits", where, text)


def _log(file: ScoreFile, where: str) -> Iterator[Finding]:
    if file.skipped:
        yield Finding(NOTE, "log", where, f"{quantity(file.skipped, 'line')} of the log without scores left out")


def _sizes(file: ScoreFile, where: str) -> Iterator[Finding]:
    if file.bonafide is None:
        yield Finding(FAULT, "keyless", where, "no labels; name the file's protocol with --protocol")
        return
    for key in (True, False):
        size = int((file.bonafide == key).sum())
        if size == 0:
            text = f"no {KEY_NAMES[key]} trial among {len(file.names)}; an error rate needs both keys"
            yield Finding(FAULT, "one class", where, text)
        elif size < TOO_SHORT:
            yield Finding(
                FAULT,
                "short",
                where,
                f"{quantity(size, KEY_NAMES[key] + ' trial')}: one error is {100 / size:.0f} %; score more",
            )


def _constant(file: ScoreFile, where: str) -> Iterator[Finding]:
    """Keys whose scores are all equal: an EER is then one of ties, and says nothing of a direction."""
    if file.bonafide is None or file.scores is None or not (file.bonafide.any() and (~file.bonafide).any()):
        return
    groups = {"": file.scores} if len(set(file.scores.tolist())) == 1 else {}
    groups = groups or {f"{KEY_NAMES[key]} ": file.of_key(key) for key in (True, False)}
    for name, scores in groups.items():
        if len(scores) > 1 and (scores == scores[0]).all():
            text = f"all {len(scores)} {name}trials score exactly {scores[0]:g}"
            tied = ": the EER comes from how ties are counted (bona fide rejected first)" if not name else ""
            yield Finding(FAULT, "constant", where, f"{text}{tied}; nothing is ranked, score again")


def _saturation(file: ScoreFile, where: str) -> Iterator[Finding]:
    if file.bonafide is None or file.scores is None or len(file.scores) < 2 * TOO_SHORT:
        return
    distinct = len(np.unique(file.scores))
    if distinct == 1:
        return  # `_constant` names it
    if distinct < FEW_VALUES:
        text = f"{distinct} distinct scores in {len(file.scores)} trials: decisions, not scores; keep the logits"
        yield Finding(FAULT, "few values", where, text)
        return
    for value in (file.scores.min(), file.scores.max()):
        for key in (True, False):
            count, size = int((file.of_key(key) == value).sum()), int((file.bonafide == key).sum())
            if size > count > 1 and count >= SATURATED_SHARE * size:
                text = f"{count} of {size} {KEY_NAMES[key]} trials score exactly {value:g}: keep differences of logits"
                yield Finding(NOTE, "saturated", where, text)
