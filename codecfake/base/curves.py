"""Training curves for TensorBoard; no result is computed from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codecfake.base import files

EVENTS = "events.out.tfevents.*"


class Curves:
    """Writes event files into `folder`, or nothing if it is None; earlier events from `step` on are discarded.

    Closing seals the files of this and of earlier attempts.
    """

    def __init__(self, folder: Path | None, step: int) -> None:
        self._folder = folder
        self._writer: Any = None
        if folder is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder), purge_step=step)

    def add(self, group: str, values: Mapping[str, float], step: int) -> None:
        """One point of the curve `{group}/{name}` for each value."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def flush(self) -> None:
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        if self._writer is not None and self._folder is not None:
            self._writer.close()
            for path in sorted(self._folder.glob(EVENTS)):
                if not path.name.endswith(files.SEAL):
                    files.seal(path)
