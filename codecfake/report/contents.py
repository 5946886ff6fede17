"""Training on speech and on sounds: what each does for the other, as a sentence for each detector and a table."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from codecfake.corpora import SOUND, SPEECH
from codecfake.report.analysis import AnalysisTable, Row, percent, random_groups, read_table, row_of
from codecfake.report.answer import decimals_by_condition
from codecfake.report.inputs import ReportInputs
from codecfake.report.training import TrainedModel
from codecfake.tables.contents import CONTENTS
from codecfake.tables.settings import CODED, CONTROL, GROUP_COLUMNS

EER, LOW, HIGH = "eer_percent", "eer_low_percent", "eer_high_percent"
SPACE = "\u00a0"


@dataclass(frozen=True)
class ContentsSection:
    headline: str  # the answers for generated sounds, or else for coded ones; "" without any
    answers: list[str]  # sentences that the table proves
    table: AnalysisTable
    few: int  # speakers or sources of the group that has the fewest


@dataclass(frozen=True)
class Answer:
    """One sentence about a detector and a group of conditions."""

    content: str
    group: str
    text: str


def contents_section(inputs: ReportInputs, trained_models: list[TrainedModel]) -> ContentsSection | None:
    """The section; None where training sets do not differ. Raises ReportError if the table was not written."""
    if not inputs.contents:
        return None
    random = random_groups(trained_models)
    table = read_table(inputs, CONTENTS).assign(group=_groups)
    table = table[table[GROUP_COLUMNS].agg("/".join, axis=1).isin(list(random))]
    decimals = min(decimals_by_condition(inputs).values())
    answers = list(_answers(table, decimals))
    of_sounds = [one for one in answers if one.content == SOUND]
    headline = " ".join(one.text for one in of_sounds if one.group == of_sounds[-1].group)
    texts = [one.text for one in answers]
    columns = [f"{name} ({conditions})" for name, conditions in _columns(table).items()]
    rows = list(_rows(table, random, decimals))
    few = int(table["num_speakers"].min())
    return ContentsSection(headline, texts, AnalysisTable("Speech and sounds", columns, rows), few)


def _groups(table: pd.DataFrame) -> list[str]:
    """Names of groups of conditions: `coded sound`, `other fakes of sound`, `control, sound`."""
    names = {CODED: "coded {}", CONTROL: "control, {}"}
    pairs = zip(table["spoofs"], table["content"], strict=True)
    return [names.get(spoofs, "other fakes of {}").format(content) for spoofs, content in pairs]


def _columns(table: pd.DataFrame) -> dict[str, str]:
    """Group -> its conditions, in the order of the table."""
    first = table.drop_duplicates("group")
    return dict(zip(first["group"], first["conditions"].str.replace(" ", ", "), strict=True))


def _rows(table: pd.DataFrame, random: dict[str, bool], decimals: int) -> Iterator[Row]:
    for place, own in table.groupby(GROUP_COLUMNS, sort=False):
        yield row_of(place, random, [_cell(row, decimals) for _, row in own.iterrows()])


def _cell(row: pd.Series, decimals: int) -> str:
    text = percent(row[EER], decimals)
    if pd.isna(row[LOW]):
        return text
    return f"{text} [{percent(row[LOW], decimals)}, {percent(row[HIGH], decimals)}]"


def _answers(table: pd.DataFrame, decimals: int) -> Iterator[Answer]:
    """For each detector and kind of sound: training without sounds against training with them; then for speech."""
    evaluated = table[table["spoofs"] != CONTROL].sort_values(
        "content", key=lambda content: content != SOUND, kind="stable"
    )
    for (detector, strategy), of_detector in evaluated.groupby(["detector", "strategy"], sort=False):
        who = f"{detector} ({strategy})" if table["strategy"].nunique() > 1 else str(detector)
        for group, rows in of_detector.groupby("group", sort=False):
            yield from _answer(who, str(group), rows, decimals)


def _answer(who: str, group: str, rows: pd.DataFrame, decimals: int) -> Iterator[Answer]:
    """One sentence, if a training set has speech alone and another has sounds."""
    base = rows[rows["trained_on"] == SPEECH]
    others = rows[rows["trained_on"] != SPEECH]
    if len(base) and len(others):
        first = base.iloc[0]
        effects = [_effect(row, first, decimals) for _, row in others.iterrows()]
        start = f"{group.capitalize()}: {who} trained on speech alone has an EER of {_percent(first, decimals)}"
        yield Answer(str(first["content"]), group, f"{start}; {', and '.join(effects)}.")


def _effect(row: pd.Series, base: pd.Series, decimals: int) -> str:
    """A difference counts only if the intervals do not overlap."""
    start, eer = f"training on {row['trained_on']}", _percent(row, decimals)
    if row[HIGH] < base[LOW]:
        return f"{start} lowers it to {eer}"
    if row[LOW] > base[HIGH]:
        return f"{start} raises it to {eer}"
    return f"for {start} ({eer}), the intervals show no difference"


def _percent(row: pd.Series, decimals: int) -> str:
    return f"{percent(row[EER], decimals)}{SPACE}%"
