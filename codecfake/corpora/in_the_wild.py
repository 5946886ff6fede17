"""In-the-Wild: recordings of public figures from the web, and fakes of them; published for evaluation only."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codecfake.base import settings
from codecfake.base.text_tables import Row
from codecfake.base.utterances import BONAFIDE, SPOOF, Utterance
from codecfake.corpora import tables
from codecfake.corpora.listing import (
    UNKNOWN_ATTACK,
    CorpusError,
    Listing,
    Rejection,
    audio_files,
    listing,
    require,
)
from codecfake.corpora.sizes import CorpusSize, Part
from codecfake.corpora.table_paths import TablePaths

FOLDER = "release_in_the_wild"
MARKER = (f"{FOLDER}/meta.csv", "meta.csv")
OFFICIAL = f"{FOLDER}/meta.csv (columns file, speaker, label) and {FOLDER}/0.wav, 1.wav, …"
COLUMNS = ("file", "speaker", "label")
KEY_OF_LABEL = {"bona-fide": BONAFIDE, "spoof": SPOOF}
LICENSE = "see its release"

SIZE = CorpusSize(
    source="Müller et al. 2022, arXiv 2203.16263 (20.8 and 17.2 hours, 58 speakers)",
    sample_rate=16_000,
    wav=True,
    speech=(
        Part("bonafide", 19_963, hours=20.8, speakers=58),
        Part("spoof", 11_816, hours=17.2, speakers=58),
    ),
)


@dataclass(frozen=True)
class InTheWildOptions:
    """No options."""


OPTIONS = InTheWildOptions


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """All recordings of meta.csv; `root` is the folder release_in_the_wild or its parent."""
    settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    base = f"{FOLDER}/" if (root / MARKER[0]).is_file() else ""
    audio = set(audio_files(root, base or "."))
    paths = TablePaths(root, "meta.csv")
    rows = _rows(root / base / "meta.csv", base, paths)
    recordings = [_utterance(rows[path], path) for path in sorted(audio & set(rows))]
    absent = [paths.rejection(path) for path in set(rows) - audio]
    unlisted = [Rejection(path, "not listed in meta.csv, so its key is not known") for path in audio - set(rows)]
    return listing(root, recordings, absent + unlisted)


def _rows(path: Path, base: str, paths: TablePaths) -> dict[str, Row]:
    """Path relative to the root -> its row of meta.csv."""
    # 0.wav,Alec Guinness,spoof
    # 4.wav,Christopher Hitchens,bona-fide
    rows: dict[str, Row] = {}
    for row in tables.rows(path, COLUMNS):
        path_in_table = base + row.cells["file"]
        name = paths.find(path_in_table, row.where) or path_in_table
        if name in rows:
            raise CorpusError(f"{row.where}: {name} is listed twice, first at {rows[name].where}; remove one row")
        rows[name] = row
    return rows


def _utterance(row: Row, path: str) -> Utterance:
    label = row.cells["label"]
    if label not in KEY_OF_LABEL:
        raise CorpusError(f"{row.where}: label {label!r} is neither {' nor '.join(KEY_OF_LABEL)}")
    key = KEY_OF_LABEL[label]
    attack = UNKNOWN_ATTACK if key == SPOOF else "-"
    utterance_id = PurePosixPath(path).stem
    return Utterance(utterance_id, row.cells["speaker"], "en", path, key=key, split="eval", attack=attack)
