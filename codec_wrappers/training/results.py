"""What a codec's training writes beside the weights: the history, the quality and the record of the settings."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from codec_wrappers.training.checkpoint import Progress
from codec_wrappers.training.recipe import Recipe
from codec_wrappers.training.settings import CodecTrainingSettings
from codecfake.base import files

HISTORY, QUALITY, SETTINGS = "history.tsv", "quality.tsv", "settings.json"


def write_history(folder: Path, history: list[dict[str, float]]) -> None:
    """Rows of the history: step, loss, other losses by name, quality. A loss is empty if no step of the row has it."""
    table = pd.DataFrame(history)
    quality = [name for name in history[-1] if name in ("si_sdr_db", "mel_distance", "num_utterances")]
    quality += [name for name in history[-1] if name.startswith("codebook_")]
    losses = sorted(set(table.columns) - {"step", "loss", *quality})
    files.write_tsv(folder / HISTORY, table[["step", "loss", *losses, *quality]].round(6))


def write_quality(folder: Path, progress: Progress, row: Mapping[str, float], start: str) -> None:
    """The quality before training, of fresh weights or of those in `start`, and after it, which is `row`."""
    final = {name: row[name] for name in progress.untrained}
    rows = [{"state": "start" if start else "untrained", **progress.untrained}, {"state": "trained", **final}]
    files.write_tsv(folder / QUALITY, pd.DataFrame(rows).round(4))


def write_settings(
    folder: Path, settings: CodecTrainingSettings, recipe: Recipe, row: Mapping[str, float], start: str
) -> None:
    """All settings, with the whole recipe, the digest of the weights of the start, and the step that was kept."""
    record = {**asdict(settings), "recipe": settings.recipe or settings.wrapper, "start_from": start}
    if recipe.validation is not None:
        record["kept_step"] = row["step"]
    files.write_json(folder / SETTINGS, {**record, "resolved_recipe": recipe.record()})
