"""Training of a detector: one loop for every front-end, back-end and strategy."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn
from tqdm import tqdm

import codecfake
from codecfake.base import files, resumable
from codecfake.base.curves import Curves
from codecfake.base.parallel import ALONE, Team
from codecfake.base.progress import progress
from codecfake.detectors import models
from codecfake.detectors.detector import Detector
from codecfake.features.cache import CachePlace
from codecfake.features.streaming import in_order
from codecfake.protocols import trials
from codecfake.training import checkpoint, fine_tuning
from codecfake.training.composition import Composition
from codecfake.training.data import TrainingData
from codecfake.training.fine_tuning import TunedDetector, share_gradients, trained_network
from codecfake.training.optimizer import Optimizer
from codecfake.training.plan import Plan
from codecfake.training.settings import AVERAGE, SELECTIONS, TrainSettings
from codecfake.training.strategies import UPDATES
from codecfake.training.tasks import DETECTION, Task
from codecfake.training.updates import Update
from codecfake.training.validation import is_least, require_finite

CHECKPOINT, HISTORY, TENSORBOARD = "checkpoint.pt", "history.tsv", "tensorboard"


def train(
    train_tsv: Sequence[Path],
    dev_tsv: Sequence[Path],
    audio_root: Path,
    output: Path,
    settings: TrainSettings,
    device: torch.device,
    workers: int = 0,
    feature_cache: CachePlace | None = None,
    team: Team = ALONE,
    task: Task = DETECTION,
) -> None:
    """Train a detector, or a model for another task.

    Its model folder, `history.tsv` and TensorBoard events are written into `output`.

    A killed run, started again with the same arguments, continues from its checkpoint and ends (on a CPU) with the
    same bytes as an uninterrupted one.

    Raises TrialsError if a list is empty, has one key only or shares a recording with another, SamplingError if the
    strategy's sampler cannot make batches of the train lists, and TrainingError if the loss is not finite.

    Every process of a `team` calls it with the same arguments and a device of its own. They train the detector that one
    process would, up to rounding and the dropout of the front-end.
    """
    train_trials = task.trials(trials.read(train_tsv), "train")
    dev_trials = task.trials(trials.read(dev_tsv), "dev")
    trials.require_disjoint(dev_trials, "dev", train_trials, "train")
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        run = _Run(task, train_trials, dev_trials, audio_root, output, settings, device, workers, feature_cache, team)
        run.finish()


class _Run:
    """A detector in training, its data and its progress."""

    def __init__(
        self,
        task: Task,
        train_trials: pd.DataFrame,
        dev_trials: pd.DataFrame,
        audio_root: Path,
        output: Path,
        settings: TrainSettings,
        device: torch.device,
        workers: int,
        feature_cache: CachePlace | None,
        team: Team,
    ) -> None:
        self._settings, self._output, self._device, self._team = settings, output, device, team
        self._task, self._train_trials, self._dev_trials = task, train_trials, dev_trials
        self._train_targets, self._dev_targets = task.targets(train_trials), task.targets(dev_trials)
        self._seed_step(epoch=0, step=-1)
        self._plan = Plan(settings, Composition.of(train_trials))
        self._detector = Detector(settings.detector, settings.crop_samples, task.num_outputs).to(device)
        self._start = fine_tuning.start(self._detector, settings.fine_tuning)
        self._network = trained_network(self._detector, settings.fine_tuning, device, team)
        self._optimizer = Optimizer(settings, self._network, self._plan)
        self._update = _update(settings, self._optimizer, self._network)
        self._train_weights = task.weights(self._train_targets, settings)
        self._dev_weights = task.weights(self._dev_targets, settings).double()
        self._loss_of_trials = task.loss(settings)
        self._data = TrainingData(settings, self._detector, device, audio_root, workers, feature_cache, team)
        self._train_features, self._dev_features = self._data.train(train_trials), self._data.dev(dev_trials)
        self._fingerprint = _fingerprint(settings, self._data.mixed_in, task.record, train_trials, dev_trials)
        self._progress = checkpoint.restore(output / CHECKPOINT, self._network, self._optimizer.adam, self._fingerprint)
        self._average = AveragedModel(self._network) if settings.keep == AVERAGE else None
        if self._average and self._progress.average:
            self._average.load_state_dict(self._progress.average)

    def finish(self) -> None:
        """Train the remaining epochs, write the results, and remove the checkpoint."""
        folder = self._output / TENSORBOARD if self._settings.tensorboard and self._team.is_first else None
        curves = Curves(folder, self._total_steps())
        while not self._is_finished():
            self._train_epoch(curves)
            self._end_epoch(curves)
        curves.close()
        if self._average:
            self._take(self._average)
        if self._team.is_first:
            self._save_model()
            (self._output / CHECKPOINT).unlink()

    def _is_finished(self) -> bool:
        now, patience = self._progress, self._settings.patience
        return now.epoch == self._settings.epochs or 0 < patience <= now.epoch - now.best_epoch

    def _train_epoch(self, curves: Curves) -> None:
        now = self._progress
        order = self._plan.batches(now.epoch)[now.step :]
        name = f"epoch {now.epoch + 1}/{self._settings.epochs}"
        bar = self._bar(self._train_features.batches(order, now.epoch), name, len(order))
        for batch, inputs in zip(order, bar, strict=True):
            self._network.train()
            self._seed_step(now.epoch, now.step)
            self._optimizer.set_learning_rates(self._total_steps())
            loss = self._step(inputs, batch)
            now.step += 1
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            curves.add("loss", {"step": loss}, self._total_steps())
            if now.step % self._settings.checkpoint_steps == 0:
                self._checkpoint()

    def _step(self, inputs: Tensor, batch: np.ndarray) -> float:
        """Update the weights on one batch; returns its loss. Raises TrainingError, before the update, if not finite."""
        own = torch.from_numpy(batch)
        weight = self._train_weights[own].sum()
        targets, weights = self._send(self._train_targets[own]), self._send(self._train_weights[own])
        places = iter(("", "at the ascended weights, "))

        def closure() -> Tensor:
            self._optimizer.adam.zero_grad()
            losses = weights * self._loss_of_trials(self._network(inputs), targets)
            loss = losses.sum() / weight
            loss.backward()
            # the only wait for a GPU, after the backward pass, so that it has work meanwhile
            values = torch.cat([losses.detach(), loss.detach()[None]]).cpu()
            require_finite(values[:-1], self._train_trials.iloc[batch], next(places))
            share_gradients(self._network, self._team)
            return values[-1]

        loss = self._update.step(closure).item()
        self._progress.loss_sum += loss * weight.item()
        self._progress.weight_sum += weight.item()
        return loss

    def _send(self, tensor: Tensor) -> Tensor:
        """The tensor on the device; the CPU does not wait for the copy."""
        return tensor.pin_memory().to(self._device, non_blocking=True) if self._device.type == "cuda" else tensor

    def _end_epoch(self, curves: Curves) -> None:
        now = self._progress
        values, scores = self._score_dev()
        is_best = is_least(values, now.history, SELECTIONS[self._settings.select])
        now.epoch += 1
        if is_best:
            now.best_epoch, now.best_scores = now.epoch, scores
            now.best_state = self._own_state()
            if self._average:
                self._average.update_parameters(self._network)
                now.average = self._average.state_dict()
        row = {
            "epoch": now.epoch,
            "updates": now.epoch * self._plan.updates_per_epoch,
            "train_loss": now.loss_sum / now.weight_sum,
            **values,
            **self._optimizer.learning_rates(),
            "is_best": int(is_best),
        }
        now.history.append(row)
        now.step, now.loss_sum, now.weight_sum = 0, 0.0, 0.0
        if self._team.is_first:
            files.write_tsv(self._output / HISTORY, pd.DataFrame(now.history))
        self._checkpoint()
        curve = {name: row[name] for name in ("train_loss", *self._task.curves)}
        curves.add("epoch", curve, self._total_steps())

    def _take(self, average: AveragedModel) -> None:
        """Keep the averaged weights, with BatchNorm statistics from one more pass over the train lists, as in SWA
        (Izmailov et al. 2018).
        """
        now = self._progress
        self._network.load_state_dict(average.module.state_dict())
        self._seed_step(now.epoch, 0)
        update_bn(self._train_features.batches(self._plan.batches(now.epoch), now.epoch), self._network)
        _, now.best_scores = self._score_dev()
        now.best_state = self._own_state()

    def _own_state(self) -> dict[str, Tensor]:
        """A copy of the weights as they are now, of those that the model folder holds."""
        state = self._detector.state_dict() if self._settings.fine_tuning.is_on else self._detector.own_state()
        return {name: tensor.clone() for name, tensor in state.items()}

    @torch.no_grad()
    def _score_dev(self) -> tuple[dict[str, float], Tensor]:
        """Measures of the whole dev set, and its scores `[N]`."""
        self._network.eval()
        order = in_order(len(self._dev_trials), self._settings.batch_size)
        bar = self._bar(self._dev_features.batches(order), "dev", len(order))
        outputs = torch.cat([self._network(inputs) for inputs in bar]).cpu().double()
        losses = self._dev_weights * self._loss_of_trials(outputs, self._dev_targets)
        require_finite(losses, self._dev_trials)
        scores, batch_size = self._task.scores(outputs), self._settings.batch_size
        return self._task.measures(losses, self._dev_weights, scores, self._dev_targets, batch_size), scores

    def _save_model(self) -> None:
        settings = self._settings.complete()
        if self._settings.fine_tuning.is_on:
            settings["detector"] = fine_tuning.included(self._detector, settings["detector"])
        record = {
            "version": codecfake.__version__,
            "front_end_weights": self._start,
            "best_epoch": self._progress.best_epoch,
            "averaged_epochs": int(self._average.n_averaged) if self._average else 0,
            "mixed_in": self._data.mixed_in,
            "settings": settings,
            **self._task.record,
        }
        files.write_tsv(self._output / HISTORY, pd.DataFrame(self._progress.history))
        assert self._progress.best_scores is not None
        self._task.write_result(self._output, self._progress.best_scores, self._dev_targets)
        models.save(self._output, self._progress.best_state, record)

    def _checkpoint(self) -> None:
        if self._team.is_first:
            path = self._output / CHECKPOINT
            checkpoint.save(path, self._progress, self._network, self._optimizer.adam, self._fingerprint)

    def _bar(self, batches: Iterator[Tensor], name: str, total: int) -> tqdm:
        return progress(batches, name, total=total, unit="batch", silent=not self._team.is_first)

    def _seed_step(self, epoch: int, step: int) -> None:
        """Make dropout (and the first weights, at step -1) depend only on seed, epoch and step."""
        resumable.seed_step(self._settings.seed, epoch, step + 1)

    def _total_steps(self) -> int:
        return self._progress.epoch * self._plan.updates_per_epoch + self._progress.step


def _update(settings: TrainSettings, optimizer: Optimizer, network: nn.Module) -> Update:
    """The update of a strategy, and the weights that it ascends over, if it does."""
    strategy = settings.resolved_strategy()
    part = network.sharpness_part if isinstance(network, TunedDetector) else network
    update: Update = UPDATES.part(strategy.update).load()(optimizer.adam, part, strategy.update_settings())
    return update


def _fingerprint(settings: TrainSettings, mixed_in: object, record: dict[str, Any], *tables: pd.DataFrame) -> str:
    """What must be equal for a checkpoint to belong to the same run."""
    data = (table.to_csv() for table in tables)
    parts = [settings.complete(), mixed_in, *([record] if record else [])]
    return resumable.fingerprint(json.dumps(parts, sort_keys=True), *data)
