"""Marks of results for `snakemake --report`: what its report shows, in which category and with which labels."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from snakemake.io import report

CONTENT = {  # of tables that every experiment can have, by the names of their files
    "eer": "equal error rates with intervals",
    "metrics": "other metrics of the same scores",
    "confusion": "decisions at probability 0.5",
    "eer_seeds": "equal error rates over training seeds",
    "comparisons": "paired comparisons of models",
    "cross_conditions": "every training set under every condition",
    "cross_corpora": "every training set on every corpus",
    "eer_groups": "equal error rates by attack and by language",
    "speaker_errors": "the share of errors of every speaker",
    "held_out": "codecs that a training set lacks",
    "taxonomy": "equal error rates by what codecs are made of",
    "label_policy": "equal error rates under several label policies",
    "ladder": "equal error rates at each step of a degradation",
    "contents": "what training on speech and on sounds does for either",
    "partial": "how well partial fakes are detected, and the spans in them",
    "tracing": "how well the sources of fakes are traced",
    "tracing_confusion": "which class each source is taken for",
    "tracing_intervals": "how well the sources of fakes are traced, with intervals",
    "tracing_regression": "how well quantizers or bit rates are predicted",
    "tracing_predictions": "the predictions of every source",
    "quality": "mean quality of every source",
    "quality_sounds": "mean quality of every source on sounds",
    "quality_order": "whether more bits ever reduce the quality",
    "generated": "duration, level and silence of generated fakes",
    "overlap": "what lists, splits and corpora share",
    "duplicates": "recordings with the same audio",
    "twins": "whether the recordings of fakes exist and are as long as these",
    "counts": "trials, utterances, hours and speakers of every list",
    "shortcuts": "features that reveal fakes without regard to speech",
}


def tables_and_figures(paths: Iterable[str], titles: Mapping[str, str]) -> list[Any]:
    """Mark tables that a browser shows, and figures as SVG. `titles` are those of the papers' tables, by name."""
    return [_marked(path, titles) for path in paths]


def audit_tables(paths: Iterable[str]) -> list[Any]:
    """Mark the tables of the audit."""
    return [_mark(path, "audit", "Audit", None) for path in paths]


def page(path: str) -> Any:
    """Mark the report page, which has everything."""
    return report(path, "report/page.rst", category="Report", labels={"page": "the whole report"})


def _marked(path: str, titles: Mapping[str, str]) -> Any:
    name, kind = Path(path).stem, Path(path).suffix
    if kind == ".svg":
        return _mark(path, "figure", "Figures", None)
    if kind == ".html":
        return _mark(path, "paper", "Tables", "Papers, with our numbers", titles)
    return _mark(path, "table", "Tables", "This run") if kind == ".csv" and name in CONTENT else path


def _mark(path: str, caption: str, category: str, subcategory: str | None, titles: Mapping[str, str] = CONTENT) -> Any:
    name = Path(path).stem
    labels = {"name": name, "content": titles.get(name, name)}
    return report(path, f"report/{caption}.rst", category, subcategory, labels)
