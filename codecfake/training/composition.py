"""The composition of train lists, from which samplers make batches. No torch: an experiment is checked without it."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from codecfake.base.utterances import BONAFIDE, SPOOF

Batches = list[np.ndarray]  # the trials of each batch, by number


class SamplingError(ValueError):
    """A sampler cannot make batches of these trials."""


@dataclass(frozen=True)
class Composition:
    """Domain, class, source and corpus of each trial in the train lists."""

    names: tuple[str, ...]  # of the domains, in the order of the lists
    domains: np.ndarray  # [N] a domain's number in `names`
    is_bonafide: np.ndarray  # [N]
    sources: np.ndarray = field(default_factory=lambda: np.array([], str))  # [N]
    corpora: np.ndarray = field(default_factory=lambda: np.array([], str))  # [N]

    @classmethod
    def of(cls, trials: pd.DataFrame) -> "Composition":
        """The composition of trials with the columns `domain` and `key`, and those of recordings."""
        domains, names = pd.factorize(trials["domain"])
        is_bonafide = (trials["key"] == BONAFIDE).to_numpy()
        return cls(tuple(names), domains, is_bonafide, *(trials[name].to_numpy(str) for name in ("source", "corpus")))

    def __len__(self) -> int:
        return len(self.domains)

    def by_domain(self) -> list[np.ndarray]:
        """The trials of each domain, by number."""
        return [np.flatnonzero(self.domains == domain) for domain in range(len(self.names))]

    def by_domain_and_class(self) -> list[np.ndarray]:
        """The trials of each class in each domain. Raises SamplingError if one has no trials."""
        cells = []
        for domain, name in enumerate(self.names):
            for key, is_of_key in ((BONAFIDE, self.is_bonafide), (SPOOF, ~self.is_bonafide)):
                cells.append(np.flatnonzero(is_of_key & (self.domains == domain)))
                if not len(cells[-1]):
                    raise SamplingError(
                        f"train list {name} has no {key} trial, but this strategy needs both classes in every "
                        f"list; add some, or choose a strategy that is not balanced"
                    )
        return cells
