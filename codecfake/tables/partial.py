"""The table of partial fakes: how well a detector finds them, and the spans in them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base.utterances import SPOOF
from codecfake.statistics.clustered import clustered_eer, eer_of_counts
from codecfake.statistics.intervals import Interval
from codecfake.tables import segments
from codecfake.tables.eer_intervals import generator
from codecfake.tables.error_rates import write_csv
from codecfake.tables.partial_settings import PartialTableSettings
from codecfake.tables.trials import MODEL_COLUMNS, Model

PARTIAL = "partial"  # the name of the table
# The segments in spans against the same segments of the recordings; whole utterances by their lowest segment; all
# segments, as PartialSpoof does; all time, as Zhang et al. 2023 do
MEASURES = SEGMENT, UTTERANCE, POOLED, RANGE = "segment", "utterance", "pooled", "range"
COLUMNS = [
    *MODEL_COLUMNS, "condition", "source", "measure", "eer_percent", "eer_low_percent", "eer_high_percent",
    "num_bonafide", "num_spoof", "clusters", "note",
]  # fmt: skip


def write_partial(scores: Path, protocols: Path, spans: Path, settings: PartialTableSettings, output: Path) -> None:
    """Write `partial.csv` from `scores/{model}.tsv`, `protocols/{condition}.tsv` and `spans/{corpus}/{source}.tsv`.

    `num_bonafide` and `num_spoof` count segments, utterances, or seconds of a range. Raises ScoreError if the segments
    are not those of the trials.
    """
    rows = [
        {**vars(Model.parse(model)), "condition": condition, "source": source, **row}
        for condition, source in settings.conditions.items()
        for model in settings.models
        for row in _rows(scores / f"{model}.tsv", protocols / f"{condition}.tsv", spans, settings, model, condition)
    ]
    write_csv(output / f"{PARTIAL}.csv", pd.DataFrame(rows, columns=COLUMNS))


def _rows(
    scores: Path, protocol: Path, root: Path, settings: PartialTableSettings, model: str, condition: str
) -> Iterator[dict[str, object]]:
    source, speakers_of = settings.conditions[condition], settings.speakers_of.get(condition, {})
    table = segments.read_segments(scores, protocol, root, source, settings.spoof_share, speakers_of)
    spans = segments.read_spans(root, dict.fromkeys(table.loc[table["key"] == SPOOF, "corpus"]), source)
    lowest = segments.lowest(table)
    tables = {
        SEGMENT: segments.pairs(table),
        UTTERANCE: lowest.assign(is_coded=lowest["key"] == SPOOF),
        POOLED: table,
        RANGE: segments.stretches(table, spans),
    }
    for measure, part in tables.items():
        yield _row(measure, part, settings, generator(settings.seed, model, condition, measure))


def _row(
    measure: str, table: pd.DataFrame, settings: PartialTableSettings, rng: np.random.Generator
) -> dict[str, object]:
    interval, is_bonafide, weights = _interval(table, settings, rng), ~table["is_coded"].to_numpy(), _weights(table)
    units = 1000 if measure == RANGE else 1
    return {
        "measure": measure,
        "eer_percent": 100 * interval.estimate,
        "eer_low_percent": 100 * interval.low,
        "eer_high_percent": 100 * interval.high,
        "num_bonafide": weights[is_bonafide].sum() / units,
        "num_spoof": weights[~is_bonafide].sum() / units,
        "clusters": interval.clusters,
        "note": interval.note,
    }


def _interval(table: pd.DataFrame, settings: PartialTableSettings, rng: np.random.Generator) -> Interval:
    """The EER with its interval over speakers, or over utterances if a key has only one speaker."""
    scores, is_bonafide, weights = table["score"].to_numpy(), ~table["is_coded"].to_numpy(), _weights(table)
    notes: list[str] = []
    for column, name in (("speaker", "speakers"), ("utterance", "utterances")):
        try:
            clusters = table[column].to_numpy(str)
            interval = clustered_eer(scores, is_bonafide, clusters, settings.bootstrap, rng, weights)
            return _with_notes(interval, notes)
        except ValueError as error:
            notes.append(f"no resampling of {name}: {error}")
    estimate = float(eer_of_counts(scores, is_bonafide, weights[None])[0])
    return _with_notes(Interval(estimate, np.nan, np.nan, settings.level, "none", 1, 0), notes)


def _with_notes(interval: Interval, notes: list[str]) -> Interval:
    few = [f"few clusters ({interval.clusters})"] if interval.few_clusters else []
    return replace(interval, note="; ".join(filter(None, [interval.note, *notes, *few])))


def _weights(table: pd.DataFrame) -> np.ndarray:
    """Milliseconds of stretches of time; 1 for anything else. int64 `[N]`."""
    return table["milliseconds"].to_numpy() if "milliseconds" in table else np.ones(len(table), np.int64)
