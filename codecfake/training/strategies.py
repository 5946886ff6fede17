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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

from codecfake.base import settings
from codecfake.base.registry import Part, Registry
from codecfake.base.settings import Fault, SettingsError, below, fault
from codecfake.base.suggestions import unknown
from codecfake.training.composition import Composition
from codecfake.training.sampler_settings import BalancedSettings, KindSettings, NoSettings, WeightedSettings

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


P = "codecfake.training"
UPDATES: Registry[Part] = Registry(
    "update",
    {
        "base": Part(f"{P}.updates:BaseUpdate", BaseSettings),
        "sam": Part(f"{P}.updates:Sam", SamSettings),
        "asam": Part(f"{P}.updates:Asam", AsamSettings),
    },
)
SAMPLERS: Registry[Part] = Registry(
    "sampler",
    {
        **{
            name: Part(f"{P}.samplers:{name}", NoSettings)
            for name in ("shuffled", "co_training", "co_training_released", "balanced", "uniform")
        },
        "weighted": Part(f"{P}.samplers:weighted", WeightedSettings),
        "balanced_by_source": Part(f"{P}.samplers:balanced_by_source", BalancedSettings),
        "balanced_by_corpus": Part(f"{P}.samplers:balanced_by_corpus", BalancedSettings),
        "balanced_by_kind": Part(f"{P}.samplers:balanced_by_kind", KindSettings),
    },
    context=(Composition,),
)


@dataclass(frozen=True)
class Strategy:
    """`update` is a name in `UPDATES`, `sampler` one in `SAMPLERS`; or `module:name` of one outside the package."""

    update: str = "base"
    sampler: str = "shuffled"
    settings: dict[str, Any] = field(default_factory=dict)  # of the update, where they differ from its defaults
    sampler_settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, registry, name in self._parts():
            with below(key):
                registry.part(name)
        with below("sampler_settings"):
            self.built_sampler_settings()

    @property
    def needs_domains(self) -> bool:
        """Whether it needs two or more train lists."""
        return self.sampler.startswith("co_training")

    @property
    def num_passes(self) -> int:
        """Forward and backward passes of an update."""
        return 1 if self.update == "base" else 2

    def epoch_share(self, domain_sizes: Sequence[float], batch_size: int) -> float:
        """The updates in an epoch of the sampler, relative to those of ERM; `co_training` is counted as ERM."""
        if self.sampler != "co_training_released" or not any(domain_sizes):
            return 1.0
        return len(domain_sizes) * ceil(max(domain_sizes) / batch_size) / ceil(sum(domain_sizes) / batch_size)

    def update_settings(self) -> Any:
        """The settings of its update. Raises SettingsError, or ValueError for a value out of range."""
        return UPDATES.part(self.update).build_settings(self.settings)

    def built_sampler_settings(self) -> Any:
        """The settings of its sampler; None if it takes none. Raises SettingsError, or ValueError out of range."""
        part = SAMPLERS.part(self.sampler)
        if part.settings in (None, NoSettings):
            settings.build(NoSettings, self.sampler_settings)
            return None
        return part.build_settings(self.sampler_settings)

    def weight_faults(self, domains: Sequence[str]) -> Iterator[Fault]:
        """What is wrong with the weights of these domains, if the sampler has any."""
        weights = getattr(self.built_sampler_settings(), "weights", None)
        if weights is None:
            return
        place = ("sampler_settings", "weights")
        for name in sorted(set(weights) - set(domains)):
            yield Fault(place, unknown("domain", name, domains))
        for name in sorted(set(domains) - set(weights)):
            yield Fault(place, f"domain {name!r} has no weight; give it one")

    def code(self) -> list[Path]:
        """The files beside the experiment that implement its parts."""
        files = (registry.part(name).code() for _, registry, name in self._parts())
        return [path for path in files if path is not None]

    def _parts(self) -> tuple[tuple[str, Registry[Part], str], ...]:
        return ("update", UPDATES, self.update), ("sampler", SAMPLERS, self.sampler)


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


def strategy_of(name: str, values: Mapping[str, Any]) -> Strategy:
    """A strategy of the table with other settings of its update, or one that the values define: the keys of `Strategy`.

    Raises SettingsError for an unknown strategy or setting, and ValueError for a value out of range.
    """
    if name in STRATEGIES and defines(values):
        raise SettingsError(f"{name} is a strategy of the package; give your own another name")
    if name in STRATEGIES:
        entry = STRATEGIES[name]
        strategy = replace(entry, settings={**entry.settings, **values})
        strategy.update_settings()
        return strategy
    if not defines(values):
        raise SettingsError(unknown_strategy(name))
    strategy = settings.build(Strategy, values)
    with below("settings"):
        strategy.update_settings()
    return strategy


def defines(values: Mapping[str, Any]) -> bool:
    """Whether the values under a strategy's name define it, instead of changing one of the table."""
    return "update" in values or "sampler" in values


def unknown_strategy(name: str, others: Iterable[str] = ()) -> str:
    """The message for a name that is neither in the table nor among `others`."""
    return f"{unknown('strategy', name, [*STRATEGIES, *others])}; or define it: `strategies: {{{name}: {{update: …}}}}`"


def update_settings(strategy: str, changes: Mapping[str, Any]) -> Any:
    """The settings of a strategy's update, with `changes` to them. Raises the errors of `strategy_of`."""
    return strategy_of(strategy, changes).update_settings()
