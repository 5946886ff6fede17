"""Generates the fakes of one shard of a generation list, each with a row that says how it was made.

An item that its generator cannot say is left out with the reason; all are checked before any is generated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from codec_wrappers.weights.loading import digest
from codecfake import __version__, generators
from codecfake.audio import shards, silence, waveforms
from codecfake.audio.shard_index import NO_CODEC
from codecfake.base import files
from codecfake.base.progress import progress
from codecfake.base.settings import build
from codecfake.base.utterances import SPOOF
from codecfake.generators import Generator, GeneratorError, GeneratorSettings, Item
from codecfake.generators.job_settings import MIN_DURATION, ShardSettings
from codecfake.generators.prompts import Prompts

MORE_COLUMNS = (
    "key", "attack", "generator", "codec_weights_sha256", "seed", "speaker_id", "language", "text",
    "text_corpus", "text_id", "prompt_id",
)  # fmt: skip
MOST_REASONS = 3


@dataclass(frozen=True)
class Run:
    """Where a job runs, and what changes no setting of it: weights by their paths (None: random ones, for tests)."""

    device: torch.device
    batch_size: int = 1
    weights: Path | None = None
    codec_weights: Path | None = None


def generate_shard(
    settings: ShardSettings, list_path: Path, prompts: Prompts, run: Run, shard: int, tar_path: Path
) -> None:
    """Write one shard with its index, and beside it `{shard}.rejected.tsv` (path, reason).

    Raises GeneratorError if more than `max_rejected` of its items cannot be generated, before any is.
    """
    own = build(GeneratorSettings, settings.generator)
    own = replace(own, weights=run.weights, codec_weights=run.codec_weights, batch_size=run.batch_size)
    job = _Job(settings, generators.build(own, run.device), prompts, own)
    rows = shard_rows(files.read_tsv(list_path), shard, settings.num_shards)
    rejected = job.faults(rows)
    _require_few(settings, rejected, len(rows))
    rows = rows[~rows["trial_id"].isin(rejected)]
    bar = progress(None, f"{settings.corpus} {shard:04d}", len(rows), "utt")
    with bar, shards.ShardWriter(tar_path, "", job.provenance, MORE_COLUMNS) as writer:
        for start in range(0, len(rows), run.batch_size):
            batch = list(rows.iloc[start : start + run.batch_size].itertuples(index=False))
            rejected |= job.generate(batch, writer)
            bar.update(len(batch))
    table = pd.DataFrame(sorted(rejected.items()), columns=["path", "reason"])
    files.write_tsv(tar_path.with_suffix(".rejected.tsv"), table)


def shard_rows(items: pd.DataFrame, shard: int, num_shards: int) -> pd.DataFrame:
    """The items of a shard, shortest text first: every `num_shards`-th in that order, so that shards are alike."""
    by_length = items.assign(length=items["text"].str.len()).sort_values(["length", "trial_id"], kind="stable")
    return by_length.iloc[shard::num_shards].drop(columns="length").reset_index(drop=True)


def fault_of(wav: np.ndarray, sample_rate: int) -> str | None:
    """Why a waveform `[T]` cannot be a trial; None if it can. The rules are those of ingest."""
    if len(wav) < MIN_DURATION * sample_rate:
        return f"generated {len(wav) / sample_rate:.4f} s; at least {MIN_DURATION:g} s are needed"
    if not np.isfinite(wav).all():
        return "generated samples that are not finite"
    if silence.is_constant_when_rounded(wav):
        return "generated digital silence"
    return None


class _Job:
    """One shard's generator with everything that its items need."""

    def __init__(self, settings: ShardSettings, generator: Generator, prompts: Prompts, own: GeneratorSettings) -> None:
        self._settings, self._generator, self._prompts = settings, generator, prompts
        self.provenance = shards.Provenance(NO_CODEC, 0, 0.0, _digest(own.weights), __version__, settings.license)
        codec = _digest(own.codec_weights)
        self._cells = {
            "key": SPOOF,
            "attack": settings.attack,
            "generator": own.generator,
            "codec_weights_sha256": codec,
        }

    def faults(self, rows: pd.DataFrame) -> dict[str, str]:
        """Trial -> why the generator cannot generate it."""
        reasons = ((row.trial_id, self._generator.check(self._item(row))) for row in rows.itertuples(index=False))
        return {str(trial): reason for trial, reason in reasons if reason is not None}

    def generate(self, batch: list[Any], writer: shards.ShardWriter) -> dict[str, str]:
        """Write the fakes of a batch; returns trial -> why its fake cannot be a trial."""
        silent = {}
        for row, wav in zip(batch, self._generator.generate([self._item(row) for row in batch]), strict=True):
            fault = fault_of(wav, self._generator.sample_rate)
            if fault is None:
                writer.append(row.trial_id, self._flac(wav), self._more(row))
            else:
                silent[row.trial_id] = fault
        return silent

    def _item(self, row: Any) -> Item:
        prompt = None
        if row.prompt_id:
            prompt = self._prompts.read(row.corpus, row.prompt_id, row.prompt_text, self._generator.sample_rate)
        return Item(row.trial_id, row.text, row.language, int(row.seed), prompt)

    def _flac(self, wav: np.ndarray) -> shards.Flac:
        generated, rate = self._generator.sample_rate, self._settings.rate(self._generator.sample_rate)
        return shards.encode(waveforms.resample(wav, generated, rate), rate)

    def _more(self, row: Any) -> dict[str, object]:
        """The cells of `MORE_COLUMNS`."""
        item = {name: getattr(row, name) for name in ("speaker_id", "language", "text", "prompt_id")}
        return {**self._cells, **item, "text_corpus": row.corpus, "text_id": row.utterance_id, "seed": int(row.seed)}


def _digest(weights: Path | None) -> str:
    return "" if weights is None else digest(weights)


def _require_few(settings: ShardSettings, rejected: Mapping[str, str], number: int) -> None:
    if len(rejected) <= settings.max_rejected * number:
        return
    reasons = "".join(f"\n  {trial}: {reason}" for trial, reason in list(rejected.items())[:MOST_REASONS])
    raise GeneratorError(
        f"{settings.corpus}: {len(rejected)} of {number} items of this shard cannot be generated, but max_rejected is "
        f"{settings.max_rejected:g}. Give its texts another rule, or raise max_rejected:{reasons}"
    )
