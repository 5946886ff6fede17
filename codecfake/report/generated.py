"""The fakes that generators made: how many, how long, how loud, under which license; and one of each to listen to."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from codecfake.base import files
from codecfake.base.hidden_files import visible
from codecfake.protocols.lists import RECORDINGS
from codecfake.report.inputs import ReportInputs
from codecfake.tables.spectrograms import Excerpt, excerpt_row

PROVENANCE = ("utterance_id", "attack", "generator", "license", "text")


@dataclass(frozen=True)
class GeneratedRow:
    """One generated corpus; the numbers are texts such as `4.2 (1.1 to 9.8)`."""

    corpus: str
    attack: str
    generator: str
    license: str
    fakes: int
    left_out: int
    seconds: str
    characters_per_second: str
    rms_db: str
    silent_percent: str
    text: str  # of the excerpt
    excerpt: Excerpt


def generated_rows(inputs: ReportInputs) -> list[GeneratedRow]:
    """One row per generated corpus; empty without any."""
    if not inputs.generated:
        return []
    summary = files.read_csv(inputs.results / "tables/generated.csv")
    return [_row(inputs, corpus, summary[summary["corpus"] == corpus]) for corpus in inputs.generated]


def _row(inputs: ReportInputs, corpus: str, summary: pd.DataFrame) -> GeneratedRow:
    indexes = visible((inputs.results / "audio" / corpus / RECORDINGS).glob("*.parquet"))
    table = pd.concat(files.read_parquet(path, PROVENANCE) for path in indexes).sort_values("utterance_id")
    first = table.iloc[0]
    measures = summary.set_index("measure")
    return GeneratedRow(
        corpus,
        attack=str(first["attack"]),
        generator=str(first["generator"]),
        license=str(first["license"]),
        fakes=len(table),
        left_out=len(files.read_tsv(inputs.results / "corpora" / corpus / "rejected.tsv")),
        seconds=_range(measures.loc["seconds"]),
        characters_per_second=_range(measures.loc["characters_per_second"]),
        rms_db=_range(measures.loc["rms_db"]),
        silent_percent=_range(measures.loc["silent_share"], 100),
        text=str(first["text"]),
        excerpt=excerpt_row(inputs.results / "audio", corpus, [RECORDINGS], str(first["utterance_id"])).excerpts[0],
    )


def _range(row: Any, factor: float = 1.0) -> str:
    mean, least, most = (factor * float(row[name]) for name in ("mean", "least", "most"))
    return f"{mean:.1f} ({least:.1f} to {most:.1f})"
