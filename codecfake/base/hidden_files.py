"""Files that systems and file managers leave beside recordings, such as macOS's `._name.wav`: none is a recording."""

from collections.abc import Iterable
from pathlib import Path, PurePath

# the rest of macOS's archives; Synology, Windows and Linux keep the other folders on their disks
NAMES = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "Thumbs.db", "desktop.ini"}


def is_hidden(path: PurePath) -> bool:
    """Whether a name in a relative path begins with a dot (`._*`, `.nfs*`, `.DS_Store`), or is one of NAMES."""
    return any((part.startswith(".") and part != "..") or part in NAMES for part in path.parts)


def visible(paths: Iterable[Path]) -> list[Path]:
    """The paths whose last part is not hidden, sorted."""
    return sorted(path for path in paths if not is_hidden(PurePath(path.name)))
