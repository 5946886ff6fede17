"""Samplers and the plan made of them: what is in a batch, what an epoch covers, and the published numbers."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from codecfake.detectors.detector import DetectorSettings
from codecfake.training.composition import Batches, Composition, SamplingError
from codecfake.training.plan import Plan
from codecfake.training.sampler_settings import KindSettings, NoSettings, WeightedSettings
from codecfake.training.samplers import apportioned, co_training, num_shuffled, released_pass, shares
from codecfake.training.settings import TrainSettings
from codecfake.training.strategies import SAMPLERS, STRATEGIES

CODECFAKE, ASVSPOOF = 740_747, 25_380  # trials of the published train lists
NAMES = ("codec/train", "vocoder/train", "music/train", "noise/train")

DOMAIN_SIZES = st.lists(st.integers(2, 60), min_size=2, max_size=4)
BATCH_SIZES = st.integers(8, 40)
SEEDS = st.integers(0, 1000)


def sampler(name: str, **values: object) -> Callable[[Composition, int, np.random.Generator], Batches]:
    part = SAMPLERS.part(name)
    if part.settings is NoSettings:
        return part.load()
    if part.settings is WeightedSettings and not values:
        return lambda trials, *others: part.load()(trials, *others, WeightedSettings(dict.fromkeys(trials.names, 1.0)))
    if part.settings is KindSettings and not values:
        values = {"kinds": {"F0": "time", "F1": "frequency"}}
    return partial(part.load(), settings=part.build_settings(values))


def of_sizes(*sizes: int) -> Composition:
    """Domains of so many trials, every other one bona fide; each is a corpus, with one source of fakes."""
    domains = np.repeat(np.arange(len(sizes)), sizes)
    is_bonafide = np.arange(sum(sizes)) % 2 == 0
    sources = np.where(is_bonafide, "F00", np.char.add("F", domains.astype(str)))
    return Composition(NAMES[: len(sizes)], domains, is_bonafide, sources, np.array(NAMES)[domains])


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def counts(trials: Composition, batch: np.ndarray) -> list[int]:
    """Trials of each domain in a batch."""
    return np.bincount(trials.domains[batch], minlength=len(trials.names)).tolist()


def once_at_most(numbers: np.ndarray) -> bool:
    return bool(np.bincount(numbers).max() == 1)


def settings(strategy: str, **values: object) -> TrainSettings:
    mel_lcnn = DetectorSettings({"name": "mel"}, {"name": "lcnn"})
    return TrainSettings(mel_lcnn, strategy=strategy, **values)  # type: ignore[arg-type]


@given(DOMAIN_SIZES, BATCH_SIZES, SEEDS)
@pytest.mark.parametrize("name", SAMPLERS)
def test_batches_hold_trials_of_the_lists_and_no_more_than_asked(
    name: str, sizes: list[int], batch_size: int, seed: int
) -> None:
    trials = of_sizes(*sizes)
    assume(name != "co_training_released" or min(sizes) * batch_size >= sum(sizes))
    batches = sampler(name)(trials, batch_size, seeded(seed))
    assert batches
    assert all(0 < len(batch) <= batch_size for batch in batches)
    assert set(np.concatenate(batches)) <= set(range(len(trials)))


@given(DOMAIN_SIZES, BATCH_SIZES, SEEDS)
@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_seed_gives_the_same_batches(name: str, sizes: list[int], batch_size: int, seed: int) -> None:
    trials = of_sizes(*sizes)
    assume(name != "co_training_released" or min(sizes) * batch_size >= sum(sizes))
    first, second = (sampler(name)(trials, batch_size, seeded(seed)) for _ in range(2))
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in second]


@pytest.mark.parametrize("name", SAMPLERS)
def test_another_seed_gives_other_batches(name: str) -> None:
    first, second = (np.concatenate(sampler(name)(of_sizes(60, 40), 16, seeded(seed))) for seed in (1, 2))
    assert first.tolist() != second.tolist()


@given(DOMAIN_SIZES, st.integers(1, 40), SEEDS)
def test_shuffled_takes_every_trial_once(sizes: list[int], batch_size: int, seed: int) -> None:
    batches = sampler("shuffled")(of_sizes(*sizes), batch_size, seeded(seed))
    assert sorted(np.concatenate(batches)) == list(range(sum(sizes)))
    assert {len(batch) for batch in batches[:-1]} <= {batch_size}


@given(DOMAIN_SIZES, BATCH_SIZES, SEEDS)
def test_co_training_has_every_domain_in_every_batch_in_the_same_number(
    sizes: list[int], batch_size: int, seed: int
) -> None:
    trials = of_sizes(*sizes)
    numbers = shares(sizes, batch_size)
    assert min(numbers) >= 1
    assert all(counts(trials, batch) == numbers for batch in co_training(trials, batch_size, seeded(seed)))


@given(DOMAIN_SIZES, BATCH_SIZES, SEEDS)
def test_co_training_takes_no_trial_twice_and_goes_on_until_a_domain_runs_out(
    sizes: list[int], batch_size: int, seed: int
) -> None:
    trials = of_sizes(*sizes)
    batches = co_training(trials, batch_size, seeded(seed))
    assert once_at_most(np.concatenate(batches))
    rest = np.subtract(sizes, counts(trials, np.concatenate(batches)))
    assert (rest < counts(trials, batches[0])).any()


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(2, 512))
def test_shares_are_those_of_equation_5_wherever_both_are_positive(large: int, small: int, batch_size: int) -> None:
    assume(large + small >= batch_size)
    floors = [large * batch_size // (large + small), small * batch_size // (large + small)]
    assume(min(floors) >= 1)
    assert shares([large, small], batch_size) == floors


@pytest.mark.parametrize(
    ("sizes", "batch_size", "expected"),
    [
        ([CODECFAKE, ASVSPOOF], 64, [61, 2]),
        ([CODECFAKE, ASVSPOOF], 128, [123, 4]),
        ([CODECFAKE, ASVSPOOF], 256, [247, 8]),
        ([CODECFAKE, ASVSPOOF], 2, [1, 1]),  # 1.93 and 0.07
        ([98, 1, 1], 3, [1, 1, 1]),  # 2.94, 0.03 and 0.03: the first gives way
        ([50, 50], 7, [3, 3]),
        ([3, 2], 5, [3, 2]),
        ([3, 2], 6, [3, 2]),  # no more than there are
        ([1, 1], 128, [1, 1]),
    ],
)
def test_shares_by_hand(sizes: list[int], batch_size: int, expected: list[int]) -> None:
    assert shares(sizes, batch_size) == expected


def test_an_epoch_of_co_training_at_the_published_sizes() -> None:
    trials = of_sizes(CODECFAKE, ASVSPOOF)
    batches = co_training(trials, 128, seeded())
    assert len(batches) == 740_747 // 123 == 6_022
    assert all(len(batch) == 127 for batch in batches)
    assert once_at_most(np.concatenate(batches))


def test_a_pass_of_the_released_sampler_at_the_published_sizes() -> None:
    trials = of_sizes(CODECFAKE, ASVSPOOF)
    stream = released_pass(trials, 128, seeded())
    assert len(stream) == 5_788 * 127 == 735_076
    assert once_at_most(stream)
    assert counts(trials, stream) == [711_924, 23_152]
    assert trials.domains[stream[:254]].tolist() == ([0] * 123 + [1] * 4) * 2


def test_an_epoch_of_the_released_sampler_at_the_published_sizes() -> None:
    trials = of_sizes(CODECFAKE, ASVSPOOF)
    batches = sampler("co_training_released")(trials, 128, seeded())
    assert len(batches) == 11_576
    assert {number for number, batch in enumerate(batches) if len(batch) != 128} == {5_742, 11_485}
    assert len(batches[5_742]) == len(batches[11_485]) == 100
    assert round(len(batches) / 5_743, 3) == 2.016


@pytest.mark.parametrize("sizes", [(740, 25), (300, 200, 100)])
@pytest.mark.parametrize("strategy", ["csam-released", "sam", "balanced", "uniform"])
def test_the_updates_that_a_plan_counts_are_the_batches_of_an_epoch(strategy: str, sizes: tuple[int, ...]) -> None:
    one = STRATEGIES[strategy]
    batches = sampler(one.sampler)(of_sizes(*sizes), 40, seeded())
    assert len(batches) == pytest.approx(one.epoch_share(sizes, 40) * num_shuffled(sum(sizes), 40))


def test_batches_of_the_released_sampler_drift_at_the_published_sizes() -> None:
    trials = of_sizes(CODECFAKE, ASVSPOOF)
    one_pass = sampler("co_training_released")(trials, 128, seeded())[:5_743]
    vocoder = np.array([counts(trials, batch)[1] for batch in one_pass[:-1]])
    assert set(vocoder) == {4, 5}
    assert round(100 * np.mean(vocoder == 4), 1) == 96.9


@given(DOMAIN_SIZES, BATCH_SIZES, SEEDS)
def test_a_released_pass_repeats_a_trial_only_of_a_domain_that_ran_out(
    sizes: list[int], batch_size: int, seed: int
) -> None:
    assume(min(sizes) * batch_size >= sum(sizes))
    trials = of_sizes(*sizes)
    times = np.bincount(released_pass(trials, batch_size, seeded(seed)), minlength=len(trials))
    for domain in trials.by_domain():
        assert times[domain].max() - times[domain].min() <= 1


@given(DOMAIN_SIZES, BATCH_SIZES, SEEDS)
def test_balanced_batches_have_as_many_of_each_class_in_each_domain(
    sizes: list[int], batch_size: int, seed: int
) -> None:
    trials = of_sizes(*sizes)
    cells = 2 * len(sizes)
    batches = sampler("balanced")(trials, batch_size, seeded(seed))
    assert len(batches) == -(-sum(sizes) // batch_size)
    for batch in batches:
        numbers = np.bincount(2 * trials.domains[batch] + trials.is_bonafide[batch], minlength=cells)
        assert numbers.tolist() == [batch_size // cells] * cells


@given(DOMAIN_SIZES, BATCH_SIZES, SEEDS)
def test_balanced_repeats_no_trial_before_all_of_its_kind_have_come(
    sizes: list[int], batch_size: int, seed: int
) -> None:
    trials = of_sizes(*sizes)
    times = np.bincount(np.concatenate(sampler("balanced")(trials, batch_size, seeded(seed))), minlength=len(trials))
    for cell in trials.by_domain_and_class():
        assert times[cell].max() - times[cell].min() <= 1


def test_uniform_draws_each_domain_as_often_and_each_of_its_trials() -> None:
    trials = of_sizes(30_000, 10, 20)
    draws = np.concatenate(sampler("uniform")(trials, 128, seeded()))
    assert len(draws) == 30_030
    five_sigma = 5 * np.sqrt(30_030 * 2 / 9)
    assert counts(trials, draws) == pytest.approx([10_010] * 3, abs=five_sigma)
    of_the_second = np.bincount(draws, minlength=len(trials))[30_000:30_010]
    assert of_the_second == pytest.approx(np.full(10, 1_001), abs=5 * np.sqrt(1_001))


@given(DOMAIN_SIZES, BATCH_SIZES, SEEDS, st.lists(st.floats(0.2, 5), min_size=4, max_size=4))
def test_lists_have_the_shares_of_their_weights_whatever_their_sizes(
    sizes: list[int], batch_size: int, seed: int, weights: list[float]
) -> None:
    trials, total = of_sizes(*sizes), sum(weights[: len(sizes)])
    assume(min(weights[: len(sizes)]) / total * sum(sizes) >= 1)
    weight_of = dict(zip(trials.names, weights, strict=False))
    batches = sampler("weighted", weights=weight_of)(trials, batch_size, seeded(seed))
    shuffled = sampler("shuffled")(trials, batch_size, seeded())
    assert [len(batch) for batch in batches] == [len(batch) for batch in shuffled]
    for number, weight in zip(counts(trials, np.concatenate(batches)), weight_of.values(), strict=True):
        assert abs(number - weight / total * sum(sizes)) < 1


def test_a_weighted_list_repeats_no_trial_before_all_have_come() -> None:
    trials = of_sizes(50, 6)
    draws = np.concatenate(sampler("weighted", weights={"codec": 1, "vocoder": 1})(trials, 8, seeded()))
    times = np.bincount(draws, minlength=len(trials))
    assert counts(trials, draws) == [28, 28]
    assert set(times[:50]) == {0, 1}
    assert set(times[50:]) == {4, 5}


@pytest.mark.parametrize(
    ("weights", "total", "expected"),
    [([1, 1, 1], 10, [4, 3, 3]), ([2, 1], 9, [6, 3]), ([0.1, 0.9], 5, [1, 4]), ([1, 9], 4, [0, 4])],
)
def test_shares_of_weights_by_hand(weights: list[float], total: int, expected: list[int]) -> None:
    assert apportioned(weights, total) == expected


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"codec": 1}, "train list vocoder/train has no weight; give one to vocoder"),
        ({"codec": 1, "vocoder": 1, "music": 1}, "there is a weight for music, but train lists are codec/train, voco"),
        ({"codec": 1, "vocoder": 1e-6}, "the share of vocoder/train is less than one of 12 trials; raise its weight"),
    ],
)
def test_weights_that_do_not_fit_the_lists_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(SamplingError, match=message):
        sampler("weighted", weights=weights)(of_sizes(6, 6), 4, seeded())


def of_labels(name: str, labels: list[str], is_bonafide: list[bool]) -> Composition:
    """One list with these sources, or corpora."""
    size = len(labels)
    columns = {"sources": np.full(size, "x"), "corpora": np.full(size, "x"), name: np.array(labels)}
    return Composition(NAMES[:1], np.zeros(size, int), np.array(is_bonafide), **columns)


@pytest.mark.parametrize(("name", "by"), [("sources", "balanced_by_source"), ("corpora", "balanced_by_corpus")])
def test_labels_are_balanced_in_each_class_or_over_all(name: str, by: str) -> None:
    # 12 bona fide trials of one label; 30, 4 and 2 fakes of three
    labels = ["a"] * 12 + ["a"] * 30 + ["b"] * 4 + ["c"] * 2
    trials = of_labels(name, labels, [True] * 12 + [False] * 36)

    def numbers(**values: bool) -> dict[str, int]:
        draws = np.concatenate(sampler(by, **values)(trials, 8, seeded()))
        cells = [f"{trials.is_bonafide[draw]} {labels[draw]}" for draw in draws]
        return {cell: cells.count(cell) for cell in sorted(set(cells))}

    assert numbers() == {"False a": 8, "False b": 8, "False c": 8, "True a": 24}
    of_labels_alone = numbers(equal_classes=False)
    assert of_labels_alone["False a"] + of_labels_alone["True a"] == 16
    assert (of_labels_alone["False b"], of_labels_alone["False c"]) == (16, 16)


def test_kinds_of_codecs_are_balanced_and_fakes_without_a_codec_are_a_kind() -> None:
    sources = ["F00"] * 12 + ["F01"] * 20 + ["F02"] * 10 + ["F03"] * 4 + ["F00"] * 2
    trials = of_labels("sources", sources, [True] * 12 + [False] * 36)
    kinds = {"F01": "time", "F02": "time", "F03": "frequency"}
    draws = np.concatenate(sampler("balanced_by_kind", by="decoder", kinds=kinds)(trials, 8, seeded()))
    numbers = [sum(start <= draw < end for draw in draws) for start, end in ((0, 12), (12, 42), (42, 46), (46, 48))]
    assert numbers == [24, 8, 8, 8]


def test_sources_without_any_kind_are_refused() -> None:
    trials = of_labels("sources", ["F00", "F01"], [True, False])
    with pytest.raises(SamplingError, match=r"no source of the train lists \(F00, F01\) has a decoder; give `kinds`"):
        sampler("balanced_by_kind", by="decoder")(trials, 8, seeded())


@pytest.mark.parametrize("name", ["co_training", "co_training_released"])
def test_co_training_of_one_list_is_refused(name: str) -> None:
    with pytest.raises(SamplingError, match=r"two or more train lists, but there is one \(codec/train\).*sam for csam"):
        sampler(name)(of_sizes(10), 4, seeded())


def test_batches_too_small_for_every_domain_are_refused() -> None:
    with pytest.raises(SamplingError, match="batches of 2 cannot hold trials of 3 train lists; .* at least 3"):
        co_training(of_sizes(5, 5, 5), 2, seeded())
    with pytest.raises(SamplingError, match="batches of 3 cannot hold both classes of 2 train lists; .* at least 4"):
        sampler("balanced")(of_sizes(5, 5), 3, seeded())


def test_a_share_that_the_released_sampler_rounds_to_nothing_is_refused() -> None:
    with pytest.raises(SamplingError, match="no room for vocoder/train: it has 4 of 100 trials.* at least 25, or"):
        released_pass(of_sizes(96, 4), 24, seeded())
    assert len(released_pass(of_sizes(96, 4), 25, seeded())) == 4 * 25


def test_balancing_a_list_of_one_class_is_refused() -> None:
    trials = Composition(NAMES[:2], np.array([0, 0, 1, 1]), np.array([True, False, True, True]))
    with pytest.raises(SamplingError, match="train list vocoder/train has no spoof trial"):
        sampler("balanced")(trials, 4, seeded())


def test_domains_are_numbered_in_the_order_of_the_lists() -> None:
    columns = {"source": ["F01", "F00", "F02"], "corpus": ["a", "a", "b"]}
    table = pd.DataFrame(
        {"domain": ["v/train", "v/train", "c/train"], "key": ["spoof", "bonafide", "spoof"], **columns}
    )
    composition = Composition.of(table)
    assert composition.sources.tolist() == columns["source"]
    assert composition.corpora.tolist() == columns["corpus"]
    assert composition.names == ("v/train", "c/train")
    assert composition.domains.tolist() == [0, 0, 1]
    assert composition.is_bonafide.tolist() == [False, True, False]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_has_as_many_updates_as_erm(strategy: str) -> None:
    plan = Plan(settings(strategy), of_sizes(CODECFAKE, ASVSPOOF))
    assert plan.updates_per_epoch == 5_986
    assert len(plan.batches(0)) == 5_986


@pytest.mark.parametrize(("strategy", "expected"), [("erm", 5_986), ("csam", 6_022), ("csam-released", 11_576)])
def test_an_epoch_may_be_the_sampler_s_own(strategy: str, expected: int) -> None:
    plan = Plan(settings(strategy, match="epochs"), of_sizes(CODECFAKE, ASVSPOOF))
    assert plan.updates_per_epoch == len(plan.batches(3)) == expected


def test_an_epoch_longer_than_a_pass_goes_on_with_another_one() -> None:
    # One of 2 trials in every batch: a pass has 2 batches, and 102 trials in batches of 16 are 7 updates.
    trials = of_sizes(100, 2)
    plan = Plan(settings("csam", batch_size=16), trials)
    batches = plan.batches(0)
    assert len(co_training(trials, 16, seeded())) == 2
    assert len(batches) == 7
    assert all(counts(trials, batch) == [15, 1] for batch in batches)
    passes = [sorted(int(batch[-1]) for batch in batches[start : start + 2]) for start in (0, 2, 4)]
    assert passes == [[100, 101]] * 3
    assert len({tuple(batch) for batch in batches}) == 7


@pytest.mark.parametrize("seed", [1, 2])
def test_every_epoch_has_other_batches(seed: int) -> None:
    plan = Plan(settings("csam", batch_size=16, seed=seed), of_sizes(100, 20))
    first, second = (np.concatenate(plan.batches(epoch)).tolist() for epoch in (0, 1))
    assert first != second
    assert first == np.concatenate(plan.batches(0)).tolist()


def falling(schedule: str, **values: object) -> Callable[[int], float]:
    """The learning rate by update of 10 epochs of 4 updates."""
    plan_settings = settings("erm", batch_size=8, learning_rate=0.1, schedule=schedule, **values)
    return Plan(plan_settings, of_sizes(20, 12)).learning_rate


def test_halving_waits_for_the_end_of_its_epochs() -> None:
    rate = falling("halving", halve_every=2)
    assert [rate(updates) for updates in (0, 7, 8, 15, 16, 39)] == [0.1, 0.1, 0.05, 0.05, 0.025, 0.1 / 16]


def test_the_cosine_falls_update_by_update_to_its_end() -> None:
    rate = falling("cosine", final_learning_rate=0.02)
    assert [rate(updates) for updates in (0, 10, 20, 30, 40)] == pytest.approx(
        [0.1, 0.06 + 0.04 / np.sqrt(2), 0.06, 0.06 - 0.04 / np.sqrt(2), 0.02]
    )
    assert all(rate(updates + 1) < rate(updates) for updates in range(40))


def test_the_constant_stays() -> None:
    rate = falling("constant")
    assert {rate(updates) for updates in range(40)} == {0.1}


def test_halvings_follow_the_share_of_updates_done() -> None:
    own = Plan(settings("csam-released", match="epochs"), of_sizes(CODECFAKE, ASVSPOOF))
    matched = Plan(settings("csam-released"), of_sizes(CODECFAKE, ASVSPOOF))
    assert own.learning_rate(2 * 11_576 - 1) == matched.learning_rate(2 * 5_986 - 1) == 5e-4
    assert own.learning_rate(2 * 11_576) == matched.learning_rate(2 * 5_986) == 2.5e-4
