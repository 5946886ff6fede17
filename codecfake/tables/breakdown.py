"""Where the errors are: EERs by attack, language and coding within a condition, and the errors of each speaker."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import CODING
from codecfake.statistics import metrics
from codecfake.tables.error_rates import Rows, over_conditions, write_csv
from codecfake.tables.settings import TableSettings
from codecfake.tables.trials import MODEL_COLUMNS, ConditionTrials, Model, read_joined, read_trials

ATTACK, LANGUAGE = "attack", "language"
GROUP_COLUMNS = [*MODEL_COLUMNS, "condition", "by", "group", "num_bonafide", "num_spoof", "eer_percent"]
COUNTS = ["num_bonafide", "num_spoof", "misses", "false_alarms"]
SPEAKER_COLUMNS = [*MODEL_COLUMNS, "speaker", *COUNTS, "trial_share_percent", "error_share_percent"]


def write_breakdown(
    score_root: Path, protocol_root: Path, settings: TableSettings, output: Path, workers: int = 1
) -> None:
    """Write `eer_groups.csv` and `speaker_errors.csv`.

    `eer_groups.csv` has a row for each attack, language and coding of the conditions that have several. An attack's
    spoofs are evaluated with all bona fide trials of the condition; a language or a coding needs trials of both keys,
    else its EER is empty. `speaker_errors.csv` counts the errors over all conditions at each condition's own EER
    threshold, so a bona fide trial counts in every condition that has it. Raises ScoreError as `read_trials` and
    `read_joined`.
    """
    work = partial(_condition, score_root, protocol_root, settings)
    groups, speakers = zip(*over_conditions(work, settings.conditions, workers), strict=True)
    rows = [row for part in groups for row in part]
    write_csv(output / "eer_groups.csv", pd.DataFrame(rows, columns=GROUP_COLUMNS))
    write_csv(output / "speaker_errors.csv", _shares(pd.concat(speakers, ignore_index=True), settings.models))


def _condition(
    score_root: Path, protocol_root: Path, settings: TableSettings, condition: str
) -> tuple[Rows, pd.DataFrame]:
    path = protocol_root / f"{condition}.tsv"
    trials = read_trials(path, settings.speakers_of.get(condition))
    table = files.read_tsv(path)
    traits = {column: table[column].to_numpy(str) for column in (LANGUAGE, CODING) if column in {LANGUAGE, *table}}
    rows: Rows = []
    counts = []
    for name in settings.models:
        scores = read_joined(score_root / name / f"{condition}.tsv", trials.keys)
        model = vars(Model.parse(name))
        rows += [{**model, "condition": condition, **row} for row in _groups(trials, traits, scores)]
        counts.append(_speaker_counts(trials, scores).assign(model=name))
    return rows, pd.concat(counts, ignore_index=True)


def _groups(trials: ConditionTrials, traits: dict[str, np.ndarray], scores: np.ndarray) -> Iterator[dict[str, object]]:
    is_bonafide, attacks = trials.is_bonafide, trials.labels.attacks
    assert attacks is not None
    of_spoofs = np.unique(attacks[~is_bonafide])
    for attack in of_spoofs if len(of_spoofs) > 1 else ():
        yield _group(ATTACK, attack, scores, is_bonafide, is_bonafide | (attacks == attack))
    for trait, values in traits.items():
        for value in np.unique(values) if len(np.unique(values)) > 1 else ():
            yield _group(trait, value, scores, is_bonafide, values == value)


def _group(by: str, name: str, scores: np.ndarray, is_bonafide: np.ndarray, mask: np.ndarray) -> dict[str, object]:
    bonafide, spoof = scores[mask & is_bonafide], scores[mask & ~is_bonafide]
    has_both = len(bonafide) > 0 and len(spoof) > 0
    return {
        "by": by,
        "group": name,
        "num_bonafide": len(bonafide),
        "num_spoof": len(spoof),
        "eer_percent": 100 * metrics.eer(bonafide, spoof).eer if has_both else np.nan,
    }


def _speaker_counts(trials: ConditionTrials, scores: np.ndarray) -> pd.DataFrame:
    """The trials and errors of each speaker at the condition's EER threshold."""
    is_bonafide = trials.is_bonafide
    accepted = scores > metrics.eer(scores[is_bonafide], scores[~is_bonafide]).threshold
    values = (is_bonafide, ~is_bonafide, is_bonafide & ~accepted, ~is_bonafide & accepted)
    table = pd.DataFrame(dict(zip(COUNTS, values, strict=True))).assign(speaker=trials.labels.speakers)
    return table.groupby("speaker", as_index=False)[COUNTS].sum()


def _shares(counts: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    """The counts over all conditions, with the speakers of most errors first; shares are empty without any error."""
    sums = counts.groupby(["model", "speaker"], as_index=False)[COUNTS].sum()
    trials, errors = sums["num_bonafide"] + sums["num_spoof"], sums["misses"] + sums["false_alarms"]
    for name, values in (("trial_share_percent", trials), ("error_share_percent", errors)):
        totals = values.groupby(sums["model"]).transform("sum")
        sums[name] = 100 * values / totals.where(totals > 0)
    names = pd.DataFrame([{"model": name, **vars(Model.parse(name))} for name in models])
    table = names.merge(sums.assign(errors=errors), on="model")
    table["place"] = table["model"].map({name: place for place, name in enumerate(models)})
    return table.sort_values(["place", "errors", "speaker"], ascending=[True, False, True])[SPEAKER_COLUMNS]
