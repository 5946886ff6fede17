"""MLAAD: text to speech in many languages, and the readings of M-AILABS that it imitates, if they are there too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Literal

from codecfake.base import settings
from codecfake.base.hidden_files import visible
from codecfake.base.text_tables import Row
from codecfake.base.utterances import BONAFIDE, SPOOF, Utterance
from codecfake.corpora import tables, trial_lists
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, listing, require
from codecfake.corpora.trial_lists import Trial

FAKES, TABLE = "fake", "meta.csv"
MARKER = (f"{FAKES}/*/*/{TABLE}",)
OFFICIAL = f"{FAKES}/de/tts_models_de_thorsten_vits/{TABLE} (with bars) beside its recordings"
BY_BOOK = "by_book"
NO_ORIGINAL = ("", "-")
COLUMNS = ("path", "original_file", "language", "model_name", "architecture", "transcript")
LICENSE = "CC BY-NC 4.0"


@dataclass(frozen=True)
class MlaadOptions:
    """`attack`: the column that groups the fakes. `languages`: folders such as [de, zh-cn]; None means all.

    `originals` is a folder below the root (or a link there) with the tree of M-AILABS, `de_DE/by_book/…`: the bona fide
    side is then every reading that a fake imitates. None: fakes alone.
    """

    attack: Literal["model_name", "architecture"] = "model_name"
    languages: tuple[str, ...] | None = None
    originals: str | None = None


OPTIONS = MlaadOptions


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if a wanted language or the folder of originals is not there."""
    choice = settings.build(OPTIONS, options)
    _tables(root, choice.languages)
    if choice.originals is not None:
        trial_lists.first_folder(root, [choice.originals], "the readings of M-AILABS", "originals")


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The fakes of all tables, and their originals. The speaker of both is the reader of M-AILABS.

    A fake need not have the reader's voice, but a split by speaker keeps a reading and its imitations together.
    """
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    check(root, options)
    recordings: list[Utterance] = []
    rejections = _without_table(root, choice.languages)
    table_paths = _tables(root, choice.languages)
    for table in table_paths:
        folder = table.parent.relative_to(root).as_posix()
        audio = trial_lists.by_path(root, audio_files(root, folder), folder)
        trials = (_trial(row, folder, choice.attack) for row in _rows(table))
        fakes, of_table = trial_lists.with_recordings(trials, audio, f"{folder}/{TABLE}")
        recordings += fakes
        rejections += of_table
    if choice.originals is not None:
        readings, absent = _readings(root, choice.originals, table_paths)
        recordings += readings
        rejections += absent
    return listing(root, recordings, rejections)


def _tables(root: Path, languages: tuple[str, ...] | None) -> list[Path]:
    paths = visible(sorted(root.glob(MARKER[0])))
    present = sorted({path.parents[1].name for path in paths})
    absent = sorted(set(languages or ()) - set(present))
    if absent:
        raise CorpusError(f"{root / FAKES}: no language {absent[0]!r}; choose from {', '.join(present)}")
    return [path for path in paths if languages is None or path.parents[1].name in languages]


def _without_table(root: Path, languages: tuple[str, ...] | None) -> list[Rejection]:
    """The recordings of models that have no table."""
    folders = [path for path in visible(root.glob(f"{FAKES}/*/*")) if not (path / TABLE).is_file()]
    if languages is not None:
        folders = [path for path in folders if path.parent.name in languages]
    paths = chain.from_iterable(audio_files(root, path.relative_to(root).as_posix()) for path in folders)
    return [Rejection(path, f"its folder has no {TABLE}, so nothing is known of it") for path in paths]


def _rows(table: Path) -> Iterator[Row]:
    # path|original_file|language|is_original_language|duration|training_data|model_name|architecture|transcript
    # ./fake/de/a_vits/b_01_f000001.wav|de_DE/by_book/female/reader_a/b_01/wavs/b_01_f000001.wav|de|True|4.31|…
    yield from tables.rows(table, COLUMNS)


def _trial(row: Row, folder: str, attack: str) -> Trial:
    """The folder is that of the table: some rows of the release name a folder of a language that does not exist."""
    file = PurePosixPath(row.cells["path"]).name
    language, model = PurePosixPath(folder).parts[-2:]
    stem = PurePosixPath(file).stem
    utterance = Utterance(
        f"{language}_{model}_{stem}", _reader(row.cells["original_file"]), _iso(language), f"{folder}/{file}",
        text=row.cells["transcript"] or None, key=SPOOF, attack=row.cells[attack] or "unknown",
    )  # fmt: skip
    return Trial(stem, row.where, utterance)


def _readings(root: Path, folder: str, table_paths: list[Path]) -> tuple[list[Utterance], list[Rejection]]:
    """The originals that are in the tree of M-AILABS, and those that are not; what no fake imitates is left out."""
    where_of: dict[str, str] = {}
    for row in chain.from_iterable(map(_rows, table_paths)):
        where_of.setdefault(row.cells["original_file"], row.where)
    originals = sorted(set(where_of) - set(NO_ORIGINAL))
    present = set(audio_files(root, folder))
    readings = [_reading(one, f"{folder}/{one}") for one in originals if f"{folder}/{one}" in present]
    absent = [
        Rejection(f"{folder}/{one}", f"the original at {where_of[one]}, but the file is absent")
        for one in originals
        if f"{folder}/{one}" not in present
    ]
    return readings, absent


def _reading(original: str, path: str) -> Utterance:
    locale = PurePosixPath(original).parts[0]
    utterance_id = f"{locale}_{PurePosixPath(original).stem}"
    return Utterance(utterance_id, _reader(original), _iso(locale), path, key=BONAFIDE)


def _reader(original: str) -> str:
    """`reader_a` of `de_DE/by_book/female/reader_a/book_01/wavs/…`; the book where readers are mixed; `-` elsewhere."""
    parts = PurePosixPath(original).parts
    place = parts.index(BY_BOOK) + 2 if BY_BOOK in parts else len(parts)
    return parts[place] if place < len(parts) - 1 else "-"


def _iso(language: str) -> str:
    """`zh` of zh-cn, `de` of de_DE."""
    return language.replace("_", "-").split("-")[0].lower()
