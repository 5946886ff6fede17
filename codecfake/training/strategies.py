"""Training strategies as data: how a step updates the weights, and how trials are put in batches.

Texts and released code differ, and each variant has a name:

| | text | code released with Xie et al. 2025 |
|---|---|---|
| SAM, Foret et al. 2021 | `sam`: rho 0.05 | the same |
| ASAM, Kwon et al. 2021 | `asam-official`: rho 0.5, eta 0.01 | `asam`: rho 0.05, eta 0 |
| CSAM, Xie et al. 2025 | `csam`: every batch has the shares of Eq. 5 | `csam-released`: batches drift from them |
| updates of CSAM per epoch | not said | 1.93 times those of ERM: `match: epochs` |
| dropout in SAM's second pass | not said | `dropout: redrawn` |

By default the second pass uses the masks of the first: the two then differ only by the weights, and rho 0 is the base
optimizer. `co-erm`, `balanced` and `uniform` are not from the papers; they show what a sampler does without SAM.
This module needs no torch, so that an experiment can be checked before any job.
"""

from dataclasses import dataclass, field
from typing import Any

from codecfake.base import settings
from codecfake.base.settings import SettingsError, fault
from codecfake.base.suggestions import unknown

DROPOUT = ("same", "redrawn")
TENSORS = ("all", "weight")


@dataclass(frozen=True)
class BaseSettings:
    """The optimizer's own step has no settings."""


@dataclass(frozen=True)
class SamSettings:
    """Sharpness-aware minimization: the gradient is taken where the loss is worst within a ball around the weights."""

    rho: float = 0.05  # radius of the ball
    dropout: str = "same"  # masks of the second pass: those of the first, or `redrawn`

    def __post_init__(self) -> None:
        if not 0 <= self.rho < float("inf"):
            raise ValueError(f"rho is {self.rho}; it must be at least 0 and finite")
        if self.dropout not in DROPOUT:
            raise fault(unknown("kind of dropout", self.dropout, DROPOUT), "dropout")


@dataclass(frozen=True)
class AsamSettings(SamSettings):
    """Adaptive SAM: the ball is stretched along each weight by |weight| + eta."""

    eta: float = 0.0
    scaled: str = "all"  # or `weight`: tensors with that word in their name, as in the official code (BatchNorm's too)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta < float("inf"):
            raise ValueError(f"eta is {self.eta}; it must be at least 0 and finite")
        if self.scaled not in TENSORS:
            raise fault(unknown("choice of tensors", self.scaled, TENSORS), "scaled")


UpdateSettings = BaseSettings | SamSettings | AsamSettings

UPDATE_SETTINGS: dict[str, type[UpdateSettings]] = {"base": BaseSettings, "sam": SamSettings, "asam": AsamSettings}


@dataclass(frozen=True)
class Strategy:
    """`update` is a name in `updates.UPDATES`, `sampler` one in `samplers.SAMPLERS`."""

    update: str
    sampler: str
    settings: dict[str, Any] = field(default_factory=dict)  # of the update, where they differ from its defaults

    @property
    def needs_domains(self) -> bool:
        """Whether it needs two or more train lists."""
        return self.sampler.startswith("co_training")


STRATEGIES: dict[str, Strategy] = {
    "erm": Strategy("base", "shuffled"),
    "sam": Strategy("sam", "shuffled"),
    "asam": Strategy("asam", "shuffled"),
    "asam-official": Strategy("asam", "shuffled", {"rho": 0.5, "eta": 0.01, "scaled": "weight"}),
    "csam": Strategy("sam", "co_training"),
    "csam-released": Strategy("sam", "co_training_released", {"dropout": "redrawn"}),
    "co-erm": Strategy("base", "co_training"),
    "balanced": Strategy("base", "balanced"),
    "uniform": Strategy("base", "uniform"),
}


def update_settings(strategy: str, changes: dict[str, Any]) -> UpdateSettings:
    """The settings of a strategy's update, with `changes` to them.

    Raises SettingsError for an unknown strategy or change, and ValueError for a value out of range.
    """
    if strategy not in STRATEGIES:
        raise SettingsError(unknown("strategy", strategy, STRATEGIES))
    entry = STRATEGIES[strategy]
    return settings.build(UPDATE_SETTINGS[entry.update], {**entry.settings, **changes})
