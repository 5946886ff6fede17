"""Training curves for TensorBoard; no result is computed from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Curves:
    """Writes event files into `folder`, or nothing if it is None; earlier events from `step` on are discarded."""

    def __init__(self, folder: Path | None, step: int) -> None:
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
        if self._writer is not None:
            self._writer.close()
