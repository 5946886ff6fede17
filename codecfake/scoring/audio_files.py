"""The audio files of a command line: files as named, and those in folders, each with a name for its trial."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from codecfake.audio.containers import SUFFIXES
from codecfake.audio.waveforms import AudioError
from codecfake.base.control_characters import control_character, is_utf8
from codecfake.base.hidden_files import is_hidden
from codecfake.base.printing import printable
from codecfake.scoring import folders

QUOTE = '"'  # readers of tables take it for syntax


@dataclass(frozen=True)
class LeftOut:
    """What folders have besides audio files."""

    others: int = 0  # files without an audio suffix, and hidden ones
    special: list[Path] = field(default_factory=list)  # as in `folders.Members`
    unreadable: dict[Path, str] = field(default_factory=dict)

    def __add__(self, more: "LeftOut") -> "LeftOut":
        unreadable = {**self.unreadable, **more.unreadable}
        return LeftOut(self.others + more.others, self.special + more.special, unreadable)

    def __str__(self) -> str:
        parts = [f"Skipped files that are hidden or have no audio suffix: {self.others}."] if self.others else []
        if self.special:
            first = printable(str(self.special[0]))
            kinds = "links that lead nowhere or to folders, devices and the like"
            parts.append(f"Skipped {kinds}: {len(self.special)} ({first}{', …' if len(self.special) > 1 else ''}).")
        parts += [f"Cannot read {printable(str(path))} ({reason})." for path, reason in sorted(self.unreadable.items())]
        return " ".join(parts)


EMPTY = LeftOut()


@dataclass(frozen=True)
class Listing:
    """Files in the order of scoring. `names` are their paths within the folder that was named, without suffix.

    The name of a file that was named itself is its own, without its folder.
    """

    paths: list[Path]
    names: list[str]
    left_out: LeftOut = EMPTY


def audio_files(paths: Sequence[Path]) -> Listing:
    """Files as given and, in order of names, those with a suffix of SUFFIXES in folders; and what was left out there.

    Raises AudioError if a folder has no audio file.
    """
    parts = [_of_folder(path) if path.is_dir() else _of_file(path) for path in paths]
    return Listing(
        [path for part in parts for path in part.paths],
        [name for part in parts for name in part.names],
        sum((part.left_out for part in parts), EMPTY),
    )


def trial_ids(listing: Listing) -> list[str]:
    """The names of the files as trial ids of a score file.

    Raises AudioError if two are the same, or if one cannot be a cell of a table.
    """
    paths: dict[str, Path] = {}
    for path, name in zip(listing.paths, listing.names, strict=True):
        if name in paths:
            raise AudioError(
                f"{paths[name]} and {path} would have the same trial id {name!r}, the path within the folder that you "
                f"name, without suffix; name a folder above both, or rename one"
            )
        for reason in _faults(name):
            raise AudioError(f"{path}: its trial id would be {name!r}, which {reason}; rename the file to use --output")
        paths[name] = path
    return listing.names


def _of_file(path: Path) -> Listing:
    return Listing([path], [_without_suffix(Path(path.name))])


def _of_folder(path: Path) -> Listing:
    members = folders.members(path)
    inside = [member.relative_to(path) for member in members.files]
    audible = [member for member in inside if _is_audio(member)]
    left_out = LeftOut(len(inside) - len(audible), members.special, members.unreadable)
    if not audible:
        more = f" ({left_out})" if left_out.special or left_out.unreadable else ""
        raise AudioError(f"{path}: none of its {len(inside)} files has an audio suffix{more}; name the file itself")
    return Listing([path / member for member in audible], list(map(_without_suffix, audible)), left_out)


def _is_audio(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not is_hidden(path)


def _without_suffix(path: Path) -> str:
    return (path.with_suffix("") if path.suffix.lower() in SUFFIXES else path).as_posix()


def _faults(name: str) -> Iterator[str]:
    """Why a name cannot be a cell of a table that all readers understand."""
    if not is_utf8(name):
        yield "is not UTF-8"
    elif control := control_character(name):
        yield f"has the character {control}"
    if QUOTE in name:
        yield "has a quotation mark"
    if name != name.strip():
        yield "begins or ends with a blank"
