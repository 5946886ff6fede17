"""What a folder has, to the last entry: regular files, what is no file, and folders that cannot be read."""

import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Members:
    files: list[Path]  # sorted
    special: list[Path]  # links that lead nowhere or to folders, devices, pipes and sockets; sorted
    unreadable: dict[Path, str] = field(default_factory=dict)  # folders, and why


def members(folder: Path) -> Members:
    """Links to files count as files; links to folders are not followed, since they may lead back."""
    files: list[Path] = []
    special: list[Path] = []
    unreadable: dict[Path, str] = {}

    def note(error: OSError) -> None:
        unreadable[Path(str(error.filename))] = error.strerror or str(error)

    for place, folders, names in os.walk(folder, onerror=note):
        for path in (Path(place, name) for name in names):
            (files if _is_file(path) else special).append(path)
        special += [path for path in (Path(place, name) for name in folders) if path.is_symlink()]
    return Members(sorted(files), sorted(special), unreadable)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a circle of links, or a broken disk
        return False
