"""How detectors and codecs were trained: loss curves, and the epoch that was kept; or who released them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from codecfake.base import files
from codecfake.report.figures import LineStyle, drawing, line_styles, series_color
from codecfake.report.inputs import ReportError
from codecfake.tables import Model

RANDOM = "random"  # `front_end_weights` of a detector whose front-end was never trained


@dataclass(frozen=True)
class TrainedModel:
    """A model with the record of its training, here or elsewhere."""

    model: Model
    settings: dict[str, Any]
    history: pd.DataFrame  # a row per epoch; empty if the weights are released
    weights_sha256: str

    @property
    def best(self) -> pd.Series:
        """The epoch whose weights were kept, of a model that was trained here."""
        return self.history[self.history["is_best"]].iloc[-1]

    @property
    def released(self) -> dict[str, str] | None:
        """Its form, file, sha256 and license, if the weights are released."""
        return self.settings["released"] if self.model.is_released else None

    @property
    def front_end_weights(self) -> str:
        """`none`, `random`, or the weights that training started from."""
        weights = self.settings["front_end_weights"]
        if isinstance(weights, dict) and weights["source"] == RANDOM:
            return "trained here from random weights"
        return weights if isinstance(weights, str) else f"{weights['source']} (sha256 {weights['sha256'][:8]})"

    @property
    def has_random_front_end(self) -> bool:
        return self.front_end_weights == RANDOM


def read_models(results: Path, names: list[str]) -> list[TrainedModel]:
    """Raises ReportError if a model's settings lack `front_end_weights` or if no epoch of its history is best."""
    return [_read_model(results / "models" / name, Model.parse(name)) for name in names]


def _read_model(folder: Path, model: Model) -> TrainedModel:
    settings = files.read_json(folder / "settings.json")
    if "front_end_weights" not in settings:
        raise ReportError(f"{folder / 'settings.json'}: no front_end_weights; train the model again")
    sha256 = files.sha256(folder / "weights.safetensors")
    if model.is_released:
        return TrainedModel(model, settings, pd.DataFrame(), sha256)
    history = _numbers(folder / "history.tsv")
    history["is_best"] = history["is_best"].astype(bool)
    if not history["is_best"].any():
        raise ReportError(f"{folder / 'history.tsv'}: no epoch is marked as best; train the model again")
    return TrainedModel(model, settings, history, sha256)


def _numbers(path: Path) -> pd.DataFrame:
    """A table of numbers; the words True and False count as 1 and 0, an empty cell as not measured."""
    table = files.read_tsv(path).replace({"True": "1", "False": "0", "": "nan"})
    return table.astype(float)


@dataclass(frozen=True)
class LossPanel:
    detector: str
    training_set: str
    random_front_end: bool
    figure: Markup


def detector_panels(models: list[TrainedModel]) -> list[LossPanel]:
    """Loss curves by training set and detector, one color a strategy: training solid, development dashed."""
    groups: dict[tuple[str, str], list[TrainedModel]] = {}
    trained = [one for one in models if one.released is None]
    for one in trained:
        groups.setdefault((one.model.detector, one.model.training_set), []).append(one)
    styles = strategy_styles(trained)
    return [
        LossPanel(*place, any(t.has_random_front_end for t in group), _detector_panel(" ".join(place), group, styles))
        for place, group in groups.items()
    ]


def strategy_styles(models: Iterable[TrainedModel]) -> dict[str, LineStyle]:
    """The line style of every strategy of the models that were trained here."""
    return line_styles(sorted({one.model.strategy for one in models if one.released is None}))


def _detector_panel(title: str, models: list[TrainedModel], styles: dict[str, LineStyle]) -> Markup:
    with drawing(f"loss {title}", f"Loss of each epoch: {title}", height=2.3) as draft:
        axes = draft.axes()[0]
        for one in models:
            color = styles[one.model.strategy].color
            history, best = one.history, one.best
            axes.plot(history["epoch"], history["train_loss"], color=color)
            axes.plot(history["epoch"], history["dev_loss"], color=color, linestyle="--")
            axes.plot(best["epoch"], best["dev_loss"], color=color, marker="o", markersize=5)
        axes.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return draft.svg


def codec_panels(results: Path, codecs: Iterable[str]) -> dict[str, Markup]:
    """Loss curves, validation mel distance and SI-SDR of every codec that was trained here; the kept step is marked."""
    folders = {codec: results / "codecs" / codec for codec in codecs}
    return {
        codec: _codec_panel(codec, _numbers(folder / "history.tsv"), _kept_step(folder))
        for codec, folder in folders.items()
    }


def _kept_step(folder: Path) -> int | None:
    """The step whose weights a codec has, if its recipe could keep others than the last ones."""
    path = folder / "settings.json"
    return files.read_json(path).get("kept_step") if path.is_file() else None


def _codec_panel(codec: str, history: pd.DataFrame, kept_step: int | None) -> Markup:
    panels = {"loss": "loss", "mel_distance": "mel distance", "si_sdr_db": "SI-SDR (dB)"}
    if "discriminator" in history:
        panels["discriminator"] = "discriminator"
    description = f"Training of {codec} by step: {', '.join(panels.values())}"
    with drawing(f"codec {codec}", description, height=0.4 + 1.1 * len(panels)) as draft:
        for axes, (column, label) in zip(draft.axes(len(panels)), panels.items(), strict=True):
            points = history.dropna(subset=[column])
            marker = "o" if len(points) == 1 else ""  # a single point is not visible as a line
            axes.plot(points["step"], points[column], color=series_color(0), marker=marker, markersize=3)
            if kept_step is not None:
                axes.axvline(kept_step, color=series_color(0), linestyle=":")
            axes.set(ylabel=label, xlim=(0, history["step"].max()))
        axes.set(xlabel="step")
    return draft.svg
