"""A second codec as a degradation: the evaluated utterances of one shard, of recordings or of fakes, through a codec.

Both keys pass through it. One encoder pass serves all steps, which are numbers of quantizers.
"""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pandas import DataFrame

from codec_wrappers.codec import Codec
from codec_wrappers.resynthesis.settings import SecondCodecSettings
from codec_wrappers.resynthesis.shard import load_codec, provenance_of, with_gain
from codec_wrappers.resynthesis.stages import resynthesized
from codec_wrappers.weights.loading import digest
from codecfake.audio import ladder_shards, shard_index, shards
from codecfake.audio.shard_files import Entry
from codecfake.base import files
from codecfake.base.degraded_names import with_degradation
from codecfake.base.progress import progress


def degrade_shard(
    settings: SecondCodecSettings,
    index: Path,
    protocols: Sequence[Path],
    weights: Path | None,
    output: Path,
    device: torch.device,
    threads: int = 1,
) -> None:
    """Write `output/{source}+{step}/{shard}.tar` and its index for every step, each complete or not at all.

    `index` is that of a shard of the source, with the utterances in `protocols` and others. Raises ResynthesisError and
    ShardError naming an utterance that cannot be read, resynthesized or written, and as `loading.digest`.
    """
    origin = digest(weights) if weights is not None else ""
    codec = with_gain(load_codec(settings.wrapper, settings.model, weights, device), settings.gain)
    entries = {
        entry.utterance_id: entry for entry in ladder_shards.evaluated_entries(index, protocols, settings.corpus)
    }

    def read(row: Any) -> np.ndarray:
        return ladder_shards.read(index, entries[row.utterance_id], settings.sample_rate)

    source, name = index.parent.name, f"{index.stem}.tar"
    with ExitStack() as stack:
        text = f"{source} {settings.corpus} {index.stem} through {settings.codec}"
        bar = stack.enter_context(progress(None, text, len(entries), "utt"))
        writers = {
            step: stack.enter_context(_writer(index, output / with_degradation(source, step) / name))
            for step in settings.steps
        }
        more = {step: _second(codec, settings, step, origin) for step in settings.steps}
        batches = resynthesized(_rows(index, entries), codec, settings.resynthesis, read, device, threads)
        for flacs in stack.enter_context(closing(batches)):
            for step, utterance_id, flac in flacs:
                writers[step].append(
                    utterance_id, flac, {**more[step], **ladder_shards.values(step, entries[utterance_id])}
                )
            bar.update(len(flacs) // len(writers))


def _rows(index: Path, entries: dict[str, Entry]) -> DataFrame:
    """The table that batches are formed from, in the order of the shard."""
    table = files.read_parquet(index, ("utterance_id", "num_samples", "sample_rate")).set_index("utterance_id")
    return table.loc[list(entries)].reset_index()


def _writer(index: Path, tar_path: Path) -> shards.ShardWriter:
    columns = [*ladder_shards.COLUMNS, *shard_index.SECOND_CODEC]
    return shards.ShardWriter(tar_path, f"{tar_path.parent.name}_", shards.provenance_of(index), columns)


def _second(codec: Codec, settings: SecondCodecSettings, step: str, weights_sha256: str) -> dict[str, object]:
    """The origin of a step, under the names that the index has for it."""
    values = asdict(provenance_of(codec, settings.resynthesis, step, weights_sha256))
    return {f"second_{name}": value for name, value in values.items() if f"second_{name}" in shard_index.SECOND_CODEC}
