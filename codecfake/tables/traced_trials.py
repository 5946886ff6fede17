"""The outputs of a model of source tracing, with the source and the speaker of each trial."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.protocols.people import People, SpeakersOf
from codecfake.tables.tracing_settings import TracedTask
from codecfake.tables.trials import ScoreError

MODEL_COLUMNS = ["task", "detector", "seed"]
MEAN_OF = "mean of {}-without-*"  # the task of a row of means over the tasks that leave out a part of one


@dataclass(frozen=True)
class TracedModel:
    """One model of a task and its trials, all `[N]`."""

    place: dict[str, object]  # `MODEL_COLUMNS`
    name: str  # of the model, for a generator of random numbers of its own
    task: TracedTask
    sources: np.ndarray
    speakers: np.ndarray
    outputs: np.ndarray  # [N, C] logits, or [N, 1] logarithms of predicted numbers


def models_of(
    score_root: Path, protocol_root: Path, name: str, task: TracedTask, speakers_of: SpeakersOf
) -> Iterator[TracedModel]:
    """The models of a task, from `{task}/{detector}/seed{seed}.tsv` and `{condition}.tsv`.

    Raises ScoreError if a score file is not one of the task, or has a trial of no protocol.
    """
    speakers = _speakers([protocol_root / f"{condition}.tsv" for condition in task.conditions], speakers_of)
    for model in task.models:
        detector, _, seed = model.rpartition("/seed")
        path = score_root / name / f"{model}.tsv"
        table = _read(path, task)
        absent = table["trial_id"][~table["trial_id"].isin(speakers.index)]
        if len(absent):
            raise ScoreError(f"{path}: trial {absent.iloc[0]} is in no protocol of the task; delete it and run again")
        yield TracedModel(
            {"task": name, "detector": detector, "seed": int(seed)},
            f"{name}/{model}",
            task,
            table["source"].to_numpy(str),
            speakers.loc[table["trial_id"]].to_numpy(str),
            table[task.columns].to_numpy(np.float64),
        )


def _speakers(protocols: list[Path], speakers_of: SpeakersOf) -> pd.Series:
    """The person of each trial, by trial_id."""
    rows = pd.concat([files.read_tsv(path) for path in protocols]).drop_duplicates("trial_id")
    return People(rows, speakers_of=speakers_of).names(rows).set_axis(rows["trial_id"])


def _read(path: Path, task: TracedTask) -> pd.DataFrame:
    table = files.read_tsv(path)
    again = f"delete {path} and run again"
    if list(table.columns) != ["trial_id", "source", *task.columns]:
        raise ScoreError(f"{path}: columns are not trial_id, source and {', '.join(task.columns)}; {again}")
    for source in sorted({*task.training_sources, *task.unseen} ^ set(table["source"])):
        raise ScoreError(f"{path}: {source} is only in the scores or only in the experiment; {again}")
    return table
