"""Which trials of keys with phases are counted, as in the evaluation package of ASVspoof 2021: those of one phase.

The package joins scores and keys, then takes the trials of one phase; scores of other phases change nothing. Trials
that official evaluations of other corpora leave out are a phase, too (`exclusions`).
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from codecfake.verification.faults import FAULT, NOTE, Finding, quantity
from codecfake.verification.names import same_depth
from codecfake.verification.reading import ScoreFile, VerificationError
from codecfake.verification.words import DEFAULT, HIDDEN_TRACK, PA_TRACKS

ALL = "all"


def select(
    file: ScoreFile, protocol: ScoreFile | None, phase: str | None, where: str
) -> tuple[ScoreFile, ScoreFile | None, list[Finding]]:
    """The trials of a phase, of a file and its protocol (or of a file with phases of its own), and what to say of it.

    Raises VerificationError if the protocol has no trial of the phase.
    """
    if protocol is not None:
        file, protocol = _with_common_names(file, protocol)
    keys = file if protocol is None else protocol
    if keys.phases is None:
        if phase not in (None, DEFAULT, ALL):
            raise VerificationError(f"{keys.path}: these keys have no phases; leave out --phase {phase}")
        return file, protocol, []
    in_phase = _of_phase(keys.phases, phase or DEFAULT)
    if not in_phase.any():
        choices = ", ".join(_choices(keys.phases))
        text = f"no trial of phase {phase or DEFAULT}; give --phase: {choices}"
        if protocol is not None:
            raise VerificationError(f"{keys.path}: {text}")
        return file, None, [Finding(FAULT, "phases", where, text)]
    if protocol is None:
        return file.where(in_phase), None, _findings(keys, in_phase, int((~in_phase).sum()), len(file.names), where)
    is_other = file.names.isin(protocol.names[~in_phase])
    findings = _findings(keys, in_phase, int(is_other.sum()), len(file.names), where)
    return file.where(~is_other), protocol.where(in_phase), findings


def _of_phase(phases: np.ndarray, phase: str) -> np.ndarray:
    """Which trials `[N]` are of a phase; those of the two hidden tracks of PA are of the hidden track, too."""
    if phase == ALL:
        return np.ones(len(phases), dtype=bool)
    return np.isin(phases, [phase, *PA_TRACKS.values()] if phase == HIDDEN_TRACK else [phase])


def _choices(phases: np.ndarray) -> list[str]:
    both = [HIDDEN_TRACK] if set(PA_TRACKS.values()) <= set(phases) else []
    return [*sorted({*phases, *both}), ALL]


def _with_common_names(file: ScoreFile, protocol: ScoreFile) -> tuple[ScoreFile, ScoreFile]:
    """The same trials, with as many folders in names as both files need, if one file dropped more than the other."""
    if len(file.names.intersection(protocol.names)) or not any("/" in name for name in (*file.paths, *protocol.paths)):
        return file, protocol
    names, of_protocol = same_depth(file.paths, protocol.paths)
    return replace(file, names=names), replace(protocol, names=of_protocol)


def _findings(keys: ScoreFile, in_phase: np.ndarray, left_out: int, of: int, where: str) -> list[Finding]:
    assert keys.phases is not None
    counts = Counter(keys.phases)
    phase_counts = ", ".join(f"{quantity(count, 'trial')} of phase {name}" for name, count in sorted(counts.items()))
    if len(counts) == 1:
        return []
    if in_phase.all():
        text = f"{phase_counts} are pooled; published rates count phase eval alone"
        return [Finding(NOTE, "phases", where, text)]
    counted = " and ".join(sorted(set(keys.phases[in_phase])))
    if left_out == of:
        text = f"no score belongs to phase {counted}, all belong to others; the keys have {phase_counts}: give --phase"
        return [Finding(FAULT, "phases", where, text)]
    text = f"only phase {counted} is counted, as in the official evaluation; the keys have {phase_counts}"
    skipped = f"; {quantity(left_out, 'score')} of other phases left out" if left_out else ""
    return [Finding(NOTE, "phases", where, f"{text}{skipped} (change it with --phase)")]
