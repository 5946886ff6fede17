"""Helpers: results come in order, as those of one thread would, from a queue that has an end."""

import threading
import time
from collections.abc import Iterator

import pytest

from codec_wrappers.resynthesis.pipeline import Helpers

THREADS = [0, 1, 4]


def uneven(number: int) -> int:
    """The square of a number; small ones take the longest."""
    time.sleep(0.01 / (1 + number))
    return number**2


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("side", ["ahead", "behind"])
@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_results_come_in_the_order_of_the_items(threads: int, side: str, count: int) -> None:
    with Helpers(threads, most=5) as helpers:
        results = list(getattr(helpers, side)(uneven, range(count), lambda _: 1.0))
    assert results == [number**2 for number in range(count)]


@pytest.mark.parametrize("side", ["ahead", "behind"])
def test_no_more_than_the_most_is_in_the_queue(side: str) -> None:
    items = []

    def numbers() -> Iterator[int]:
        for number in range(40):
            items.append(number)
            yield number

    with Helpers(2, most=6) as helpers:
        for place, _ in enumerate(getattr(helpers, side)(uneven, numbers(), lambda _: 2.0)):
            assert len(items) <= place + 1 + 3 + 1  # given back, in the queue, and one that waits for its place
    assert len(items) == 40


def test_the_queue_ahead_is_full_when_a_result_is_given() -> None:
    numbers = []
    items = (numbers.append(number) or number for number in range(10))  # type: ignore[func-returns-value]
    with Helpers(2, most=4) as helpers:
        next(helpers.ahead(uneven, items, lambda _: 1.0))
    assert len(numbers) >= 5


def test_a_result_behind_is_given_before_the_next_item_but_one_is_asked_for() -> None:
    results: list[int] = []

    def slow() -> Iterator[int]:
        for number in range(5):
            assert helpers._pool is not None
            helpers._pool.submit(int).result()  # the only thread: it has then ended all that came before
            assert results == list(range(number - 1))
            yield number

    with Helpers(1, most=1000) as helpers:
        for result in helpers.behind(int, slow(), lambda _: 1.0):
            results.append(result)
    assert results == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("threads", THREADS)
def test_an_item_larger_than_the_most_goes_through_alone(threads: int) -> None:
    with Helpers(threads, most=1) as helpers:
        assert list(helpers.ahead(uneven, range(3), lambda _: 100.0)) == [0, 1, 4]


@pytest.mark.parametrize("threads", THREADS)
def test_an_error_comes_where_its_result_would_have_come_and_nothing_is_left_to_do(threads: int) -> None:
    def picky(number: int) -> int:
        if number == 3:
            raise ValueError("three is not wanted")
        return number

    results = []
    before = threading.active_count()
    with pytest.raises(ValueError, match="three is not wanted"), Helpers(threads, most=4) as helpers:
        for result in helpers.ahead(picky, range(100), lambda _: 1.0):
            results.append(result)
    assert results == [0, 1, 2]
    assert threading.active_count() == before


def test_without_threads_the_caller_does_the_work() -> None:
    with Helpers(0, most=1) as helpers:
        assert set(helpers.behind(lambda _: threading.get_ident(), range(3), lambda _: 1.0)) == {threading.get_ident()}
