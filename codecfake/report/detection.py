"""How well a model's scores separate bona fide trials from spoofs: DET curves and score distributions."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from codecfake.report.figures import LineStyle, drawing, line_styles, series_color
from codecfake.report.inputs import ReportInputs
from codecfake.statistics import metrics
from codecfake.tables import DECISION_THRESHOLD, Model, Scores, read_protocol, read_scores

BONAFIDE_COLOR, SPOOF_COLOR = series_color(0), series_color(1)
TICKS = np.array([0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95])  # the ticks of a DET axis
TICK_LABELS = ["0.1", "1", "5", "20", "50", "80", "95"]
LOWEST_RATE, HIGHEST_RATE = 0.0004, 0.975
PIXELS_PER_LOGIT = 18  # of a DET axis where it is widest, in the middle
NUM_BINS = 48
ROW_HEIGHT = 0.25  # inches of a row of score distributions


@dataclass(frozen=True)
class ModelPanels:
    """The figures of one model."""

    model: Model
    det: Markup
    distributions: Markup


def panels(inputs: ReportInputs) -> Iterator[ModelPanels]:
    """DET curves and score distributions of every model, one model's scores in memory at a time."""
    root = inputs.results
    protocols = {name: read_protocol(root / f"protocols/eval/{name}.tsv") for name in inputs.conditions}
    styles = line_styles(inputs.conditions)
    for name in inputs.models:
        scores = {
            condition: read_scores(root / "scores" / name / f"{condition}.tsv", protocol)
            for condition, protocol in protocols.items()
        }
        yield ModelPanels(Model.parse(name), _det(name, scores, styles), _distributions(name, scores))


def _det(name: str, scores: dict[str, Scores], styles: dict[str, LineStyle]) -> Markup:
    with drawing(f"det {name}", f"DET curves of {name}, one line per condition") as draft:
        axes = draft.axes()[0]
        for condition, trials in scores.items():
            x, y = _visible_corners(metrics.det_curve(trials.bonafide, trials.spoof))
            style = styles[condition]
            axes.plot(x, y, color=style.color, linestyle=style.dash)
        _normal_deviate_axes(axes)
    return draft.svg


def _visible_corners(curve: metrics.DetCurve) -> tuple[np.ndarray, np.ndarray]:
    """False-alarm and miss rates as normal deviates, with only the visible ones of up to 10⁵ steps."""
    error_rates = np.stack([curve.false_alarm_rate, curve.miss_rate], axis=1)
    # low rates are drawn at the edge of the axes, high ones beyond it
    error_rates = np.clip(error_rates, LOWEST_RATE, 1 - LOWEST_RATE / 10)
    pixels = np.rint(PIXELS_PER_LOGIT * np.log(error_rates / (1 - error_rates)))
    differs = np.any(np.diff(pixels, axis=0) != 0, axis=1)
    visible = np.flatnonzero(np.concatenate([[True], differs]) | np.concatenate([differs, [True]]))
    x, y = _normal_deviate(error_rates[visible]).T
    return x, y


def _normal_deviate(error_rates: np.ndarray) -> np.ndarray:
    unique, inverse = np.unique(error_rates, return_inverse=True)
    return np.array([NormalDist().inv_cdf(rate) for rate in unique])[inverse].reshape(error_rates.shape)


def _normal_deviate_axes(axes: Axes) -> None:
    limits = _normal_deviate(np.array([LOWEST_RATE, HIGHEST_RATE]))
    axes.plot(limits, limits, color=axes.xaxis.label.get_color(), alpha=0.35, linewidth=0.7)
    ticks = _normal_deviate(TICKS)
    axes.set_xticks(ticks, TICK_LABELS)
    axes.set_yticks(ticks, TICK_LABELS)
    axes.set(xlim=limits, ylim=limits, xlabel="spoofs accepted (%)", ylabel="bona fide missed (%)", aspect="equal")


def _distributions(name: str, scores: dict[str, Scores]) -> Markup:
    """One row per condition: bona fide above its line, spoofs below it, each scaled to its own highest bin."""
    edges = _edges(scores)
    height = ROW_HEIGHT * len(scores) + 0.6
    with drawing(f"scores {name}", f"Score distributions of {name}, one row per condition", height=height) as draft:
        axes = draft.axes()[0]
        for row, trials in enumerate(scores.values()):
            axes.stairs(row - _heights(trials.bonafide, edges), edges, baseline=row, fill=True, color=BONAFIDE_COLOR)
            axes.stairs(row + _heights(trials.spoof, edges), edges, baseline=row, fill=True, color=SPOOF_COLOR)
        axes.axvline(DECISION_THRESHOLD, color=axes.xaxis.label.get_color(), linewidth=0.8, linestyle="--")
        axes.set_yticks(range(len(scores)), list(scores))
        axes.set(ylim=(len(scores) - 0.4, -0.6), xlim=(edges[0], edges[-1]), xlabel="score (logit difference)")
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
    return draft.svg


def _edges(scores: dict[str, Scores]) -> np.ndarray:
    """Bin edges that hold the middle 99 % of every condition's scores and the decision threshold."""
    halves = [half for trials in scores.values() for half in (trials.bonafide, trials.spoof)]
    ends = np.array([np.quantile(half, [0.005, 0.995]) for half in halves])
    low, high = min(ends[:, 0].min(), DECISION_THRESHOLD), max(ends[:, 1].max(), DECISION_THRESHOLD)
    margin = 0.02 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, NUM_BINS + 1)


def _heights(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Counts in bins scaled to a highest of 0.45; the outer bins include the scores beyond the edges."""
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return 0.45 * counts / counts.max()
