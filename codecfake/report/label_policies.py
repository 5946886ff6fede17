"""How EERs depend on the label policy: a sentence for the page, and tables of all trials and of each source."""

from collections.abc import Iterator

import pandas as pd

from codecfake.report.analysis import AnalysisTable, Row, percent, percent_range, random_groups, read_table, row_of
from codecfake.report.answer import decimals_by_condition
from codecfake.report.inputs import ReportInputs
from codecfake.report.training import TrainedModel
from codecfake.tables.label_policies import ALL
from codecfake.tables.settings import GROUP_COLUMNS


def tables(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[AnalysisTable]:
    """A column for each policy, a row for each way to train; nothing without policies.

    Raises ReportError if the table was not written.
    """
    if not inputs.label_policies:
        return []
    decimals = min(decimals_by_condition(inputs).values())
    of_sources = read_table(inputs, "label_policy").groupby("source", sort=False)
    return [_table(inputs, str(source), rows, trained_models, decimals) for source, rows in of_sources]


def headline(inputs: ReportInputs) -> str:
    """The range of the EERs on all trials under each policy, over models, because none is chosen by its EERs.

    "" unless two policies have EERs. Raises ReportError if the table was not written.
    """
    if not inputs.label_policies:
        return ""
    table = read_table(inputs, "label_policy")
    eers = table[table["source"] == ALL].dropna(subset="eer_percent").groupby("policy")["eer_percent"]
    ranges = [
        f"{percent_range(eers.get_group(name))} under {name}" for name in inputs.label_policies if name in eers.groups
    ]
    if len(ranges) < 2:
        return ""
    text = f"{', '.join(ranges[:-1])} and {ranges[-1]}"
    return f"The same recordings and scores have EERs of {text}, because these label policies differ in what is a fake."


def _table(
    inputs: ReportInputs, source: str, rows: pd.DataFrame, trained_models: list[TrainedModel], decimals: int
) -> AnalysisTable:
    changed = rows.drop_duplicates("policy").set_index("policy")["num_changed"]
    columns = [f"{name} ({changed[name]:,})" if changed[name] else name for name in inputs.label_policies]
    title = "All trials" if source == ALL else f"Recordings and {source}"
    return AnalysisTable(title, columns, list(_rows(inputs, rows, random_groups(trained_models), decimals)))


def _rows(inputs: ReportInputs, rows: pd.DataFrame, random: dict[str, bool], decimals: int) -> Iterator[Row]:
    for place, own in rows.groupby(GROUP_COLUMNS, sort=False):
        if "/".join(place) in random:
            by_policy = own.set_index("policy")
            yield row_of(place, random, [_cell(by_policy.loc[name], decimals) for name in inputs.label_policies])


def _cell(row: pd.Series, decimals: int) -> str:
    text = percent(row["eer_percent"], decimals)
    if pd.isna(row["eer_low_percent"]):
        return text
    return f"{text} [{percent(row['eer_low_percent'], decimals)}, {percent(row['eer_high_percent'], decimals)}]"
