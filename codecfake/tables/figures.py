"""The papers' figures from our results, each as SVG and PNG: cross-testing, decisions, losses, spectrograms."""

import base64
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.tables.error_rates import CONFUSION_COLUMNS, ErrorRates
from codecfake.tables.papers import side_by_side
from codecfake.tables.published import Published, PublishedTable
from codecfake.tables.trials import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from codecfake.tables.spectrograms import ExcerptRow

CROSS_TESTING = "wu2024_figure2"
# Xie et al. 2025, Figs. 5 and 6: the detector of both, the training sets and conditions of the first
DETECTOR, TRAINING_SETS, CONDITIONS = "w2v2-aasist", ("vocoder", "codec"), ("19LA", "C7")
CO_TRAINED = "co"
KINDS = ("svg", "png")
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "codecfake", "font.size": 9.0, "path.simplify": False}
CELL = 0.5  # inches per cell of a heat map


@dataclass(frozen=True)
class Results:
    """The data of the figures."""

    error_rates: ErrorRates
    published: Published
    model_root: Path  # holds `{model}/history.tsv`


def possible_figures(models: Iterable[str], conditions: Iterable[str], papers: Iterable[str]) -> list[str]:
    """The figures that these models and conditions allow; `papers` are the papers' tables with some of our cells."""
    parsed, condition_names = [Model.parse(name) for name in models], set(conditions)
    decided = {model.training_set for model in parsed if (model.detector, model.strategy) == (DETECTOR, "erm")}
    names = []
    if CROSS_TESTING in set(papers):
        names += ["wu2024_figure2_ours", "wu2024_figure2_published"]
    if decided.issuperset(TRAINING_SETS) and condition_names.issuperset(CONDITIONS):
        names.append("xie2025_figure5")
    if any((model.detector, model.training_set) == (DETECTOR, CO_TRAINED) for model in parsed):
        names.append("xie2025_figure6")
    return names


def write_figures(results: Results, names: Iterable[str], output: Path) -> None:
    """Write `{name}.svg` and `{name}.png` of each of `possible_figures` into the folder `output`."""
    draw: dict[str, Callable[[Results], Figure]] = {
        "wu2024_figure2_ours": lambda r: _cross_testing(r, "eer_percent"),
        "wu2024_figure2_published": lambda r: _cross_testing(r, "published_percent"),
        "xie2025_figure5": _decisions,
        "xie2025_figure6": _losses,
    }
    for name in names:
        save(partial(draw[name], results), output / name)


def write_spectrograms(audio_root: Path, protocol: Path, sources: dict[str, list[str]], output: Path) -> None:
    """Write Fig. 2 of Xie et al. 2025 into the folder `output`: an utterance of each corpus from each of its sources.

    `sources` has the sources of each corpus, recordings first. The utterances are the first bona fide ones of
    `protocol`; corpora that are not in it are left out.
    """
    from codecfake.tables.excerpts import first_bonafide_utterances
    from codecfake.tables.spectrograms import excerpt_row

    utterances = first_bonafide_utterances(protocol)
    rows = [excerpt_row(audio_root, corpus, sources[corpus], utterance) for corpus, utterance in utterances.items()]
    save(partial(_spectrograms, rows), output / "xie2025_figure2")


def save(draw: Callable[[], "Figure"], path: Path) -> None:
    """Draw and write `{path}.svg` and `{path}.png`; the same results give the same bytes."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        figure = draw()
        for kind in KINDS:
            with files.sealed(path.with_name(f"{path.name}.{kind}")) as part:
                figure.savefig(part, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)


def matrix(table: PublishedTable, error_rates: ErrorRates, column: str) -> pd.DataFrame:
    """Error rates in percent, a row per model and a column per condition, in printed order; NaN if unknown."""
    cells = side_by_side(table, error_rates, is_of_paper=True)
    is_base = cells["training"] == "ASVspoof"
    rows = cells["training"].where(~is_base, cells["detector"])
    values = pd.to_numeric(cells[column])
    long = pd.DataFrame({"row": rows, "condition": cells["condition"], "value": values})
    order = list(dict.fromkeys(rows)), list(dict.fromkeys(cells["condition"]))
    return long.pivot(index="row", columns="condition", values="value").loc[order]


def _cross_testing(results: Results, column: str) -> "Figure":
    values = matrix(results.published.error_rates(CROSS_TESTING), results.error_rates, column)
    figure, axes = _canvas(CELL * len(values.columns) + 1.6, 0.7 * CELL * len(values) + 1.0)
    image = axes.imshow(values.to_numpy(), cmap="viridis_r", vmin=0, vmax=60, aspect="auto")
    for (row, place), value in np.ndenumerate(values.to_numpy()):
        if np.isfinite(value):
            color = "white" if value > 30 else "black"
            axes.text(place, row, f"{value:.2f}", ha="center", va="center", color=color, size=7)
    axes.set_xticks(range(len(values.columns)), list(values.columns))
    axes.set_yticks(range(len(values)), list(values.index))
    axes.xaxis.tick_top()
    whose = "published" if column == "published_percent" else "ours"
    axes.set(xlabel=f"EER (%), {whose}; columns: judged on", ylabel="trained on")
    figure.colorbar(image, ax=axes)
    return figure


def decisions(error_rates: ErrorRates) -> dict[tuple[str, str], np.ndarray]:
    """Training set and condition -> counts `[key, decision]`, bona fide first, at the fixed threshold, first seed."""
    models = error_rates.models[
        (error_rates.models["detector"] == DETECTOR) & (error_rates.models["strategy"] == "erm")
    ]
    first = models[models["seed"] == models.groupby("training_set")["seed"].transform("min")]
    table = first.set_index(["training_set", "condition"])[CONFUSION_COLUMNS]
    counts = {}
    for training_set in TRAINING_SETS:
        for condition in CONDITIONS:
            hits, misses, rejections, false_alarms = (int(count) for count in table.loc[(training_set, condition)])
            counts[training_set, condition] = np.array([[hits, misses], [false_alarms, rejections]])
    return counts


def _decisions(results: Results) -> "Figure":
    counts_of = decisions(results.error_rates)
    figure, axes = _canvas(2.4 * len(counts_of), 2.6, columns=len(counts_of))
    for letter, ((training_set, condition), counts), place in zip(
        "abcd", counts_of.items(), np.ravel(axes), strict=True
    ):
        shares = counts / counts.sum(axis=1, keepdims=True)
        place.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            color = "white" if shares[row, column] > 0.5 else "black"
            text = f"{count:,}\n{shares[row, column]:.2%}"
            place.text(column, row, text, ha="center", va="center", color=color)
        place.set_xticks([0, 1], ["bona fide", "spoof"])
        place.set_yticks([0, 1], ["bona fide", "spoof"])
        place.set(title=f"({letter}) {training_set}, {condition}", xlabel="decision", ylabel="key")
    return figure


def _losses(results: Results) -> "Figure":
    rows = results.error_rates.models
    rows = rows[(rows["detector"] == DETECTOR) & (rows["training_set"] == CO_TRAINED)]
    models = [Model(DETECTOR, CO_TRAINED, strategy, seed) for strategy, seed in _first_seeds(rows)]
    figure, axes = _canvas(8.0, 3.0, columns=2)
    for place, (column, title) in zip(axes, (("train_loss", "(a) training"), ("dev_loss", "(b) dev")), strict=True):
        for model in models:
            history = files.read_tsv(results.model_root / model.name / "history.tsv")
            place.plot(history["epoch"].astype(int), history[column].astype(float), label=model.strategy)
        place.set(title=title, xlabel="epoch", ylabel="loss")
        place.legend()
    return figure


def _spectrograms(rows: list["ExcerptRow"]) -> "Figure":
    most = max(len(row.excerpts) for row in rows)
    figure, axes = _canvas(1.8 * most, 1.6 * len(rows) + 0.2, columns=most, rows=len(rows))
    places = np.reshape(axes, (len(rows), most))
    for place in np.ravel(places):
        place.set_axis_off()
    for row, line in zip(rows, places, strict=True):
        for excerpt, place in zip(row.excerpts, line, strict=False):
            place.imshow(_picture(excerpt.image), aspect="auto")
            place.set_title(f"{row.corpus}, {excerpt.source}")
    return figure


def _picture(data_uri: str) -> np.ndarray:
    """Pixels `[H, W, 3]` of a PNG in a data URI."""
    from PIL import Image

    png = base64.b64decode(data_uri.partition("base64,")[2])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def _first_seeds(models: pd.DataFrame) -> list[tuple[str, int]]:
    """Strategy and lowest seed, in the order of names."""
    return [(str(strategy), int(seed)) for strategy, seed in models.groupby("strategy")["seed"].min().items()]


def _canvas(width: float, height: float, columns: int = 1, rows: int = 1) -> "tuple[Figure, Any]":
    """A figure that is not registered with pyplot's global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)
