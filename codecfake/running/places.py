"""Paths and devices of jobs, as functions that Snakemake calls.

These functions take `output` although they do not need it. Snakemake then does not treat their values as settings of
the result, and remakes nothing when a corpus is moved or when the rest of a run gets a GPU.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from codecfake.base.home import expanded
from codecfake.experiment import ladders
from codecfake.experiment.inputs import Inputs
from codecfake.experiment.site import Site
from codecfake.running.storage import Storage


class Places:
    """The paths of a site."""

    def __init__(self, site: Site, inputs: Inputs, storage: Storage) -> None:
        self._site, self._inputs, self._storage = site, inputs, storage

    def root(self, wildcards: Any, output: Any) -> str:
        """The folder of a job's corpus; with a storage, an archive of one that the run has synthesized."""
        return self._root(wildcards.corpus)

    def roots(self, corpora: list[str]) -> Callable[[Any, Any], list[str]]:
        """The folders of some corpora, each as `corpus=folder`."""

        def pairs(wildcards: Any, output: Any) -> list[str]:
            return [f"{corpus}={self._root(corpus)}" for corpus in corpora]

        return pairs

    def _root(self, corpus: str) -> str:
        archives = self._inputs.stored.of_recordings(corpus)
        return self._storage.local_path(archives[0]) if archives else str(self._site.root(corpus))

    def batch_size(self, corpus: str) -> Callable[[Any, Any], int]:
        """The number of items that a generator makes at a time."""

        def size(wildcards: Any, output: Any) -> int:
            return self._site.experiment.generated()[corpus].batch_size

        return size

    def weights(self, wildcards: Any, output: Any) -> str:
        """The folder of published weights."""
        return str(self._site.weights)

    def degradation_folder(self, wildcards: Any, output: Any) -> list[str]:
        """The folder with the noise or the rooms of a degradation, if it has one."""
        ladders_of = ladders.folder_of(self._site.experiment, wildcards.degradation).values()
        return [expanded(ladder.folder) for ladder in ladders_of if ladder.folder is not None]

    def device(self, wildcards: Any, output: Any) -> str:
        """The device of config.yaml."""
        return self._site.device


def folder(wildcards: Any, output: Any) -> str:
    """The folder of a job's outputs."""
    return str(Path(output[0]).parent)


def above(levels: int) -> Callable[[Any, Any], str]:
    """The folder that many levels above a job's first output; it has the inputs too, wherever a run keeps its files."""

    def path(wildcards: Any, output: Any) -> str:
        return str(Path(output[0]).parents[levels - 1])

    return path


def model_folder(wildcards: Any, input: Any) -> str:
    """The folder of the model that a job reads."""
    return str(Path(input.model[0]).parent)


def published_folder(wildcards: Any, input: Any) -> str:
    """The folder of the papers' numbers that a job reads."""
    return str(Path(input.published[0]).parent)
