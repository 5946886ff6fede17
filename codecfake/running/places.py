"""Paths and devices of jobs, as functions that Snakemake calls.

These functions take `output` although they do not need it. Snakemake then does not treat their values as settings of
the result, and remakes nothing when a corpus is moved or when the rest of a run gets a GPU.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from codecfake.experiment.site import Site


class Places:
    """The paths of a site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def root(self, wildcards: Any, output: Any) -> str:
        """The folder of a job's corpus."""
        return str(self._site.root(wildcards.corpus))

    def roots(self, corpora: list[str]) -> Callable[[Any, Any], list[str]]:
        """The folders of some corpora, each as `corpus=folder`."""

        def pairs(wildcards: Any, output: Any) -> list[str]:
            return [f"{corpus}={self._site.root(corpus)}" for corpus in corpora]

        return pairs

    def batch_size(self, corpus: str) -> Callable[[Any, Any], int]:
        """The number of items that a generator makes at a time."""

        def size(wildcards: Any, output: Any) -> int:
            return self._site.experiment.generated()[corpus].batch_size

        return size

    def weights(self, wildcards: Any, output: Any) -> str:
        """The folder of published weights."""
        return str(self._site.weights)

    def device(self, wildcards: Any, output: Any) -> str:
        """The device of config.yaml."""
        return self._site.device


def folder(wildcards: Any, output: Any) -> str:
    """The folder of a job's outputs."""
    return str(Path(output[0]).parent)


def model_folder(wildcards: Any, input: Any) -> str:
    """The folder of the model that a job reads."""
    return str(Path(input.model[0]).parent)


def published_folder(wildcards: Any, input: Any) -> str:
    """The folder of the papers' numbers that a job reads."""
    return str(Path(input.published[0]).parent)
