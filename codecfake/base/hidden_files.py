"""Files that systems and file managers leave beside recordings, such as macOS's `._name.wav`: none is a recording."""

from pathlib import PurePath

# the rest of macOS's archives; Synology, Windows and Linux keep the other folders on their disks
NAMES = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "Thumbs.db", "desktop.ini"}


def is_hidden(path: PurePath) -> bool:
    """Whether a name in a relative path begins with a dot (`._*`, `.nfs*`, `.DS_Store`), or is one of NAMES."""
    return any((part.startswith(".") and part != "..") or part in NAMES for part in path.parts)
