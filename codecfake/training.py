"""Training of a detector: one loop for every front-end, back-end and strategy.

The recipe is that of Xie et al. 2025: Adam, cross-entropy with the bona fide class weighted 10, the learning
rate halved every few epochs, the epoch with the lowest dev loss kept. The dev loss is over the whole dev set.
"""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

import codecfake
from codecfake import checkpoint, files, metrics, models, trials
from codecfake.clips import Clips
from codecfake.curves import Curves
from codecfake.detectors import BONAFIDE, SPOOF
from codecfake.detectors.detector import Detector, DetectorSettings, score
from codecfake.features import CachedFeatures, Features, StreamedFeatures, in_order
from codecfake.progress import progress
from codecfake.strategies import STRATEGIES
from codecfake.utterances import BONAFIDE as BONAFIDE_KEY

CHECKPOINT, HISTORY, TENSORBOARD = "checkpoint.pt", "history.tsv", "tensorboard"
NAMED_TRIALS = 128  # at most so many are named in an error; one bad clip can spoil its whole batch


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why."""


@dataclass(frozen=True)
class TrainSettings:
    detector: DetectorSettings
    crop_samples: int = 64_600  # of each clip, at 16 kHz
    batch_size: int = 128
    epochs: int = 10
    learning_rate: float = 5e-4
    halve_every: int = 2  # epochs
    weight_decay: float = 0.0  # L2, inside Adam
    spoof_weight: float = 1.0  # of a class in the loss
    bonafide_weight: float = 10.0
    strategy: str = "erm"
    seed: int = 0
    cache_features: bool = False  # compute features once and hold them in memory, not anew in every epoch
    checkpoint_steps: int = 1000  # a checkpoint is written so often, and after every epoch
    tensorboard: bool = True

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ValueError(f"strategy is {self.strategy!r}; known: {', '.join(STRATEGIES)}")
        for name in ("crop_samples", "batch_size", "epochs", "halve_every", "checkpoint_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("learning_rate", "spoof_weight", "bonafide_weight"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")

    def complete(self) -> dict[str, Any]:
        """The settings as plain values, with every default spelled out."""
        return {**dataclasses.asdict(self), "detector": self.detector.complete()}


def train(
    train_tsv: Sequence[Path],
    dev_tsv: Sequence[Path],
    audio_root: Path,
    output: Path,
    settings: TrainSettings,
    device: torch.device,
    workers: int = 0,
) -> None:
    """Train a detector; write its model folder, `history.tsv` and TensorBoard events into `output`.

    A killed run, started again with the same arguments, goes on from its checkpoint and ends (on a CPU) in the
    same bytes as an undisturbed one.

    Raises TrialsError if a list has one class only or shares a recording with another, and TrainingError if
    the loss is not finite.
    """
    train_trials, dev_trials = trials.read(train_tsv), trials.read(dev_tsv)
    trials.require_both_keys(train_trials, "train")
    trials.require_both_keys(dev_trials, "dev")
    trials.require_disjoint(dev_trials, "dev", train_trials, "train")
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        run = _Run(train_trials, dev_trials, audio_root, output, settings, device, workers)
        run.finish()


class _Run:
    """A detector in training, its data, and how far it has come."""

    def __init__(
        self,
        train_trials: pd.DataFrame,
        dev_trials: pd.DataFrame,
        audio_root: Path,
        output: Path,
        settings: TrainSettings,
        device: torch.device,
        workers: int,
    ) -> None:
        self._settings, self._output, self._device = settings, output, device
        self._train_trials, self._dev_trials = train_trials, dev_trials
        self._train_classes, self._dev_classes = _classes(train_trials), _classes(dev_trials)
        self._seed_step(epoch=0, step=-1)
        self._detector = Detector(settings.detector, settings.crop_samples).to(device)
        self._back_end = self._detector.back_end
        self._optimizer = torch.optim.Adam(
            self._back_end.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._strategy = STRATEGIES[settings.strategy]
        self._update = self._strategy.update(self._optimizer)
        self._class_weights = torch.empty(2, device=device)
        self._class_weights[SPOOF] = settings.spoof_weight
        self._class_weights[BONAFIDE] = settings.bonafide_weight
        self._train_features = self._features(train_trials, audio_root, workers, "train")
        self._dev_features = self._features(dev_trials, audio_root, workers, "dev")
        self._fingerprint = _fingerprint(settings, train_trials, dev_trials)
        self._progress = checkpoint.restore(output / CHECKPOINT, self._back_end, self._optimizer, self._fingerprint)
        self._steps_per_epoch = len(self._order(0))

    def _features(self, table: pd.DataFrame, audio_root: Path, workers: int, name: str) -> Features:
        clips = Clips(table, audio_root, self._settings.crop_samples)
        streamed = StreamedFeatures(clips, self._detector.front_end, self._device, workers)
        return CachedFeatures(streamed, self._settings.batch_size, name) if self._settings.cache_features else streamed

    def finish(self) -> None:
        """Train the epochs that are left, write the results, and remove the checkpoint."""
        curves = Curves(self._output / TENSORBOARD if self._settings.tensorboard else None, self._total_steps())
        while self._progress.epoch < self._settings.epochs:
            self._train_epoch(curves)
            self._end_epoch(curves)
        curves.close()
        self._save_model()
        (self._output / CHECKPOINT).unlink()

    def _train_epoch(self, curves: Curves) -> None:
        now = self._progress
        self._set_learning_rate()
        order = self._order(now.epoch)[now.step :]
        name = f"epoch {now.epoch + 1}/{self._settings.epochs}"
        bar = progress(self._train_features.batches(order), name, total=len(order), unit="batch")
        for batch, features in zip(order, bar, strict=True):
            self._detector.train()
            self._seed_step(now.epoch, now.step)
            loss = self._step(features, batch)
            now.step += 1
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            curves.add({"loss/step": loss}, self._total_steps())
            if now.step % self._settings.checkpoint_steps == 0:
                self._checkpoint()

    def _step(self, features: Tensor, batch: np.ndarray) -> float:
        """Update the weights on one batch; gives its loss. Raises TrainingError, before the update, if not finite."""
        classes = self._train_classes[torch.from_numpy(batch)].to(self._device)
        weight = self._class_weights[classes].sum()

        def closure() -> Tensor:
            self._optimizer.zero_grad()
            losses = F.cross_entropy(self._back_end(features), classes, self._class_weights, reduction="none")
            _require_finite(losses, self._train_trials.iloc[batch])
            loss = losses.sum() / weight
            loss.backward()
            return loss.detach()

        loss = self._update.step(closure).item()
        self._progress.loss_sum += loss * weight.item()
        self._progress.weight_sum += weight.item()
        return loss

    def _end_epoch(self, curves: Curves) -> None:
        now = self._progress
        dev_loss, dev_eer = self._judge_dev()
        is_best = dev_loss < now.best_loss
        now.epoch += 1
        if is_best:
            now.best_loss, now.best_epoch = dev_loss, now.epoch
            now.best_state = {name: tensor.clone() for name, tensor in self._detector.own_state().items()}
        row = {
            "epoch": now.epoch,
            "train_loss": now.loss_sum / now.weight_sum,
            "dev_loss": dev_loss,
            "dev_eer": dev_eer,
            "learning_rate": self._optimizer.param_groups[0]["lr"],
            "is_best": int(is_best),
        }
        now.history.append(row)
        now.step, now.loss_sum, now.weight_sum = 0, 0.0, 0.0
        files.write_tsv(self._output / HISTORY, pd.DataFrame(now.history))
        self._checkpoint()
        curves.add({f"epoch/{name}": row[name] for name in ("train_loss", "dev_loss", "dev_eer")}, self._total_steps())

    @torch.no_grad()
    def _judge_dev(self) -> tuple[float, float]:
        """Weighted loss and EER over the whole dev set."""
        self._detector.eval()
        order = in_order(len(self._dev_trials), self._settings.batch_size)
        bar = progress(self._dev_features.batches(order), "dev", total=len(order), unit="batch")
        logits = torch.cat([self._back_end(features) for features in bar]).cpu().double()
        classes, weights = self._dev_classes, self._class_weights.cpu().double()
        losses = F.cross_entropy(logits, classes, weights, reduction="none")
        _require_finite(losses, self._dev_trials)
        scores, bonafide = score(logits).numpy(), (classes == BONAFIDE).numpy()
        rate = metrics.eer(scores[bonafide], scores[~bonafide]).eer
        return (losses.sum() / weights[classes].sum()).item(), rate

    def _save_model(self) -> None:
        record = {
            "version": codecfake.__version__,
            "front_end_weights": self._detector.front_end_weights(),
            "best_epoch": self._progress.best_epoch,
            "settings": self._settings.complete(),
        }
        files.write_tsv(self._output / HISTORY, pd.DataFrame(self._progress.history))
        models.save(self._output, self._progress.best_state, record)

    def _checkpoint(self) -> None:
        path = self._output / CHECKPOINT
        checkpoint.save(path, self._progress, self._back_end, self._optimizer, self._fingerprint)

    def _order(self, epoch: int) -> list[np.ndarray]:
        rng = np.random.default_rng((self._settings.seed, epoch))
        return self._strategy.batches(self._train_trials, self._settings.batch_size, rng)

    def _seed_step(self, epoch: int, step: int) -> None:
        """Dropout (and the first weights, at step -1) depend on seed, epoch and step alone."""
        words = np.random.SeedSequence((self._settings.seed, epoch, step + 1)).generate_state(1, np.uint64)
        torch.manual_seed(int(words[0]))

    def _set_learning_rate(self) -> None:
        halvings = self._progress.epoch // self._settings.halve_every
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.learning_rate * 0.5**halvings

    def _total_steps(self) -> int:
        return self._progress.epoch * self._steps_per_epoch + self._progress.step


def _classes(table: pd.DataFrame) -> Tensor:
    """Class index of each trial, `[N]`."""
    return torch.from_numpy(np.where(table["key"] == BONAFIDE_KEY, BONAFIDE, SPOOF))


def _require_finite(losses: Tensor, table: pd.DataFrame) -> None:
    bad = ~torch.isfinite(losses).cpu().numpy()
    if bad.any():
        names = table["trial_id"].to_numpy()[bad]
        raise TrainingError(
            f"the loss of {len(names)} of {len(table)} trials is not finite ({', '.join(names[:NAMED_TRIALS])}"
            f"{', …' if len(names) > NAMED_TRIALS else ''}); look at their audio, or lower learning_rate"
        )


def _fingerprint(settings: TrainSettings, train_trials: pd.DataFrame, dev_trials: pd.DataFrame) -> str:
    """What must be equal for a checkpoint to be of the same run."""
    parts = (json.dumps(settings.complete(), sort_keys=True), train_trials.to_csv(), dev_trials.to_csv())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
