"""Progress of long steps as lines: jobs run in parallel and are logged, so a bar must not rewrite its line."""

import sys
from collections.abc import Iterable
from typing import Any, TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 5.0


class _Lines:
    """A stream that turns tqdm's carriage returns into lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line:
            self._stream.write(line + "\n")

    def flush(self) -> None:
        self._stream.flush()


def progress(
    items: Iterable[Any] | None, name: str, total: float | None = None, unit: str = "it", silent: bool = False
) -> tqdm:
    """A tqdm bar over `items` (or advanced by hand with `update`) that prints a line every few seconds."""
    return tqdm(
        items,
        desc=name,
        total=total,
        unit=unit,
        file=_Lines(sys.stderr),
        mininterval=SECONDS_BETWEEN_LINES,
        maxinterval=SECONDS_BETWEEN_LINES,
        ascii=" =",
        ncols=100,
        smoothing=0.1,
        disable=silent,
    )
