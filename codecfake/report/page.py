"""The report page: collects its content and renders the template."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from codecfake.base import files
from codecfake.report import (
    analysis,
    answer,
    audit,
    calibration,
    comparisons,
    contents,
    contrast,
    detection,
    exposure,
    generated,
    headline,
    label_policies,
    ladder,
    layer_weights,
    listening,
    materials,
    matrix,
    notes,
    partial,
    provenance,
    published,
    quality,
    tracing,
    tracing_regression,
    training,
)
from codecfake.report.figures import line_styles
from codecfake.report.inputs import ReportInputs
from codecfake.statistics.intervals import FEW_CLUSTERS
from codecfake.tables import CONFUSION_COLUMNS, spectrograms


@dataclass(frozen=True)
class ConfusionRow:
    """Decisions at the fixed threshold under one condition."""

    condition: str
    true_bonafide: int
    missed_bonafide: int
    true_spoof: int
    false_bonafide: int

    @property
    def missed_percent(self) -> float:
        return 100 * self.missed_bonafide / (self.true_bonafide + self.missed_bonafide)

    @property
    def false_percent(self) -> float:
        return 100 * self.false_bonafide / (self.true_spoof + self.false_bonafide)


def write_report(inputs: ReportInputs, output: Path) -> None:
    """Write the report as one HTML file that needs no other file and no network.

    The same inputs in the same environment give the same bytes. Raises ReportError, ScoreError or ShardError
    if the results lack something.
    """
    files.write_text(output, environment().get_template("template.html").render(_content(inputs)))


def environment() -> Environment:
    """The templates of this folder."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _content(inputs: ReportInputs) -> dict[str, Any]:
    trained_models = training.read_models(inputs.results, inputs.models)
    tables = answer.eer_tables(inputs, trained_models)
    findings = answer.findings(tables)
    codecs, corpora = materials.codec_rows(inputs), materials.corpus_rows(inputs)
    of_analysis = analysis_content(inputs, trained_models)
    sounds, partial_fakes = of_analysis["contents"], partial.partial_section(inputs)
    of_question = (sounds.headline if sounds else "") or label_policies.headline(inputs)
    return {
        "inputs": inputs,
        **_overview(inputs, tables, codecs, of_question, partial_fakes.headline if partial_fakes else ""),
        "trained_models": trained_models,
        "is_random": {t.model.name: t.has_random_front_end for t in trained_models},
        "tables": tables,
        "findings": findings,
        "few_clusters": FEW_CLUSTERS,
        "interval_legend": answer.interval_legend(tables),
        "best_model": findings[0].model,
        "ladder": ladder.ladder_section(inputs, trained_models),
        "partial": partial_fakes,
        "comparisons": comparisons.families(inputs, trained_models),
        **of_analysis,
        "papers": published.paper_tables(inputs, trained_models),
        "costs": calibration.costs(inputs),
        "reliability": calibration.reliability_of(inputs, findings[0].model),
        "confusions": _confusions(inputs),
        "decimals": answer.decimals_by_condition(inputs),
        "panels": list(detection.panels(inputs)),
        "styles": line_styles(inputs.conditions),
        "players": listening.players(inputs, corpora, codecs),
        "excerpt_seconds": spectrograms.EXCERPT_SECONDS,
        "quality": quality.quality_table(inputs),
        "quality_of_sounds": quality.sounds_table(inputs),
        "tracing": tracing.tasks(inputs),
        "traced_numbers": tracing_regression.regressions(inputs),
        "generated": generated.generated_rows(inputs),
        "audit": audit.audit_section(inputs.results / "audit") if inputs.audit else None,
        "loss_panels": training.detector_panels(trained_models),
        "strategy_styles": training.strategy_styles(trained_models),
        "codec_panels": training.codec_panels(inputs.results, _trained_codecs(inputs, codecs)),
        "corpora": corpora,
        "protocols": materials.protocol_rows(inputs),
        "codecs": codecs,
        "versions": provenance.versions(),
        "experiment": provenance.as_yaml(inputs.experiment),
    }


def _overview(
    inputs: ReportInputs,
    tables: list[answer.EerTable],
    codecs: list[materials.CodecRow],
    of_question: str,
    of_partial_fakes: str,
) -> dict[str, Any]:
    """The main finding, that on partial fakes, their table, and its limits.

    `of_question`: the finding of an experiment that asks about sounds or label policies; "" for the others.
    """
    exposures = exposure.exposure_of(inputs, codecs)
    comparison = contrast.contrast_of(tables, exposures, inputs.averages)
    labels = matrix.labels_of(exposures, codecs, inputs.controls)
    return {
        "headline": f"{of_question or headline.headline(comparison, exposures, tables)} {of_partial_fakes}".rstrip(),
        "matrix": matrix.matrix(tables, exposures, comparison, inputs.averages, labels),
        "notes": notes.notes(inputs, tables, exposures, codecs),
    }


def analysis_content(inputs: ReportInputs, trained_models: list[training.TrainedModel]) -> dict[str, Any]:
    """The content of `analysis.html`."""
    return {
        "cross": analysis.cross_tables(inputs, trained_models),
        "held_out": analysis.held_out_tables(inputs, trained_models),
        "label_policies": label_policies.tables(inputs, trained_models),
        "contents": contents.contents_section(inputs, trained_models),
        "group_tables": analysis.group_tables(inputs, trained_models),
        "taxonomy": analysis.taxonomy_tables(inputs, trained_models),
        "speaker_errors": analysis.speaker_errors(inputs, trained_models),
        "layer_weights": layer_weights.layer_weights(inputs, trained_models),
    }


def _trained_codecs(inputs: ReportInputs, codecs: list[materials.CodecRow]) -> list[str]:
    """The codecs that were trained in this run, each once."""
    return list(
        dict.fromkeys(inputs.trained_codecs[row.source] for row in codecs if row.source in inputs.trained_codecs)
    )


def _confusions(inputs: ReportInputs) -> dict[str, list[ConfusionRow]]:
    """Model -> one row of decisions per condition."""
    table = answer.read_table(inputs, "confusion.csv")[CONFUSION_COLUMNS]
    return {model: _decisions(table.loc[model]) for model in inputs.models}


def _decisions(counts: pd.DataFrame) -> list[ConfusionRow]:
    return [ConfusionRow(str(condition), *map(int, row)) for condition, *row in counts.itertuples()]
