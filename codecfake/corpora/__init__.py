"""Readers of corpora: one module for each official layout, all of the same shape.

A reader offers `utterances(root, options) -> Listing`, which decodes no audio, and `MARKER`, the files or
folders (globs relative to the root, any of them) that prove its layout.
"""

import importlib
from types import ModuleType

from codecfake.corpora.listing import CorpusError

LAYOUTS: tuple[str, ...] = ("vctk", "aishell3", "libritts", "asvspoof2019la", "in_the_wild", "audiocaps", "listed")


def reader(layout: str) -> ModuleType:
    """The module that reads a layout. Raises CorpusError for a layout that is not known."""
    if layout not in LAYOUTS:
        raise CorpusError(f"layout {layout!r} is not known; known layouts: {', '.join(LAYOUTS)}")
    return importlib.import_module(f"codecfake.corpora.{layout}")
