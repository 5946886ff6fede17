"""Schedules: how the learning rate falls over the updates of a training run.

`halving` is from Xie et al. 2025, `constant` from the text of Wu et al. 2024, and `cosine` from the configuration
released with it (1e-4 to 5e-6).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Course:
    """The first and the final learning rate, and the number of updates between them."""

    first: float
    final: float  # of `cosine`
    halve_every: int  # updates, of `halving`
    updates: int  # in all


def halving(course: Course, num_updates: int) -> float:
    """Half the rate every `halve_every` updates."""
    return course.first * 0.5 ** (num_updates // course.halve_every)


def cosine(course: Course, num_updates: int) -> float:
    """Half a period of a cosine, update by update."""
    return course.final + (course.first - course.final) * (1 + math.cos(math.pi * num_updates / course.updates)) / 2


def constant(course: Course, num_updates: int) -> float:
    """The same rate throughout."""
    return course.first


SCHEDULES: dict[str, Callable[[Course, int], float]] = {"halving": halving, "cosine": cosine, "constant": constant}
