"""Lists of the utterances of train, dev and eval, such as the eval set of a paper. A line has one of three forms:

p225_001                         a name: the list is of one split
p225_001 train                   a name and its split
F01_SSB13650058.wav fake 1       a name and its label, as published with Codecfake
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from codecfake.audio.containers import SUFFIXES
from codecfake.base import plugins, text_files
from codecfake.base.text_tables import BLANKS, COMMAS, TABS, CellError, cells
from codecfake.base.utterances import SPLITS

SPLIT_OF_WORD = {
    **{split: split for split in SPLITS},
    "development": "dev", "validation": "dev", "valid": "dev", "evaluation": "eval", "test": "eval",
}  # fmt: skip
IS_FAKE = {"real": False, "bonafide": False, "bona-fide": False, "genuine": False, "fake": True, "spoof": True}
FORMS = "a name, a name and its split, or a name and its label (real or fake)"

Files = str | dict[Literal["train", "dev", "eval"], str]  # one file with splits, or a file for each of some splits


class UtteranceListError(ValueError):
    """A file is no list of utterances, or lists contradict each other."""


@dataclass(frozen=True)
class UtteranceLists:
    """Names without folder and extension, each with its split."""

    split_of: dict[str, str]
    fakes: frozenset[str]  # names labeled as fakes, which codecs may have made: they need not be utterances

    @property
    def splits(self) -> set[str]:
        return set(self.split_of.values())


@dataclass(frozen=True)
class _Line:
    name: str
    split: str | None
    is_fake: bool
    where: str  # file:line


def paths(files: Files) -> list[Path]:
    """The files of lists; relative paths start at the experiment's folder."""
    return [plugins.beside(path) for path in ([files] if isinstance(files, str) else files.values())]


def read(files: Files) -> UtteranceLists:
    """Read the lists of some splits.

    Raises UtteranceListError or TextError, naming file and line, if a line has another form than the others, a name is
    listed twice, a file has no splits but is given for none, or a list is missing beside the others.
    """
    of_splits = [None] if isinstance(files, str) else list(files)
    lines = [line for split, path in zip(of_splits, paths(files), strict=True) for line in _of_split(path, split)]
    lists = UtteranceLists(_splits(lines), frozenset(line.name for line in lines if line.is_fake))
    _require_complete(lists, paths(files)[0])
    return lists


def shares(lists: UtteranceLists, dev: float, num_utterances: float) -> dict[str, float]:
    """The share of each split of corpora of this size, NaN if it is unknown; see `splits.by_utterance_lists`."""
    counts = Counter(lists.split_of[name] for name in lists.split_of if name not in lists.fakes)
    shares = {split: min(1.0, counts[split] / num_utterances) for split in SPLITS}
    if "train" in lists.splits:
        return shares
    shares["dev"] = shares["dev"] if "dev" in lists.splits else min(dev, 1 - shares["eval"])
    return {**shares, "train": max(0.0, 1 - shares["dev"] - shares["eval"])}


def _of_split(path: Path, split: str | None) -> Iterator[_Line]:
    """The lines of a file that is given for a split, or (None) names splits itself."""
    for line in _lines(path):
        if line.split is None and split is None:
            raise UtteranceListError(
                f"{line.where}: {line.name!r} has no split; write it after each name, or say which split the file is: "
                f"`file: {{eval: {path.name}}}`"
            )
        if None not in (line.split, split) and line.split != split:
            raise UtteranceListError(
                f"{line.where}: {line.name!r} is of {line.split}, but the file is given for {split}"
            )
        yield _Line(line.name, line.split or split, line.is_fake, line.where)


def _lines(path: Path) -> Iterator[_Line]:
    lines = list(text_files.lines(path))
    if not lines:
        raise UtteranceListError(f"{path}: the file is empty; a line is {FORMS}")
    delimiter = next((each for each in (TABS, COMMAS) if each in lines[0].text), BLANKS)
    rows = [(_cells(path, line, delimiter), f"{path}:{line.number}") for line in lines]
    if rows[0][0][1:] == ["split"]:  # a header
        del rows[0]
    for row, where in rows:
        if len(row) != len(rows[0][0]):
            raise UtteranceListError(f"{where}: {len(row)} columns, but the lines above have {len(rows[0][0])}")
        yield _line(row, where)


def _cells(path: Path, line: text_files.Line, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in cells(line.text, delimiter)]
    except CellError as error:
        raise UtteranceListError(f"{path}:{line.number}: {error}") from error


def _line(row: list[str], where: str) -> _Line:
    name, *others = row
    words = [word.casefold() for word in others]
    labels = [word for word in words if word in IS_FAKE]
    if len(others) == 1 and words[0] in SPLIT_OF_WORD:
        return _Line(_utterance(name), SPLIT_OF_WORD[words[0]], False, where)
    if others and len(labels) != 1:
        raise UtteranceListError(f"{where}: {' '.join(row)[:80]!r} is no line of a list; write {FORMS}")
    return _Line(_utterance(name), None, bool(labels) and IS_FAKE[labels[0]], where)


def _utterance(name: str) -> str:
    """The id of an utterance in a list of file names."""
    base = PurePosixPath(name).name
    return base[: -len(PurePosixPath(base).suffix)] if base.lower().endswith(SUFFIXES) else base


def _splits(lines: list[_Line]) -> dict[str, str]:
    first: dict[str, _Line] = {}
    for line in lines:
        other = first.setdefault(line.name, line)
        if other is not line:
            raise UtteranceListError(
                f"{line.where}: {line.name!r} is listed twice (also {other.where}); keep one line for an utterance"
            )
    return {name: line.split for name, line in first.items() if line.split is not None}


def _require_complete(lists: UtteranceLists, path: Path) -> None:
    """Utterances in no list are shared by the splits that have none, of which the first is train."""
    if "eval" not in lists.splits:
        raise UtteranceListError(
            f"{path}: no utterance of eval; a list of eval is needed, those of train and dev are not"
        )
    if "train" in lists.splits and "dev" not in lists.splits:
        raise UtteranceListError(f"{path}: utterances of train and eval, but none of dev; list these too")
    if set(lists.split_of) <= lists.fakes:
        raise UtteranceListError(f"{path}: all names are labeled as fakes; list bona fide utterances")
