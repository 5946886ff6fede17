"""The tasks that the training loop trains for: detection of fakes, and source tracing.

A task says which trials it uses, what their classes are, how an epoch is measured, and what it writes beside the model.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from codecfake.base.utterances import BONAFIDE as BONAFIDE_KEY
from codecfake.detectors import BONAFIDE, SPOOF
from codecfake.detectors.detector import score
from codecfake.detectors.models import CLASSES
from codecfake.protocols import tracing, trials
from codecfake.protocols.tracing import Classes
from codecfake.scoring import verdicts
from codecfake.training.settings import TrainSettings
from codecfake.training.validation import measures, measures_of_tracing


class Task(Protocol):
    num_classes: int
    record: dict[str, Any]  # what the model's record has besides its settings
    curves: tuple[str, ...]  # measures that are drawn

    def trials(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        """The trials of the train or dev lists that it uses. Raises TrialsError if some are missing."""
        ...

    def classes(self, table: pd.DataFrame) -> Tensor:
        """The class index of each trial, `[N]`."""
        ...

    def class_weights(self, settings: TrainSettings) -> Tensor:
        """The weight of each class in the loss, `[num_classes]`."""
        ...

    def scores(self, logits: Tensor) -> Tensor:
        """What it keeps of the logits of dev, `[N]`."""
        ...

    def measures(
        self, losses: Tensor, weights: Tensor, scores: Tensor, classes: Tensor, batch_size: int
    ) -> dict[str, float]:
        """The measures of an epoch; every tensor is `[N]`."""
        ...

    def write_result(self, folder: Path, scores: Tensor, classes: Tensor) -> None:
        """Write what the scores of dev at the best epoch say into the model folder."""
        ...


class Detection:
    """Bona fide speech or spoof: every model of a detector."""

    def __init__(self) -> None:
        self.num_classes = 2
        self.record: dict[str, Any] = {}
        self.curves: tuple[str, ...] = ("dev_loss", "dev_eer")

    def trials(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        trials.require_both_keys(table, name)
        return table

    def classes(self, table: pd.DataFrame) -> Tensor:
        return torch.from_numpy(np.where(table["key"] == BONAFIDE_KEY, BONAFIDE, SPOOF))

    def class_weights(self, settings: TrainSettings) -> Tensor:
        weights = torch.empty(2)
        weights[SPOOF], weights[BONAFIDE] = settings.spoof_weight, settings.bonafide_weight
        return weights

    def scores(self, logits: Tensor) -> Tensor:
        return score(logits)

    def measures(
        self, losses: Tensor, weights: Tensor, scores: Tensor, classes: Tensor, batch_size: int
    ) -> dict[str, float]:
        return measures(losses, weights, scores, classes, batch_size)

    def write_result(self, folder: Path, scores: Tensor, classes: Tensor) -> None:
        result = verdicts.dev_result(scores.numpy(), (classes == BONAFIDE).numpy())
        verdicts.write(folder / verdicts.CALIBRATION, result)


class Tracing:
    """Which class of sources a trial is from; all classes weigh the same in the loss."""

    def __init__(self, classes: Classes) -> None:
        self.curves: tuple[str, ...] = ("dev_loss", "dev_accuracy")
        self._classes, self.num_classes = classes, len(classes)
        self.record: dict[str, Any] = {CLASSES: {name: list(sources) for name, sources in classes.items()}}

    def trials(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        selection = tracing.of_sources(table, tracing.sources_of(self._classes))
        tracing.require_every_class(selection, self._classes, name)
        return selection

    def classes(self, table: pd.DataFrame) -> Tensor:
        sources = tracing.traced_sources(table, tracing.sources_of(self._classes))
        return torch.tensor(tracing.class_numbers(sources, self._classes).to_numpy())

    def class_weights(self, settings: TrainSettings) -> Tensor:
        return torch.ones(self.num_classes)

    def scores(self, logits: Tensor) -> Tensor:
        """The predicted classes."""
        return logits.argmax(dim=1)

    def measures(
        self, losses: Tensor, weights: Tensor, scores: Tensor, classes: Tensor, batch_size: int
    ) -> dict[str, float]:
        return measures_of_tracing(losses, weights, scores, classes, batch_size, self.num_classes)

    def write_result(self, folder: Path, scores: Tensor, classes: Tensor) -> None:
        """The model's history says everything."""


DETECTION: Task = Detection()
