"""Sources of fakes: their codecs and bit rates, and names that mean the same audio."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd

from codecfake.base import files


@dataclass(frozen=True)
class SourceRow:
    source: str
    codec: str
    wrapper: str
    quantizers: int
    printed_kbps: float | None
    same_as: str  # the source with identical audio, or ""
    alternative_to: str  # another source for the same row of the paper, which can be read in two ways; or ""
    weights: str
    license: str
    note: str


@dataclass(frozen=True)
class SourcesSettings:
    sources: list[SourceRow]


def write_sources(settings: SourcesSettings, path: Path) -> None:
    """Write the sources as TSV, in the order of the experiment."""
    columns = [column.name for column in fields(SourceRow)]
    files.write_tsv(path, pd.DataFrame([asdict(row) for row in settings.sources], columns=columns))
