"""Spans of partial fakes: their share, number and lengths, the same for all sources, and how they are written."""

from itertools import pairwise

import numpy as np
import pytest

from codecfake.audio.partial_settings import PartialSettings, SplicingSettings
from codecfake.audio.spans import as_text, coded_share, draw, from_text, spans_of
from codecfake.base.settings import FaultsError, build

RATE = 16_000
SEEDS = range(20)


def random_spans(num_samples: int, seed: int = 0, **settings: float) -> list[tuple[int, int]]:
    return draw(build(PartialSettings, {"of": "F01", **settings}), num_samples, RATE, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_spans_have_their_share_of_the_utterance(seed: int) -> None:
    num_samples = 40_001 + 777 * seed
    total = sum(end - start for start, end in random_spans(num_samples, seed, share=0.3, spans=3))
    assert total == round(0.3 * num_samples)


@pytest.mark.parametrize("seed", SEEDS)
def test_spans_and_what_is_between_them_have_the_minimum_length(seed: int) -> None:
    spans = random_spans(60_000, seed, share=0.5, spans=4, minimum_ms=100)
    assert len(spans) == 4
    assert spans[0][0] >= 0
    assert spans[-1][1] <= 60_000
    assert min(end - start for start, end in spans) >= 1_600
    assert min(after[0] - before[1] for before, after in pairwise(spans)) >= 1_600


def test_every_part_of_an_utterance_can_be_in_a_span_and_outside() -> None:
    covered = np.zeros(10_000)
    for seed in range(300):
        for start, end in random_spans(10_000, seed, share=0.4, spans=2, minimum_ms=50):
            covered[start:end] += 1
    assert covered.reshape(50, -1).max(axis=1).min() > 0
    assert covered.max() < 300


@pytest.mark.parametrize(("num_samples", "number"), [(16_000, 2), (8_000, 1), (1_600, 1), (2, 1)])
def test_a_short_utterance_has_fewer_spans_but_the_same_share(num_samples: int, number: int) -> None:
    spans = random_spans(num_samples, share=0.4, spans=2, minimum_ms=200)
    assert len(spans) == number
    assert sum(end - start for start, end in spans) == max(1, round(0.4 * num_samples))


def test_spans_that_would_touch_are_fewer() -> None:
    assert len(random_spans(16_000, share=0.9, spans=5, minimum_ms=100)) == 2


def test_the_spans_of_an_utterance_do_not_depend_on_the_source_or_on_the_cross_fade() -> None:
    one, other = PartialSettings("F01", cross_fade_ms=0), PartialSettings("F02", cross_fade_ms=20)
    spans = [spans_of(SplicingSettings("vctk", settings), "p225_001", 48_000, RATE) for settings in (one, other)]
    assert spans[0] == spans[1]


def test_utterances_corpora_and_seeds_have_spans_of_their_own() -> None:
    partial = PartialSettings("F01")
    every = [
        spans_of(SplicingSettings(corpus, partial, seed), name, 48_000, RATE)
        for corpus, name, seed in (("a", "u", 1), ("a", "v", 1), ("b", "u", 1), ("a", "u", 2))
    ]
    assert len({as_text(spans) for spans in every}) == 4


def test_spans_return_from_their_text() -> None:
    spans = [(0, 1_600), (9_600, 12_800)]
    assert as_text(spans) == "0-1600 9600-12800"
    assert from_text(as_text(spans)) == spans


def test_the_coded_share_of_a_segment_counts_all_spans() -> None:
    spans = [(1.0, 2.0), (2.5, 4.0)]
    assert coded_share(0.0, 1.0, spans) == 0
    assert coded_share(1.0, 2.0, spans) == 1
    assert coded_share(1.5, 3.5, spans) == pytest.approx(0.75)


def test_cross_fades_that_do_not_fit_into_a_span_are_refused() -> None:
    with pytest.raises(FaultsError, match=r"cross_fade_ms: 60, but both cross-fades must fit into a span of 100 ms"):
        PartialSettings("F01", minimum_ms=100, cross_fade_ms=60)


def test_a_whole_utterance_is_no_partial_fake() -> None:
    with pytest.raises(ValueError, match=r"share: 1\.? ?.*out of range"):
        build(PartialSettings, {"of": "F01", "share": 1})
