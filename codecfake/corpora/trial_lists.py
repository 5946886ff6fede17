"""Lists of trials without a header, whose words are separated by blanks, and the recordings that they name."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from codecfake.base import text_tables
from codecfake.base.text_tables import BLANKS
from codecfake.base.utterances import KEYS, Utterance
from codecfake.corpora import tables
from codecfake.corpora.listing import CorpusError, Rejection

BY_NAME = {key: key for key in KEYS}  # for lists that have our own words for the keys


@dataclass(frozen=True)
class Line:
    """The words of a line, and its place (`file:line`) for messages."""

    words: list[str]
    where: str


@dataclass(frozen=True)
class Trial:
    """A line of a list. `name` is that of its recording, without a suffix; `utterance.path` is where it should be.

    A trial that is not selected is in no result, but its recording is known.
    """

    name: str
    where: str
    utterance: Utterance
    is_selected: bool = True


def lines(path: Path, *forms: str) -> Iterator[Line]:
    """The lines of a list, each in one of the `forms`, such as `speaker utterance - attack key`.

    Raises CorpusError for a line with another number of words, for a missing list, and as `tables.lines`.
    """
    counts = {len(form.split()) for form in forms}
    for line in tables.lines(path):
        words = text_tables.cells(line.text, BLANKS)
        if len(words) not in counts:
            expected = " or ".join(f"`{form}`" for form in forms)
            raise CorpusError(
                f"{path}:{line.number}: {line.text!r} has {len(words)} {'word' if len(words) == 1 else 'words'}, not "
                f"{' or '.join(map(str, sorted(counts)))} as {expected}; restore the corpus's own list"
            )
        yield Line(words, f"{path}:{line.number}")


def meaning(label: str, keys: Mapping[str, str], where: str) -> str:
    """The meaning of a label, such as a key. Raises CorpusError for another label than those of `keys`."""
    if label not in keys:
        raise CorpusError(f"{where}: label {label!r} is neither {' nor '.join(keys)}; restore the corpus's own list")
    return keys[label]


def with_recordings(
    trials: Iterable[Trial], recordings: Mapping[str, str], of_list: str
) -> tuple[list[Utterance], list[Rejection]]:
    """The wanted trials with the paths of their recordings (name -> path); what is absent, and what is not listed.

    `of_list` names the list in the reasons. Raises CorpusError for a name that is listed twice.
    """
    where_of: dict[str, str] = {}
    utterances, rejections = [], []
    for trial in trials:
        first = where_of.setdefault(trial.name, trial.where)
        if first != trial.where:
            raise CorpusError(f"{trial.where}: {trial.name} is listed twice, first at {first}; remove one of the lines")
        path = recordings.get(trial.name)
        if trial.is_selected and path is not None:
            utterances.append(replace(trial.utterance, path=path))
        elif trial.is_selected:
            rejections.append(Rejection(trial.utterance.path, f"listed in {of_list} but the file is absent"))
    return utterances, rejections + _not_listed(recordings, where_of, of_list)


def _not_listed(recordings: Mapping[str, str], names: Collection[str], of_list: str) -> list[Rejection]:
    reason = f"not listed in {of_list}, so its key is not known"
    return [Rejection(path, reason) for name, path in recordings.items() if name not in names]


def by_path(root: Path, paths: Iterable[str], folder: str) -> dict[str, str]:
    """Path below `folder`, without suffix -> path. Raises CorpusError for two files that differ in the suffix alone."""
    path_of: dict[str, str] = {}
    for path in paths:
        name = PurePosixPath(path).relative_to(folder).with_suffix("").as_posix()
        if name in path_of:
            raise CorpusError(f"{root}: {path} and {path_of[name]} have one name; remove one of the two")
        path_of[name] = path
    return path_of


def first_folder(root: Path, folders: Iterable[str], what: str, option: str = "") -> str:
    """The first of these folders that exists.

    Raises CorpusError, naming `what` should be there and the `option` that can leave it out, if none does.
    """
    names = list(folders)
    present = next((name for name in names if (root / name).is_dir()), None)
    if present is None:
        otherwise = f", or leave them out (option {option})" if option else ""
        raise CorpusError(f"{root}: {what} are in none of {', '.join(names)}; unpack them there{otherwise}")
    return present
