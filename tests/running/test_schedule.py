"""The wall time of jobs on several GPUs."""

import pytest

from codecfake.running.planning.schedule import Task, wall_time


def hours(tasks: list[Task], gpus: int) -> float:
    time = wall_time(tasks, gpus)
    assert time is not None
    return time.hours


def test_on_one_gpu_jobs_run_one_after_the_other() -> None:
    assert hours([Task("a", 1.0, 3), Task("b", 2.0, needs=("a",))], 1) == 5.0


def test_equal_jobs_share_gpus() -> None:
    assert hours([Task("a", 1.0, 5)], 2) == 3.0


def test_a_job_waits_for_all_jobs_that_it_needs() -> None:
    tasks = [Task("a", 1.0, 3), Task("b", 4.0), Task("c", 1.0, needs=("a", "b"))]
    assert hours(tasks, 8) == 5.0


def test_jobs_that_others_wait_for_start_first() -> None:
    tasks = [Task("alone", 2.0), Task("first", 1.0), Task("then", 3.0, needs=("first",))]
    assert hours(tasks, 2) == 4.0
    assert hours([Task("short", 1.0, 2), Task("long", 2.0)], 2) == 2.0


def test_the_longest_job_of_the_chain_that_ends_last_decides() -> None:
    tasks = [Task("train_codec a", 5.0), Task("train_codec b", 7.0), Task("resynthesize b", 0.5, 2, ("train_codec b",))]
    time = wall_time(tasks, 2)
    assert time is not None
    assert (time.hours, time.decisive, time.decisive_hours) == (7.5, "train_codec b", 7.0)


@pytest.mark.parametrize("gpus", [1, 2, 3, 8, 100])
def test_no_time_is_below_the_longest_chain_or_the_hours_per_gpu(gpus: int) -> None:
    tasks = [Task("a", 3.0, 4), Task("b", 2.0, 7, ("a",)), Task("c", 0.5, 9), Task("d", 1.0, 3, ("b", "c"))]
    total, chain = 12 + 14 + 4.5 + 3, 6.0
    # Graham 1969: list scheduling takes at most the sum of both bounds
    assert max(total / gpus, chain) <= hours(tasks, gpus) <= total / gpus + chain


def test_no_jobs_on_gpus_have_no_time() -> None:
    assert wall_time([], 8) is None
