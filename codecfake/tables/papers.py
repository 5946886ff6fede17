"""The papers' tables with our numbers: ours, the published one, and the difference."""

import math
from pathlib import Path

import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import KEYS
from codecfake.protocols.people import People
from codecfake.tables import grid
from codecfake.tables.error_rates import INTERVAL_COLUMNS, ErrorRates, write_csv
from codecfake.tables.published import LABELS, OURS, CountTable, Published, PublishedTable

GROUP = ["detector", "training_set", "strategy"]
NUMBERS = ["num_seeds", "eer_percent", "eer_std_percent", *INTERVAL_COLUMNS]
OTHER_DATA = "data and sizes are not the paper's: cells are set side by side by name alone"


def write_paper_table(table: PublishedTable, error_rates: ErrorRates, path: Path, is_of_paper: bool) -> None:
    """Write `{path}.csv`, a row per cell, and the table in its printed layout as `{path}.tex` and `{path}.html`."""
    cells = side_by_side(table, error_rates, is_of_paper)
    write_csv(path.with_name(f"{path.name}.csv"), cells)
    grid.write(_grid(table, cells, is_of_paper), path)


def side_by_side(table: PublishedTable, error_rates: ErrorRates, is_of_paper: bool) -> pd.DataFrame:
    """Every cell of a published table with our number, NaN if we measured none. Differences are ours − published.

    We have an average if we have all of its cells. It has no interval, because its conditions share bona fide trials.
    """
    single = error_rates.seeds.set_index([*GROUP, "condition"])[NUMBERS]
    rows = [_our_numbers(table, cell, error_rates, single) for _, cell in table.cells.iterrows()]
    table_of_cells = pd.concat([table.cells[[*LABELS, *OURS]], pd.DataFrame(rows, columns=NUMBERS)], axis=1)
    table_of_cells["num_seeds"] = table_of_cells["num_seeds"].astype("Int64")
    table_of_cells["published_percent"] = table.cells["value"]
    table_of_cells["difference_percent_points"] = table_of_cells["eer_percent"] - pd.to_numeric(table.cells["value"])
    table_of_cells["published_note"] = table.cells["note"]
    table_of_cells["note"] = "" if is_of_paper else OTHER_DATA
    return table_of_cells


def _our_numbers(
    table: PublishedTable, cell: pd.Series, error_rates: ErrorRates, single: pd.DataFrame
) -> dict[str, object]:
    place = tuple(cell[OURS])
    if cell["condition"] not in table.averages:
        return dict(single.loc[place]) if place in single.index else {}
    conditions = list(table.members(cell)["our_condition"])
    models = error_rates.models[(error_rates.models[GROUP] == list(place[:3])).all(axis=1)]
    seeds = models.pivot(index="seed", columns="condition", values="eer_percent")
    if not set(conditions) <= set(seeds.columns):
        return {}
    means = seeds[conditions].mean(axis=1)
    return {
        "num_seeds": len(means),
        "eer_percent": means.mean(),
        "eer_std_percent": means.std() if len(means) > 1 else math.nan,
    }


def _grid(table: PublishedTable, cells: pd.DataFrame, is_of_paper: bool) -> grid.Grid:
    columns_of_labels = [label for label in LABELS[:-1] if cells[label].nunique() > 1 or label == "detector"]
    lines = []
    for labels, row in cells.groupby(LABELS[:-1], sort=False):
        names = tuple(dict(zip(LABELS, labels, strict=False))[label] for label in columns_of_labels)
        for kind, text in (("published", _published_text), ("ours", _our_text), ("difference", _difference_text)):
            lines.append(grid.Line((*names, kind), [text(cell, table.decimals) for _, cell in row.iterrows()]))
    columns = list(dict.fromkeys(cells["condition"]))
    caption = f"{table.paper}, {table.place}: {table.caption}"
    return grid.Grid(caption, [*columns_of_labels, ""], columns, lines, _notes(cells, is_of_paper))


def _published_text(cell: pd.Series, decimals: int) -> str:
    return str(cell["published_percent"])


def _our_text(cell: pd.Series, decimals: int) -> str:
    """`1.234 ± 0.100 [1.100, 1.400]`, without unknown parts."""
    if pd.isna(cell["eer_percent"]):
        return ""
    text = f"{cell['eer_percent']:.{decimals}f}"
    if not math.isnan(cell["eer_std_percent"]):
        text += f" ± {cell['eer_std_percent']:.{decimals}f}"
    if not math.isnan(cell["eer_low_percent"]):
        text += f" [{cell['eer_low_percent']:.{decimals}f}, {cell['eer_high_percent']:.{decimals}f}]"
    return text


def _difference_text(cell: pd.Series, decimals: int) -> str:
    difference = cell["difference_percent_points"]
    return "" if math.isnan(difference) else f"{difference:+.{decimals}f}".replace("-", "−")


def _notes(cells: pd.DataFrame, is_of_paper: bool) -> list[str]:
    """Notes on these numbers for readers."""
    level = cells["interval_level"].dropna()
    notes = [] if is_of_paper else [f"Of ours, {OTHER_DATA}."]
    if len(level):
        methods = "; ".join(sorted(cells["interval_method"].dropna().unique()))
        notes.append(f"In brackets: intervals of {100 * level.iloc[0]:g} % ({methods}). Averages have none.")
    if (cells["num_seeds"] > 1).any():
        notes.append("Of several seeds: the mean ± the standard deviation; intervals are for these very seeds.")
    with_note = cells[cells["published_note"] != ""]
    notes += [f"{' '.join(filter(None, row[LABELS]))}: {row['published_note']}." for _, row in with_note.iterrows()]
    few = sorted({part for note in cells["interval_note"].dropna() for part in note.split("; ") if "not drawn" in part})
    return notes + [f"Some intervals: {part}." for part in few]


def write_count_table(table: CountTable, protocols: Path, path: Path) -> None:
    """Write `{path}.csv`, `.tex` and `.html`: printed counts next to those of the protocols under `protocols`."""
    cells = table.cells[table.labels].copy()
    references = table.cells[["our_protocol", "our_key", "our_count"]].itertuples(index=False)
    cells["ours"] = [_count(protocols / f"{protocol}.tsv", key, what) for protocol, key, what in references]
    cells["published"] = table.cells["value"]
    numbers = pd.to_numeric(table.cells["value"], errors="coerce")
    cells["difference"] = (cells["ours"] - numbers).astype("Int64")
    write_csv(path.with_name(f"{path.name}.csv"), cells)
    columns = ["published", "ours", "difference"]
    lines = [
        grid.Line(tuple(row[table.labels]), ["" if pd.isna(row[column]) else str(row[column]) for column in columns])
        for _, row in cells.iterrows()
    ]
    caption = f"{table.paper}, {table.place}: {table.caption}"
    grid.write(grid.Grid(caption, table.labels, columns, lines), path)


def _count(path: Path, key: str, what: str) -> object:
    """The number of utterances or speakers of one key, or of both, in a protocol; NA if the protocol does not exist."""
    if not key or not path.exists():
        return pd.NA
    trials = files.read_tsv(path)
    rows = trials[trials["key"].isin(KEYS if key == "all" else [key])]
    if what == "utterances":
        return len(rows)
    return People(rows).names(rows).nunique()


def write_papers(
    published: Published, names: list[str], error_rates: ErrorRates, protocols: Path, output: Path, title: str
) -> None:
    """Write the named tables of the papers into the folder `output`; `protocols` holds `{domain}/{split}.tsv`."""
    count_tables = published.counts_of(title)
    for name in names:
        if name in count_tables:
            write_count_table(published.counts(name), protocols, output / name)
        else:
            write_paper_table(
                published.error_rates(name), error_rates, output / name, published.is_of_paper(name, title)
            )
