"""Whether scores can be used as log-likelihood ratios: costs of all models, and the reliability of the best one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup

from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.report.answer import read_table
from codecfake.report.figures import drawing, series_color
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.scoring import verdicts
from codecfake.scoring.calibration import ReliabilityBin, reliability
from codecfake.statistics import metrics
from codecfake.tables import METRIC_COLUMNS, Scores, read_joined, read_protocol

NO_DOMAIN = "its weights are released, and the experiment names no domain to calibrate it on (`calibrate_on`)"
SMALLEST_DOT, LARGEST_DOT = 12, 160  # area of a bin's dot in square points, by its number of trials


@dataclass(frozen=True)
class CostRow:
    """Costs of one model's raw scores under one condition; Cllr in bits."""

    condition: str
    cllr: float
    min_cllr: float
    act_dcf: float
    min_dcf: float


@dataclass(frozen=True)
class Reliability:
    """The reliability of one model's calibrated scores; without a figure, `why_not` has the reason."""

    model: str
    average: str  # its conditions are pooled
    num_bonafide: int
    num_spoof: int
    raw: metrics.Measures
    calibrated: metrics.Measures | None = None
    bins: tuple[ReliabilityBin, ...] = ()
    figure: Markup | None = None
    why_not: str = ""


def costs(inputs: ReportInputs) -> dict[str, list[CostRow]]:
    """Model -> one row of costs per condition. Raises ReportError as `read_table`."""
    table = read_table(inputs, "metrics.csv")[METRIC_COLUMNS]
    return {
        model: [
            CostRow(str(name), row["cllr"], row["min_cllr"], row["act_dcf"], row["min_dcf"])
            for name, row in table.loc[model].iterrows()
        ]
        for model in inputs.models
    }


def reliability_of(inputs: ReportInputs, model: str) -> Reliability:
    """Reliability of a model's scores, calibrated on dev, on the trials of the first average's conditions.

    Raises ScoreError as `read_joined`, and ReportError if conditions disagree about a trial's key.
    """
    average, conditions = next(iter(inputs.averages.items()))
    scores = _pool_scores(inputs.results, model, conditions)
    sizes = len(scores.bonafide), len(scores.spoof)
    raw = metrics.measures(scores.bonafide, scores.spoof)
    path = inputs.results / "models" / model / verdicts.CALIBRATION
    why_not = NO_DOMAIN if inputs.released.get(model) == "" else _why_not(path)
    if why_not:
        return Reliability(model, average, *sizes, raw, why_not=why_not)
    calibration = verdicts.read(path).calibration
    assert calibration is not None
    llrs = Scores(calibration(scores.bonafide), calibration(scores.spoof))
    calibrated = metrics.measures(llrs.bonafide, llrs.spoof)
    bins = tuple(reliability(llrs.bonafide, llrs.spoof))
    raw_bins = tuple(reliability(scores.bonafide, scores.spoof))
    return Reliability(model, average, *sizes, raw, calibrated, bins, _figure(model, bins, raw_bins))


def _pool_scores(root: Path, model: str, conditions: list[str]) -> Scores:
    """Pooled scores of several conditions. Shared trials, such as bona fide ones, count once."""
    parts = []
    for condition in conditions:
        keys = read_protocol(root / f"protocols/eval/{condition}.tsv")
        values = read_joined(root / "scores" / model / f"{condition}.tsv", keys)
        parts.append(pd.DataFrame({"key": keys, "score": values}))
    trials = pd.concat(parts)
    disputed = trials.groupby(level=0)["key"].nunique()
    for trial in disputed.index[disputed > 1]:
        raise ReportError(
            f"trial {trial} is bona fide in one of {', '.join(conditions)} and spoof in another; rename it"
        )
    once = trials[~trials.index.duplicated()]
    bonafide, spoof = (once.loc[once["key"] == key, "score"].to_numpy(np.float64) for key in (BONAFIDE, SPOOF))
    return Scores(bonafide, spoof)


def _why_not(path: Path) -> str:
    """Why scores cannot be calibrated; "" if they can."""
    if not path.exists():
        return "it has no calibration.json; `codecfake calibrate` writes one"
    calibration = verdicts.read(path).calibration
    if calibration is None:
        return "all its dev scores are equal, so there is nothing to fit"
    if calibration.slope == 0:
        return "dev spoofs do not score below bona fide trials, so every log-likelihood ratio is 0"
    return ""


def _figure(model: str, bins: tuple[ReliabilityBin, ...], raw_bins: tuple[ReliabilityBin, ...]) -> Markup:
    """Observed over predicted share of bona fide, one dot per bin: calibrated solid, raw dashed."""
    with drawing(f"reliability {model}", f"Reliability of {model}, calibrated and raw") as draft:
        axes = draft.axes()[0]
        axes.plot([0, 1], [0, 1], color=axes.xaxis.label.get_color(), alpha=0.35, linewidth=0.7)
        for series, series_bins, dash in ((1, raw_bins, "--"), (0, bins, "-")):
            color = series_color(series)
            x, y = [item.predicted for item in series_bins], [item.observed for item in series_bins]
            axes.plot(x, y, color=color, linestyle=dash, linewidth=1)
            axes.scatter(x, y, s=_areas(series_bins), color=color, linewidth=0, alpha=0.8)
        axes.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), aspect="equal")
        axes.set(xlabel="predicted share of bona fide", ylabel="observed share")
    return draft.svg


def _areas(bins: tuple[ReliabilityBin, ...]) -> np.ndarray:
    counts = np.array([item.count for item in bins])
    return SMALLEST_DOT + (LARGEST_DOT - SMALLEST_DOT) * counts / counts.sum()
