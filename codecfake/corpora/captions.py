"""Captions of a corpus: texts for generators, whether or not the recordings that they describe still exist."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from codecfake import corpora
from codecfake.base import files


@dataclass(frozen=True)
class Caption:
    utterance_id: str  # of the recording; a further caption of it has its own number after it
    text: str
    table: str  # name of the file
    language: str = "en"


@dataclass(frozen=True)
class CaptionsSettings:
    """A corpus, its layout with the layout's options."""

    corpus: str
    layout: str
    options: dict[str, Any] = field(default_factory=dict)


def has_captions(layout: str) -> bool:
    """Whether the corpora of a layout have captions. Raises CorpusError for an unknown layout."""
    return hasattr(corpora.layout(layout).reader, "captions")


def write_captions(root: Path, settings: CaptionsSettings, path: Path) -> None:
    """Write all captions of the corpus at `root` as TSV. Raises CorpusError where its tables are missing or faulty."""
    captions = corpora.layout(settings.layout).reader.captions(root, settings.options)
    columns = [column.name for column in fields(Caption)]
    files.write_tsv(path, pd.DataFrame([asdict(caption) for caption in captions], columns=columns))
