"""The tasks that the training loop trains for: detection of fakes, and source tracing, by class or by a number.

A task says which trials it uses, what their targets are, how an epoch is measured, and what it writes beside the model.
A target is a class index, or a number.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from codecfake.base.utterances import BONAFIDE as BONAFIDE_KEY
from codecfake.detectors import BONAFIDE, SPOOF
from codecfake.detectors.detector import score
from codecfake.detectors.models import CLASSES, REGRESSION
from codecfake.protocols import tracing, trials
from codecfake.protocols.traced_quantities import TracedQuantity
from codecfake.protocols.tracing import Classes
from codecfake.scoring import verdicts
from codecfake.training.loss_settings import LOSSES
from codecfake.training.settings import TrainSettings
from codecfake.training.validation import measures, measures_of_regression, measures_of_tracing

LossOfTrials = Callable[[Tensor, Tensor], Tensor]  # outputs [B, num_outputs], targets [B] -> [B]


class Task(Protocol):
    num_outputs: int  # of the model: a logit of each class, or one number
    record: dict[str, Any]  # what the model's record has besides its settings
    curves: tuple[str, ...]  # measures that are drawn

    def trials(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        """The trials of the train or dev lists that it uses. Raises TrialsError if some are missing."""
        ...

    def targets(self, table: pd.DataFrame) -> Tensor:
        """The target of each trial, `[N]`."""
        ...

    def weights(self, targets: Tensor, settings: TrainSettings) -> Tensor:
        """The weight of each trial in the loss, `[N]`."""
        ...

    def loss(self, settings: TrainSettings) -> LossOfTrials:
        """The loss of each trial, without its weight."""
        ...

    def scores(self, outputs: Tensor) -> Tensor:
        """What it keeps of the outputs for dev, `[N]`."""
        ...

    def measures(
        self, losses: Tensor, weights: Tensor, scores: Tensor, targets: Tensor, batch_size: int
    ) -> dict[str, float]:
        """The measures of an epoch; every tensor is `[N]`."""
        ...

    def write_result(self, folder: Path, scores: Tensor, targets: Tensor) -> None:
        """Write what the scores of dev at the best epoch say into the model folder."""
        ...


class Detection:
    """Bona fide speech or spoof: every model of a detector."""

    def __init__(self) -> None:
        self.num_outputs = 2
        self.record: dict[str, Any] = {}
        self.curves: tuple[str, ...] = ("dev_loss", "dev_eer")

    def trials(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        trials.require_both_keys(table, name)
        return table

    def targets(self, table: pd.DataFrame) -> Tensor:
        return torch.from_numpy(np.where(table["key"] == BONAFIDE_KEY, BONAFIDE, SPOOF))

    def weights(self, targets: Tensor, settings: TrainSettings) -> Tensor:
        weights = torch.empty(2)
        weights[SPOOF], weights[BONAFIDE] = settings.spoof_weight, settings.bonafide_weight
        return weights[targets]

    def loss(self, settings: TrainSettings) -> LossOfTrials:
        return _loss_of_classes(settings)

    def scores(self, outputs: Tensor) -> Tensor:
        return score(outputs)

    def measures(
        self, losses: Tensor, weights: Tensor, scores: Tensor, targets: Tensor, batch_size: int
    ) -> dict[str, float]:
        return measures(losses, weights, scores, targets, batch_size)

    def write_result(self, folder: Path, scores: Tensor, targets: Tensor) -> None:
        result = verdicts.dev_result(scores.numpy(), (targets == BONAFIDE).numpy())
        verdicts.write(folder / verdicts.CALIBRATION, result)


class Tracing:
    """Which class of sources a trial is from; all classes weigh the same in the loss."""

    def __init__(self, classes: Classes) -> None:
        self.curves: tuple[str, ...] = ("dev_loss", "dev_accuracy")
        self._classes, self.num_outputs = classes, len(classes)
        self.record: dict[str, Any] = {CLASSES: {name: list(sources) for name, sources in classes.items()}}

    def trials(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        selection = tracing.of_sources(table, tracing.sources_of(self._classes))
        tracing.require_every_class(selection, self._classes, name)
        return selection

    def targets(self, table: pd.DataFrame) -> Tensor:
        sources = tracing.traced_sources(table, tracing.sources_of(self._classes))
        return torch.tensor(tracing.class_numbers(sources, self._classes).to_numpy())

    def weights(self, targets: Tensor, settings: TrainSettings) -> Tensor:
        return torch.ones(len(targets))

    def loss(self, settings: TrainSettings) -> LossOfTrials:
        return _loss_of_classes(settings)

    def scores(self, outputs: Tensor) -> Tensor:
        """The predicted classes."""
        return outputs.argmax(dim=1)

    def measures(
        self, losses: Tensor, weights: Tensor, scores: Tensor, targets: Tensor, batch_size: int
    ) -> dict[str, float]:
        return measures_of_tracing(losses, weights, scores, targets, batch_size, self.num_outputs)

    def write_result(self, folder: Path, scores: Tensor, targets: Tensor) -> None:
        """The model's history says everything."""


class Regression:
    """The number that a trial's source has, standardized as `TracedQuantity` says; the loss is the squared error."""

    def __init__(self, quantity: TracedQuantity) -> None:
        self.curves: tuple[str, ...] = ("dev_loss", "dev_mae_log2")
        self._quantity, self.num_outputs = quantity, 1
        self.record: dict[str, Any] = {REGRESSION: asdict(quantity)}

    def trials(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        """Those of its sources: speech without a value, such as recordings, is left out."""
        selection = tracing.of_sources(table, self._quantity.values)
        tracing.require_every_class(selection, {source: [source] for source in self._quantity.values}, name)
        return selection

    def targets(self, table: pd.DataFrame) -> Tensor:
        return torch.tensor([self._quantity.target(source) for source in table["source"]], dtype=torch.float32)

    def weights(self, targets: Tensor, settings: TrainSettings) -> Tensor:
        return torch.ones(len(targets))

    def loss(self, settings: TrainSettings) -> LossOfTrials:
        return lambda outputs, targets: (outputs[:, 0] - targets).square()

    def scores(self, outputs: Tensor) -> Tensor:
        """The predicted targets."""
        return outputs[:, 0]

    def measures(
        self, losses: Tensor, weights: Tensor, scores: Tensor, targets: Tensor, batch_size: int
    ) -> dict[str, float]:
        return measures_of_regression(losses, weights, scores, targets, batch_size, self._quantity.spread)

    def write_result(self, folder: Path, scores: Tensor, targets: Tensor) -> None:
        """The model's history says everything."""


def _loss_of_classes(settings: TrainSettings) -> LossOfTrials:
    loss = LOSSES.part(settings.loss)
    of_trials: LossOfTrials = loss.load()(loss.build_settings(settings.loss_settings))
    return of_trials


DETECTION: Task = Detection()
