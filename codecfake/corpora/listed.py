"""Any folder of audio, with a table, or with one key for all files (released fakes, your own data)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from codecfake.base import settings
from codecfake.base.utterances import BONAFIDE, SPLITS, SPOOF, Utterance
from codecfake.corpora import demo_pages, tables
from codecfake.corpora.listing import UNKNOWN_ATTACK, CorpusError, Listing, audio_files, listing, require
from codecfake.corpora.table_paths import TablePaths

MARKER = ("*",)
OFFICIAL = "audio files, and a table of them (.csv or .tsv with a column path) if the option table names one"
KEY_OF_LABEL = {
    "bonafide": BONAFIDE, "bona-fide": BONAFIDE, "real": BONAFIDE, "genuine": BONAFIDE,
    "spoof": SPOOF, "fake": SPOOF,
}  # fmt: skip


@dataclass(frozen=True)
class ListedOptions:
    """`table` is relative to the root; None means every audio file.

    `key`, `language` and `attack` are the defaults for missing columns. `prefix` is put before every utterance_id: a
    generator's files often have the names of the recordings they imitate, but trials need unique names. The recordings
    come from the `demo_page` of that name in `demo_pages.yaml`, and must be as many as a paper took from there.
    """

    table: str | None = None
    key: str | None = None
    language: str | None = None
    attack: str = UNKNOWN_ATTACK  # of spoofs
    prefix: str = ""
    demo_page: str | None = None

    def __post_init__(self) -> None:
        if self.demo_page is not None:
            demo_pages.find(self.demo_page)


OPTIONS = ListedOptions


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The rows of the table, or all audio files under `root`."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    if choice.table is None:
        recordings = [_utterance({"path": path}, f"{root}: {path}", choice) for path in audio_files(root)]
        result = listing(root, recordings, ())
    else:
        result = _tabled(root, choice.table, choice)
    if choice.demo_page is not None:
        demo_pages.require(choice.demo_page, root, result.utterances)
    return result


def _tabled(root: Path, table: str, choice: ListedOptions) -> Listing:
    recordings, rejections = [], []
    paths = TablePaths(root, table)
    # path,speaker,label
    # F01/F01_p225_001.wav,p225,fake
    for row in tables.rows(root / table, ("path",)):
        utterance = _utterance(row.cells, row.where, choice)
        path = paths.find(utterance.path, row.where)
        if path is None:
            rejections.append(paths.rejection(utterance.path))
        else:
            recordings.append(replace(utterance, path=path))
    return listing(root, recordings, rejections)


def _utterance(cells: Mapping[str, str], where: str, choice: ListedOptions) -> Utterance:
    key = _key(_cell(cells, where, "key", "label") or choice.key, where)
    split = _cell(cells, where, "split")
    if split is not None and split not in SPLITS:
        raise CorpusError(f"{where}: split {split!r} is not one of {', '.join(SPLITS)}; change it, or leave it blank")
    path = _path(cells, where)
    return Utterance(
        utterance_id=choice.prefix + (_cell(cells, where, "utterance_id") or PurePosixPath(path).stem),
        speaker_id=_cell(cells, where, "speaker_id", "speaker") or "-",
        language=_language(_cell(cells, where, "language") or choice.language, where),
        path=path,
        text=_cell(cells, where, "text"),
        key=key,
        split=split,
        attack=_cell(cells, where, "attack") or (choice.attack if key == SPOOF else "-"),
    )


def _cell(cells: Mapping[str, str], where: str, *names: str) -> str | None:
    """The cell of the first existing column of these; None if blank or missing."""
    present = [name for name in names if name in cells]
    if len(present) > 1:
        raise CorpusError(f"{where}: columns {' and '.join(present)} mean the same; keep one")
    return cells[present[0]] or None if present else None


def _path(cells: Mapping[str, str], where: str) -> str:
    path = PurePosixPath(cells["path"])
    if path.is_absolute() or path == PurePosixPath():
        raise CorpusError(
            f"{where}: path {cells['path']!r} is not relative to the corpus's root; write a relative path"
        )
    return path.as_posix()


def _key(label: str | None, where: str) -> str:
    if label is None or label.lower() not in KEY_OF_LABEL:
        raise CorpusError(
            f"{where}: key {label!r} is not one of {', '.join(KEY_OF_LABEL)}; "
            f"add a column key or label, or set the option key for all"
        )
    return KEY_OF_LABEL[label.lower()]


def _language(language: str | None, where: str) -> str:
    if language is None:
        raise CorpusError(
            f"{where}: no language; add a column language, or set the option language (such as en) for all"
        )
    return language
