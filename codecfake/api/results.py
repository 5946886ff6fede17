"""Protocols and scores of a run as data frames, and error rates with intervals. Needs no torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import BONAFIDE, KEYS
from codecfake.statistics.intervals import BootstrapSettings, Interval
from codecfake.verification.error_rates import bootstrap_eer, error_rate


class ResultsError(ValueError):
    """The run does not have these results."""


def read_protocols(run: str | Path = ".") -> pd.DataFrame:
    """All protocols of a run directory in one table; the column `protocol` has their names, such as `eval/C1`."""
    folder = Path(run) / "results" / "protocols"
    paths = [path for path in visible(folder.glob("*/*.tsv")) if path.parent.name != "exports"]
    if not paths:
        raise ResultsError(f"{folder}: no protocols; write them with `codecfake run --run {run} -- protocols`")
    tables = [files.read_tsv(path).assign(protocol=f"{path.parent.name}/{path.stem}") for path in paths]
    return pd.concat(tables, ignore_index=True)


def read_scores(run: str | Path = ".", model: str | None = None) -> pd.DataFrame:
    """Every trial of a run directory with its score: columns of the protocol, and `model`, `condition`, `score`.

    `model`: read only this one, such as `mel-lcnn/codec/erm/seed1`.
    Raises ResultsError if there are no scores, or if a score file and its protocol have different trials.
    """
    results = Path(run) / "results"
    paths = visible((results / "scores").glob(f"{model}/*.tsv" if model else "**/*.tsv"))
    if not paths:
        raise ResultsError(f"{results / 'scores'}: no scores{f' of {model}' if model else ''}")
    protocols = {name: files.read_tsv(results / f"protocols/eval/{name}.tsv") for name in {path.stem for path in paths}}
    tables = [
        _scores_of(path, protocols[path.stem], path.parent.relative_to(results / "scores").as_posix()) for path in paths
    ]
    return pd.concat(tables, ignore_index=True)


def eer(
    scores: Sequence[float] | np.ndarray | pd.Series,
    keys: Sequence[str] | np.ndarray | pd.Series,
    speakers: Sequence[str] | np.ndarray | pd.Series | None = None,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval:
    """The equal error rate in [0, 1] as `estimate`, with its bounds `low` and `high`.

    `scores` `[N]`: higher means bona fide; `keys` `[N]`: `bonafide` or `spoof`. The bounds come from a bootstrap over
    `speakers` `[N]`, or without them over trials; with resamples 0, or a single trial of a key, they are exact.

    Raises ValueError for unknown keys, scores that are not finite, or a key without trials.
    """
    values, names = np.asarray(scores, dtype=float), np.asarray(keys)
    unknown = sorted(set(names.tolist()) - set(KEYS))
    if unknown or len(names) != len(values):
        raise ValueError(f"{len(values)} scores need as many keys, each one of {', '.join(KEYS)}; unknown: {unknown}")
    is_bonafide = names == BONAFIDE
    bonafide, spoof = values[is_bonafide], values[~is_bonafide]
    rate = error_rate(bonafide, spoof, level)
    if resamples == 0 or min(len(bonafide), len(spoof)) < 2:
        fewest = min(len(bonafide), len(spoof))
        return Interval(float(rate.percent) / 100, rate.low / 100, rate.high / 100, level, rate.method, fewest, 0)
    units = None
    if speakers is not None:
        names_of_speakers = np.asarray(speakers, dtype=str)
        units = np.concatenate((names_of_speakers[is_bonafide], names_of_speakers[~is_bonafide]))
    by = "trial" if units is None else "speaker"
    return bootstrap_eer(bonafide, spoof, BootstrapSettings(by, resamples, level), units)


def _scores_of(path: Path, protocol: pd.DataFrame, model: str) -> pd.DataFrame:
    scores = files.read_tsv(path)
    table = protocol.merge(scores[["trial_id", "score"]], on="trial_id", validate="one_to_one")
    if not len(table) == len(scores) == len(protocol):
        raise ResultsError(
            f"{path}: {len(scores)} scores, {len(protocol)} trials in its protocol, {len(table)} in both; score again"
        )
    return table.assign(score=table["score"].astype(float), model=model, condition=path.stem)
