"""Warnings at the top of the page that follow from the results; the experiment's own notes come before them."""

from collections.abc import Collection, Iterator

from codecfake.base import files
from codecfake.report.answer import CHANCE, EerTable
from codecfake.report.exposure import Exposure
from codecfake.report.inputs import ReportInputs
from codecfake.report.materials import CodecRow

LARGE_STEP = 1.0  # percentage points: the effect of one error that makes small differences meaningless


def notes(inputs: ReportInputs, tables: list[EerTable], exposure: Exposure, codecs: list[CodecRow]) -> list[str]:
    """Sentences for the box of warnings; none of a fault that the run does not have."""
    return [*_few_trials(tables[0]), *_unpublished(inputs, codecs), *control_notes(inputs.controls, tables, exposure)]


def _few_trials(table: EerTable) -> Iterator[str]:
    steps = [float(column.step) for column in table.columns if not column.is_average]
    if max(steps) >= LARGE_STEP:
        low, high = f"{min(steps):.1f}", f"{max(steps):.1f}"
        by = high if low == high else f"{low} to {high}"
        yield f"There are few trials: one more error moves an EER by {by} percentage points."


def _unpublished(inputs: ReportInputs, codecs: list[CodecRow]) -> Iterator[str]:
    """Which codecs are not the published ones: those of the package, and those trained in this run."""
    coded = [row.source for row in codecs if row.is_coded]
    shipped = [source for source in coded if source in inputs.shipped]
    trained = [source for source in coded if source in inputs.trained_codecs]
    further, new = ([source for source in trained if (source in shipped) == is_known] for is_known in (True, False))
    if shipped:
        yield f"The codecs{_of(shipped, coded)} are small ones of the package, not the published models."
    if further:
        yield f"The codecs{_of(further, coded)} were trained further in this run, for {_steps(inputs, further)} steps."
    if new:
        trained_here = f"were trained in this run, for {_steps(inputs, new)} steps"
        yield f"The codecs{_of(new, coded)} {trained_here}; they are not the published models."


def _of(sources: list[str], coded: list[str]) -> str:
    return "" if sources == coded else f" of {', '.join(sources)}"


def _steps(inputs: ReportInputs, sources: list[str]) -> str:
    steps = sorted(_num_steps(inputs, folder) for folder in {inputs.trained_codecs[source] for source in sources})
    return f"{steps[0]:,}" if steps[0] == steps[-1] else f"{steps[0]:,} to {steps[-1]:,}"


def _num_steps(inputs: ReportInputs, folder: str) -> int:
    history = files.read_tsv(inputs.results / "codecs" / folder / "history.tsv")
    return int(history["step"].astype(float).max())


def control_notes(controls: Collection[str], tables: list[EerTable], exposure: Exposure) -> Iterator[str]:
    """Whether detectors are at chance on recordings that no codec coded, as they must be, to one error."""
    for name, spoofs in exposure.evaluated.items():
        if not spoofs.attacks or not spoofs.attacks <= set(controls):
            continue
        start = f"{name} is the control, recordings that went through no codec: every EER on it must be 50\u00a0%"
        distances = dict(_from_chance(tables, name))
        errors = [text for text, steps in distances.items() if steps > 1]
        if errors:
            yield f"{start}, but {', '.join(errors)}. The workflow has a fault."
        else:
            yield f"{start}, and is{', up to one error' if any(distances.values()) else ''}."


def _from_chance(tables: list[EerTable], condition: str) -> Iterator[tuple[str, float]]:
    """Each EER of a condition in words, and its distance from chance in errors of the smaller class."""
    for table in tables:
        for row in table.rows:
            for column, cell in zip(table.columns, row.cells, strict=True):
                if column.name == condition and not column.is_average:
                    text = f"that of {row.detector} {table.origin} is {cell.text}\u00a0%"
                    yield text, abs(cell.eer - CHANCE) / float(column.step)
