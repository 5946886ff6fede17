"""Protocols in the formats of other programs, whose columns are separated by blanks.

Trials have the names of the files that `codecfake export` writes. A name that its readers could not read is replaced;
the map from names to replacements is written beside the lists.
"""

import re
from pathlib import Path

import pandas as pd

from codecfake.base import files
from codecfake.base.exported_names import exported_name
from codecfake.base.utterances import BONAFIDE, SPOOF

RECORDINGS = "F00"  # the source of audio as recorded: the bona fide arm
SUFFIX = ".flac"  # of exported files
FORMS = ("asvspoof2019", "published")  # each a folder of `exports/`
COLUMNS = ("speaker_id", "trial_id", "attack")  # that hold names from corpora


def write_exports(root: Path, name: str, trials: pd.DataFrame) -> None:
    """Write `root/asvspoof2019/{name}.txt`, `root/published/{name}.txt` and, if needed, `root/names/{name}.tsv`."""
    for form, write in zip(FORMS, (asvspoof2019, published), strict=True):
        files.write_text(root / form / f"{name}.txt", write(trials))
    changes, path = replacements(trials), root / f"names/{name}.tsv"
    if len(changes):
        files.write_tsv(path, changes)
    else:
        path.unlink(missing_ok=True)


def asvspoof2019(trials: pd.DataFrame) -> str:
    """The five columns of the ASVspoof 2019 LA countermeasure protocols: speaker, trial, -, attack, key."""
    speaker, trial, attack = (trials[column].map(words(trials, column)) for column in COLUMNS)
    return "".join(speaker + " " + trial + " - " + attack + " " + trials["key"] + "\n")


def published(trials: pd.DataFrame) -> str:
    """The three columns of the published Codecfake set: file name, real or fake, source."""
    label = trials["key"].map({BONAFIDE: "real", SPOOF: "fake"})
    trial, attack = (trials[column].map(words(trials, column)) for column in ("trial_id", "attack"))
    source = attack.where(trials["key"] == SPOOF, trials["source"])
    return "".join(trial + SUFFIX + " " + label + " " + source + "\n")


def replacements(trials: pd.DataFrame) -> pd.DataFrame:
    """Every name that the lists replace: its column, the name, and its replacement."""
    rows = [(column, *pair) for column in COLUMNS for pair in words(trials, column).items() if len(set(pair)) > 1]
    return pd.DataFrame(rows, columns=["column", "name", "exported"])


def words(trials: pd.DataFrame, column: str) -> dict[str, str]:
    """Name -> the word for it in lists, one to one.

    Trials have the names of files. Speakers and attacks have underscores for blanks (`Alec_Guinness`), unless this
    would make two of them one.
    """
    names = list(trials[column].unique())
    escaped = {name: exported_name(name) for name in names}
    if column == "trial_id":
        return escaped
    underscored = {name: exported_name(re.sub(r"\s+", "_", name)) for name in names}
    return underscored if len(set(underscored.values())) == len(names) else escaped
