"""The container that config.yaml names for jobs: an image of a registry, or a file."""

from collections.abc import Iterator
from pathlib import Path

from codecfake.base.settings import Fault

FILE, REGISTRY = ".sif", "://"


def image(container: str, base: Path) -> str:
    """The container as Snakemake takes it; a relative path of a file starts from `base`."""
    return container if REGISTRY in container else str(base / container)


def faults(container: str | None, base: Path) -> Iterator[Fault]:
    """A name that is neither of an image nor of a file, and a file that does not exist."""
    if container is None or REGISTRY in container:
        return
    if not container.endswith(FILE):
        yield Fault(
            ("container",), f"{container!r} is no image; write docker://{container}, or the path of a {FILE} file"
        )
    elif not (base / container).is_file():
        yield Fault(
            ("container",), f"there is no file {base / container}; build it (docs/operating.md), or correct the path"
        )
