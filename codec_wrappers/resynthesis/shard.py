"""Resynthesizes the recordings of a shard with a codec; one encoder pass serves all sources of the codec.

What codecs have in common is here and in `stages`: rate, length, level, windows, checks, batches, shards.
"""

import math
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import codec_wrappers
from codec_wrappers.codec import Codec, Gain
from codec_wrappers.networks import weight_norm
from codec_wrappers.resynthesis.levels import level
from codec_wrappers.resynthesis.round_trip import round_trip
from codec_wrappers.resynthesis.settings import WINDOW_DURATION, ResynthesisSettings
from codec_wrappers.resynthesis.stages import ResynthesisError, refuse_not_finite, resynthesized
from codec_wrappers.weights.loading import digest
from codecfake import __version__
from codecfake.audio import shards, waveforms
from codecfake.base import utterances
from codecfake.base.progress import progress

COLUMNS = ("utterance_id", "path", "sha256", "num_samples", "sample_rate")  # of the utterance table
ORIGINAL_KEY = "original_key"  # a further column of the index, if spoofs are resynthesized


def resynthesize_shard(
    settings: ResynthesisSettings,
    table: Path,
    root: Path,
    weights: Path | None,
    shard: int,
    output: Path,
    device: torch.device,
    threads: int = 1,
) -> None:
    """Write `output/{source}/{shard}.tar` and its index for every source, each complete or not at all.

    `table` is the corpus's utterance table, `root` the corpus's folder. `threads` is the number of helper threads,
    besides torch's own; it does not change a byte.

    Raises ResynthesisError naming an utterance that cannot be read, resynthesized or written, and as `loading.digest`.
    """
    origin = digest(weights) if weights is not None else ""
    codec = with_gain(load_codec(settings.wrapper, settings.model, weights, device), settings.gain)
    rows = shards.members(utterances.read(table), shard, settings.num_shards)
    rows = rows[rows["key"].isin(utterances.RESYNTHESIZE[settings.resynthesize])]
    original_keys = dict(zip(rows["utterance_id"], rows["key"], strict=True))
    rows = rows[list(COLUMNS)]

    def read(row: Any) -> np.ndarray:
        return waveforms.read(root / row.path, row.sha256).wav

    with ExitStack() as stack:
        bar = stack.enter_context(progress(None, f"{settings.codec} {table.parent.name} {shard:04d}", len(rows), "utt"))
        writers = {
            source: stack.enter_context(_writer(codec, settings, source, output / source / f"{shard:04d}.tar", origin))
            for source in settings.sources
        }
        outputs = stack.enter_context(closing(resynthesized(rows, codec, settings, read, device, threads)))
        for flacs in outputs:
            for source, utterance_id, flac in flacs:
                writers[source].append(utterance_id, flac, {ORIGINAL_KEY: original_keys[utterance_id]})
            bar.update(len(flacs) // len(writers))


def load_codec(name: str, model: Mapping[str, Any], weights: Path | None, device: torch.device) -> Codec:
    """A codec with its weights, in evaluation mode, on `device`."""
    codec = codec_wrappers.load(name, model, weights)
    if codec.network is not None:
        codec.network.eval().requires_grad_(False).to(device)
        weight_norm.fold(codec.network)
    return codec


def with_gain(codec: Codec, gain: str | None) -> Codec:
    """The codec with the input level `gain`; None keeps its default. Raises ValueError for an unknown gain."""
    if gain is not None:
        codec.gain = Gain(gain)
    return codec


def resynthesize(
    codec: Codec, wav: Tensor, quantizers: list[int], window_duration: float = WINDOW_DURATION
) -> list[Tensor]:
    """Send wav `[B, T]` at the codec's rate through the codec; returns one `[B, T]` for each number of quantizers.

    Input longer than `window_duration` (seconds) goes through in windows, all at the level of the whole. The outputs
    have the length and the level of the input.

    Raises ResynthesisError if a sample is not finite.
    """
    with torch.inference_mode():
        gain = level(codec.gain, wav, codec.sample_rate)
        outputs = [output * gain for output in round_trip(codec, wav / gain, quantizers, window_duration)]
        refuse_not_finite(all(bool(torch.isfinite(output).all()) for output in outputs))
        return outputs


def provenance_of(codec: Codec, settings: ResynthesisSettings, source: str, weights_sha256: str) -> shards.Provenance:
    """The origin of the shards of a source. Raises ResynthesisError for more quantizers than the codec has."""
    quantizers = settings.sources[source]
    if quantizers > codec.num_quantizers:
        raise ResynthesisError(
            f"{source}: {quantizers} quantizers, but {settings.codec} has {codec.num_quantizers}; "
            f"lower `quantizers`, or raise the number in the codec's `model`"
        )
    bitrate = 0.0 if codec.sample_rate is None else codec.bitrate_kbps(quantizers)
    bitrate = math.nan if bitrate is None else bitrate
    return shards.Provenance(settings.codec, quantizers, bitrate, weights_sha256, __version__, settings.license)


def _writer(
    codec: Codec, settings: ResynthesisSettings, source: str, path: Path, weights_sha256: str
) -> shards.ShardWriter:
    more = [] if settings.resynthesize == utterances.BONAFIDE else [ORIGINAL_KEY]
    return shards.ShardWriter(path, f"{source}_", provenance_of(codec, settings, source, weights_sha256), more)
