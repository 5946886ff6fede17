"""Tables from score files and protocols: error rates, the papers' tables, and comparisons between models."""

from codecfake.tables.error_rates import (
    CONFUSION_COLUMNS,
    DECISION_THRESHOLD,
    EER_COLUMNS,
    INTERVAL_COLUMNS,
    METRIC_COLUMNS,
    evaluate,
    write_tables,
)
from codecfake.tables.settings import TableSettings
from codecfake.tables.trials import MODEL_COLUMNS, Model, ScoreError, Scores, read_joined, read_protocol, read_scores

__all__ = [
    "CONFUSION_COLUMNS",
    "DECISION_THRESHOLD",
    "EER_COLUMNS",
    "INTERVAL_COLUMNS",
    "METRIC_COLUMNS",
    "MODEL_COLUMNS",
    "Model",
    "ScoreError",
    "Scores",
    "TableSettings",
    "evaluate",
    "read_joined",
    "read_protocol",
    "read_scores",
    "write_tables",
]
