"""Samplers: which trials of the train lists meet in a batch.

Every list is a domain (codec fakes, vocoder fakes). A sampler returns the batches of one of its own epochs:

| sampler | a batch | its own epoch |
|---|---|---|
| `shuffled` | the next trials in random order | every trial once |
| `co_training` | fixed numbers of each domain (Xie et al. 2025, Eq. 5) | one pass, until a domain runs out |
| `co_training_released` | a piece of a stream of such groups (its code) | about two passes |
| `balanced` | equal numbers of each class in each domain | as many batches as `shuffled` |
| `uniform` | for each place, a random domain, then a random trial | as many batches as `shuffled` |
| `weighted` | the next trials in random order | as many trials, each list with the share that its weight gives |
| `balanced_by_source` | the next trials in random order | as many trials, equally many of each source of a class |
| `balanced_by_corpus` | the next trials in random order | as many trials, equally many of each corpus of a class |
| `balanced_by_kind` | the next trials in random order | as many trials, equally many of each kind of codec of a class |

The first two use no trial twice, nor does a pass of the third unless a domain is smaller than a batch. The last four
use no trial again before all of its list, source, corpus or kind were used.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from codecfake.features.streaming import split_into_batches
from codecfake.training.composition import Batches, Composition, SamplingError
from codecfake.training.sampler_settings import BalancedSettings, KindSettings, WeightedSettings

NO_CODEC = "no codec"


def shuffled(trials: Composition, batch_size: int, rng: np.random.Generator) -> Batches:
    """Every trial once, in random order; the last batch may be smaller."""
    return split_into_batches(rng.permutation(len(trials)), batch_size)


def co_training(trials: Composition, batch_size: int, rng: np.random.Generator) -> Batches:
    """Batches of exactly `shares`, each domain without replacement; trials that fill no whole batch are left out.

    Every pass draws at random which trials are left out. Raises SamplingError for fewer than two domains.
    """
    domains = _several_domains(trials)
    counts = shares([len(domain) for domain in domains], batch_size)
    num_batches = min(len(domain) // count for domain, count in zip(domains, counts, strict=True))
    parts = [
        rng.choice(domain, (num_batches, count), replace=False) for domain, count in zip(domains, counts, strict=True)
    ]
    return list(np.hstack(parts))


def co_training_released(trials: Composition, batch_size: int, rng: np.random.Generator) -> Batches:
    """An epoch of the released code: it declares ceil(largest domain / batch size) batches per domain, and repeats
    `released_pass`, which has about half as many, to reach that number.
    """
    domains = _several_domains(trials)
    num_batches = len(domains) * _num_groups(domains, batch_size)
    batches: Batches = []
    while len(batches) < num_batches:
        batches += split_into_batches(released_pass(trials, batch_size, rng), batch_size)
    return batches[:num_batches]


def released_pass(trials: Composition, batch_size: int, rng: np.random.Generator) -> np.ndarray:
    """One pass of the released sampler, as a stream of trials: groups of the domains in order.

    A group has floor(share x batch size) trials of each domain, in general fewer than a batch, so the batches cut
    from the stream drift across the groups. A domain that runs out (one much smaller than a batch) is shuffled again.
    """
    domains = _several_domains(trials)
    counts = [len(domain) * batch_size // len(trials) for domain in domains]
    if 0 in counts:
        rarest = counts.index(0)
        raise SamplingError(
            f"batches of {batch_size} have no room for {trials.names[rarest]}: it has {len(domains[rarest])} of "
            f"{len(trials)} trials, and the released sampler rounds its share down to 0; use batches of at least "
            f"{-(-len(trials) // len(domains[rarest]))}, or strategy csam, which always gives a domain one place"
        )
    groups = _num_groups(domains, batch_size)
    parts = [
        _again_and_again(domain, groups * count, rng).reshape(groups, count)
        for domain, count in zip(domains, counts, strict=True)
    ]
    return np.hstack(parts).ravel()


def balanced(trials: Composition, batch_size: int, rng: np.random.Generator) -> Batches:
    """Batches with equally many trials of each class in each domain; a class that runs out is shuffled again.

    Each class in each domain gets as many places as `batch_size` allows.
    """
    cells = trials.by_domain_and_class()
    count = batch_size // len(cells)
    if not count:
        raise SamplingError(
            f"batches of {batch_size} cannot hold both classes of {len(trials.names)} train lists; "
            f"take batches of at least {len(cells)}"
        )
    num_batches = num_shuffled(len(trials), batch_size)
    parts = [_again_and_again(cell, num_batches * count, rng).reshape(num_batches, count) for cell in cells]
    return list(np.hstack(parts))


def uniform(trials: Composition, batch_size: int, rng: np.random.Generator) -> Batches:
    """As many draws as trials, with replacement: domains are equally likely, and so are the trials of a domain."""
    domains = trials.by_domain()
    sizes = np.array([len(domain) for domain in domains])
    draws = rng.integers(len(domains), size=len(trials))
    starts = np.cumsum(sizes) - sizes
    return split_into_batches(np.concatenate(domains)[starts[draws] + rng.integers(sizes[draws])], batch_size)


def weighted(trials: Composition, batch_size: int, rng: np.random.Generator, settings: WeightedSettings) -> Batches:
    """As many trials as there are; the number of each list is in proportion to its weight, not to its size.

    Raises SamplingError if a list has no weight, or a weight no list.
    """
    names = [_name_among(settings.weights, name) for name in trials.names]
    if idle := sorted(set(settings.weights) - set(names)):
        raise SamplingError(
            f"there is a weight for {idle[0]}, but train lists are {', '.join(trials.names)}; remove it"
        )
    return _draws(trials.by_domain(), [settings.weights[name] for name in names], trials.names, batch_size, rng)


def balanced_by_source(
    trials: Composition, batch_size: int, rng: np.random.Generator, settings: BalancedSettings
) -> Batches:
    """As many trials as there are, equally many of each source."""
    return _balanced(trials, trials.sources, batch_size, rng, settings)


def balanced_by_corpus(
    trials: Composition, batch_size: int, rng: np.random.Generator, settings: BalancedSettings
) -> Batches:
    """As many trials as there are, equally many of each corpus."""
    return _balanced(trials, trials.corpora, batch_size, rng, settings)


def balanced_by_kind(trials: Composition, batch_size: int, rng: np.random.Generator, settings: KindSettings) -> Batches:
    """As many trials as there are, equally many of each kind of codec; trials without a codec are a kind of their own.

    Raises SamplingError if no source has a kind.
    """
    kinds = np.array([settings.kinds.get(source, NO_CODEC) for source in trials.sources])
    if (kinds == NO_CODEC).all():
        raise SamplingError(
            f"no source of the train lists ({', '.join(np.unique(trials.sources))}) has a {settings.by}; give `kinds` "
            f"in the sampler's settings, or choose another sampler"
        )
    return _balanced(trials, kinds, batch_size, rng, settings)


def _balanced(
    trials: Composition, labels: np.ndarray, batch_size: int, rng: np.random.Generator, settings: BalancedSettings
) -> Batches:
    """Equally many trials of each label; with equal classes, half of them bona fide, and labels equal in each class."""
    everything = np.ones(len(trials), dtype=bool)
    classes = [trials.is_bonafide, ~trials.is_bonafide] if settings.equal_classes else [everything]
    groups, weights, names = [], [], []
    for members in classes:
        present = np.unique(labels[members])
        groups += [np.flatnonzero(members & (labels == label)) for label in present]
        weights += [1 / len(present)] * len(present)
        names += present.tolist()
    return _draws(groups, weights, names, batch_size, rng)


def _draws(
    groups: Sequence[np.ndarray],
    weights: Sequence[float],
    names: Sequence[str],
    batch_size: int,
    rng: np.random.Generator,
) -> Batches:
    """As many draws as there are trials in random order, their numbers of each group in proportion to the weights."""
    counts = apportioned(weights, sum(map(len, groups)))
    if 0 in counts:
        raise SamplingError(
            f"the share of {names[counts.index(0)]} is less than one of {sum(counts)} trials; raise its weight, or "
            f"leave it out"
        )
    draws = [_again_and_again(group, count, rng) for group, count in zip(groups, counts, strict=True)]
    return split_into_batches(rng.permutation(np.concatenate(draws)), batch_size)


def apportioned(weights: Sequence[float], total: int) -> list[int]:
    """Whole numbers in proportion to the weights, whose sum is `total`: the largest remainders are rounded up."""
    exact = np.asarray(weights) / sum(weights) * total
    counts = np.floor(exact).astype(int)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return counts.tolist()


def _name_among(weights: Mapping[str, float], name: str) -> str:
    """The key of a train list: its name `{domain}/train`, or the domain alone."""
    for key in (name, name.rpartition("/")[0]):
        if key in weights:
            return key
    raise SamplingError(f"train list {name} has no weight; give one to {name.rpartition('/')[0] or name}")


def shares(sizes: Sequence[int], batch_size: int) -> list[int]:
    """Trials of each domain in a batch: floor(size / sum of sizes x batch size), Equation 5, but at least 1.

    The floors often leave a place or two empty: (740,747, 25,380) in batches of 128 give (123, 4). If raising
    a 0 to 1 makes the batch too large, the largest share is reduced. A batch never needs more trials than exist.
    """
    if batch_size < len(sizes):
        raise SamplingError(
            f"batches of {batch_size} cannot hold trials of {len(sizes)} train lists; "
            f"take batches of at least {len(sizes)}"
        )
    room = min(batch_size, sum(sizes))
    counts = [max(1, size * room // sum(sizes)) for size in sizes]
    while sum(counts) > room:
        counts[counts.index(max(counts))] -= 1
    return counts


def num_shuffled(num_trials: int, batch_size: int) -> int:
    """Batches in an epoch of `shuffled`."""
    return -(-num_trials // batch_size)


def _several_domains(trials: Composition) -> list[np.ndarray]:
    if len(trials.names) < 2:
        raise SamplingError(
            f"co-training needs two or more train lists, but there is one ({trials.names[0]}); add the list of "
            f"another domain, or use the strategy without its sampler (sam for csam, erm for co-erm)"
        )
    return trials.by_domain()


def _num_groups(domains: Sequence[np.ndarray], batch_size: int) -> int:
    return num_shuffled(max(map(len, domains)), batch_size)


def _again_and_again(trials: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` of the trials in random order; none repeats before all have occurred."""
    passes = num_shuffled(count, len(trials))
    return np.concatenate([rng.permutation(trials) for _ in range(passes)])[:count]
