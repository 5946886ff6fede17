"""Functions that Snakemake calls with the wildcards of a job."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from codecfake.experiment.job import Job
from codecfake.running.storage import provided


def by_wildcards(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """Adapt `function` for Snakemake: its parameter names are the wildcards that it needs.

    Values are cached, since the jobs of all shards of a corpus need the same ones.
    """
    names = tuple(inspect.signature(function).parameters)
    values = cache(function)

    def call(wildcards: Any) -> Any:
        return values(*(getattr(wildcards, name) for name in names))

    return call


def provided_by_wildcards(function: Callable[..., list[str]]) -> Callable[[Any], list[str]]:
    """The same for input files of which some come with the package or from the user."""
    call = by_wildcards(function)

    def paths(wildcards: Any) -> list[str]:
        return provided(call(wildcards))

    return paths


def text_of(job: Callable[..., Job[Any]]) -> Callable[[Any], str]:
    """The JSON text of the settings of a rule's jobs."""
    call = by_wildcards(job)

    def text(wildcards: Any) -> str:
        return call(wildcards).text

    return text
