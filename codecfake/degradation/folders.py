"""The files of a folder of noise or rooms: listed once with their digests, then drawn from the list by utterance."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.audio import decoding
from codecfake.audio.decoding import AudioError, Recording
from codecfake.base import files, plugins
from codecfake.base.home import expanded
from codecfake.base.progress import progress
from codecfake.degradation.settings import FolderSettings
from codecfake.features.augmentation.folders import Folder

COLUMNS = ("file", "sha256", "num_samples", "num_channels", "sample_rate")
MOST_NAMES = 10  # of bad files in a message


class FolderError(ValueError):
    """A folder has files that cannot be used, or other ones than its list."""


def write_list(settings: FolderSettings, output: Path) -> None:
    """Decode every file of a folder and write `COLUMNS` of each, sorted by name.

    Raises FolderError naming the files that cannot be decoded or are silent, and AugmentationError for no files.
    """
    names = Folder(settings.folder, settings.pattern).names
    require = plugins.load(f"codecfake.degradation.{settings.about.check_of_files}")
    rows, faults = [], []
    for name in progress(names, f"files of {settings.folder}", len(names), "file"):
        try:
            data = decoding.read_bytes(Path(expanded(settings.folder)) / name)
            file = decoding.decode(data)
            require(file)
            rows.append((name, hashlib.sha256(data).hexdigest(), *file.samples.shape, file.sample_rate))
        except AudioError as error:
            faults.append(f"{name}: {error}")
    if faults:
        more = f"\nand {len(faults) - MOST_NAMES} more" if len(faults) > MOST_NAMES else ""
        text = "\n".join(faults[:MOST_NAMES])
        raise FolderError(
            f"{settings.folder}: {len(faults)} of {len(names)} files cannot be used; repair them, move them out of the "
            f"folder, or leave them out by `pattern`:\n{text}{more}"
        )
    files.write_tsv(output, pd.DataFrame(rows, columns=list(COLUMNS)))


class FolderFiles:
    """The files of a list, in their folder on this machine."""

    def __init__(self, table: Path, folder: Path) -> None:
        self._table, self._folder = table, folder
        self._rows = files.read_tsv(table)

    def draw(self, rng: np.random.Generator) -> tuple[str, Recording]:
        """The name of a random file, all equally likely, and its samples.

        Raises FolderError if the file is missing or has other bytes than the list says.
        """
        row = self._rows.iloc[int(rng.integers(len(self._rows)))]
        path = self._folder / row["file"]
        try:
            data = decoding.read_bytes(path)
        except AudioError as error:
            raise FolderError(
                f"{path}: {error}; restore it, or delete {self._table} to list the folder again"
            ) from error
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            raise FolderError(
                f"{path} changed after it was listed; restore it, or delete {self._table} to list it again"
            )
        return str(row["file"]), decoding.decode(data)
