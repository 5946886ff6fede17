"""Masked prediction: the network sees a crop without some spans, and predicts the class of every frame."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save as serialize
from torch import Tensor, nn
from torch.nn import functional as F

from codecfake.base import files
from codecfake.base.progress import progress
from codecfake.training.pretraining.crops import Crops, read
from codecfake.training.pretraining.settings import ARCHITECTURES, PretrainingSettings
from codecfake.training.pretraining.targets import Clusters, LogMel

LONGEST_GRADIENT = 1.0
WEIGHT_DECAY = 0.01
CROPS_TO_CLUSTER = 200
STEPS_PER_ROW = 100  # of the history
REGULARIZERS = ("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout", "layerdrop")


def pretrain(settings: PretrainingSettings, recordings: Sequence[Path], output: Path) -> None:
    """Write a front-end for the setting `weights`: a folder as transformers has them, with `history.tsv`.

    The same settings, recordings and number of torch's threads give the same bytes. A run that is killed starts over.

    Raises AudioError as `crops.read`.
    """
    crops = read(recordings, settings.crop_samples)
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    task = _Task(settings, crops.draw(CROPS_TO_CLUSTER, rng))
    history = _History()
    for step in progress(range(settings.steps), "pre-train", settings.steps, "step"):
        history.add(step + 1, task.step(crops, rng, step))
    _write(task.model, output)
    files.write_tsv(output / "history.tsv", history.table())
    files.write_json(output / "settings.json", {**asdict(settings), "num_recordings": len(recordings)})


class _Task:
    """The network, its classifier and its optimizer."""

    def __init__(self, settings: PretrainingSettings, examples: Tensor) -> None:
        self._settings = settings
        self.model = _network(settings).train()
        self._clusters = Clusters(examples, LogMel(*_window_and_hop(self.model.config)), settings.clusters)
        self._classifier = nn.Linear(self.model.config.hidden_size, settings.clusters)
        self._parameters = [*self.model.parameters(), *self._classifier.parameters()]
        self._optimizer = torch.optim.AdamW(self._parameters, weight_decay=WEIGHT_DECAY)

    def step(self, crops: Crops, rng: np.random.Generator, step: int) -> dict[str, float]:
        """Learn from one batch; returns the loss, and the accuracy of masked and of other frames."""
        wavs = crops.draw(self._settings.batch_size, rng)
        classes = self._clusters.classes(wavs)
        mask = _mask(self._settings, classes.shape, rng)
        logits = self._classifier(self.model(wavs, mask_time_indices=mask).last_hidden_state)
        hidden, visible = (F.cross_entropy(logits[part], classes[part]) for part in (mask, ~mask))
        loss = hidden + self._settings.unmasked_weight * visible
        self._update(loss, step)
        is_right = (logits.argmax(dim=2) == classes).float()
        return {"loss": loss.item(), "masked": is_right[mask].mean().item(), "unmasked": is_right[~mask].mean().item()}

    def _update(self, loss: Tensor, step: int) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = _learning_rate(self._settings, step)
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, LONGEST_GRADIENT)
        self._optimizer.step()


class _History:
    """Means over STEPS_PER_ROW steps."""

    def __init__(self) -> None:
        self._rows: list[dict[str, float]] = []
        self._recent: list[dict[str, float]] = []

    def add(self, step: int, values: dict[str, float]) -> None:
        self._recent.append(values)
        if step % STEPS_PER_ROW == 0:
            self._end_row(step)

    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self._rows, columns=["step", "loss", "masked", "unmasked"]).round(4)

    def _end_row(self, step: int) -> None:
        means = pd.DataFrame(self._recent).mean()
        self._rows.append({"step": step, **means})
        self._recent = []


def _network(settings: PretrainingSettings) -> Any:
    import transformers

    name = ARCHITECTURES[settings.architecture]
    # the vector that stands for a masked frame exists only if masking is on
    values = {**dict.fromkeys(REGULARIZERS, 0.0), "mask_time_prob": 0.05, **settings.config}
    return getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(**values))


def _window_and_hop(config: Any) -> tuple[int, int]:
    """The samples that a frame of the network sees, and those between two frames."""
    window, hop = 1, 1
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        window, hop = window + (kernel - 1) * hop, hop * stride
    return window, hop


def _mask(settings: PretrainingSettings, shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """True for the frames of random spans `[B, F]`; at least one frame of each row stays."""
    mask = torch.zeros(shape, dtype=torch.bool)
    length = min(settings.span_frames, shape[1] - 1)
    for row in mask:
        for start in rng.integers(0, shape[1] - length + 1, settings.spans):
            row[start : start + length] = True
        if row.all():
            row[int(rng.integers(shape[1]))] = False
    return mask


def _learning_rate(settings: PretrainingSettings, step: int) -> float:
    rising = min(1.0, (step + 1) / max(1, settings.warm_up_steps))
    return settings.learning_rate * rising * 0.5 * (1 + math.cos(math.pi * step / settings.steps))


def _write(model: nn.Module, output: Path) -> None:
    """The folder of a transformers model, with weights in half precision, which loading makes single again."""
    state = {name: tensor.detach().half().contiguous() for name, tensor in model.state_dict().items()}
    config: Any = model.config
    files.write_bytes(output / "model.safetensors", serialize(state, metadata={"format": "pt"}))
    files.write_text(output / "config.json", json.dumps(config.to_dict(), indent=2, sort_keys=True) + "\n")
