"""How well every codec reproduces speech, and whether higher bit rates improve it."""

import math
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from codecfake.base import files
from codecfake.quality.measures import HIGHER, METRICS, SPEECH_ALONE
from codecfake.quality.step import NO_BITRATE, PROVENANCE, YES
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.materials import bitrate_text

BETTER = {metric.name: metric.better for metric in METRICS}
NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class Column:
    """A metric in the table: multiplied by `scale`, rounded to `decimals`, shaded over at least a `span`."""

    metric: str
    name: str
    unit: str
    decimals: int
    span: float  # the smallest range of the shading: differences below it look small
    scale: float = 1

    @property
    def better(self) -> int:
        return BETTER[self.metric]

    @property
    def direction(self) -> str:
        return "higher is better" if self.better == HIGHER else "lower is better"

    def text(self, value: float) -> str:
        if math.isinf(value):
            return "∞" if value > 0 else "−∞"
        return f"{self.scale * value:.{self.decimals}f}".replace("-", "−")


COLUMNS = (
    Column("pesq", "PESQ", "MOS-LQO", 2, 0.5),
    Column("stoi", "STOI", "", 3, 0.1),
    Column("estoi", "ESTOI", "", 3, 0.1),
    Column("si_sdr_db", "SI-SDR", "dB", 1, 5),
    Column("mel_distance", "mel distance", "log10", 3, 0.05),
    Column("log_spectral_distance_db", "log-spectral distance", "dB", 2, 1),
    Column("f0_error_cents", "F0 error", "cents", 0, 50),
    Column("voicing_error", "voicing error", "% of frames", 1, 0.05, 100),
    Column("bandwidth_error_hz", "bandwidth error", "Hz", 0, 1000),
)
OF_SOUNDS = tuple(column for column in COLUMNS if column.metric not in SPEECH_ALONE)


@dataclass(frozen=True)
class Cell:
    """The mean of a metric over the utterances of a source."""

    text: str  # "–" if nothing could be measured
    spread: str = ""  # the standard error, or ""
    measured: str = ""  # "7 of 12" if not all could be
    heat: str = "0"  # from 0, the best of the column, to 1, the worst
    best: bool = False


@dataclass(frozen=True)
class QualityRow:
    source: str
    aliases: str
    codec: str
    quantizers: int
    bitrate_kbps: float  # 0: the control; NaN: latents
    printed_kbps: str
    utterances: int
    cells: list[Cell]  # of the table's columns; the last one shows both bandwidths, shaded by their difference

    @property
    def is_control(self) -> bool:
        """Nothing was coded: it shows the measures of a perfect copy."""
        return self.bitrate_kbps == 0

    @property
    def bitrate(self) -> str:
        return "–" if self.is_control else bitrate_text(self.bitrate_kbps)


@dataclass(frozen=True)
class Gap:
    """Missing measurements of a metric, with one reason."""

    metric: str
    reason: str
    count: int
    sources: list[str]


@dataclass(frozen=True)
class Loss:
    """A step to more bits that makes a measure worse."""

    codec: str
    metric: str
    fewer: str
    more: str
    change: str
    ratio: str  # to its standard error
    n: int


@dataclass(frozen=True)
class SoundsTable:
    columns: tuple[Column, ...]
    rows: list[QualityRow]


@dataclass(frozen=True)
class QualityTable:
    columns: tuple[Column, ...]
    rows: list[QualityRow]
    gaps: list[Gap]
    num_steps: int  # steps to more bits, each by one metric
    num_gains: int  # steps that are better by more than the standard error
    losses: list[Loss]

    @property
    def lacks_pesq(self) -> bool:
        return any(gap.reason == NOT_INSTALLED for gap in self.gaps)


def quality_table(inputs: ReportInputs) -> QualityTable | None:
    """The table of `inputs.quality`; None if nothing was measured. Raises ReportError if a source has no row."""
    if not inputs.quality:
        return None
    means = _means(inputs, "quality", inputs.quality)
    order = files.read_csv(inputs.results / "tables" / "quality_order.csv")
    return QualityTable(
        COLUMNS,
        _rows(inputs, inputs.quality, means, COLUMNS),
        _gaps(means),
        int((order["n"] > 1).sum()),
        int((order["gain"] > order["standard_error"]).sum()),
        [_loss(row) for row in order[order["worse"] == YES].itertuples()],
    )


def sounds_table(inputs: ReportInputs) -> SoundsTable | None:
    """The same of sounds, by the measures that need no speech; None without sounds."""
    if not inputs.quality_sounds:
        return None
    means = _means(inputs, "quality_sounds", inputs.quality_sounds)
    return SoundsTable(OF_SOUNDS, _rows(inputs, inputs.quality_sounds, means, OF_SOUNDS))


def _means(inputs: ReportInputs, name: str, sources: list[str]) -> pd.DataFrame:
    path = inputs.results / "tables" / f"{name}.csv"
    means = files.read_csv(path, keep_default_na=False)
    absent = [source for source in sources if source not in set(means["source"])]
    if absent:
        raise ReportError(f"{path}: no row for source {absent[0]}; write it again")
    means["mean"], means["standard_error"] = (pd.to_numeric(means[name]) for name in ("mean", "standard_error"))
    means["bitrate_kbps"] = means["bitrate_kbps"].replace(NO_BITRATE, "nan").astype(float)
    return means


def _rows(
    inputs: ReportInputs, sources: list[str], means: pd.DataFrame, columns: tuple[Column, ...]
) -> list[QualityRow]:
    """By codec, in the order of the experiment, and then by quantizers."""
    rows = [_row(inputs, source, means, columns) for source in sources]
    codecs = [row.codec for row in rows]
    return sorted(rows, key=lambda row: (codecs.index(row.codec), row.quantizers))


def _row(inputs: ReportInputs, source: str, means: pd.DataFrame, columns: tuple[Column, ...]) -> QualityRow:
    own = means[means["source"] == source].set_index("metric")
    codec, quantizers, bitrate = own[PROVENANCE].iloc[0]
    aliases = [name for name, original in inputs.aliases.items() if original == source]
    printed = {name: f"{inputs.printed_kbps[name]:g}" for name in (source, *aliases) if name in inputs.printed_kbps}
    return QualityRow(
        source,
        ", ".join(aliases),
        codec,
        int(quantizers),
        bitrate,
        ", ".join(dict.fromkeys(printed.values())) or "–",
        int((own["n"] + own["missing"]).max()),
        _cells(own, means, columns),
    )


def _cells(own: pd.DataFrame, means: pd.DataFrame, columns: tuple[Column, ...]) -> list[Cell]:
    *cells, last = [_cell(column, own.loc[column.metric], _rivals(column, means)) for column in columns]
    kilohertz = [own.loc[name, "mean"] / 1000 for name in ("bandwidth_hz", "bonafide_bandwidth_hz")]
    if all(map(math.isfinite, kilohertz)):
        last = replace(last, text=f"{kilohertz[0]:.2f} / {kilohertz[1]:.2f}", spread="", best=False)
    return [*cells, last]


def _rivals(column: Column, means: pd.DataFrame) -> list[float]:
    """The means of a metric over all coded sources for which most utterances could be measured."""
    comparable = (means["bitrate_kbps"] != 0) & (means["n"] > means["missing"]) & means["mean"].abs().lt(math.inf)
    return list(means.loc[comparable & (means["metric"] == column.metric), "mean"])


def _cell(column: Column, row: Any, rivals: list[float]) -> Cell:
    if not row["n"]:
        return Cell("–")
    mean, error = float(row["mean"]), float(row["standard_error"])
    text = column.text(mean)
    spread = "" if math.isnan(error) else f"± {column.text(error)}"
    measured = f"{row['n']} of {row['n'] + row['missing']}" if row["missing"] else ""
    if mean not in rivals or row["bitrate_kbps"] == 0:
        return Cell(text, spread, measured)
    worst, best = sorted((min(rivals), max(rivals)), reverse=column.better != HIGHER)
    heat = abs(best - mean) / max(abs(best - worst), column.span)
    differ = column.text(best) != column.text(worst)
    return Cell(text, spread, measured, f"{heat:.2f}", differ and text == column.text(best))


def _gaps(means: pd.DataFrame) -> list[Gap]:
    """Missing measurements and their reasons, over all sources."""
    name_of = {column.metric: column.name for column in COLUMNS}
    counts_of: dict[tuple[str, str], dict[str, int]] = {}
    for row in means[means["metric"].isin(name_of)].itertuples():
        for part in filter(None, row.why_missing.split("; ")):
            reason, count = part.removesuffix(")").rsplit(" (", 1)
            counts_of.setdefault((name_of[row.metric], reason), {})[row.source] = int(count)
    return [Gap(metric, reason, sum(counts.values()), list(counts)) for (metric, reason), counts in counts_of.items()]


def _loss(row: Any) -> Loss:
    column = next(column for column in COLUMNS if column.metric == row.metric)
    change = f"{column.scale * -row.gain:.3g} ± {column.scale * row.standard_error:.2g} {column.unit}".strip()
    ratio = f"{-row.gain / row.standard_error:.1f}" if row.standard_error > 0 else "∞"
    fewer, more = f"{row.fewer} ({row.fewer_kbps:g})", f"{row.more} ({row.more_kbps:g})"
    return Loss(row.codec, column.name, fewer, more, change, ratio, row.n)
