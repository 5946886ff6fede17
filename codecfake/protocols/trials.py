"""Trials: the rows of protocols, as training and scoring read them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE, KEYS

RECORDING = ["corpus", "source", "utterance_id"]  # identify one waveform in the audio shards
SPEECH = ["corpus", "utterance_id"]  # identify the same speech in a recording and all of its fakes
COLUMNS = ["trial_id", *RECORDING, "key"]


class TrialsError(ValueError):
    """A protocol lacks something that training or scoring needs."""


def read(paths: Sequence[Path]) -> pd.DataFrame:
    """The trials of one or more protocols, in their order; every value is a string.

    Columns are `COLUMNS`, and `domain`: the protocol that a trial came from, `{folder}/{name}`.

    Raises TrialsError if a protocol is empty, a column is missing, a key is unknown, or a trial or a recording occurs
    twice.
    """
    trials = pd.concat([_read_one(path) for path in paths], ignore_index=True)
    names = ", ".join(map(str, paths))
    for columns in (["trial_id"], RECORDING):
        twice = trials[trials.duplicated(columns)]
        if len(twice):
            raise TrialsError(
                f"{names}: {len(twice)} trials occur twice, the first is {_name(twice)} "
                f"({' and '.join(columns)} must be unique); drop the repeated rows"
            )
    return trials


def _read_one(path: Path) -> pd.DataFrame:
    table = files.read_tsv(path)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise TrialsError(f"{path}: no column {missing[0]!r}; a protocol has {', '.join(COLUMNS)}")
    if table.empty:
        raise TrialsError(f"{path}: no trials; write the protocols again, or leave this one out")
    strange = table[~table["key"].isin(KEYS)]
    if len(strange):
        raise TrialsError(
            f"{path}: trial {_name(strange)} has key {strange['key'].iloc[0]!r}; it must be one of {', '.join(KEYS)}"
        )
    return table[COLUMNS].assign(domain=f"{path.parent.name}/{path.stem}")


def require_both_keys(trials: pd.DataFrame, name: str) -> None:
    """Raise TrialsError if a domain has trials of only one key: the domain would then reveal the key."""
    for domain, rows in trials.groupby("domain", sort=False):
        for key in KEYS:
            if not (rows["key"] == key).any():
                raise TrialsError(
                    f"the {name} list {domain} has {len(rows)} trials but no {key} trial; every list needs both keys"
                )


def require_disjoint(trials: pd.DataFrame, name: str, others: pd.DataFrame, other_name: str) -> None:
    """Raise TrialsError if a recording is in both lists."""
    common = trials[pd.MultiIndex.from_frame(trials[RECORDING]).isin(pd.MultiIndex.from_frame(others[RECORDING]))]
    if len(common):
        raise TrialsError(
            f"{len(common)} trials of the {name} list are also in the {other_name} list, the first is "
            f"{_name(common)}; no recording may be in both"
        )


def check_separation(lists: Sequence[Path], protocols: Sequence[Path], output: Path, folder: Path = Path()) -> None:
    """Check that training data contain no evaluation trials, and write the size of each train and dev list to `output`.

    `protocols` are all eval protocols; `output` names lists by their paths below `folder`. Raises TrialsError if a list
    has an evaluated recording, or a fake of speech that is evaluated as bona fide. Evaluated fakes of training speech
    are allowed, because a condition can use all utterances.
    """
    conditions = pd.concat([read([path]).assign(protocol=str(path)) for path in protocols])
    real = conditions[conditions["key"] == BONAFIDE]
    counts = []
    for path in lists:
        trials = read([path])
        _require_none(trials, conditions, RECORDING, f"{path}: {{}} trials are also evaluated in {{}}")
        _require_none(trials, real, SPEECH, f"{path}: {{}} trials are fakes of speech that {{}} evaluates as bona fide")
        counts.append(
            {"list": path.relative_to(folder) if path.is_relative_to(folder) else path, "trials": len(trials)}
        )
    files.write_tsv(output, pd.DataFrame(counts))


def _require_none(trials: pd.DataFrame, eval_trials: pd.DataFrame, columns: list[str], what: str) -> None:
    """Raise TrialsError if evaluation trials agree with `trials` in `columns`; `what` formats number and protocol."""
    common = trials.merge(eval_trials.drop_duplicates(columns)[[*columns, "protocol"]], on=columns)
    if len(common):
        raise TrialsError(
            f"{what.format(len(common), common['protocol'].iloc[0])}, the first is {_name(common)}; training "
            f"data must not contain evaluation trials: separate them by a domain's split, or change the condition"
        )


def _name(trials: pd.DataFrame) -> str:
    return str(trials["trial_id"].iloc[0])
