"""The main finding in one sentence, which claims no more than the intervals of the overview allow."""

from dataclasses import dataclass

from codecfake.detectors.released_forms import is_released
from codecfake.report.answer import CHANCE, Cell, EerTable
from codecfake.report.contrast import Contrast, Group
from codecfake.report.exposure import Exposure
from codecfake.report.means import FEWER, MORE, NO_DIFFERENCE, compare, counted_rows, eer_of
from codecfake.statistics.intervals import FEW_CLUSTERS

MANY = 20.0  # percent of errors that are certainly many


@dataclass(frozen=True)
class Subject:
    """Who errs: one detector by name, or several."""

    name: str
    is_plural: bool

    @property
    def capitalized(self) -> str:
        return self.name.capitalize() if self.name.startswith("detectors") else self.name

    @property
    def pronoun(self) -> str:
        return "they" if self.is_plural else "it"

    @property
    def other(self) -> str:
        """The same detectors, trained on something else."""
        return "those" if self.is_plural else self.name

    def verb(self, plural: str, singular: str) -> str:
        return plural if self.is_plural else singular

    @property
    def miss(self) -> str:
        return self.verb("miss", "misses")

    @property
    def fewer(self) -> str:
        return f"{self.pronoun} {self.miss} fewer"


def headline(contrast: Contrast | None, exposure: Exposure, tables: list[EerTable]) -> str:
    """The finding of an experiment; without codec fakes among its conditions, the mean of its first training set."""
    if contrast is None:
        return _without_codecs(tables[0])
    who = _subject(contrast.detectors, contrast.baseline or contrast.with_codecs[0], contrast.is_random)
    if len(contrast.with_codecs) > 1:
        return _many_sets(contrast, who, exposure)
    if contrast.baseline is None:
        return _one_set(contrast, who, exposure)
    if not contrast.with_codecs:
        return _baseline_alone(contrast, who, exposure)
    return _two_sets(contrast, who, exposure)


def fakes(table: EerTable, exposure: Exposure) -> str:
    """What detectors of a table are trained on: `codec fakes`, fakes by the name of another set, or, of released
    weights, `the authors' data`.
    """
    if is_released(table.training_set):
        return "the authors' data"
    return "codec fakes" if exposure.trained[table.training_set].all_coded else f"{table.training_set} fakes"


def _subject(detectors: list[str], table: EerTable, is_random: bool) -> Subject:
    if len(detectors) == 1:
        return Subject(detectors[0] + " (random front-end)" * is_random, False)
    if is_random:
        return Subject("detectors with random front-ends", True)
    if len(detectors) < len(counted_rows(table)):
        return Subject(f"{', '.join(detectors[:-1])} and {detectors[-1]}", True)
    return Subject("detectors", True)


def _two_sets(contrast: Contrast, who: Subject, exposure: Exposure) -> str:
    """Training without codec fakes against training with them, on known and on new codecs."""
    assert contrast.baseline is not None
    names = fakes(contrast.baseline, exposure), fakes(contrast.with_codecs[0], exposure)
    familiar, new = _pair(contrast, contrast.familiar), _pair(contrast, contrast.new)
    if familiar is None:
        assert new is not None
        lead = _lead(who, names, new, f"{over(contrast.new)}, {_never_seen(contrast.new, who)}")
    else:
        lead = _lead(who, names, familiar, over(contrast.familiar))
        where = f"{_place(contrast.new)}, {_never_seen(contrast.new, who)}"
        lead += _on_new(compare(*familiar), new, where, names) if new else ""
    return f"{lead}{_hedge(contrast, [pair for pair in (familiar, new) if pair])}."


def _pair(contrast: Contrast, group: Group) -> tuple[Cell, Cell] | None:
    """EERs without and with codec fakes in training."""
    assert contrast.baseline is not None
    first, second = (contrast.eer(table, group) for table in (contrast.baseline, contrast.with_codecs[0]))
    return (first, second) if first and second else None


def _lead(who: Subject, names: tuple[str, str], pair: tuple[Cell, Cell], where: str) -> str:
    first, second = f"(EER {percent(pair[0])} {where})", f"({percent(pair[1])})"
    relation = compare(*pair)
    start = f"{who.capitalized} trained on {names[0]}"
    if relation == MORE:
        return f"{start} {_level(pair[0], who)} codec fakes {first}; trained on {names[1]}, {who.fewer} {second}"
    if relation == FEWER:
        return f"{start} {who.miss} fewer codec fakes {first} than {who.other} trained on {names[1]} {second}"
    return (
        f"The intervals show no difference between training {who.name} on {names[0]} and on {names[1]}: on codec "
        f"fakes, the EERs are {percent(pair[0])} and {percent(pair[1])} {where}"
    )


def _on_new(relation: str, pair: tuple[Cell, Cell], where: str, names: tuple[str, str]) -> str:
    """The clause on codecs that no training set has, after a sentence of some relation."""
    without, with_codecs = map(percent, pair)
    on_new = compare(*pair)
    if on_new == NO_DIFFERENCE:
        numbers = f"{without} and {with_codecs}"
        return (
            f", and {numbers} on {where}"
            if relation == on_new
            else f", but the intervals show no difference on {where} ({numbers})"
        )
    numbers = f"{with_codecs} instead of {without}"
    if on_new == relation == MORE:
        return f", also on {where} ({numbers})"
    if on_new == relation == FEWER:
        return f", also on {where} ({without} and {with_codecs})"
    return f"; on {where}, training on {names[1]} gives {'fewer' if on_new == MORE else 'more'} errors ({numbers})"


def _one_set(contrast: Contrast, who: Subject, exposure: Exposure) -> str:
    """Known codecs against new ones, for one training set."""
    (table,) = contrast.with_codecs
    familiar, new = contrast.eer(table, contrast.familiar), contrast.eer(table, contrast.new)
    start = f"{who.capitalized} trained on {fakes(table, exposure)}"
    has = f"{start} {who.verb('have', 'has')} an EER of"
    in_training = "codecs in the training data" if contrast.familiar.is_average else "a codec in the training data"
    if new is None or familiar is None:
        cell, group = (familiar, contrast.familiar) if familiar else (new, contrast.new)
        assert cell is not None
        return f"{has} {percent(cell)} {over(group)}, {in_training if familiar else _never_seen(group, who)}."
    new_codec = f"{_place(contrast.new)}, {_never_seen(contrast.new, who)}"
    relation = compare(new, familiar)
    if relation not in (MORE, FEWER):
        return (
            f"{has} {percent(familiar)} {over(contrast.familiar)}, {in_training}; the intervals show no "
            f"difference to {new_codec} ({percent(new)})."
        )
    return (
        f"{start} {who.miss} {relation} fakes of {new_codec} (EER {percent(new)}), than of codecs in the training data "
        f"({percent(familiar)} {over(contrast.familiar)}){_hedge(contrast, [(new, familiar)])}."
    )


def _many_sets(contrast: Contrast, who: Subject, exposure: Exposure) -> str:
    """Known codecs against new ones, as means over training sets with different codecs."""
    familiar, new = contrast.mean_eer(contrast.familiar), contrast.mean_eer(contrast.new)
    sets = f"over {len(contrast.with_codecs)} training sets"
    if familiar is None or new is None:
        cell = familiar or new
        assert cell is not None
        kind = "in their training data" if familiar else "that are not in their training data"
        return f"{who.capitalized} {who.verb('have', 'has')} a mean EER of {percent(cell)} on codecs {kind} ({sets})."
    relation, claims = compare(new, familiar), [(new, familiar)]
    if relation in (MORE, FEWER):
        text = (
            f"{who.capitalized} {who.miss} {relation} fakes of codecs that are not in the training data: the mean EER "
            f"is {percent(new)}, and {percent(familiar)} on codecs that are ({sets})"
        )
    else:
        text = (
            f"The intervals show no difference between codecs in the training data of {who.name} (mean EER "
            f"{percent(familiar)}) and other codecs ({percent(new)}; {sets})"
        )
    baseline = contrast.baseline and contrast.eer(contrast.baseline, contrast.new)
    if contrast.baseline and baseline:
        text += f"; after training on {fakes(contrast.baseline, exposure)} it is {percent(baseline)}"
    return f"{text}{_hedge(contrast, claims)}."


def _baseline_alone(contrast: Contrast, who: Subject, exposure: Exposure) -> str:
    assert contrast.baseline is not None
    eer = contrast.eer(contrast.baseline, contrast.new)
    assert eer is not None
    start = f"{who.capitalized} trained on {fakes(contrast.baseline, exposure)}"
    return f"{start} {who.verb('have', 'has')} an EER of {percent(eer)} on codec fakes ({over(contrast.new)})."


def _without_codecs(table: EerTable) -> str:
    rows = counted_rows(table)
    conditions = [column.name for column in table.columns if not column.is_average]
    who = _subject([row.detector for row in rows], table, rows[0].random_front_end)
    eer = percent(eer_of(table, conditions))
    where = f"on average over all {len(conditions)} conditions" if len(conditions) > 1 else f"on {conditions[0]}"
    return f"{who.capitalized} {table.origin} {who.verb('have', 'has')} an EER of {eer} {where}."


def percent(cell: Cell) -> str:
    return f"{cell.text}\u00a0%"


def over(group: Group) -> str:
    return f"on average over {_place(group)}" if group.is_average else f"on {_place(group)}"


def _place(group: Group) -> str:
    return f"{group.num_conditions} {group.name}" if group.name.endswith(" codecs") else group.name


def _never_seen(group: Group, who: Subject) -> str:
    return f"{'codecs' if group.is_average else 'a codec'} {who.pronoun} never saw"


def _level(eer: Cell, who: Subject) -> str:
    """How badly a detector does that does worse than another: as far as the interval of its EER shows."""
    assert eer.interval is not None
    if eer.interval.low > CHANCE:
        return f"{who.verb('do', 'does')} worse than chance on"
    if eer.interval.high >= CHANCE:
        return f"{who.verb('are', 'is')} not measurably better than chance on"
    return f"{who.miss} {'many' if eer.interval.low >= MANY else 'more'}"


def _hedge(contrast: Contrast, claims: list[tuple[Cell, Cell]]) -> str:
    """A reservation where a claim rests on intervals of few speakers or attacks."""
    certain = [pair for pair in claims if compare(*pair) in (MORE, FEWER)]
    cells = [cell for pair in certain for cell in pair]
    if not any(cell.interval is not None and cell.interval.unreliable for cell in cells):
        return ""
    speakers = _fewest_speakers(contrast)
    if speakers is not None and speakers < FEW_CLUSTERS:
        return f", as far as {speakers} speakers can show"
    return ", as far as few attacks can show" if speakers is not None else ", as far as these trials can show"


def _fewest_speakers(contrast: Contrast) -> int | None:
    table = contrast.with_codecs[0] if contrast.with_codecs else contrast.baseline
    assert table is not None
    conditions = {*contrast.familiar.of(table.training_set), *contrast.new.of(table.training_set)}
    columns = [column for column in table.columns if column.name in conditions and column.num_speakers]
    return min((int(column.num_speakers.replace(",", "")) for column in columns), default=None)
