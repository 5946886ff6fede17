"""Which of two models has the lower EER on the same trials, as `codecfake.tables.comparisons` computed it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from codecfake.base import files
from codecfake.report.answer import decimals_by_condition
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.training import TrainedModel
from codecfake.tables import Model

BEST = "best baseline"  # the family whose second model differs by condition


@dataclass(frozen=True)
class Difference:
    """A difference of two EERs in percentage points; `text` is "" without one."""

    text: str = ""
    title: str = ""
    significant: bool = False
    bounded: bool = False  # all resamples give the same difference: its p value is an upper bound


@dataclass(frozen=True)
class Pair:
    differ: str  # `csam − erm`
    alike: str  # `w2v2-aasist, co`
    random_front_end: bool  # of either
    cells: list[Difference]


@dataclass(frozen=True)
class Family:
    """Pairs that differ by the same thing, whose p values were corrected together."""

    name: str
    columns: list[str]
    pairs: list[Pair]
    tests: int
    significant: int
    significant_as_wu2024: int

    @property
    def title(self) -> str:
        return {
            "strategy": "Strategies, each compared with plain training",
            "training set": "Training sets, compared in pairs",
            BEST: "Training sets with codec fakes, each compared with the best baseline (trained without them)",
        }[self.name]


def families(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[Family]:
    """The comparisons of the models shown. Raises ReportError if they were not written."""
    path = inputs.results / "tables/comparisons.csv"
    if not path.exists():
        raise ReportError(f"{path}: no such table; write the tables again")
    table = files.read_csv(path, dtype=str, keep_default_na=False)
    both_shown = table["first"].isin(inputs.models) & table["second"].isin(inputs.models)
    table = table[both_shown & table["condition"].isin(inputs.conditions)]
    random = {one.model.name for one in trained_models if one.has_random_front_end}
    decimals = decimals_by_condition(inputs)
    return [_family(str(name), rows, decimals, random) for name, rows in table.groupby("family", sort=False)]


def _family(name: str, rows: pd.DataFrame, decimals: dict[str, int], random: set[str]) -> Family:
    """`decimals` of every condition, in the order of the columns."""
    columns = {condition: places for condition, places in decimals.items() if condition in set(rows["condition"])}
    return Family(
        name,
        list(columns),
        list(_pairs(name, rows, columns, random)),
        int((rows["p_value"] != "").sum()),
        int((rows["significant"] == "True").sum()),
        int((rows["significant_as_wu2024"] == "True").sum()),
    )


def _pairs(name: str, rows: pd.DataFrame, columns: dict[str, int], random: set[str]) -> Iterator[Pair]:
    models = rows[["first", "second"]].map(Model.parse).itertuples(index=False)
    several_seeds = len({_seed(first, second) for first, second in models}) > 1
    for _, group in rows.groupby(["first"] if name == BEST else ["first", "second"], sort=False):
        first, second = Model.parse(group["first"].iloc[0]), Model.parse(group["second"].iloc[0])
        differ, alike = _labels(name, first, second)
        seed = _seed(first, second)
        by_condition = {row["condition"]: _difference(row, columns[row["condition"]]) for _, row in group.iterrows()}
        yield Pair(
            differ,
            ", ".join([*alike, f"seed {seed}"] if several_seeds else alike),
            bool(random & {*group["first"], *group["second"]}),
            [by_condition.get(column, Difference()) for column in columns],
        )


def _seed(first: Model, second: Model) -> int:
    """The seed that names a pair: that of the first model, or of the second if the first is released."""
    return second.seed if first.is_released else first.seed


def _labels(name: str, first: Model, second: Model) -> tuple[str, list[str]]:
    if name == BEST:
        return f"{first.training_set} − {BEST}", [first.detector, first.strategy]
    if name == "strategy":
        return f"{first.strategy} − {second.strategy}", [first.detector, first.training_set]
    return f"{first.training_set} − {second.training_set}", [first.detector, first.strategy]


def _difference(row: pd.Series, decimals: int) -> Difference:
    if row["difference_percent_points"] == "":
        return Difference("–", row["note"])
    bounds = [row[name] for name in ("low_percent_points", "high_percent_points")]
    interval = " to ".join(f"{float(bound):+.{decimals}f}" for bound in bounds) if bounds[0] else "no interval"
    parts = [f"{row['first']} − {row['second']}", interval, f"p {row['p_value']}", f"Holm {row['holm_p_value']}"]
    parts += [row["note"]] if row["note"] else []
    text = f"{float(row['difference_percent_points']):+.{decimals}f}".replace("-", "−")
    return Difference(text, "; ".join(parts), row["significant"] == "True", "p is an upper bound" in row["note"])
