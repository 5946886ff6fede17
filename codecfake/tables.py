"""Score files to tables: the equal error rate and the confusion counts of every model under every condition."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake import files, metrics
from codecfake.utterances import BONAFIDE, SPOOF

logger = logging.getLogger(__name__)

DECISION_THRESHOLD = 0.0  # of the score, a difference of logits: there softmax gives probability 0.5
MODEL_COLUMNS = ["detector", "training_set", "strategy", "seed"]
EER_COLUMNS = ["eer_percent", "threshold", "num_bonafide", "num_spoof", "eer_step_percent"]
CONFUSION_COLUMNS = ["true_bonafide", "missed_bonafide", "true_spoof", "false_bonafide"]


class ScoreError(ValueError):
    """A score file does not answer its protocol trial by trial."""


@dataclass(frozen=True)
class TableSettings:
    """What `eer.csv` and `confusion.csv` are to hold."""

    models: list[str]
    conditions: list[str]


@dataclass(frozen=True)
class Model:
    """A trained model by its place in the results: `{detector}/{training_set}/{strategy}/seed{seed}`."""

    detector: str
    training_set: str
    strategy: str
    seed: int

    @classmethod
    def parse(cls, name: str) -> "Model":
        """Raises ScoreError if `name` is not of the form above."""
        parts = name.split("/")
        if len(parts) != 4 or not parts[3].removeprefix("seed").isdecimal():
            raise ScoreError(f"model {name!r} must be named {{detector}}/{{training_set}}/{{strategy}}/seed{{n}}")
        return cls(parts[0], parts[1], parts[2], int(parts[3].removeprefix("seed")))

    @property
    def name(self) -> str:
        return f"{self.detector}/{self.training_set}/{self.strategy}/seed{self.seed}"


@dataclass(frozen=True)
class Scores:
    """The scores of one model under one condition, split by key; float64 `[N]`, higher = more bona fide."""

    bonafide: np.ndarray
    spoof: np.ndarray


def write_tables(score_root: Path, protocol_root: Path, models: list[str], conditions: list[str], output: Path) -> None:
    """Write `eer.csv` and `confusion.csv` into the folder `output`, one row a model and condition, sorted.

    `protocol_root` holds `{condition}.tsv`, `score_root` holds `{model}/{condition}.tsv`. Raises ScoreError as
    `read_scores`.
    """
    table = evaluate(score_root, protocol_root, models, conditions)
    keys = [*MODEL_COLUMNS, "condition"]
    _write_csv(output / "eer.csv", table[keys + EER_COLUMNS])
    _write_csv(output / "confusion.csv", table[keys + CONFUSION_COLUMNS])


def evaluate(score_root: Path, protocol_root: Path, models: list[str], conditions: list[str]) -> pd.DataFrame:
    """EER and confusion counts of every model under every condition; rows sorted by model, then condition."""
    rows = list(_rows(score_root, protocol_root, models, conditions))
    columns = [*MODEL_COLUMNS, "condition", *EER_COLUMNS, *CONFUSION_COLUMNS]
    return pd.DataFrame(rows, columns=columns).sort_values([*MODEL_COLUMNS, "condition"], ignore_index=True)


def _rows(
    score_root: Path, protocol_root: Path, models: list[str], conditions: list[str]
) -> Iterator[dict[str, object]]:
    for condition in conditions:
        protocol = read_protocol(protocol_root / f"{condition}.tsv")
        for model in models:
            scores = read_scores(score_root / model / f"{condition}.tsv", protocol)
            place = {**vars(Model.parse(model)), "condition": condition}
            yield {**place, **_error_rate(scores, f"{model}, {condition}"), **_confusion(scores)}


def read_protocol(path: Path) -> pd.Series:
    """Keys of the trials of an evaluation protocol, indexed by trial_id.

    Raises ScoreError if a trial is listed twice, has an unknown key, or if bona fide or spoof trials are lacking.
    """
    table = files.read_tsv(path)
    keys = table.set_index("trial_id")["key"]
    _refuse(f"{path}: listed twice", keys.index[keys.index.duplicated()], "trial ids must be unique in a protocol")
    unknown = keys.index[~keys.isin([BONAFIDE, SPOOF])]
    _refuse(f"{path}: key is neither {BONAFIDE} nor {SPOOF}", unknown, "correct the protocol")
    for key in (BONAFIDE, SPOOF):
        if not (keys == key).any():
            raise ScoreError(
                f"{path}: no {key} trial; an error rate needs both keys, so select some for this condition"
            )
    return keys


def read_scores(path: Path, protocol: pd.Series) -> Scores:
    """The scores in a file, joined to the keys of `protocol` (of `read_protocol`) by trial_id.

    Raises ScoreError, naming a trial, if one has no score, two scores, a score that is not finite, or no place in
    the protocol.
    """
    table = files.read_tsv(path)
    scores = table.set_index("trial_id")["score"]
    again = f"delete {path} and score again"
    _refuse(f"{path}: scored twice", scores.index[scores.index.duplicated()], again)
    _refuse(f"{path}: no score", protocol.index.difference(scores.index), again)
    _refuse(f"{path}: not in the protocol", scores.index.difference(protocol.index), again)
    values = pd.to_numeric(scores, errors="coerce").astype(np.float64)
    _refuse(f"{path}: score is not a finite number", values.index[~np.isfinite(values)], again)
    joined = values.reindex(protocol.index).to_numpy()
    is_bonafide = (protocol == BONAFIDE).to_numpy()
    return Scores(joined[is_bonafide], joined[~is_bonafide])


def _refuse(fault: str, trials: pd.Index, remedy: str) -> None:
    if len(trials) > 0:
        more = f" and {len(trials) - 1} more" if len(trials) > 1 else ""
        raise ScoreError(f"{fault}: trial {trials[0]}{more}; {remedy}")


def _error_rate(scores: Scores, where: str) -> dict[str, object]:
    result = metrics.eer(scores.bonafide, scores.spoof)
    if result.eer > 0.5:
        # An inverted detector is a finding; turning its scores round would hide it.
        logger.warning(
            "%s: EER is %.2f %%, above 50 %%: spoofs look more bona fide; kept as is", where, 100 * result.eer
        )
    return {
        "eer_percent": 100 * result.eer,
        "threshold": result.threshold,
        "num_bonafide": len(scores.bonafide),
        "num_spoof": len(scores.spoof),
        "eer_step_percent": 100 / min(len(scores.bonafide), len(scores.spoof)),  # one error in the smaller class
    }


def _confusion(scores: Scores) -> dict[str, int]:
    counts = metrics.confusion(scores.bonafide, scores.spoof, DECISION_THRESHOLD)
    return {
        "true_bonafide": counts.bonafide_accepted,
        "missed_bonafide": counts.bonafide_rejected,
        "true_spoof": counts.spoof_rejected,
        "false_bonafide": counts.spoof_accepted,
    }


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with files.atomic(path) as part:
        table.to_csv(part, index=False, float_format="%.6f", lineterminator="\n")
