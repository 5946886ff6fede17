"""What the headline compares: training without and with codec fakes, on codecs in the training data and on others."""

from collections.abc import Sequence
from dataclasses import dataclass

from codecfake.report.answer import Cell, EerTable
from codecfake.report.exposure import IN_TRAINING, NEVER, OTHER_SETTINGS, Exposure
from codecfake.report.means import counted_rows, eer_of, mean_of
from codecfake.tables.comparisons import BASE_STRATEGY

FAMILIAR, NEW = "known codecs", "new codecs"  # names of columns of the overview


@dataclass(frozen=True)
class Group:
    """Conditions to average, which may differ by training set."""

    name: str
    conditions: dict[str, tuple[str, ...]]  # training set -> conditions, perhaps none
    is_average: bool

    def of(self, training_set: str) -> tuple[str, ...]:
        return self.conditions.get(training_set, ())

    @property
    def num_conditions(self) -> int:
        return max(map(len, self.conditions.values()), default=0)


@dataclass(frozen=True)
class Contrast:
    """`familiar` and `new` codecs are as seen by the training sets with codec fakes; groups may be empty."""

    baseline: EerTable | None  # trained without codec fakes
    with_codecs: list[EerTable]  # several only if their codecs differ
    familiar: Group
    new: Group

    @property
    def detectors(self) -> list[str]:
        """Those that count in every table, or, if these have none in common, all of the first."""
        tables = [*([self.baseline] if self.baseline else []), *self.with_codecs]
        names = [[row.detector for row in counted_rows(table)] for table in tables]
        return [name for name in names[0] if all(name in other for other in names)] or names[0]

    @property
    def is_random(self) -> bool:
        """Whether the front-ends of these detectors have random weights."""
        tables = [*([self.baseline] if self.baseline else []), *self.with_codecs]
        return any(row.random_front_end for row in tables[0].rows if row.detector in self.detectors)

    def eer(self, table: EerTable, group: Group) -> Cell | None:
        """None if it has no such condition, or none of the detectors."""
        conditions, names = group.of(table.training_set), {row.detector for row in table.rows}
        return eer_of(table, conditions, self.detectors) if conditions and names & set(self.detectors) else None

    def mean_eer(self, group: Group) -> Cell | None:
        """The mean over the training sets with codec fakes."""
        cells = [cell for table in self.with_codecs if (cell := self.eer(table, group))]
        return mean_of(cells) if cells else None


def contrast_of(tables: list[EerTable], exposure: Exposure, averages: dict[str, list[str]]) -> Contrast | None:
    """The comparison that an experiment allows; None if no condition has codec fakes alone, or no training is known."""
    conditions = exposure.codec_conditions()
    tables = [table for table in tables if table.training_set in exposure.trained]
    if not conditions or not tables:
        return None
    plain = [table for table in tables if table.strategy == BASE_STRATEGY] or tables
    sets = [table for table in plain if exposure.trained[table.training_set].codecs]
    without = [table for table in plain if table not in sets and _share_detectors(table, sets)]
    baseline = max(without, key=lambda table: len(counted_rows(table)), default=None)
    if len({exposure.trained[table.training_set].codecs for table in sets}) > 1:
        return Contrast(baseline, sets, *_groups_by_set(sets, baseline, exposure))
    first = [_closest(sets, baseline, exposure)] if sets else []
    names = [table.training_set for table in tables]
    familiar, new = _conditions_by_kind(first, exposure) if first else ((), conditions)
    groups = (_group(FAMILIAR, familiar, names, averages), _group(NEW, new, names, averages))
    return Contrast(baseline, first, *groups)


def _share_detectors(table: EerTable, sets: list[EerTable]) -> bool:
    """Whether a table has a detector of the others, without which it cannot be compared with them."""
    names = {row.detector for other in sets for row in counted_rows(other)}
    return not sets or bool(names & {row.detector for row in counted_rows(table)})


def _closest(sets: list[EerTable], baseline: EerTable | None, exposure: Exposure) -> EerTable:
    """The training set with most detectors of the baseline; of several, one with codec fakes alone, or the first."""
    names = {row.detector for row in (baseline.rows if baseline else [])}

    def rank(table: EerTable) -> tuple[int, int, bool]:
        detectors = {row.detector for row in table.rows}
        return len(names & detectors), len(detectors), exposure.trained[table.training_set].all_coded

    return max(sets, key=rank)


def _conditions_by_kind(sets: list[EerTable], exposure: Exposure) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Conditions of codecs that a training set knows, and of those it does not."""
    name = sets[0].training_set
    familiar = exposure.codec_conditions(name, IN_TRAINING) or exposure.codec_conditions(name, OTHER_SETTINGS)
    return familiar, exposure.codec_conditions(name, NEVER)


def _group(name: str, conditions: tuple[str, ...], sets: list[str], averages: dict[str, list[str]]) -> Group:
    """One of the experiment's averages, if it has only such conditions; else all of them."""
    for average, members in averages.items():
        if members and set(members) <= set(conditions):
            name = average if len(members) > 1 else members[0]
            return Group(name, dict.fromkeys(sets, tuple(members)), len(members) > 1)
    return Group(conditions[0] if len(conditions) == 1 else name, dict.fromkeys(sets, conditions), len(conditions) > 1)


def _groups_by_set(sets: Sequence[EerTable], baseline: EerTable | None, exposure: Exposure) -> tuple[Group, Group]:
    """Groups whose conditions differ by training set; for the baseline, all codecs are new."""
    by_set = {table.training_set: _conditions_by_kind([table], exposure) for table in sets}
    new = {} if baseline is None else {baseline.training_set: exposure.codec_conditions()}
    familiar = {name: kinds[0] for name, kinds in by_set.items()}
    return Group(FAMILIAR, familiar, True), Group(NEW, new | {name: kinds[1] for name, kinds in by_set.items()}, True)
