"""A store of a model's scores by source: for a new condition, only new sources are scored."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from codecfake import __version__
from codecfake.base import files
from codecfake.detectors import models

SCORE = "{:.9g}".format  # of a float32, without loss


@dataclass(frozen=True)
class ScoreStore:
    """Scores of one model under `folder`, one file per source; `identity` has everything else that determines them."""

    folder: Path
    identity: str

    def find(self, name: str, utterance_ids: pd.Series, clips: str) -> np.ndarray | None:
        """Stored scores `[N]` of these utterances of a source, from clips with this digest; None without them."""
        path = self._path(name, clips)
        try:
            table = files.read_tsv(path)
        except (FileNotFoundError, files.FileError):  # damaged files are scored again
            return None
        if list(table.columns) != ["utterance_id", "score"] or table["utterance_id"].tolist() != utterance_ids.tolist():
            return None
        return table["score"].to_numpy(dtype=np.float32)

    def keep(self, name: str, utterance_ids: pd.Series, clips: str, scores: np.ndarray) -> None:
        """Write the scores of a source; they replace earlier ones."""
        path = self._path(name, clips)
        table = pd.DataFrame({"utterance_id": utterance_ids.to_numpy(), "score": [SCORE(score) for score in scores]})
        files.write_tsv(path, table)
        for old in path.parent.glob("*.tsv"):
            if old != path:
                files.discard(old)

    def _path(self, name: str, clips: str) -> Path:
        digest = hashlib.sha256(f"{self.identity} {clips}".encode()).hexdigest()
        return self.folder / name / f"{digest[:32]}.tsv"


def identity(model: Path, **what_else: Any) -> str:
    """What determines a score, as JSON: digests of the model folder, the version of this package and `what_else`."""
    digests = {name: files.sha256(model / name) for name in (models.WEIGHTS, models.SETTINGS)}
    return json.dumps({**digests, "version": __version__, **what_else}, sort_keys=True)
