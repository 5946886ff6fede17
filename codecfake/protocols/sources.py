"""Sources: which codec made what is judged, at which bit rate, and which names mean the same audio."""

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
    same_as: str  # the source whose bytes it shares, "" if it has its own
    alternative_to: str  # the source whose row in the paper it reads otherwise
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
