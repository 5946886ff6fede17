"""The error rate of single score files, for readers and for scripts that parse the last line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.printing import printable
from codecfake.statistics.intervals import BootstrapSettings, Interval
from codecfake.verification.asv import Track2, as_json, lines, read_asv, track2
from codecfake.verification.error_rates import ErrorRate, bootstrap_eer, costs_as_json, error_rate
from codecfake.verification.faults import (
    FAULT,
    NOTE,
    TOO_SHORT,
    Finding,
    file_findings,
    inversion_findings,
    protocol_findings,
    unreadable_findings,
)
from codecfake.verification.ledger import choose_protocol
from codecfake.verification.phases import ALL, select
from codecfake.verification.reading import ScoreFile, VerificationError, read_protocol, read_scores, with_keys
from codecfake.verification.run_protocols import own_finding, own_protocol

TOLERATED = ("inverted", "few values", "short", "constant")  # faults that do not make the EER meaningless


@dataclass(frozen=True)
class EerSettings:
    """How one file is read, and its interval; without resamples, the bounds are exact."""

    level: float = 0.95
    resamples: int = 1000
    bonafide_digit: str | None = None  # and these as in `ledger.VerifySettings`
    bonafide_logit: int | None = None
    phase: str | None = None
    columns: Mapping[str, int] = field(default_factory=dict)
    protocol_columns: Mapping[str, int] = field(default_factory=dict)
    metrics: str | None = None  # of `error_rates.METRICS`: more measures than the EER


@dataclass(frozen=True)
class Answer:
    """The rate of one file; `findings` do not prevent a rate. `track2` has the measures with ASV, if it was given."""

    name: str
    form: str
    rate: ErrorRate
    note: str
    findings: tuple[Finding, ...]
    track2: Track2 | None = None

    def __str__(self) -> str:
        rate = self.rate
        texts = [f"{self.name}: {rate.num_bonafide} bona fide, {rate.num_spoof} spoof; {self.form}"]
        texts.append(f"  EER {float(rate.percent):.3f} %, interval {rate.low:.3f} to {rate.high:.3f} % ({rate.method})")
        texts += [f"  {self.note}"] if self.note else []
        texts += [f"  {text}" for text in self._costs()]
        texts += [f"  {finding.severity}: {finding.text}" for finding in self.findings]
        return "\n".join(map(printable, [*texts, f"{self.name} {float(rate.percent):.3f}"]))

    def _costs(self) -> Iterator[str]:
        costs = self.rate.asvspoof5
        if costs is not None:
            text = f"minDCF {costs.min_dcf:.5f}, actDCF {costs.act_dcf:.5f}, Cllr {costs.cllr:.5f} bits"
            yield f"ASVspoof 5: {text}, EER {100 * costs.eer:.3f} %"
        if self.track2 is not None:
            yield from lines(self.track2)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; rates in percent."""
        rate = self.rate
        return {
            "name": self.name,
            "form": self.form,
            "num_bonafide": rate.num_bonafide,
            "num_spoof": rate.num_spoof,
            "eer_percent": float(rate.percent),
            "low_percent": rate.low,
            "high_percent": rate.high,
            "method": rate.method,
            "note": self.note,
            "findings": [vars(finding) for finding in self.findings],
            **costs_as_json(rate),
            **({} if self.track2 is None else {"asvspoof5_with_asv": as_json(self.track2)}),
        }


def answer(
    path: Path,
    protocols: Sequence[Path] = (),
    speakers: Path | None = None,
    settings: EerSettings | None = None,
    asv_scores: Path | None = None,
) -> Answer:
    """The EER of a score file with each trial once and finite scores.

    `speakers` is a TSV with `trial_id` and `speaker_id`; the bootstrap then resamples speakers, not trials.
    `asv_scores` is a table as in `asv.read_asv`, for the measures of both tasks together.

    Raises VerificationError, naming file and line, if the file or its keys are at fault.
    """
    settings = settings or EerSettings()
    scores = read_scores(path, settings.bonafide_digit, settings.columns, settings.bonafide_logit)
    keys, notes = _keys(scores, protocols, settings)
    file, protocol, findings = select(scores, keys, settings.phase, str(path))
    findings += [*notes, *unreadable_findings(scores, str(path))]
    if protocol:
        findings += protocol_findings(file, protocol, str(path))
        file = with_keys(file, protocol)
    findings += file_findings(file, str(path))
    for finding in findings:
        if finding.severity == FAULT and finding.kind not in TOLERATED:
            raise VerificationError(f"{finding.where}: {finding.text}")
    rate, note = _rate(file, speakers, settings)
    findings += _pooled(scores, keys, settings)
    with_asv = track2(file, read_asv(asv_scores, protocols)) if asv_scores else None
    return Answer(path.stem, file.form, rate, note, (*findings, *inversion_findings(rate, str(path))), with_asv)


def _keys(
    scores: ScoreFile, protocols: Sequence[Path], settings: EerSettings
) -> tuple[ScoreFile | None, list[Finding]]:
    """The protocol of scores: one of those given or, of a run's scores, that of the run."""
    read = partial(read_protocol, bonafide_digit=settings.bonafide_digit, columns=settings.protocol_columns)
    protocol = choose_protocol(scores, [read(path) for path in protocols])
    own = own_protocol(scores, read) if not protocols else None
    return (protocol, []) if own is None else (own, [own_finding(own, str(scores.path))])


def _pooled(file: ScoreFile, protocol: ScoreFile | None, settings: EerSettings) -> list[Finding]:
    """The rate of all phases together, unless it was asked for, or if only trials of one phase have scores."""
    keys = protocol or file
    if settings.phase is not None or keys.phases is None or len(set(keys.phases)) == 1:
        return []
    file, protocol, _ = select(file, protocol, ALL, str(file.path))
    if protocol:
        if len(protocol.names.difference(file.names)):
            return []
        file = with_keys(file, protocol)
    rate = error_rate(file.of_key(True), file.of_key(False), settings.level)
    text = f"all phases together have an EER of {float(rate.percent):.3f} % (--phase all)"
    return [Finding(NOTE, "phases", str(file.path), text)]


def _rate(file: ScoreFile, speakers: Path | None, settings: EerSettings) -> tuple[ErrorRate, str]:
    bonafide, spoof = file.of_key(True), file.of_key(False)
    rate = error_rate(bonafide, spoof, settings.level, settings.metrics)
    if settings.resamples == 0:
        return rate, ""
    by = "speaker" if speakers else "trial"
    names = _speakers(file, speakers) if speakers else None
    if min(len(bonafide), len(spoof)) < 2:
        return rate, "a key has only one trial, so bounds are exact"
    interval = bootstrap_eer(bonafide, spoof, BootstrapSettings(by, settings.resamples, settings.level), names)
    return rate.within(interval), _note(interval)


def _note(interval: Interval) -> str:
    few = f"only {interval.clusters} clusters (fewer than {TOO_SHORT}): the interval may be too narrow"
    return "; ".join(text for text in (interval.note, few if interval.few_clusters else "") if text)


def _speakers(file: ScoreFile, path: Path) -> np.ndarray:
    """Speakers of bona fide trials, then of spoofs."""
    table = files.read_tsv(path)
    if not {"trial_id", "speaker_id"} <= set(table):
        raise VerificationError(f"{path}: columns are {', '.join(table.columns)}; trial_id and speaker_id are needed")
    speaker_of = table.drop_duplicates("trial_id").set_index("trial_id")["speaker_id"]
    names = file.names_of_key(True).append(file.names_of_key(False))
    unknown = names.difference(speaker_of.index)
    if len(unknown):
        raise VerificationError(f"{path}: no speaker for trial {unknown[0]!r} and {len(unknown) - 1} more; add them")
    return pd.Series(speaker_of).reindex(names).to_numpy(dtype=str)
