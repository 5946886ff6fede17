"""What the losses and scores of an epoch say: measures of dev, and whether an epoch is the best or the last one."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from codecfake.detectors import BONAFIDE
from codecfake.statistics import metrics, regression, tracing

NAMED_TRIALS = 128  # the most trials that an error names; one bad clip can spoil its whole batch


class TrainingError(RuntimeError):
    """Training cannot continue."""


def require_finite(losses: Tensor, table: pd.DataFrame, place: str = "") -> None:
    """Raise TrainingError, which names the trials of `table`, if one of their losses `[N]` is not finite."""
    bad = ~torch.isfinite(losses).cpu().numpy()
    if bad.any():
        names = table["trial_id"].to_numpy()[bad]
        raise TrainingError(
            f"{place}the loss of {len(names)} of {len(table)} trials is not finite ({', '.join(names[:NAMED_TRIALS])}"
            f"{', …' if len(names) > NAMED_TRIALS else ''}); check their audio, or lower learning_rate or rho"
        )


def measures(losses: Tensor, weights: Tensor, scores: Tensor, classes: Tensor, batch_size: int) -> dict[str, float]:
    """Weighted loss and EER over the whole dev set, and the mean loss of its batches; every argument is `[N]`."""
    bonafide = classes == BONAFIDE
    eer = metrics.eer(scores[bonafide].numpy(), scores[~bonafide].numpy()).eer
    return {**mean_losses(losses, weights, batch_size), "dev_eer": eer}


def measures_of_tracing(
    losses: Tensor, weights: Tensor, predictions: Tensor, classes: Tensor, batch_size: int, num_classes: int
) -> dict[str, float]:
    """The same losses, with accuracy and macro F1 of the predicted classes `[N]`."""
    counts = tracing.confusion(classes.numpy(), predictions.numpy(), num_classes)
    values = {"dev_accuracy": tracing.accuracy(counts), "dev_macro_f1": tracing.macro_f1(counts)}
    return {**mean_losses(losses, weights, batch_size), **values}


def measures_of_regression(
    losses: Tensor, weights: Tensor, predictions: Tensor, targets: Tensor, batch_size: int, spread: float
) -> dict[str, float]:
    """The same losses, with the mean absolute error of predictions `[N]` in units of log2, of which `spread` are one
    unit of the targets.
    """
    error = regression.mean_absolute_error(targets.double().numpy(), predictions.numpy())
    return {**mean_losses(losses, weights, batch_size), "dev_mae_log2": spread * error}


def mean_losses(losses: Tensor, weights: Tensor, batch_size: int) -> dict[str, float]:
    """The weighted loss over the whole dev set, and the mean over its batches."""
    parts = zip(losses.split(batch_size), weights.split(batch_size), strict=True)
    return {
        "dev_loss": (losses.sum() / weights.sum()).item(),
        "dev_loss_of_batches": torch.stack([part.sum() / its.sum() for part, its in parts]).mean().item(),
    }


def is_least(values: dict[str, float], history: list[dict[str, Any]], columns: Sequence[str]) -> bool:
    """Whether an epoch has the least values so far, compared column by column; without columns, always true."""
    value = [values[column] for column in columns]
    return not columns or all(value < [earlier[column] for column in columns] for earlier in history)
