"""Trials: the rows of protocols, as training and scoring read them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE, KEYS

RECORDING = ["corpus", "source", "utterance_id"]  # together they name one waveform in the audio shards
SPEECH = ["corpus", "utterance_id"]  # and what was said, of a recording and all fakes that were made of it
COLUMNS = ["trial_id", *RECORDING, "key"]


class TrialsError(ValueError):
    """A protocol does not hold what training or scoring needs."""


def read(paths: Sequence[Path]) -> pd.DataFrame:
    """The trials of one or more protocols, in their order; every value is a string.

    Columns are `COLUMNS`, and `domain`: the protocol that a trial came from, `{folder}/{name}`.

    Raises TrialsError if a protocol is empty, a column is missing, a key is unknown, or a trial or a recording comes
    twice.
    """
    trials = pd.concat([_read_one(path) for path in paths], ignore_index=True)
    names = ", ".join(map(str, paths))
    for columns in (["trial_id"], RECORDING):
        twice = trials[trials.duplicated(columns)]
        if len(twice):
            raise TrialsError(
                f"{names}: {len(twice)} trials come twice, the first is {_name(twice)} "
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
    """Raise TrialsError if a list among them has no bona fide or no spoof trials, so that its domain tells the key."""
    for domain, listed in trials.groupby("domain", sort=False):
        for key in KEYS:
            if not (listed["key"] == key).any():
                raise TrialsError(
                    f"the {name} list {domain} has {len(listed)} trials but none is {key}; every list needs both keys"
                )


def require_disjoint(trials: pd.DataFrame, name: str, others: pd.DataFrame, other_name: str) -> None:
    """Raise TrialsError if a recording is in both lists."""
    common = trials[pd.MultiIndex.from_frame(trials[RECORDING]).isin(pd.MultiIndex.from_frame(others[RECORDING]))]
    if len(common):
        raise TrialsError(
            f"{len(common)} trials of the {name} list are also in the {other_name} list, the first is "
            f"{_name(common)}; no recording may be in both"
        )


def check_unjudged(lists: Sequence[Path], judged: Sequence[Path], output: Path) -> None:
    """Write how many trials train and dev lists hold, if training may use them; `judged` are all eval protocols.

    Raises TrialsError if a list holds a recording that is judged, or a fake of speech that is judged as bona fide.
    Fakes may be judged whose speech was trained on: a condition can ask for all utterances.
    """
    conditions = pd.concat([read([path]).assign(judged_in=str(path)) for path in judged])
    real = conditions[conditions["key"] == BONAFIDE]
    counts = []
    for path in lists:
        trials = read([path])
        _require_none(trials, conditions, RECORDING, f"{path}: {{}} trials are judged in {{}} too")
        _require_none(trials, real, SPEECH, f"{path}: {{}} trials are fakes of speech that {{}} judges as bona fide")
        counts.append({"list": path, "trials": len(trials)})
    files.write_tsv(output, pd.DataFrame(counts))


def _require_none(trials: pd.DataFrame, judged: pd.DataFrame, columns: list[str], what: str) -> None:
    """Raise TrialsError, saying `what` of how many trials and which protocol, if a trial agrees with a judged one."""
    found = trials.merge(judged.drop_duplicates(columns)[[*columns, "judged_in"]], on=columns)
    if len(found):
        raise TrialsError(
            f"{what.format(len(found), found['judged_in'].iloc[0])}, the first is {_name(found)}; training "
            f"data must not contain evaluation trials: separate them by a domain's split, or change the condition"
        )


def _name(trials: pd.DataFrame) -> str:
    return str(trials["trial_id"].iloc[0])
