"""Resynthesis: the recordings of one shard through one codec, every source of it from one encoder pass.

All that codecs have in common is done here, once: rate, length, level, checks, batches, shards.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from codec_wrappers import wrapper
from codec_wrappers.codec import Codec, Gain
from codecfake import __version__, audio, files, shards, utterances
from codecfake.progress import progress

NATIVE = "native"
RMS_FLOOR = 1e-8  # FunCodec's


class ResynthesisError(RuntimeError):
    """A codec gave something that is not speech of the right shape."""


@dataclass(frozen=True)
class ResynthesisSettings:
    codec: str  # name of the codec configuration
    wrapper: str
    sources: dict[str, int]  # source -> number of quantizers
    num_shards: int
    model: dict[str, Any] = field(default_factory=dict)
    gain: str | None = None  # level that the codec is given, see Gain; None: the codec's own habit
    sample_rate: int | str = 16000  # of the shards; "native": the codec's own
    batch_duration: float = 60.0  # seconds of audio in a batch, at most


def resynthesize_shard(
    settings: ResynthesisSettings,
    table: Path,
    root: Path,
    weights: Path | None,
    shard: int,
    output: Path,
    device: torch.device,
) -> None:
    """Write `output/{source}/{shard}.tar` and its index for every source, whole or not at all.

    `table` is the corpus's utterance table, `root` the corpus's folder.
    """
    codec = with_gain(load_codec(settings.wrapper, settings.model, weights, device), settings.gain)
    rows = shards.members(utterances.read(table), shard, settings.num_shards)
    rows = rows[rows["key"] == utterances.BONAFIDE]
    origin = files.sha256(weights) if weights is not None else ""
    with ExitStack() as stack:
        bar = stack.enter_context(progress(None, f"{settings.codec} {table.parent.name} {shard:04d}", len(rows), "utt"))
        writers = {
            source: stack.enter_context(_writer(codec, settings, source, output / source / f"{shard:04d}.tar", origin))
            for source in settings.sources
        }
        for batch in batches(rows, settings.batch_duration):
            for source, wavs in _through(codec, settings, root, batch, device).items():
                for utterance_id, (wav, rate) in zip(batch["utterance_id"], wavs, strict=True):
                    writers[source].add(utterance_id, wav, rate)
            bar.update(len(batch))


def load_codec(name: str, model: Mapping[str, Any], weights: Path | None, device: torch.device) -> Codec:
    """A codec ready to resynthesize: weights loaded, evaluation mode, on `device`."""
    codec = wrapper(name).load(model, weights)
    if codec.network is not None:
        codec.network.eval().to(device)
    return codec


def with_gain(codec: Codec, gain: str | None) -> Codec:
    """The codec, given its input at another level than by its own habit. Raises ValueError for an unknown gain."""
    if gain is not None:
        codec.gain = Gain(gain)
    return codec


def resynthesize(codec: Codec, wav: Tensor, quantizers: list[int]) -> list[Tensor]:
    """Wav `[B, T]` at the codec's rate through the codec: one `[B, T]` for each number of quantizers.

    Exactly T samples come back, at the level that went in. Raises ResynthesisError if a sample is not finite.
    """
    with torch.inference_mode():
        gain = level(codec.gain, wav)
        codes = codec.encode(_padded(codec, wav / gain))
        return [_fit(codec.decode(codes[:, :number]), wav.shape[1]) * gain for number in quantizers]


def level(gain: Gain, wav: Tensor) -> Tensor:
    """The factor `[B, 1]` that wav is divided by before the codec and multiplied by after it."""
    if gain is Gain.UNIT_RMS:
        return wav.square().mean(dim=1, keepdim=True).sqrt() + RMS_FLOOR
    if gain is Gain.PEAK_095:
        peak = wav.abs().amax(dim=1, keepdim=True) / 0.95
        return torch.where(peak > 0, peak, torch.ones_like(peak))
    return torch.ones_like(wav[:, :1])


def batches(rows: pd.DataFrame, batch_duration: float) -> Iterator[pd.DataFrame]:
    """Consecutive rows of equal length and rate: padding changes what most codecs give, equal lengths do not."""
    same = rows.groupby(["num_samples", "sample_rate"], sort=False, as_index=False)
    for (num_samples, sample_rate), group in same:
        size = max(1, int(batch_duration * sample_rate / num_samples))
        yield from (group.iloc[start : start + size] for start in range(0, len(group), size))


def _through(
    codec: Codec, settings: ResynthesisSettings, root: Path, batch: pd.DataFrame, device: torch.device
) -> dict[str, list[tuple[np.ndarray, int]]]:
    recordings = [audio.read(root / row.path, row.sha256) for row in batch.itertuples()]
    native = recordings[0].sample_rate
    codec_rate = codec.sample_rate or native
    rate = codec_rate if settings.sample_rate == NATIVE else int(settings.sample_rate)
    num_samples = audio.resampled_length(len(recordings[0].wav), native, rate)
    stacked = np.stack([audio.resample(recording.wav, native, codec_rate) for recording in recordings])
    wav = torch.from_numpy(stacked.astype(np.float32)).to(device)
    outputs = resynthesize(codec, wav, list(settings.sources.values()))
    return {
        source: [(audio.fit(audio.resample(row, codec_rate, rate), num_samples), rate) for row in output.cpu().numpy()]
        for source, output in zip(settings.sources, outputs, strict=True)
    }


def _writer(
    codec: Codec, settings: ResynthesisSettings, source: str, path: Path, weights_sha256: str
) -> shards.ShardWriter:
    quantizers = settings.sources[source]
    if quantizers > codec.num_quantizers:
        raise ResynthesisError(
            f"{source}: {quantizers} quantizers asked of {settings.codec}, which has {codec.num_quantizers}; "
            f"lower `quantizers` or raise the model's"
        )
    bitrate = 0.0 if codec.sample_rate is None else codec.bitrate_kbps(quantizers)
    provenance = shards.Provenance(settings.codec, quantizers, bitrate, weights_sha256, __version__)
    return shards.ShardWriter(path, f"{source}_", provenance)


def _padded(codec: Codec, wav: Tensor) -> Tensor:
    """Zeros up to a whole number of frames, unless the codec has a way of its own with the rest."""
    if codec.any_length:
        return wav
    return torch.nn.functional.pad(wav, (0, -wav.shape[1] % codec.hop_length))


def _fit(wav: Tensor, num_samples: int) -> Tensor:
    if not torch.isfinite(wav).all():
        raise ResynthesisError("the codec gave samples that are not finite; its weights do not fit its architecture")
    return torch.nn.functional.pad(wav[:, :num_samples], (0, max(0, num_samples - wav.shape[1])))
