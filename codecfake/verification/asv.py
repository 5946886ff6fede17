"""Scores of speaker verification (ASV) in the form of ASVspoof 5, track 2, and the measures of both tasks together.

    spk	filename	cm-score	asv-score	sasv-score
    E_1000	E_0000000001	3.2482	2.2633	2.7558

The kind of a trial (target, nontarget or spoof) is in a column `asv-label`, of this table or of a table of keys.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from codecfake.base.text_files import TextError
from codecfake.base.text_tables import BLANKS, COMMAS, SEMICOLONS, TABS, Row, rows
from codecfake.statistics.tandem import (
    ASVSPOOF5_ASV,
    AsvErrorRates,
    TrialScores,
    a_dcf,
    asv_error_rates,
    min_t_dcf,
    t_eer,
)
from codecfake.verification.names import trial_names
from codecfake.verification.reading import ScoreFile, VerificationError
from codecfake.verification.words import number

KINDS = ("target", "nontarget", "spoof")
DELIMITERS = (TABS, COMMAS, SEMICOLONS, BLANKS)
LABEL = "asv-label"


@dataclass(frozen=True)
class AsvTrials:
    """Trials of ASV in the order of their file; arrays are `[N]`."""

    path: Path
    names: pd.Index  # of recordings, which several trials can share
    kinds: np.ndarray  # str, of KINDS
    asv: np.ndarray
    sasv: np.ndarray | None  # one score for both tasks; None where the file has none


@dataclass(frozen=True)
class Track2:
    """The measures of ASVspoof 5, track 2."""

    a_dcf: float | None  # None without scores for both tasks
    min_t_dcf: float  # with the error rates of the given ASV
    min_t_dcf_of_package: float  # the same as the official package computes it: see `AsvErrorRates`
    min_t_dcf_of_organizers: float  # with the error rates of the organizers' ASV
    t_eer: float  # in [0, 1]; NaN if no thresholds balance the errors
    asv: AsvErrorRates


def read_asv(path: Path, keys: Sequence[Path] = ()) -> AsvTrials:
    """Raises VerificationError, naming file and line, if a column, a label or a number is missing or wrong."""
    try:
        table = list(rows(path, DELIMITERS, ("filename", "asv-score")))
        labels = {} if not table or LABEL in table[0].cells else _labels(path, keys)
    except TextError as error:
        raise VerificationError(str(error)) from error
    if not table:
        raise VerificationError(f"{path}: no trials; give a table with the columns filename and asv-score")
    has_sasv = "sasv-score" in table[0].cells
    return AsvTrials(
        path,
        trial_names([row.cells["filename"] for row in table]),
        np.array([_kind(row, labels) for row in table]),
        np.array([_number(row, "asv-score") for row in table]),
        np.array([_number(row, "sasv-score") for row in table]) if has_sasv else None,
    )


def track2(file: ScoreFile, trials: AsvTrials) -> Track2:
    """The measures of a detector's scores (with keys) with an ASV system; a recording counts in each of its trials.

    Raises VerificationError if a recording has no score, or a label that contradicts its key.
    """
    assert file.scores is not None
    places = file.names.get_indexer(trials.names)
    _require_scores(file, trials, places)
    _require_same_keys(file, trials, places)
    detector, asv = _by_kind(file.scores[places], trials), _by_kind(trials.asv, trials)
    error_rates = asv_error_rates(asv)
    return Track2(
        None if trials.sasv is None else a_dcf(_by_kind(trials.sasv, trials)),
        min_t_dcf(detector, error_rates),
        min_t_dcf(detector, error_rates.with_spoof_miss_rate),
        min_t_dcf(detector, ASVSPOOF5_ASV),
        t_eer(detector, asv),
        error_rates,
    )


def _labels(path: Path, keys: Sequence[Path]) -> dict[tuple[str, str], str]:
    """The kind of each speaker and recording, from the tables of keys that have kinds."""
    labels: dict[tuple[str, str], str] = {}
    for table in keys:
        try:
            labels |= {_trial(row): row.cells[LABEL] for row in rows(table, DELIMITERS, ("filename", LABEL))}
        except TextError:
            continue  # keys of the detector alone
    if not labels:
        raise VerificationError(
            f"{path}: no column {LABEL!r}; add it ({', '.join(KINDS)}), or give keys that have it with --protocol"
        )
    return labels


def _kind(row: Row, labels: dict[tuple[str, str], str]) -> str:
    kind = row.cells[LABEL] if LABEL in row.cells else labels.get(_trial(row))
    if kind not in KINDS:
        fault = "the keys do not have this trial" if kind is None else f"{LABEL} is {kind!r}"
        raise VerificationError(f"{row.where}: {fault}; every trial must be one of {', '.join(KINDS)}")
    return kind


def _trial(row: Row) -> tuple[str, str]:
    return row.cells.get("spk", ""), row.cells["filename"]


def _number(row: Row, column: str) -> float:
    value = number(row.cells[column])
    if value is None or not np.isfinite(value):
        raise VerificationError(f"{row.where}: {column} {row.cells[column]!r} is not a finite number; correct the file")
    return value


def _by_kind(scores: np.ndarray, trials: AsvTrials) -> TrialScores:
    for kind in KINDS:
        if not (trials.kinds == kind).any():
            raise VerificationError(f"{trials.path}: no {kind} trial; the measures need all of {', '.join(KINDS)}")
    return TrialScores(*(scores[trials.kinds == kind] for kind in KINDS))


def _require_scores(file: ScoreFile, trials: AsvTrials, places: np.ndarray) -> None:
    if (places < 0).any():
        name = trials.names[int(np.argmax(places < 0))]
        raise VerificationError(f"{file.path}: no score for trial {name!r} of {trials.path}; score it")


def _require_same_keys(file: ScoreFile, trials: AsvTrials, places: np.ndarray) -> None:
    assert file.bonafide is not None
    differs = file.bonafide[places] == (trials.kinds == "spoof")
    if differs.any():
        name = trials.names[int(np.argmax(differs))]
        raise VerificationError(
            f"{trials.path}: trial {name!r} has another key than in {file.path}; correct {LABEL} or the key"
        )


def lines(measures: Track2) -> Iterator[str]:
    """The measures for people, one line each."""
    asv = measures.asv
    yield (
        f"ASV at its EER threshold: misses {100 * asv.miss:.3f} %, accepts "
        f"{100 * asv.nontarget_false_acceptance:.3f} % of nontarget trials and "
        f"{100 * asv.spoof_false_acceptance:.3f} % of spoofs"
    )
    if measures.a_dcf is not None:
        yield f"a-DCF {measures.a_dcf:.5f}"
    yield (
        f"min t-DCF {measures.min_t_dcf:.5f} (the package of ASVspoof 5 prints {measures.min_t_dcf_of_package:.5f}: it "
        f"takes the rate of rejected spoofs for that of accepted ones); "
        f"with the organizers' ASV {measures.min_t_dcf_of_organizers:.5f}"
    )
    yield f"t-EER {100 * measures.t_eer:.3f} %"


def as_json(measures: Track2) -> dict[str, Any]:
    """The same as plain values; rates in percent, null if unknown."""
    asv = measures.asv
    return {
        "a_dcf": measures.a_dcf,
        "min_t_dcf": measures.min_t_dcf,
        "min_t_dcf_of_package": measures.min_t_dcf_of_package,
        "min_t_dcf_of_organizers": measures.min_t_dcf_of_organizers,
        "t_eer_percent": None if np.isnan(measures.t_eer) else 100 * measures.t_eer,
        "asv_miss_percent": 100 * asv.miss,
        "asv_nontarget_percent": 100 * asv.nontarget_false_acceptance,
        "asv_spoof_percent": 100 * asv.spoof_false_acceptance,
    }
