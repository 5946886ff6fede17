"""Losses of each trial: logits `[B, 2]` and class indices `[B]` -> `[B]`. Class indices are ours: spoof 0, bona fide 1.

OC-Softmax's published code counts the other way, bona fide 0.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from codecfake.detectors import BONAFIDE, SPOOF
from codecfake.training.loss_settings import CrossEntropySettings, FocalSettings, OcSoftmaxSettings


class CrossEntropy:
    """-log p of the trial's class."""

    def __init__(self, settings: CrossEntropySettings) -> None:
        pass

    def __call__(self, logits: Tensor, classes: Tensor) -> Tensor:
        return F.cross_entropy(logits, classes, reduction="none")


class Focal:
    """-alpha (1 - p)^gamma log p of the trial's class (Lin et al. 2017, Eq. 5)."""

    def __init__(self, settings: FocalSettings) -> None:
        self._settings = settings

    def __call__(self, logits: Tensor, classes: Tensor) -> Tensor:
        alpha = torch.where(classes == BONAFIDE, self._settings.alpha, 1 - self._settings.alpha).to(logits)
        # logit(p); its logarithms have finite gradients where p is 0 or 1
        margin = (logits[:, BONAFIDE] - logits[:, SPOOF]) * torch.where(classes == BONAFIDE, 1, -1)
        return -alpha * (self._settings.gamma * F.logsigmoid(-margin)).exp() * F.logsigmoid(margin)


class OcSoftmax:
    """log(1 + exp(scale (margin - cos))) of bona fide trials, and with the opposite sign of spoofs (Zhang et al. 2021,
    "One-class learning towards synthetic voice spoofing detection", Eq. 4).
    """

    def __init__(self, settings: OcSoftmaxSettings) -> None:
        self._settings = settings

    def __call__(self, logits: Tensor, classes: Tensor) -> Tensor:
        cosine, s = logits[:, BONAFIDE], self._settings
        distance = torch.where(classes == BONAFIDE, s.bonafide_margin - cosine, cosine - s.spoof_margin)
        return F.softplus(s.scale * distance)
