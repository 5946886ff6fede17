"""Settings of a detector's training, and what the two papers and their code set.

The defaults are the text of Xie et al. 2025 (Adam, cross-entropy with the bona fide class weighted 10, the learning
rate halved every few epochs, the epoch with the lowest dev loss kept), and its code where the text does not say
(batches, weight decay). The papers and their released code:

| setting | Xie, text | Xie, code | Wu, text | Wu, code |
|---|---|---|---|---|
| `batch_size` | - | 128 (its weights: 256) | 16 | 24 |
| `learning_rate` | 5e-4 | 5e-4 | 1e-3 | 1e-4 |
| `schedule` | halving | halving | constant | cosine |
| `weight_decay` | - | 5e-4 | - | 1e-4 |
| `bonafide_weight` | 10 | 10 | - | 1 |
| `select` | dev_loss | dev_loss_of_batches | dev_eer | dev_eer |
| `keep` | selected | selected | selected | average |
| `match` | - | epochs | - | - |

`match: updates` gives every strategy as many updates as ERM: an epoch has the number of batches that fits every trial
once, and the sampler's passes are cut or repeated to fill it. `match: epochs` uses the sampler's own epochs.
The two passes of SAM are one update.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codecfake.base import plugins
from codecfake.base.settings import Fault, FaultsError, as_faults, below
from codecfake.base.suggestions import unknown
from codecfake.detectors.back_end_settings import COSINE
from codecfake.detectors.settings import BACK_ENDS, DetectorSettings
from codecfake.features.augmentation.settings import links
from codecfake.features.settings import (
    CACHES,
    CROPS,
    DISK,
    EXACT,
    FEATURE_PRECISIONS,
    FULL,
    NONE,
    PADS,
    PRECISIONS,
    RANDOM,
    ROUNDED,
    cache_kind,
    feature_precision,
)
from codecfake.features.store_settings import StoreSettings
from codecfake.training.fine_tuning_settings import FineTuningSettings
from codecfake.training.loss_settings import CROSS_ENTROPY, LOSSES
from codecfake.training.schedules import SCHEDULES
from codecfake.training.strategies import STRATEGIES, UPDATES, Strategy, defines, strategy_of, unknown_strategy

MATCHES = ("updates", "epochs")
KEEPS = BEST, AVERAGE = ("selected", "average")
SELECTIONS: dict[str, tuple[str, ...]] = {  # keep the epoch with the least values in these columns of the history
    "dev_loss": ("dev_loss",),
    "dev_loss_of_batches": ("dev_loss_of_batches",),
    "dev_eer": ("dev_eer", "dev_loss"),
    "last": (),
}


@dataclass(frozen=True)
class TrainSettings:
    detector: DetectorSettings
    crop_samples: int = 64_600  # of each clip, at 16 kHz
    crop: str = "first"  # part of a longer train recording; or random, different in every epoch
    shortest_crop_samples: int | None = None  # random crops of a random length, from this one to crop_samples
    pad: str = "repeat"  # of a shorter recording; or zero
    augmentation: list[dict[str, Any]] = field(default_factory=list)  # of train clips: {name, probability, settings}
    batch_size: int = 128
    epochs: int = 10
    match: str = "updates"  # as many as ERM in these epochs; or `epochs` of the sampler's own length
    learning_rate: float = 5e-4
    schedule: str = "halving"  # of the learning rate; or cosine, constant
    halve_every: int = 2  # epochs
    final_learning_rate: float = 5e-6  # of the cosine schedule
    betas: tuple[float, ...] = (0.9, 0.999)  # of Adam
    weight_decay: float = 5e-4  # L2, inside Adam
    spoof_weight: float = 1.0  # of a class in the loss
    bonafide_weight: float = 10.0
    loss: str = CROSS_ENTROPY  # or focal, oc_softmax; or `module:name` of one outside the package
    loss_settings: dict[str, Any] = field(default_factory=dict)
    strategy: str = "erm"
    strategy_settings: dict[str, Any] = field(default_factory=dict)  # of its update, where different; or `Strategy`'s
    select: str = "dev_loss"  # which epoch is kept; or dev_loss_of_batches, dev_eer, last
    patience: int = 0  # epochs in a row that are not selected before training stops; 0: train all epochs
    keep: str = BEST  # the weights of that epoch; or the average over all epochs that were the best so far (SWA)
    seed: int = 0
    cache_features: bool | str = NONE  # compute features once and keep them in memory (true); disk: for SSL front-ends
    front_end_precision: str = EXACT  # or bfloat16, which is rejected if a measurement shows that it changes features
    feature_precision: str | None = None  # float16 rounds those of SSL front-ends; null: as disk has them, or float32
    fine_tuning: FineTuningSettings = field(default_factory=FineTuningSettings)  # of the front-end
    checkpoint_steps: int = 1000  # steps between checkpoints; another is written after every epoch
    tensorboard: bool = True

    def __post_init__(self) -> None:
        faults = [*self._unknown_names(), *self._faults_of_numbers()]
        for keys, check in (
            (("strategy_settings",), self._check_strategy),
            (("augmentation",), self._check_augmentation),
            ((), self._check_loss),
        ):
            try:
                check()
            except ValueError as error:
                faults += [fault.below(*keys) for fault in as_faults(error)]
        if not faults:
            faults += self._combination_faults()
        if faults:
            raise FaultsError("", faults)

    @property
    def cache(self) -> str:
        """Where features are kept: none, memory or disk."""
        return cache_kind(self.cache_features, self.detector.front_end["name"])

    @property
    def resolved_feature_precision(self) -> str:
        """The precision of the features that the back-end gets."""
        return feature_precision(self.feature_precision, self.cache, self.detector.front_end["name"])

    @property
    def store(self) -> StoreSettings:
        """What a store of its features is of, if they are on disk."""
        front_end = self.detector.complete()["front_end"]
        return StoreSettings(front_end, self.crop_samples, self.pad, self.front_end_precision)

    def code(self) -> list[Path]:
        """The files beside the experiment that implement its parts."""
        files = [link.code() for link in links(self.augmentation)] + [LOSSES.part(self.loss).code()]
        return [*self.detector.code(), *(path for path in files if path is not None), *self.resolved_strategy().code()]

    def resolved_strategy(self) -> Strategy:
        """Its strategy, with the settings of its update."""
        return strategy_of(self.strategy, self.strategy_settings)

    def _unknown_names(self) -> Iterator[Fault]:
        choices: dict[str, Iterable[str]] = {
            "match": MATCHES, "schedule": SCHEDULES, "select": SELECTIONS, "keep": KEEPS,
            "crop": CROPS, "pad": PADS, "front_end_precision": PRECISIONS,
        }  # fmt: skip
        for name, names in choices.items():
            if getattr(self, name) not in names:
                yield Fault((name,), unknown(name.replace("_", " "), getattr(self, name), names))
        if not self._has_strategy():
            yield Fault(("strategy",), unknown_strategy(self.strategy))
        if self.feature_precision not in (None, *FEATURE_PRECISIONS):
            yield Fault(
                ("feature_precision",), unknown("feature precision", self.feature_precision, FEATURE_PRECISIONS)
            )
        if not isinstance(self.cache_features, bool) and self.cache_features not in CACHES:
            yield Fault(("cache_features",), unknown("place", self.cache_features, ["true", "false", *CACHES]))

    def _faults_of_numbers(self) -> Iterator[Fault]:
        for name in ("crop_samples", "batch_size", "epochs", "halve_every", "checkpoint_steps"):
            if getattr(self, name) < 1:
                yield Fault((name,), f"{getattr(self, name)} is out of range; it must be at least 1")
        for name in ("learning_rate", "final_learning_rate", "spoof_weight", "bonafide_weight"):
            if not 0 < getattr(self, name) < float("inf"):
                yield Fault((name,), f"{getattr(self, name)} is out of range; it must be positive and finite")
        if self.patience < 0:
            yield Fault(("patience",), f"{self.patience} is out of range; it must be at least 0")
        if not 0 <= self.weight_decay < float("inf"):
            yield Fault(("weight_decay",), f"{self.weight_decay} is out of range; it must be at least 0 and finite")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            yield Fault(("betas",), f"{list(self.betas)} must be two numbers from 0 to below 1")

    def _check_strategy(self) -> None:
        if self._has_strategy():
            self.resolved_strategy()

    def _has_strategy(self) -> bool:
        return self.strategy in STRATEGIES or defines(self.strategy_settings)

    def _check_augmentation(self) -> None:
        links(self.augmentation)

    def _check_loss(self) -> None:
        with below("loss"):
            part = LOSSES.part(self.loss)
        with below("loss_settings"):
            part.build_settings(self.loss_settings)

    def _combination_faults(self) -> Iterator[Fault]:
        if self.schedule == "cosine" and self.final_learning_rate > self.learning_rate:
            yield Fault(
                ("final_learning_rate",),
                f"{self.final_learning_rate} is above learning_rate {self.learning_rate}; "
                f"the cosine schedule falls: lower it, or use the constant one",
            )
        if self.patience and not SELECTIONS[self.select]:
            yield Fault(("patience",), f"{self.patience}, but select {self.select} selects every epoch; set it to 0")
        yield from self._crop_faults()
        yield from self._fine_tuning_faults()
        if (self.crop == RANDOM or self.augmentation) and self.cache != NONE:
            yield Fault(
                ("cache_features",),
                f"{self.cache}, but train clips are cropped or augmented differently in every epoch; "
                f"set it to {NONE}, or set crop to first and remove augmentation",
            )
        if self.cache == DISK and self.feature_precision == FULL:
            yield Fault(
                ("feature_precision",),
                f"{FULL}, but features on disk have half precision; set it to {ROUNDED}, or cache_features to {NONE}",
            )
        if LOSSES.part(self.loss).of_cosines and not self._gives_cosines():
            yield Fault(
                ("loss",),
                f"{self.loss} compares cosines, but the logits of the back-end {self.detector.back_end['name']} are "
                f"not cosines; set `head: cosine` of a back-end that has this setting, or choose another loss",
            )

    def _gives_cosines(self) -> bool:
        """Whether the logits are -cos and cos; a back-end from outside the package is assumed to know."""
        back_end = self.detector.complete()["back_end"]
        return plugins.is_outside(back_end["name"]) or back_end.get("head") == COSINE

    def _crop_faults(self) -> Iterator[Fault]:
        if self.shortest_crop_samples is None:
            return
        key, back_end = ("shortest_crop_samples",), self.detector.back_end["name"]
        if not 1 <= self.shortest_crop_samples < self.crop_samples:
            yield Fault(key, f"{self.shortest_crop_samples} is out of range; it can be 1 to {self.crop_samples - 1}")
        if self.crop != RANDOM:
            yield Fault(key, f"{self.shortest_crop_samples} is for random crops; set `crop: {RANDOM}`, or remove it")
        if not plugins.is_outside(back_end) and not BACK_ENDS.part(back_end).any_length:
            others = [name for name in BACK_ENDS if BACK_ENDS.part(name).any_length]
            yield Fault(
                key, f"the back-end {back_end} takes clips of one length; remove it, or use {', '.join(others)}"
            )

    def _fine_tuning_faults(self) -> Iterator[Fault]:
        if not self.fine_tuning.is_on:
            return
        for fault in self.fine_tuning.faults(self.detector.front_end):
            yield fault.below("fine_tuning")
        if self.cache != NONE:
            yield Fault(
                ("cache_features",),
                f"{self.cache}, but fine-tuning changes the front-end and so its features; set it to {NONE}",
            )
        if self.front_end_precision != EXACT:
            yield Fault(
                ("front_end_precision",),
                f"{self.front_end_precision} is of a frozen front-end; set it to {EXACT}, and fine_tuning.precision",
            )
        if self.resolved_feature_precision != FULL:
            yield Fault(("feature_precision",), f"{ROUNDED} is of a frozen front-end; set it to {FULL}")

    def complete(self) -> dict[str, Any]:
        """The settings as plain values, with every default spelled out."""
        strategy = self.resolved_strategy()
        update = UPDATES.part(strategy.update).complete(strategy.settings)
        if self.strategy not in STRATEGIES:
            update = {"update": strategy.update, "sampler": strategy.sampler, "settings": update}
            if (own := strategy.built_sampler_settings()) is not None:
                update["sampler_settings"] = dataclasses.asdict(own)
        data = {"cache_features": self.cache, "augmentation": [link.complete() for link in links(self.augmentation)]}
        loss = LOSSES.part(self.loss).complete(self.loss_settings)
        parts = {"detector": self.detector.complete(), "strategy_settings": update, "loss_settings": loss}
        values = {**dataclasses.asdict(self), **parts, **data, "feature_precision": self.resolved_feature_precision}
        # left out where it is the default, so that finished models keep their records
        return {key: value for key, value in values.items() if (key, value) != ("feature_precision", FULL)}
