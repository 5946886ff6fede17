"""Any data set of the Hugging Face Hub with its audio in parquet files, by a map of its columns."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from codecfake.audio import parquet_rows
from codecfake.audio.containers import SUFFIXES
from codecfake.base import settings
from codecfake.base.hidden_files import is_hidden
from codecfake.base.settings import SettingsError
from codecfake.base.utterances import BONAFIDE, NO_CODING, SPOOF, Utterance
from codecfake.corpora import parquet_tables
from codecfake.corpora.listing import UNKNOWN_ATTACK, CorpusError, Listing, listing, require
from codecfake.corpora.parquet_tables import Cells, ParquetTable

MARKER = ("*.parquet", "*/*.parquet", "*/*/*.parquet")
OFFICIAL = "data/train-00000-of-00002.parquet, … or default/train/0000.parquet, …, with a column of audio"
# the name of a split and of a shard: train-00000-of-00002, train-00000-of-00002-1f2e3d4c5b6a7988
SHARD = re.compile(r"(?P<split>.+?)-\d+-of-\d+(-[0-9a-f]+)?")
SPLITS = {
    "train": "train", "dev": "dev", "validation": "dev", "valid": "dev",
    "eval": "eval", "evaluation": "eval", "test": "eval",
}  # fmt: skip
Split = Literal["train", "dev", "eval"]


@dataclass(frozen=True)
class Columns:
    """The names of columns by what they contain; None: the data set has no such column.

    Without `utterance_id`, an id is the name of the audio file.
    """

    audio: str = "audio"
    key: str | None = None
    utterance_id: str | None = None
    speaker: str | None = None
    language: str | None = None
    text: str | None = None
    attack: str | None = None
    coding: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class ParquetOptions:
    """`bonafide`: values of the column `key` that mean bona fide speech; `spoof`: those that mean spoofs.

    Without `spoof`, all other values mean spoofs. `key`, `language` and `attack` (of spoofs) are for data sets without
    such a column. `ids: row` numbers the utterances where audio files have no names, or not unique ones. `splits` maps
    names of splits (of files, or in the column `split`) to ours, or to null; only these are read. By default all are
    read: train, validation or dev, and test or eval.
    """

    columns: Columns = field(default_factory=Columns)
    bonafide: tuple[str, ...] = ()
    spoof: tuple[str, ...] | None = None
    key: Literal["bonafide", "spoof"] | None = None
    language: str | None = None
    attack: str = UNKNOWN_ATTACK
    ids: Literal["name", "row"] = "name"
    splits: dict[str, Split | None] | None = None

    def __post_init__(self) -> None:
        if (self.columns.key is None) == (self.key is None):
            raise SettingsError("give either `columns: {key: …}`, the column of labels, or `key` for all utterances")
        if self.columns.key is not None and not self.bonafide:
            raise SettingsError("bonafide: name the values of the column of labels that mean bona fide speech")
        if (self.columns.language is None) == (self.language is None):
            raise SettingsError("give either `columns: {language: …}` or `language`, such as en, for all utterances")


OPTIONS = ParquetOptions


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if the first file is no parquet file or lacks a column."""
    choice = settings.build(OPTIONS, options)
    for path in _files(root)[:1]:
        ParquetTable(root / path).require(_columns(choice), choice.columns.audio)


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The rows of all parquet files, read without their audio."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    splits: set[str] = set()
    rows = [one for path in _files(root) for one in _of_file(root, path, choice, splits)]
    absent = sorted(set(choice.splits or ()) - splits)
    if absent:
        raise CorpusError(
            f"{root}: no split {absent[0]!r} (option splits); choose from {', '.join(sorted(splits)) or 'none'}"
        )
    return listing(root, rows, ())


def count(root: Path) -> int:
    """The number of rows of all parquet files that can be read."""
    return sum(parquet_tables.num_rows(root / path) for path in _files(root))


def _files(root: Path) -> list[Path]:
    paths = sorted(path.relative_to(root) for path in root.rglob("*.parquet"))
    return [path for path in paths if not is_hidden(path)]


def _of_file(root: Path, path: Path, choice: ParquetOptions, splits: set[str]) -> Iterator[Utterance]:
    """The wanted rows of a file; the names of all splits that occur are added to `splits`."""
    split_of_file = None if choice.columns.split else _split_of_file(path)
    if split_of_file is not None:
        splits.add(split_of_file)
        if not _is_wanted(split_of_file, choice):
            return
    table = ParquetTable(root / path)
    needs_names = choice.ids == "name" and choice.columns.utterance_id is None
    for row, cells in table.rows(_columns(choice), choice.columns.audio, needs_names):
        where = f"{root / path}: row {row}"
        split = split_of_file if split_of_file is not None else _text(cells, "split", where)
        splits.add(split)
        if _is_wanted(split, choice):
            place = parquet_rows.path_of(path.as_posix(), choice.columns.audio, row)
            yield _utterance(cells, where, place, _split(split, choice, where), choice)


def _columns(choice: ParquetOptions) -> dict[str, str]:
    """The names of the columns that have texts, by what they contain."""
    return {name: column for name, column in asdict(choice.columns).items() if column and name != "audio"}


def _split_of_file(path: Path) -> str:
    """`train` of data/train-00000-of-00002.parquet and of default/train/0000.parquet."""
    shard = SHARD.fullmatch(path.stem)
    return shard["split"] if shard else path.parent.name if path.stem.isdecimal() else path.stem


def _is_wanted(split: str, choice: ParquetOptions) -> bool:
    return choice.splits is None or split in choice.splits


def _split(name: str, choice: ParquetOptions, where: str) -> str | None:
    splits: Mapping[str, str | None] = SPLITS if choice.splits is None else choice.splits
    if name not in splits:
        raise CorpusError(
            f"{where}: split {name!r} is not one of {', '.join(splits)}; map the splits that you want to ours, e.g. "
            f"`splits: {{{name}: eval}}`, or to null"
        )
    return splits[name]


def _utterance(cells: Cells, where: str, path: str, split: str | None, choice: ParquetOptions) -> Utterance:
    key = choice.key or _key(_text(cells, "key", where), choice, where)
    return Utterance(
        utterance_id=_utterance_id(cells, where, path, choice),
        speaker_id=cells.get("speaker") or "-",
        language=choice.language or _text(cells, "language", where),
        path=path,
        text=cells.get("text"),
        key=key,
        split=split,
        attack=(cells.get("attack") or choice.attack) if key == SPOOF else "-",
        coding=cells.get("coding") or NO_CODING,
    )


def _text(cells: Cells, name: str, where: str) -> str:
    """A cell that must not be empty."""
    text = cells.get(name)
    if not text:
        raise CorpusError(f"{where}: its {name} is empty; correct the data set, or map another column (option columns)")
    return text


def _key(label: str, choice: ParquetOptions, where: str) -> str:
    if label in choice.bonafide:
        return BONAFIDE
    if choice.spoof is not None and label not in choice.spoof:
        choices = ", ".join([*choice.bonafide, *choice.spoof])
        raise CorpusError(f"{where}: label {label!r} is not one of {choices}; add it to the option bonafide or spoof")
    return SPOOF


def _utterance_id(cells: Cells, where: str, path: str, choice: ParquetOptions) -> str:
    if choice.ids == "row":
        file, _, row = path.split("/")[-3:]
        return f"{PurePosixPath(file).stem}_{row}"
    name = cells.get("utterance_id")
    if not name:
        raise CorpusError(
            f"{where}: its audio has no name; map a column of names (`columns: {{utterance_id: …}}`), or set `ids: row`"
        )
    path_of_name = PurePosixPath(name)
    return path_of_name.stem if path_of_name.suffix.lower() in SUFFIXES else name
