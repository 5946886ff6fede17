"""Functions that Snakemake calls with the wildcards of a job."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from codecfake.experiment.job import Job


def by_wildcards(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """Adapt `function` for Snakemake: its parameter names are the wildcards that it needs.

    Values are cached, since the jobs of all shards of a corpus need the same ones.
    """
    names = tuple(inspect.signature(function).parameters)
    values = cache(function)

    def call(wildcards: Any) -> Any:
        return values(*(getattr(wildcards, name) for name in names))

    return call


def text_of(job: Callable[..., Job[Any]]) -> Callable[[Any], str]:
    """The JSON text of the settings of a rule's jobs."""
    call = by_wildcards(job)

    def text(wildcards: Any) -> str:
        return call(wildcards).text

    return text
