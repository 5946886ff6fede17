"""Error rates by what codecs are made of: quantizer, auxiliary objective, decoder domain, as in CodecFake+ (2025)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols.trials import RECORDING
from codecfake.statistics import metrics
from codecfake.tables.error_rates import write_csv
from codecfake.tables.settings import MACRO, TableSettings
from codecfake.tables.trials import MODEL_COLUMNS, Model, read_joined, read_protocol

COLUMNS = [*MODEL_COLUMNS, "by", "kind", "num_sources", "num_bonafide", "num_spoof", "eer_percent", MACRO]


def write_taxonomy(score_root: Path, protocol_root: Path, settings: TableSettings, output: Path) -> None:
    """Write `taxonomy.csv`; without codecs whose kinds are stated, it has no rows.

    The spoofs of all sources of a kind are evaluated with the bona fide trials of the conditions that have them, each
    recording once: `eer_percent` has one threshold for all of them, and `macro_average` is the mean of the EERs of the
    sources. Raises ScoreError as `read_joined`.
    """
    keys = {name: read_protocol(protocol_root / f"{name}.tsv") for name in settings.conditions}
    trials = _read(protocol_root, settings.conditions)
    groups, sources = list(_groups(trials, settings.kinds)), _by_source(trials, settings.kinds)
    rows = []
    for name in settings.models:
        parts = [read_joined(score_root / name / f"{condition}.tsv", keys[condition]) for condition in keys]
        scores = np.concatenate(parts)
        of_source = {source: group.eer_percent(scores) for source, group in sources.items()}
        rows += [{**vars(Model.parse(name)), **_row(group, scores, of_source)} for group in groups]
    write_csv(output / "taxonomy.csv", pd.DataFrame(rows, columns=COLUMNS))


@dataclass(frozen=True)
class _Group:
    """The spoofs of sources, with the bona fide trials of the conditions that have them, each recording once."""

    by: str
    kind: str
    sources: list[str]
    bonafide: np.ndarray  # [N] rows of all trials
    spoof: np.ndarray

    @classmethod
    def of(cls, trials: pd.DataFrame, sources: list[str], by: str = "", kind: str = "") -> "_Group":
        is_spoof = trials["source"].isin(sources) & (trials["key"] != BONAFIDE)
        conditions = trials.loc[is_spoof, "condition"].unique()
        is_bonafide = (trials["key"] == BONAFIDE) & trials["condition"].isin(conditions)
        return cls(by, kind, sources, _once(trials[is_bonafide]), _once(trials[is_spoof]))

    def eer_percent(self, scores: np.ndarray) -> float:
        return 100 * metrics.eer(scores[self.bonafide], scores[self.spoof]).eer


def _read(protocol_root: Path, conditions: Iterable[str]) -> pd.DataFrame:
    tables = [files.read_tsv(protocol_root / f"{name}.tsv").assign(condition=name) for name in conditions]
    return pd.concat(tables, ignore_index=True)


def _once(trials: pd.DataFrame) -> np.ndarray:
    """The rows of trials without those of a recording that an earlier condition has."""
    return trials.index[~trials.duplicated(RECORDING)].to_numpy()


def _by_source(trials: pd.DataFrame, kinds: dict[str, dict[str, str]]) -> dict[str, _Group]:
    evaluated = sorted(set(trials.loc[trials["key"] != BONAFIDE, "source"]) & set(kinds))
    return {source: _Group.of(trials, [source]) for source in evaluated}


def _groups(trials: pd.DataFrame, kinds: dict[str, dict[str, str]]) -> Iterator[_Group]:
    """A group for each kind of each word."""
    evaluated = sorted(set(trials.loc[trials["key"] != BONAFIDE, "source"]) & set(kinds))
    for word in kinds[evaluated[0]] if evaluated else ():
        for kind in sorted({kinds[source][word] for source in evaluated}):
            yield _Group.of(trials, [source for source in evaluated if kinds[source][word] == kind], word, kind)


def _row(group: _Group, scores: np.ndarray, of_source: dict[str, float]) -> dict[str, object]:
    return {
        "by": group.by,
        "kind": group.kind,
        "num_sources": len(group.sources),
        "num_bonafide": len(group.bonafide),
        "num_spoof": len(group.spoof),
        "eer_percent": group.eer_percent(scores),
        MACRO: float(np.mean([of_source[source] for source in group.sources])),
    }
