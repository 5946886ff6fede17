"""Clips of data sets whose lists name a clip once for each place: they are given once, with all their places."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from codecfake.base import text_files
from codecfake.base.text_files import TextError
from codecfake.base.text_tables import BLANK
from codecfake.publishing.clips import Place, PublishingError
from codecfake.publishing.published import PublishedClip, key_of


@dataclass(frozen=True)
class Words:
    """The words of a line of a list, and its place for messages."""

    words: list[str]
    where: str


Lists = Callable[[], Iterable[PublishedClip]]  # a clip for each line of each list, with the place of this list


def once(read_lists: Lists, read_places: Lists | None = None) -> Iterator[PublishedClip]:
    """The clips of all lists; `read_places` gives the same clips where reading them without audio is faster."""
    places: dict[tuple[str, str], set[Place]] = {}
    for clip in (read_places or read_lists)():
        places.setdefault((clip.corpus, clip.clip_id), set()).update(clip.places)
    for clip in read_lists():
        all_of_clip = places.pop((clip.corpus, clip.clip_id), None)
        if all_of_clip is not None:
            yield replace(clip, places=tuple(sorted(all_of_clip)))


def words(folder: Path, path: Path, *forms: str) -> Iterator[Words]:
    """The lines of a list with blanks between words; each of `forms` names the words of a line.

    Raises PublishingError for a line with another number of words.
    """
    for line in lines(path):
        cells = BLANK.split(line.text.strip())
        where = f"{path.relative_to(folder).as_posix()}, line {line.number}"
        if len(cells) not in {len(form.split()) for form in forms}:
            expected = " or ".join(f"`{form}`" for form in forms)
            raise PublishingError(f"{where}: {len(cells)} words, not those of {expected}; restore the list")
        yield Words(cells, where)


def clip_of(
    line: Words, place: Place, audio: Callable[[], bytes], speaker: str, name: str, attack: str, key: str
) -> PublishedClip:
    """The clip of a trial in a protocol, whose words are percent-encoded."""
    clip_id = unquote(name)
    twin = recording_of(clip_id, unquote(attack)) or ""
    return PublishedClip(line.where, clip_id, key_of(key), (place,), audio, speaker_id=unquote(speaker), twin_id=twin)


def lines(path: Path) -> Iterator[text_files.Line]:
    """The lines of a text file that are not blank. Raises PublishingError if it is no text."""
    try:
        yield from text_files.lines(path)
    except TextError as error:
        raise PublishingError(str(error)) from error


def recording_of(clip_id: str, attack: str | None) -> str | None:
    """The recording of a fake that is named after its source, as `F01_p225_001` is; None for other names."""
    return clip_id.removeprefix(f"{attack}_") if attack and clip_id.startswith(f"{attack}_") else None
