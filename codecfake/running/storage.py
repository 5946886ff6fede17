"""Where the files of a run are: in the run directory, or in a storage of Snakemake, such as a bucket.

With a storage (`--default-storage-provider`), a job gets only the files that its rule names, in a folder of local
copies. Nothing here changes a run without one: finished jobs of earlier versions keep their inputs and settings.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from snakemake.io import local

RESULTS = "results/"


class Storage:
    """The storage of a run, if it has one."""

    def __init__(self, workflow: Any) -> None:
        settings = workflow.storage_settings
        self.is_used: bool = settings is not None and settings.default_storage_provider is not None
        self._prefix = (settings.default_storage_prefix or "") if self.is_used else ""
        self._provider = workflow.storage_registry.default_storage_provider if self.is_used else None

    def address(self, path: str) -> str:
        """The name of a file in the storage; the path itself without a storage."""
        return f"{self._prefix.rstrip('/')}/{path}" if self._prefix else path

    def local_path(self, path: str) -> str:
        """The path of a file for the jobs of this process, relative to the run directory; `path` without a storage."""
        return path if self._provider is None else str(self._provider.object(self.address(path)).local_path())

    @property
    def copies(self) -> Path:
        """The folder that has `results/` and `logs/` of jobs on this machine."""
        return Path(self.local_path(RESULTS.rstrip("/"))).parent

    def argument(self, value: Any) -> Any:
        """A part of a command that names files in results/: one text, several, or a function of wildcards.

        With a storage, the result is a function of `output`, since Snakemake must not take the paths of local copies
        for settings of the result: they differ between machines.
        """
        return value if not self.is_used else self._translated(value)

    def _translated(self, value: Any) -> Callable[[Any, Any], Any]:
        def translate(wildcards: Any, output: Any) -> Any:
            texts = value(wildcards) if callable(value) else value
            return self._copy(texts, wildcards) if isinstance(texts, str) else [self._copy(t, wildcards) for t in texts]

        return translate

    def _copy(self, text: str, wildcards: Any) -> str:
        return self.local_path(text.format(**dict(wildcards.items()))) if text.startswith(RESULTS) else text


def provided(paths: Iterable[str]) -> list[str]:
    """Input files of which some come with the package or from the user: these are never in a storage."""
    return [path if path.startswith(RESULTS) else local(path) for path in paths]
