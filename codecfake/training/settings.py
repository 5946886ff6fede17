"""Settings of a detector's training, and what the two papers and their code set.

The defaults are the text of Xie et al. 2025 (Adam, cross-entropy with the bona fide class weighted 10, the learning
rate halved every few epochs, the epoch with the lowest dev loss kept), and its code where the text is silent (batches,
weight decay). What the papers and their released code say:

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

`match: updates` gives every strategy the updates of ERM: an epoch is as many batches as hold every trial once,
whatever the sampler, whose passes are cut or repeated to fill it. `match: epochs` goes by the sampler's own epochs.
The two passes of SAM are one update.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from codecfake.detectors.detector import DetectorSettings
from codecfake.features.augmentation.chain import links
from codecfake.features.cache import CACHES, DISK, MEMORY, NONE, ON_DISK
from codecfake.features.clips import CROPS, PADS, RANDOM
from codecfake.features.precision import DTYPES, EXACT
from codecfake.training.schedules import SCHEDULES
from codecfake.training.strategies import STRATEGIES, update_settings

MATCHES = ("updates", "epochs")
KEEPS = SELECTED, AVERAGE = ("selected", "average")
SELECTIONS: dict[str, tuple[str, ...]] = {  # the epoch kept is the least by these columns of the history
    "dev_loss": ("dev_loss",),
    "dev_loss_of_batches": ("dev_loss_of_batches",),
    "dev_eer": ("dev_eer", "dev_loss"),
    "last": (),
}


@dataclass(frozen=True)
class TrainSettings:
    detector: DetectorSettings
    crop_samples: int = 64_600  # of each clip, at 16 kHz
    crop: str = "first"  # part of a longer train recording; or random, anew in every epoch
    pad: str = "repeat"  # of a shorter recording; or zero
    augmentation: list[dict[str, Any]] = field(default_factory=list)  # of train clips: {name, probability, settings}
    batch_size: int = 128
    epochs: int = 10
    match: str = "updates"  # with ERM of as many epochs; or `epochs`, of the sampler's own length
    learning_rate: float = 5e-4
    schedule: str = "halving"  # of the learning rate; or cosine, constant
    halve_every: int = 2  # epochs
    final_learning_rate: float = 5e-6  # of the cosine schedule
    betas: tuple[float, ...] = (0.9, 0.999)  # of Adam
    weight_decay: float = 5e-4  # L2, inside Adam
    spoof_weight: float = 1.0  # of a class in the loss
    bonafide_weight: float = 10.0
    strategy: str = "erm"
    strategy_settings: dict[str, Any] = field(default_factory=dict)  # of its update, where not the strategy's own
    select: str = "dev_loss"  # which epoch is kept; or dev_loss_of_batches, dev_eer, last
    keep: str = SELECTED  # the weights of that epoch; or the average over all that were the least when they ended (SWA)
    seed: int = 0
    cache_features: bool | str = NONE  # compute features once and keep them in memory (true); disk: of SSL front-ends
    front_end_precision: str = EXACT  # or bfloat16, which is refused where it is measured to matter
    checkpoint_steps: int = 1000  # a checkpoint is written so often, and after every epoch
    tensorboard: bool = True

    def __post_init__(self) -> None:
        known = {"strategy": STRATEGIES, "match": MATCHES, "schedule": SCHEDULES, "select": SELECTIONS}
        known |= {"keep": KEEPS, "crop": CROPS, "pad": PADS, "cache": CACHES, "front_end_precision": DTYPES}
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; known: {', '.join(choices)}")
        update_settings(self.strategy, self.strategy_settings)
        self._require_keepable_features()
        for name in ("crop_samples", "batch_size", "epochs", "halve_every", "checkpoint_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("learning_rate", "final_learning_rate", "spoof_weight", "bonafide_weight"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")
        if self.schedule == "cosine" and self.final_learning_rate > self.learning_rate:
            raise ValueError(
                f"final_learning_rate is {self.final_learning_rate}, above learning_rate {self.learning_rate}; "
                f"the cosine schedule falls: lower it, or take the constant one"
            )
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas is {self.betas}; it must be two numbers from 0 to below 1")

    @property
    def cache(self) -> str:
        """Where features are kept: none, memory or disk; on disk only where reading them back is quicker."""
        if isinstance(self.cache_features, bool):
            return MEMORY if self.cache_features else NONE
        is_worth_it = self.cache_features != DISK or self.detector.front_end["name"] in ON_DISK
        return self.cache_features if is_worth_it else NONE

    def _require_keepable_features(self) -> None:
        anew = self.crop == RANDOM or bool(links(self.augmentation))
        if anew and self.cache != NONE:
            raise ValueError(
                f"cache_features is {self.cache}, but train clips are cropped or augmented anew in every epoch; "
                f"set it to {NONE}, or crop to first and augmentation to nothing"
            )

    def complete(self) -> dict[str, Any]:
        """The settings as plain values, with every default spelled out."""
        update = dataclasses.asdict(update_settings(self.strategy, self.strategy_settings))
        data = {"cache_features": self.cache, "augmentation": [link.complete() for link in links(self.augmentation)]}
        return {**dataclasses.asdict(self), "detector": self.detector.complete(), "strategy_settings": update, **data}
