"""Protocols and scores of a run as data frames, and error rates with intervals. Needs no torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import BONAFIDE, KEYS
from codecfake.statistics import significance
from codecfake.statistics.intervals import BootstrapSettings, Interval, Trials
from codecfake.statistics.significance import Comparison
from codecfake.verification.error_rates import SEED, bootstrap_eer, error_rate


class ResultsError(ValueError):
    """The run does not have these results."""


def read_protocols(run: str | Path = ".") -> pd.DataFrame:
    """All protocols of a run directory in one table, one row for each trial; every column is text.

    The columns are those of the protocols (`trial_id`, `utterance_id`, `speaker_id`, `key`, `source`, …) and
    `protocol`, the name of the protocol, such as `codec/train` or `eval/C1`.

    Raises ResultsError if the run has no protocols, and FileError if one is damaged.
    """
    folder = Path(run) / "results" / "protocols"
    paths = [path for path in visible(folder.glob("*/*.tsv")) if path.parent.name != "exports"]
    if not paths:
        raise ResultsError(f"{folder}: no protocols; write them with `codecfake run --run {run} -- protocols`")
    tables = [files.read_tsv(path).assign(protocol=f"{path.parent.name}/{path.stem}") for path in paths]
    return pd.concat(tables, ignore_index=True)


def read_scores(run: str | Path = ".", model: str | None = None) -> pd.DataFrame:
    """Every trial of a run directory with its score: the columns of its protocol, `model`, `condition` and `score`.

    `score` is a float, higher means more bona fide; all other columns are text. `model`: read only this one, such as
    `mel-lcnn/codec/erm/seed1`.

    Raises ResultsError if there are no scores, or if a score file and its protocol have different trials, and FileError
    if a file is damaged.
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
    """The equal error rate in [0, 1] as `estimate`, with the bounds `low` and `high` of its confidence interval.

    `scores` `[N]`: higher means bona fide; `keys` `[N]`: `bonafide` or `spoof`. The rate is the mean of miss and
    false-alarm rate where they are nearest, as in the evaluation package of ASVspoof 2021. The bounds come from a
    bootstrap over `speakers` `[N]`, or without them over trials. With `resamples` 0, or a single trial of a key, they
    are exact for independent trials (Clopper and Pearson).

    Raises ValueError for unknown keys, scores that are not finite, a key without trials, or a key whose trials come
    from one speaker.
    """
    values, is_bonafide = np.asarray(scores, dtype=float), _is_bonafide(keys, len(scores))
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


def compare(
    first: Sequence[float] | np.ndarray | pd.Series,
    second: Sequence[float] | np.ndarray | pd.Series,
    keys: Sequence[str] | np.ndarray | pd.Series,
    speakers: Sequence[str] | np.ndarray | pd.Series | None = None,
    resamples: int = 1000,
    level: float = 0.95,
) -> Comparison:
    """The EERs of two detectors on the same trials, and `difference`, first minus second, with its interval.

    `first` and `second` `[N]`: their scores of the same trials in the same order, higher means bona fide; `keys` and
    `speakers` `[N]` as for `eer`. Both detectors are evaluated on the same draws of speakers (without them: of trials),
    so effects that they share cancel out. `p_value` is that of Student's test of no difference, two-sided.

    Raises ValueError as `eer`, and if the scores are not as many as the keys.
    """
    is_bonafide = _is_bonafide(keys, len(first))
    names = None if speakers is None else np.asarray(speakers, dtype=str)
    settings = BootstrapSettings("trial" if names is None else "speaker", resamples, level)
    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    return significance.compare(Trials(is_bonafide, names), one, other, settings, np.random.default_rng(SEED))


def _is_bonafide(keys: Sequence[str] | np.ndarray | pd.Series, num_scores: int) -> np.ndarray:
    """Bool `[N]`. Raises ValueError unless every score has one of the two keys."""
    names = np.asarray(keys)
    unknown = sorted(set(names.tolist()) - set(KEYS))
    if unknown or len(names) != num_scores:
        raise ValueError(f"{num_scores} scores need as many keys, each one of {', '.join(KEYS)}; unknown: {unknown}")
    return names == BONAFIDE


def _scores_of(path: Path, protocol: pd.DataFrame, model: str) -> pd.DataFrame:
    scores = files.read_tsv(path)
    table = protocol.merge(scores[["trial_id", "score"]], on="trial_id", validate="one_to_one")
    if not len(table) == len(scores) == len(protocol):
        raise ResultsError(
            f"{path}: {len(scores)} scores, {len(protocol)} trials in its protocol, {len(table)} in both; score again"
        )
    return table.assign(score=table["score"].astype(float), model=model, condition=path.stem)
