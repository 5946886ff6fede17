"""The codec configurations of an experiment as a table: what runs, at which true bit rate, under which license."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import codec_wrappers
from codec_wrappers.codec import Shape, bitrate_kbps
from codecfake.experiment import reading, site
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import Source

OURS = "ours"  # networks in this package


@dataclass(frozen=True)
class Row:
    """One source of an experiment."""

    id: str
    codec: str
    package: str
    sample_rate: int | None  # Hz
    hop_length: int | None  # samples
    quantizers: int
    printed_kbps: float | None  # as in the paper's table
    true_kbps: float | str | None  # quantizers · bits · frames per second; "none": latents
    weights: str
    license: str
    note: str


def path_of(experiment: str) -> Path:
    """The file of an experiment given by its name or as a path."""
    return site.experiment_path(experiment, Path())


def rows(path: Path) -> list[Row]:
    """Every source in an experiment file; alternatives follow the source that they are an alternative to."""
    experiment = reading.load(path)
    table = [row for name in experiment.codecs for row in _rows(experiment, name)]
    order = list(dict.fromkeys(source for codec in experiment.codecs.values() for source in codec.sources))
    main = {source: _alternative_to(experiment, source) or source for source in order}
    return sorted(table, key=lambda row: (order.index(main[row.id]), row.id != main[row.id]))


def as_text(table: Sequence[Row], form: str) -> str:
    """The rows as a table in one of the formats of `tabulate`, or as `tsv`."""
    from tabulate import tabulate

    headers = [name.replace("_", " ").replace("kbps", "kbit/s") for name in Row.__annotations__]
    values = [["" if value is None else value for value in asdict(row).values()] for row in table]
    return tabulate(values, headers, tablefmt=form, floatfmt="g", disable_numparse=[0, 1, 2, 8, 9, 10])


def _rows(experiment: Experiment, name: str) -> Iterator[Row]:
    configuration = experiment.codecs[name]
    shape = codec_wrappers.shape(configuration.wrapper, configuration.model)
    sample_rate = None if shape is None else shape.sample_rate
    for source, what in configuration.sources.items():
        quantizers = configuration.generated().get(configuration.coded_by(source), 0)
        yield Row(
            id=source,
            codec=name,
            package=codec_wrappers.entry(configuration.wrapper).package or OURS,
            sample_rate=sample_rate,
            hop_length=None if shape is None else shape.hop_length,
            quantizers=quantizers,
            printed_kbps=what.printed_kbps,
            true_kbps=None if shape is None or sample_rate is None else _true_kbps(shape, quantizers),
            weights=configuration.weights.label,
            license=experiment.license_of(name),
            note=_note(what),
        )


def _true_kbps(shape: Shape, quantizers: int) -> float | str:
    bitrate = bitrate_kbps(shape, quantizers)
    return "none" if bitrate is None else round(bitrate, 3)


def _note(source: Source) -> str:
    parts = [
        f"same audio as {source.same_as}" if source.same_as else "",
        f"spans of {source.partial.of} in recordings" if source.partial else "",
        f"alternative to {source.alternative_to}" if source.alternative_to else "",
        source.note,
    ]
    return "; ".join(part for part in parts if part)


def _alternative_to(experiment: Experiment, source: str) -> str | None:
    return experiment.codecs[experiment.codec_of(source)].sources[source].alternative_to
