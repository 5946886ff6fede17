"""The result of a corpus reader: the utterances, and the recordings that it left out, with reasons."""

import logging
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import NoReturn

from codecfake.audio.containers import SUFFIXES
from codecfake.base.control_characters import control_character, is_utf8
from codecfake.base.hidden_files import is_hidden
from codecfake.base.printing import printable
from codecfake.base.utterances import Utterance

UNKNOWN_ATTACK = "unknown"  # of a spoof whose corpus does not name its attack

logger = logging.getLogger(__name__)


class CorpusError(ValueError):
    """A folder does not contain the expected corpus."""


@dataclass(frozen=True)
class Rejection:
    """A recording that was left out; `path` is relative to the corpus root."""

    path: str
    reason: str
    expected: bool = False  # a known fault of the published corpus, so it does not count against this copy


@dataclass(frozen=True)
class Listing:
    """A corpus before its audio is decoded; utterances are sorted by id, rejections by path."""

    utterances: tuple[Utterance, ...]
    rejections: tuple[Rejection, ...]


def listing(root: Path, utterances: Iterable[Utterance], rejections: Iterable[Rejection]) -> Listing:
    """Sort and check the result of a reader. Raises CorpusError if ids are not unique, or without utterances.

    An utterance with a name or another value that lists cannot hold is a rejection. Names that look the same in two
    Unicode forms (NFC, NFD) are one name: they would be one file on a Mac.
    """
    reasons = [(utterance, _reason_of_characters(utterance)) for utterance in utterances]
    by_id = sorted((one for one, reason in reasons if reason is None), key=lambda utterance: utterance.utterance_id)
    unfit = [Rejection(utterance.path, reason) for utterance, reason in reasons if reason is not None]
    by_path = sorted(map(_on_one_line, [*rejections, *unfit]), key=lambda one: (one.path, one.reason))
    if not by_id and not by_path:
        raise CorpusError(f"{root}: contains no recording; unpack the corpus's audio there")
    for utterance in by_id:
        _check_ids(root, utterance)
    _check_unique(root, by_id)
    _check_speakers(root, by_id)
    return Listing(tuple(by_id), tuple(by_path))


def _check_unique(root: Path, utterances: Iterable[Utterance]) -> None:
    path_of_id: dict[str, str] = {}
    for utterance in utterances:
        composed = unicodedata.normalize("NFC", utterance.utterance_id)
        if composed in path_of_id:
            _refuse_twice(root, utterance.utterance_id, path_of_id[composed], utterance.path)
        path_of_id[composed] = utterance.path


def _check_speakers(root: Path, utterances: Iterable[Utterance]) -> None:
    spellings: dict[str, str] = {}
    for speaker_id in (utterance.speaker_id for utterance in utterances):
        other = spellings.setdefault(unicodedata.normalize("NFC", speaker_id), speaker_id)
        if other != speaker_id:
            raise CorpusError(
                f"{root}: speaker {speaker_id!r} is written in two Unicode forms ({ascii(other)} and "
                f"{ascii(speaker_id)}), so one person would count as two; write the name in one form"
            )


def _on_one_line(rejection: Rejection) -> Rejection:
    return replace(rejection, path=printable(rejection.path), reason=printable(rejection.reason))


def _reason_of_characters(utterance: Utterance) -> str | None:
    """Why a value cannot be a cell of lists with one line for each utterance; None if all can."""
    if not is_utf8(utterance.path):
        return "the name of the file is not UTF-8; rename it (e.g. with convmv)"
    for name, value in vars(utterance).items():
        character = control_character(value or "")
        if character is not None:
            return (
                f"{name} {value!r} contains {character}, which lists and file names cannot hold; remove it where the "
                f"corpus says so, or rename the file"
            )
    return None


def _check_ids(root: Path, utterance: Utterance) -> None:
    """Utterance ids are used as file names, and speaker ids as fields of lists with blanks between them."""
    if not utterance.utterance_id or "/" in utterance.utterance_id:
        raise CorpusError(
            f"{root / utterance.path}: utterance id {utterance.utterance_id!r} is empty or contains a slash; change it"
        )
    if not utterance.speaker_id.strip():
        raise CorpusError(f"{root / utterance.path}: the speaker id is blank; write - for an unknown speaker")


def require(root: Path, marker: Iterable[str], official: str) -> None:
    """Raise CorpusError unless one of the globs `marker` matches under `root`; `official` describes the layout."""
    if any(True for pattern in marker for _ in root.glob(pattern)):
        return
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder; expected a folder with {official}")
    there = sorted(path.name for path in root.iterdir())
    within = _within(root, marker)
    raise CorpusError(
        f"{root}: not the expected layout: none of {', '.join(marker)} exists. Official layout: {official}. "
        f"The folder contains {', '.join(there[:5]) or 'nothing'}{', …' if len(there) > 5 else ''}; "
        f"set the corpus's root to {'a folder with that layout' if within is None else within}"
    )


def _within(root: Path, marker: Iterable[str]) -> Path | None:
    """The folder below `root` that has one of the globs: archives often unpack to a folder of their own."""
    paths = (path for depth in ("*", "*/*") for path in sorted(root.glob(depth)))
    folders = (path for path in paths if path.is_dir() and not is_hidden(path.relative_to(root)))
    return next((folder for folder in folders if any(True for one in marker for _ in folder.glob(one))), None)


def audio_files(root: Path, folder: str = ".") -> list[str]:
    """Paths of all audio files under a folder of `root`, relative to `root`, sorted; links are followed.

    A missing folder gives an empty list. Hidden files and those with other suffixes are no recordings; their numbers
    are logged. Raises CorpusError for a folder that cannot be listed, or is linked twice.
    """
    if not (root / folder).is_dir():
        return []
    paths: list[str] = []
    hidden: list[str] = []
    others: list[str] = []
    folders: set[Path] = set()
    for parent, children, names in os.walk(root / folder, followlinks=True, onerror=_refuse_folder):
        _check_new(Path(parent), folders)
        children[:] = [name for name in children if not is_hidden(PurePath(name))]
        prefix = Path(parent).relative_to(root)
        for name in names:
            is_audio, is_visible = name.lower().endswith(SUFFIXES), not is_hidden(PurePath(name))
            if is_audio or is_visible:
                (others if not is_audio else paths if is_visible else hidden).append((prefix / name).as_posix())
    _log_left_out(root / folder, "hidden files", hidden)
    _log_left_out(root / folder, "files without an audio suffix", others)
    return sorted(paths)


def _log_left_out(folder: Path, kind: str, names: list[str]) -> None:
    if names:
        logger.info("%s: %d %s, such as %r, are no recordings", folder, len(names), kind, min(names))


def _refuse_folder(error: OSError) -> NoReturn:
    raise CorpusError(f"{error.filename}: cannot be listed ({error.strerror}); check its permissions") from error


def _check_new(folder: Path, folders: set[Path]) -> None:
    if folder.resolve() in folders:
        raise CorpusError(f"{folder}: a link to {folder.resolve()}, which was already read; remove the link")
    folders.add(folder.resolve())


def by_stem(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Stem -> path. Raises CorpusError if two paths share a stem."""
    path_of_stem: dict[str, str] = {}
    for path in paths:
        stem = PurePosixPath(path).stem
        if stem in path_of_stem:
            _refuse_twice(root, stem, path_of_stem[stem], path)
        path_of_stem[stem] = path
    return path_of_stem


def _refuse_twice(root: Path, name: str, one: str, other: str) -> NoReturn:
    raise CorpusError(
        f"{root}: utterance {name!r} appears twice, as {one} and as {other}; ids must be unique in a corpus: "
        f"remove one of the two, or list the corpus in a table with an utterance_id column (layout: listed)"
    )
