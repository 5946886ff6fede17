"""The inputs of a report: the folder of results, and the content that the experiment selects."""

from dataclasses import dataclass
from pathlib import Path

from codecfake.experiment.report_settings import ReportError, ReportSettings

__all__ = ["ReportError", "ReportInputs"]


@dataclass(frozen=True, kw_only=True)
class ReportInputs(ReportSettings):
    """Everything that a report shows.

    Files are read under the folder `results`:
    `tables/{eer,eer_seeds,confusion,metrics,comparisons,quality,quality_order}.csv`, `tables/{paper}.csv`,
    `tables/{cross_conditions,cross_corpora,held_out,eer_groups,speaker_errors,taxonomy,label_policy}.csv`,
    `tables/{generated,ladder,partial,contents,quality_sounds}.csv`,
    `tables/{tracing,tracing_confusion,tracing_intervals,tracing_regression,tracing_predictions}.csv`,
    `segments/{model}.tsv`, `spans/{corpus}/{source}.tsv`,
    `scores/{model}/{condition}.tsv`, `protocols/{protocol}.tsv`, `protocols/eval/{condition}.tsv`, `models/{model}/`,
    `codecs/{codec}/`, `audit/`, `corpora/{corpus}/` and `audio/{corpus}/{source}/`.
    """

    results: Path
    excerpts: dict[str, str]  # corpus -> the utterance shown and played through every source
