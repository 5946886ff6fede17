"""The plan of a training run: the batches of every epoch, and the learning rate of every update."""

from functools import partial

import numpy as np

from codecfake.training.composition import Batches, Composition, SamplingError
from codecfake.training.samplers import num_shuffled
from codecfake.training.schedules import SCHEDULES, Course
from codecfake.training.settings import TrainSettings
from codecfake.training.strategies import SAMPLERS


class Plan:
    """Depends only on settings and train lists: to continue, a run needs no more than its epoch and step."""

    def __init__(self, settings: TrainSettings, composition: Composition) -> None:
        self._settings, self._composition = settings, composition
        strategy = settings.resolved_strategy()
        self._sampler = SAMPLERS.part(strategy.sampler).load()
        if (own := strategy.built_sampler_settings()) is not None:
            self._sampler = partial(self._sampler, settings=own)
        self.updates_per_epoch = self._count_updates()
        self._course = Course(
            settings.learning_rate,
            settings.final_learning_rate,
            settings.halve_every * self.updates_per_epoch,
            settings.epochs * self.updates_per_epoch,
        )

    def batches(self, epoch: int) -> Batches:
        """The batches of an epoch: new passes of the sampler, repeated or cut to the length of the epoch."""
        rng = np.random.default_rng((self._settings.seed, epoch))
        batches: Batches = []
        while len(batches) < self.updates_per_epoch:
            batches += self._sample(rng)
        return batches[: self.updates_per_epoch]

    def learning_rate(self, num_updates: int) -> float:
        """The learning rate after `done` updates, counted over all epochs."""
        return SCHEDULES[self._settings.schedule](self._course, num_updates)

    def _count_updates(self) -> int:
        if self._settings.match == "updates":
            return num_shuffled(len(self._composition), self._settings.batch_size)
        return len(self._sample(np.random.default_rng(0)))

    def _sample(self, rng: np.random.Generator) -> Batches:
        batches: Batches = list(self._sampler(self._composition, self._settings.batch_size, rng))
        if not batches:
            raise SamplingError(f"the sampler of strategy {self._settings.strategy} returns no batches; return some")
        return batches
