"""Readers of corpora: one module per official layout, all with the same interface.

A reader offers `utterances(root, options) -> Listing`, which decodes no audio, `OPTIONS`, the dataclass of its options,
and `MARKER`, globs of files or folders relative to the root, any of which proves the layout. It can also offer `SIZE`,
the published size of the corpus, `LICENSE`, `count(root)`, the number of recordings if not each is a file,
`check(root, options)`, which quickly checks that the parts to read are there, `captions(root, options)`, if its
tables have captions, and `CONTENT`, if that is not speech.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from codecfake.base import plugins
from codecfake.base.settings import build
from codecfake.base.suggestions import unknown
from codecfake.corpora.listing import CorpusError, Listing, require
from codecfake.corpora.sizes import CorpusSize

LAYOUTS: tuple[str, ...] = (
    "vctk", "aishell3", "libritts", "asvspoof2019la", "asvspoof2021la", "asvspoof2021df", "asvspoof5", "in_the_wild",
    "spoofceleb", "mlaad", "wavefake", "codecfake", "codecfake_wu", "codecfake_plus_cors", "codecfake_plus_cosg", "cdd",
    "audiocaps", "esc50", "fsd50k", "parquet", "listed",
)  # fmt: skip
INTERFACE = ("OPTIONS", "MARKER", "utterances")
SPEECH, SOUND = CONTENTS = ("speech", "sound")  # of a corpus; among sounds may be voices


@dataclass(frozen=True)
class Layout:
    """A layout of corpora, ours or from outside the package."""

    name: str
    reader: ModuleType

    @property
    def size(self) -> CorpusSize | None:
        """The published size of such a corpus, if it is known."""
        return getattr(self.reader, "SIZE", None)

    @property
    def license(self) -> str:
        """The license of such a corpus; "" where the layout says nothing of it, as of your own recordings."""
        return getattr(self.reader, "LICENSE", "")

    @property
    def content(self) -> str:
        """What the recordings of such a corpus are, one of `CONTENTS`."""
        return getattr(self.reader, "CONTENT", SPEECH)

    @property
    def count(self) -> Callable[[Path], int] | None:
        """Counts the recordings at a root quickly, for a plan; None: each audio file is one."""
        return getattr(self.reader, "count", None)

    @property
    def code(self) -> Path | None:
        """The file beside the experiment that implements it, if there is one."""
        return plugins.file_of(self.name) if plugins.is_outside(self.name) else None

    def build_options(self, options: Mapping[str, Any]) -> Any:
        """Its options as its own dataclass. Raises SettingsError for an unknown option or a wrong value."""
        return build(self.reader.OPTIONS, options)

    def require(self, root: Path, options: Mapping[str, Any] | None = None) -> None:
        """Raise CorpusError if nothing at `root` shows this layout, or if a part that `options` select is missing."""
        require(root, self.reader.MARKER, getattr(self.reader, "OFFICIAL", ", ".join(self.reader.MARKER)))
        if options is not None and hasattr(self.reader, "check"):
            self.reader.check(root, options)

    def utterances(self, root: Path, options: Mapping[str, Any]) -> Listing:
        """The utterances of the corpus at `root`. Raises CorpusError if it does not have this layout."""
        return self.reader.utterances(root, options)


def layout(name: str) -> Layout:
    """The layout of that name, one of ours or `module:utterances`. Raises CorpusError for an unknown one."""
    if plugins.is_outside(name):
        return Layout(name, _outside(name))
    if name not in LAYOUTS:
        raise CorpusError(unknown("layout", name, LAYOUTS))
    return Layout(name, importlib.import_module(f"codecfake.corpora.{name}"))


def _outside(name: str) -> ModuleType:
    plugins.load(name)
    reader = plugins.module_of(name)
    absent = [name for name in INTERFACE if not hasattr(reader, name)]
    if absent:
        raise CorpusError(
            f"layout {name}: {reader.__file__} has no {absent[0]}; a reader offers {', '.join(INTERFACE)}"
        )
    return reader
