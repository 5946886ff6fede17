"""Where the errors are: cross-testing, held-out codecs, attacks, languages and speakers, as tables for the page."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from codecfake.base import files
from codecfake.report.answer import decimals_by_condition
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.training import TrainedModel
from codecfake.tables import MODEL_COLUMNS, Model
from codecfake.tables.settings import CROSS_COLUMNS, GROUP_COLUMNS, MACRO, POOLED

MOST_SPEAKERS = 5  # that are named for each model
TEXT_COLUMNS = [
    "detector",
    "training_set",
    "strategy",
    "condition",
    "by",
    "group",
    "kind",
    "speaker",
    "source",
    "policy",
    "trained_on",
    "content",
    "spoofs",
    "conditions",
]
TEXT = dict.fromkeys(TEXT_COLUMNS, str)


@dataclass(frozen=True)
class Row:
    label: str
    detector: str
    random_front_end: bool
    cells: list[str]


@dataclass(frozen=True)
class AnalysisTable:
    title: str
    columns: list[str]
    rows: list[Row]


@dataclass(frozen=True)
class SpeakerErrors:
    """The speakers with most errors of one model; shares in percent."""

    model: str
    random_front_end: bool
    num_speakers: int
    num_errors: int
    speakers: list[tuple[str, str, str]]  # name, share of errors, share of trials


def cross_tables(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[AnalysisTable]:
    """Every training set on every corpus, with the averages over corpora and over conditions.

    Raises ReportError if a table was not written, as do the other functions here.
    """
    conditions = read_table(inputs, "cross_conditions").set_index(GROUP_COLUMNS)
    corpora = read_table(inputs, "cross_corpora")
    names = [name for name in corpora.columns if name not in CROSS_COLUMNS]
    columns = [*names, "mean of corpora", "mean of conditions", "pooled"]
    random, decimals = random_groups(trained_models), min(decimals_by_condition(inputs).values())
    rows = []
    for _, row in corpora.iterrows():
        place = tuple(row[GROUP_COLUMNS])
        if "/".join(place) in random:
            values = [row[name] for name in names] + [row[MACRO], conditions.loc[place, MACRO], row[POOLED]]
            rows.append(row_of(place, random, [percent(value, decimals) for value in values]))
    return [AnalysisTable("Across corpora", columns, rows)] if rows else []


def held_out_tables(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[AnalysisTable]:
    """Codecs that a training set lacks, beside the training sets that have them."""
    table, random = read_table(inputs, "held_out"), random_groups(trained_models)
    decimals, rows = decimals_by_condition(inputs), []
    for _, row in table.iterrows():
        place = row["detector"], row["training_set"], row["strategy"]
        if "/".join(place) in random and row["condition"] in inputs.conditions:
            places = decimals[row["condition"]]
            difference = f"{row['difference_percent_points']:+.{places}f}".replace("-", "−").replace("+nan", "–")
            numbers = [percent(row[name], places) for name in ("eer_percent", "eer_with_codec_percent")]
            numbers.append(difference)
            rows.append(row_of(place, random, [str(row["condition"]), *numbers]))
    columns = ["condition", "held out", "in training", "difference"]
    return [AnalysisTable("Codecs that are not in the training data", columns, rows)] if rows else []


def group_tables(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[AnalysisTable]:
    """EERs by attack, language and coding: one table for each condition that has several, means over seeds."""
    table, random = read_table(inputs, "eer_groups"), random_groups(trained_models)
    table = table[table["condition"].isin(inputs.conditions)]
    decimals, tables = decimals_by_condition(inputs), []
    for (condition, by), rows in table.groupby(["condition", "by"], sort=False):
        means = rows.pivot_table("eer_percent", GROUP_COLUMNS, "group", sort=False, dropna=False)
        places = decimals[str(condition)]
        lines = [row_of(place, random, [percent(value, places) for value in row]) for place, row in _of(means, random)]
        columns = [str(name) for name in means.columns]
        tables.append(AnalysisTable(f"{condition} by {by}", columns, lines))
    return sorted(tables, key=lambda one: inputs.conditions.index(one.title.split(" by ")[0]))


def taxonomy_tables(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[AnalysisTable]:
    """EERs by what codecs are made of: a table for each word of which several kinds are evaluated, means over seeds."""
    table, random = read_table(inputs, "taxonomy"), random_groups(trained_models)
    decimals, tables = min(decimals_by_condition(inputs).values()), []
    for word, rows in table.groupby("by", sort=False):
        means = rows.pivot_table("eer_percent", GROUP_COLUMNS, "kind", sort=False)
        lines = [
            row_of(place, random, [percent(value, decimals) for value in row]) for place, row in _of(means, random)
        ]
        columns = [str(name).replace("_", " ") for name in means.columns]
        tables += [AnalysisTable(f"By {word}", columns, lines)] if len(columns) > 1 else []
    return tables


def speaker_errors(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[SpeakerErrors]:
    """The speakers with most errors of every model, in the order of the models."""
    table = read_table(inputs, "speaker_errors")
    table["model"] = [Model(*row).name for row in table[MODEL_COLUMNS].itertuples(index=False)]
    random = {t.model.name: t.has_random_front_end for t in trained_models}
    return [_speakers(name, random[name], table[table["model"] == name]) for name in inputs.models]


def _speakers(name: str, is_random: bool, rows: pd.DataFrame) -> SpeakerErrors:
    errors = rows["misses"] + rows["false_alarms"]
    first = rows[errors > 0].head(MOST_SPEAKERS)
    shares = first[["speaker", "error_share_percent", "trial_share_percent"]].itertuples(index=False, name=None)
    texts = [(speaker, f"{of_errors:.1f}", f"{of_trials:.1f}") for speaker, of_errors, of_trials in shares]
    return SpeakerErrors(name, is_random, len(rows), int(errors.sum()), texts)


def _of(means: pd.DataFrame, random: dict[str, bool]) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """The rows of the models shown."""
    for place, row in means.iterrows():
        assert isinstance(place, tuple)
        if "/".join(place) in random:
            yield place, list(row)


def row_of(place: tuple[str, ...], random: dict[str, bool], cells: list[str]) -> Row:
    detector, training_set, strategy = place
    return Row(f"{training_set}, {strategy}", detector, random["/".join(place)], cells)


def random_groups(trained_models: list[TrainedModel]) -> dict[str, bool]:
    """Group of models -> whether its front-end has random weights."""
    return {one.model.group: one.has_random_front_end for one in trained_models}


def percent(value: float, decimals: int) -> str:
    return "–" if pd.isna(value) else f"{value:.{decimals}f}"


def percent_range(values: pd.Series) -> str:
    """The least and the greatest of some percentages, or the one that all round to."""
    low, high = f"{values.min():.1f}", f"{values.max():.1f}"
    return f"{low}\u00a0%" if low == high else f"{low} to {high}\u00a0%"


def read_table(inputs: ReportInputs, name: str) -> pd.DataFrame:
    path: Path = inputs.results / f"tables/{name}.csv"
    if not path.exists():
        raise ReportError(f"{path}: no such table; write the tables again")
    return files.read_csv(path, dtype=TEXT)
