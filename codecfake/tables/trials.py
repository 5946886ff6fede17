"""The trials of a condition and a model's scores of them, joined so that nothing is lost."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.detectors.released_forms import is_released
from codecfake.protocols.people import People, SpeakersOf
from codecfake.statistics.intervals import Trials

MODEL_COLUMNS = ["detector", "training_set", "strategy", "seed"]


class ScoreError(ValueError):
    """A score file does not have exactly one score for every trial of its protocol."""


@dataclass(frozen=True)
class Model:
    """A model by its place in the results: `{detector}/{training_set}/{strategy}/seed{seed}`."""

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
    def is_released(self) -> bool:
        """Whether others trained it: it then has no seed to compare."""
        return is_released(self.training_set)

    @property
    def name(self) -> str:
        return f"{self.group}/seed{self.seed}"

    @property
    def group(self) -> str:
        """The common part of the names of models that differ only by their seed."""
        return f"{self.detector}/{self.training_set}/{self.strategy}"


@dataclass(frozen=True)
class Scores:
    """The scores of one model under one condition, split by key; float64 `[N]`, higher = more bona fide."""

    bonafide: np.ndarray
    spoof: np.ndarray


@dataclass(frozen=True)
class ConditionTrials:
    """The trials of a condition in the order of its protocol; arrays of scores follow the same order."""

    condition: str
    keys: pd.Series  # indexed by trial_id
    labels: Trials

    @property
    def is_bonafide(self) -> np.ndarray:
        return self.labels.is_bonafide

    @cached_property
    def num_speakers(self) -> int:
        assert self.labels.speakers is not None
        return len(np.unique(self.labels.speakers))

    @cached_property
    def resampling_unit(self) -> str:
        """What a bootstrap draws: speakers, and also attacks if spoofs of several attacks are pooled."""
        assert self.labels.attacks is not None
        return "speaker_and_attack" if len(np.unique(self.labels.attacks[~self.is_bonafide])) > 1 else "speaker"


def read_trials(path: Path, speakers_of: SpeakersOf | None = None) -> ConditionTrials:
    """The trials of an evaluation protocol `{condition}.tsv`; its speakers are people.

    Raises ScoreError as `read_protocol`, and if the protocol lacks the columns of speakers or attacks.
    """
    keys = read_protocol(path)
    table = files.read_tsv(path).set_index("trial_id")
    missing = [column for column in ("corpus", "speaker_id", "attack") if column not in table]
    if missing:
        raise ScoreError(f"{path}: no column {missing[0]!r}, which intervals need; write the protocols again")
    speakers = People(table, speakers_of=speakers_of).names(table)
    is_bonafide = (keys == BONAFIDE).to_numpy()
    return ConditionTrials(path.stem, keys, Trials(is_bonafide, speakers.to_numpy(str), table["attack"].to_numpy(str)))


def read_protocol(path: Path) -> pd.Series:
    """Keys of the trials of an evaluation protocol, indexed by trial_id.

    Raises ScoreError if a trial is listed twice or has an unknown key, or if bona fide or spoof trials are missing.
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
    """The scores in a file by key, joined with `protocol` (of `read_protocol`). Raises ScoreError as `read_joined`."""
    joined = read_joined(path, protocol)
    is_bonafide = (protocol == BONAFIDE).to_numpy()
    return Scores(joined[is_bonafide], joined[~is_bonafide])


def read_joined(path: Path, protocol: pd.Series) -> np.ndarray:
    """The scores in a file, joined with `protocol` (of `read_protocol`) by trial_id, in its order; float64 `[N]`.

    Raises ScoreError, naming a trial, if a trial has no score, two scores or a score that is not finite, or is not in
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
    return values.reindex(protocol.index).to_numpy()


def _refuse(fault: str, trials: pd.Index, remedy: str) -> None:
    if len(trials) > 0:
        more = f" and {len(trials) - 1} more" if len(trials) > 1 else ""
        raise ScoreError(f"{fault}: trial {trials[0]}{more}; {remedy}")
