"""The result of a run: the best detector, and the table of error rates behind that sentence."""

import math
from dataclasses import dataclass

import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import SPOOF
from codecfake.detectors.released_forms import is_released
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.training import TrainedModel
from codecfake.tables import INTERVAL_COLUMNS, MODEL_COLUMNS, Model

UNRELIABLE = ("few clusters", "no resampling by")  # in notes of `codecfake.tables.eer_intervals`
CHANCE = 50.0  # percent


@dataclass(frozen=True)
class Column:
    """A condition or an average of several; `unseen`: no spoof of this kind was in the training data."""

    name: str
    conditions: tuple[str, ...]
    unseen: bool
    num_bonafide: str  # "" for averages
    num_spoof: str
    step: str
    num_speakers: str
    decimals: int

    @property
    def is_average(self) -> bool:
        return not self.num_bonafide


@dataclass(frozen=True)
class Interval:
    """Bounds of an EER in percent, for these seeds."""

    low: float
    high: float
    level: float
    method: str
    note: str  # a warning for the reader, or ""

    @property
    def unreliable(self) -> bool:
        """Whether it comes from few speakers or attacks, or could not be resampled by them."""
        return any(sign in self.note for sign in UNRELIABLE)

    @property
    def title(self) -> str:
        return "; ".join(filter(None, [f"{100 * self.level:g} %: {self.method}", self.note]))


@dataclass(frozen=True)
class Cell:
    """An EER in percent, the mean over seeds."""

    eer: float
    spread: float | None  # standard deviation over seeds; None for one seed
    decimals: int
    interval: Interval | None = None  # None for averages, whose conditions share bona fide trials

    @property
    def text(self) -> str:
        return f"{self.eer:.{self.decimals}f}"

    @property
    def spread_text(self) -> str:
        return "" if self.spread is None else f"± {self.spread:.{self.decimals}f}"

    @property
    def interval_text(self) -> str:
        if self.interval is None:
            return ""
        return f"{self.interval.low:.{self.decimals}f}–{self.interval.high:.{self.decimals}f}"

    @property
    def heat(self) -> str:
        """From 0 (no error) to 1 (chance); the square root makes small errors distinguishable."""
        return f"{math.sqrt(min(self.eer / CHANCE, 1)):.2f}"

    @property
    def inverted(self) -> bool:
        return self.eer > CHANCE


@dataclass(frozen=True)
class Row:
    detector: str
    random_front_end: bool
    cells: list[Cell]


@dataclass(frozen=True)
class EerTable:
    """All detectors of one training set and strategy."""

    training_set: str
    strategy: str
    seeds: list[int]  # of released weights: SEED alone
    columns: list[Column]
    rows: list[Row]  # in the order of the experiment

    @property
    def origin(self) -> str:
        """Of its detectors, for a sentence: `trained on codec`, `with released weights`."""
        name = self.training_set
        return f"with {name} weights" if is_released(name) else f"trained on {name}"

    @property
    def best(self) -> Row:
        """The row with the lowest first average; ties are decided by the second, and so on."""
        return min(self.rows, key=self.ranking)

    def ranking(self, row: Row) -> list[float]:
        """The averages of a row in percent, in their order; without averages, its EERs under all conditions."""
        averages = [cell.eer for column, cell in zip(self.columns, row.cells, strict=True) if column.is_average]
        return averages or [cell.eer for cell in row.cells]


@dataclass(frozen=True)
class IntervalLegend:
    """What the report says once about all intervals."""

    level: float
    methods: list[str]
    has_unreliable: bool


@dataclass(frozen=True)
class Finding:
    """The best detector of one training set and strategy, for a sentence."""

    table: EerTable

    @property
    def row(self) -> Row:
        return self.table.best

    @property
    def tied(self) -> list[Row]:
        """Other detectors of the table with exactly the same averages."""
        best = self.table.ranking(self.row)
        return [row for row in self.table.rows if row is not self.row and self.table.ranking(row) == best]

    @property
    def model(self) -> str:
        """The name of the first model behind it."""
        return Model(self.row.detector, self.table.training_set, self.table.strategy, self.table.seeds[0]).name

    @property
    def averages(self) -> list[tuple[Column, Cell]]:
        pairs = zip(self.table.columns, self.row.cells, strict=True)
        return [(column, cell) for column, cell in pairs if column.is_average]


Intervals = dict[tuple[str, str, int], Interval]  # model group, condition and number of seeds -> its interval


def eer_tables(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[EerTable]:
    """One table per training set and strategy, in the order of the models.

    Raises ReportError if a model or a condition is not in the table of error rates.
    """
    table = read_table(inputs, "eer.csv")
    intervals = _intervals(inputs)
    attacks = {name: attacks_of(inputs, f"eval/{name}") for name in inputs.conditions}
    groups: dict[tuple[str, str], list[TrainedModel]] = {}
    for one in trained_models:
        groups.setdefault((one.model.training_set, one.model.strategy), []).append(one)
    return [_eer_table(inputs, table, intervals, attacks, group) for group in groups.values()]


def findings(tables: list[EerTable]) -> list[Finding]:
    """The best detector of every table, the best of all first."""
    return sorted((Finding(table) for table in tables), key=lambda finding: finding.table.ranking(finding.row))


def interval_legend(tables: list[EerTable]) -> IntervalLegend | None:
    """How the intervals in the tables were computed; None without intervals."""
    cells = [cell for table in tables for row in table.rows for cell in row.cells]
    intervals = [cell.interval for cell in cells if cell.interval is not None]
    if not intervals:
        return None
    methods = sorted({interval.method.replace("_", " ") for interval in intervals})
    return IntervalLegend(intervals[0].level, methods, any(interval.unreliable for interval in intervals))


def read_table(inputs: ReportInputs, name: str) -> pd.DataFrame:
    """A table of `codecfake.tables`, indexed by model name and condition; only what the report shows, in its order."""
    path = inputs.results / "tables" / name
    text = dict.fromkeys(["detector", "training_set", "strategy", "condition"], str)
    table = files.read_csv(path, dtype=text)
    table["model"] = [Model(*row).name for row in table[MODEL_COLUMNS].itertuples(index=False)]
    rows = pd.MultiIndex.from_product([inputs.models, inputs.conditions], names=["model", "condition"])
    table = table.set_index(["model", "condition"])
    for model, condition in rows.difference(table.index):
        raise ReportError(f"{path}: no row for {model} under {condition}; write the tables again, with this model")
    return table.loc[rows]


def _intervals(inputs: ReportInputs) -> Intervals:
    """The rows of `eer_seeds.csv` with bounds; it has means over the seeds of this run only."""
    text = dict.fromkeys(["detector", "training_set", "strategy", "condition"], str)
    table = files.read_csv(inputs.results / "tables/eer_seeds.csv", dtype=text).dropna(subset="eer_low_percent")
    table["interval_note"] = table["interval_note"].fillna("")
    groups = ["/".join(row) for row in table[["detector", "training_set", "strategy"]].itertuples(index=False)]
    keys = zip(groups, table["condition"], table["num_seeds"], strict=True)
    bounds = table[INTERVAL_COLUMNS].itertuples(index=False)
    return {key: Interval(*row) for key, row in zip(keys, bounds, strict=True)}


def attacks_of(inputs: ReportInputs, protocol: str) -> frozenset[str]:
    """The attacks in a protocol."""
    table = files.read_tsv(inputs.results / "protocols" / f"{protocol}.tsv")
    return frozenset(table.loc[table["key"] == SPOOF, "attack"])


def _eer_table(
    inputs: ReportInputs,
    table: pd.DataFrame,
    intervals: Intervals,
    attacks: dict[str, frozenset[str]],
    trained_models: list[TrainedModel],
) -> EerTable:
    model = trained_models[0].model
    names = [t.model.name for t in trained_models]
    protocols = inputs.training_protocols.get(model.training_set)
    trained_on = frozenset().union(*(attacks_of(inputs, protocol) for protocol in protocols or []))
    unseen = {condition for condition, made_by in attacks.items() if protocols and not made_by & trained_on}
    columns = _columns(inputs, table.loc[names[0]], unseen)
    eers = table["eer_percent"].unstack("condition")
    detectors = list(dict.fromkeys(t.model.detector for t in trained_models))
    rows = [
        _row(columns, eers, intervals, [t for t in trained_models if t.model.detector == detector])
        for detector in detectors
    ]
    return EerTable(model.training_set, model.strategy, sorted({t.model.seed for t in trained_models}), columns, rows)


def _columns(inputs: ReportInputs, one_model: pd.DataFrame, unseen: set[str]) -> list[Column]:
    averages = []
    for name, members in inputs.averages.items():
        decimals = _decimals(one_model.loc[members, "eer_step_percent"].max())
        averages.append(Column(name, tuple(members), unseen.issuperset(members), "", "", "", "", decimals))
    return averages + [_condition(name, one_model.loc[name], name in unseen) for name in inputs.conditions]


def _condition(name: str, row: pd.Series, unseen: bool) -> Column:
    step = row["eer_step_percent"]
    decimals = _decimals(step)
    counts = f"{row['num_bonafide']:,}", f"{row['num_spoof']:,}"
    return Column(name, (name,), unseen, *counts, f"{step:.3g}", f"{row['num_speakers']:,}", decimals)


def decimals_by_condition(inputs: ReportInputs) -> dict[str, int]:
    """The decimals of every EER on the page under each condition; for several conditions, the fewest of theirs."""
    steps = read_table(inputs, "eer.csv")["eer_step_percent"].groupby("condition", sort=False).max()
    return {str(name): _decimals(step) for name, step in steps.items()}


def _decimals(step: float) -> int:
    """Meaningful decimals of an EER with this step, in percent; at most three, as in the papers."""
    return min(3, max(1, math.ceil(-math.log10(step))))


def _row(columns: list[Column], eers: pd.DataFrame, intervals: Intervals, trained_models: list[TrainedModel]) -> Row:
    model = trained_models[0].model
    seeds = eers.loc[[t.model.name for t in trained_models]]
    cells = []
    for column in columns:
        values = seeds[list(column.conditions)].mean(axis=1)
        interval = None if column.is_average else intervals.get((model.group, column.name, len(values)))
        cells.append(Cell(values.mean(), values.std() if len(values) > 1 else None, column.decimals, interval))
    return Row(model.detector, any(t.has_random_front_end for t in trained_models), cells)
