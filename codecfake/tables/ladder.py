"""Laundering ladders: the EER of a condition, and of the same trials at each step of a degradation."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from codecfake.base.degraded_names import label, parts, with_degradation
from codecfake.tables.error_rates import SEED_COLUMNS, ErrorRates, write_csv
from codecfake.tables.settings import GROUP_COLUMNS, TableSettings

LADDER = "ladder"  # the name of the table
COLUMNS = [*GROUP_COLUMNS, "condition", "kind", "step", "value", *SEED_COLUMNS]


def write_ladder(error_rates: ErrorRates, settings: TableSettings, output: Path) -> None:
    """Write `ladder.csv`, means over seeds; step 0 is the plain condition and has no value.

    There is no table without ladders.
    """
    if settings.ladders:
        write_csv(output / f"{LADDER}.csv", pd.DataFrame(_rows(error_rates.seeds, settings), columns=COLUMNS))


def _rows(seeds: pd.DataFrame, settings: TableSettings) -> Iterator[dict[str, object]]:
    """Models in the order of the table, then conditions, kinds and steps in the order of the experiment."""
    by_place = seeds.set_index([*GROUP_COLUMNS, "condition"])
    for model in dict.fromkeys(seeds[GROUP_COLUMNS].itertuples(index=False, name=None)):
        for condition, kind, step, value in steps(settings.ladders):
            name = with_degradation(condition, label(kind, value) if step else "")
            row = by_place.loc[(*model, name), SEED_COLUMNS].to_dict()
            place = dict(zip(GROUP_COLUMNS, model, strict=True))
            yield {**place, "condition": condition, "kind": kind, "step": step, "value": value, **row}


def steps(ladders: dict[str, list[str]]) -> Iterator[tuple[str, str, int, str]]:
    """(condition, kind, step, value) of all ladders, each from step 0, whose value is ""."""
    for condition, degradations in ladders.items():
        by_kind: dict[str, list[str]] = {}
        for degradation in degradations:
            kind, value = parts(degradation)
            by_kind.setdefault(kind, [""]).append(value)
        for kind, values in by_kind.items():
            yield from ((condition, kind, step, value) for step, value in enumerate(values))
