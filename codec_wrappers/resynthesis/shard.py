"""Resynthesizes the recordings of a shard with a codec; one encoder pass serves all sources of the codec.

This module does everything that codecs have in common: rate, length, level, windows, checks, batches, shards.

Threads read and resample recordings before the codec, and write them after it. Memory is bounded for any shard: the
codec processes one utterance at a time (on a GPU a batch of `batch_duration`; of a long recording, one window and its
context), and at most `QUEUED_DURATION` of recordings, or a longer one alone, wait before it, and as much after it.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pandas import DataFrame
from torch import Tensor

import codec_wrappers
from codec_wrappers.codec import Codec, Gain
from codec_wrappers.networks import weight_norm
from codec_wrappers.resynthesis.batches import PaddedLengths, batches
from codec_wrappers.resynthesis.pipeline import Helpers, to_cpu
from codec_wrappers.resynthesis.round_trip import fit, padded_round_trip, round_trip, unleveled_round_trip
from codec_wrappers.resynthesis.settings import NATIVE, WINDOW_DURATION, ResynthesisSettings
from codec_wrappers.weights.loading import digest
from codecfake import __version__
from codecfake.audio import loudness, shards, waveforms
from codecfake.base import utterances
from codecfake.base.progress import progress

COLUMNS = ("utterance_id", "path", "sha256", "num_samples", "sample_rate")  # of the utterance table
ORIGINAL_KEY = "original_key"  # a further column of the index, if spoofs are resynthesized
RMS_FLOOR = 1e-8  # FunCodec's
DBFS_FLOOR, DBFS_25 = 1e-6, 10 ** (-25 / 20)  # VibeVoice's
QUEUED_DURATION = 240.0  # seconds of recordings that wait for the codec; as many can wait for the writer


class ResynthesisError(RuntimeError):
    """A recording cannot be resynthesized."""


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
    with ExitStack() as stack:
        bar = stack.enter_context(progress(None, f"{settings.codec} {table.parent.name} {shard:04d}", len(rows), "utt"))
        writers = {
            source: stack.enter_context(_writer(codec, settings, source, output / source / f"{shard:04d}.tar", origin))
            for source in settings.sources
        }
        helpers = stack.enter_context(Helpers(_num_helpers(device, threads), QUEUED_DURATION))
        stages = _Stages(codec, settings, root, device if codec.network is not None else torch.device("cpu"))
        inputs = helpers.ahead(stages.read, _batches(rows, codec, settings, device), _duration)
        outputs = (stages.through(batch) for batch in inputs)
        for flacs in helpers.behind(stages.encode, outputs, lambda output: output.batch.duration):
            for source, utterance_id, flac in flacs:
                writers[source].append(utterance_id, flac, {ORIGINAL_KEY: original_keys[utterance_id]})
            bar.update(len(flacs) // len(writers))


def _batches(rows: DataFrame, codec: Codec, settings: ResynthesisSettings, device: torch.device) -> Iterator[list[Any]]:
    """On a CPU, one recording at a time: more would not be faster, and would change the last bits of the output."""
    if device.type != "cuda":
        return batches(rows, 0.0)
    shortest = codec.shortest_padded
    padded = None if shortest is None else PaddedLengths(shortest, settings.window_duration)
    return batches(rows, settings.batch_duration, padded)


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
        _refuse_not_finite(all(bool(torch.isfinite(output).all()) for output in outputs))
        return outputs


def level(gain: Gain, wav: Tensor, sample_rate: int | None = None) -> Tensor:
    """The factor `[B, 1]` by which wav is divided before the codec and multiplied after it.

    Loudness is measured at `sample_rate`. Raises ValueError if that is necessary and `sample_rate` is None.
    """
    if gain is Gain.UNIT_RMS:
        return wav.square().mean(dim=1, keepdim=True).sqrt() + RMS_FLOOR
    if gain is Gain.PEAK_095:
        peak = wav.abs().amax(dim=1, keepdim=True) / 0.95
        return torch.where(peak > 0, peak, torch.ones_like(peak))
    if gain is Gain.LUFS_16:
        if sample_rate is None:
            raise ValueError("gain lufs needs the codec's sample rate, but this codec has none; use rms or peak")
        return loudness.level(wav, sample_rate)
    if gain is Gain.DBFS_25:
        rms = (wav.square().mean(dim=1, keepdim=True).sqrt() + DBFS_FLOOR) / DBFS_25
        return torch.maximum(rms, wav.abs().amax(dim=1, keepdim=True))
    return torch.ones_like(wav[:, :1])


@dataclass(frozen=True)
class _Batch:
    """Utterances of one rate that wait for the codec, in the CPU's memory; zeros follow the shorter ones."""

    utterance_ids: list[str]
    wav: Tensor  # [B, T], at the codec's rate
    lengths: list[int]  # of each utterance in `wav`
    gain: Tensor  # [B, 1], see `level`
    codec_rate: int
    rate: int  # of the shard
    num_samples: list[int]  # of each utterance in the shard

    @property
    def duration(self) -> float:
        return sum(self.num_samples) / self.rate


@dataclass(frozen=True)
class _Outputs:
    """The codec's outputs for a batch: `[sources, B, T]` in the CPU's memory, complete after the event `arrived`."""

    batch: _Batch
    wavs: Tensor  # not divided by the codec's `own_level` if `is_unleveled`, and then with the codec's length
    is_unleveled: bool
    arrived: torch.cuda.Event | None


class _Stages:
    """The stages of a batch: it is read, goes through the codec, and is encoded. Any thread may read and encode."""

    def __init__(self, codec: Codec, settings: ResynthesisSettings, root: Path, device: torch.device) -> None:
        self._codec = codec
        self._settings = settings
        self._root = root
        self._device = device
        is_cuda = device.type == "cuda"
        self._ends = codec.row_ends() if is_cuda else None
        # on a GPU, the main thread would wait for the CPU to measure the level; a helper can do that later
        self._is_unleveled = is_cuda and codec.has_own_level

    def read(self, rows: list[Any]) -> _Batch:
        native = int(rows[0].sample_rate)
        codec_rate = self._codec.sample_rate or native
        rate = codec_rate if self._settings.sample_rate == NATIVE else int(self._settings.sample_rate)
        wavs = [torch.from_numpy(self._read_one(row, native, codec_rate)) for row in rows]
        gain = torch.cat([level(self._codec.gain, wav[None], self._codec.sample_rate) for wav in wavs])
        lengths = [len(wav) for wav in wavs]
        wav = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True)
        if self._device.type == "cuda":
            wav, gain = wav.pin_memory(), gain.pin_memory()
        ids = [row.utterance_id for row in rows]
        num_samples = [waveforms.resampled_length(int(row.num_samples), native, rate) for row in rows]
        return _Batch(ids, wav, lengths, gain, codec_rate, rate, num_samples)

    def _read_one(self, row: Any, native: int, codec_rate: int) -> np.ndarray:
        with _naming(row.utterance_id):
            recording = waveforms.read(self._root / row.path, row.sha256)
            return waveforms.resample(recording.wav, native, codec_rate).astype(np.float32)

    def through(self, batch: _Batch) -> _Outputs:
        with _naming(*batch.utterance_ids), torch.inference_mode():
            wav, gain = (tensor.to(self._device, non_blocking=True) for tensor in (batch.wav, batch.gain))
            outputs = torch.stack(self._round_trip(wav / gain, batch.lengths))
            if self._is_unleveled:
                wavs, arrived = to_cpu(outputs)
            else:
                wavs, arrived = to_cpu(outputs if self._settings.keep_gain else outputs * gain)
            return _Outputs(batch, wavs, self._is_unleveled, arrived)

    def _round_trip(self, wav: Tensor, lengths: list[int]) -> list[Tensor]:
        quantizers, precision = list(self._settings.sources.values()), self._settings.decoder_precision
        if self._is_unleveled:
            return unleveled_round_trip(self._codec, wav, quantizers, precision)
        if self._ends is not None and min(lengths) < max(lengths):
            return padded_round_trip(self._codec, self._ends, wav, lengths, quantizers, precision)
        return round_trip(self._codec, wav, quantizers, self._settings.window_duration, precision)

    def encode(self, outputs: _Outputs) -> list[tuple[str, str, shards.Flac]]:
        """(source, utterance_id, FLAC) of every waveform."""
        if outputs.arrived is not None:
            outputs.arrived.synchronize()
        return [
            (source, utterance_id, self._encode_one(outputs, source, row, wavs[row]))
            for source, wavs in zip(self._settings.sources, outputs.wavs, strict=True)
            for row, utterance_id in enumerate(outputs.batch.utterance_ids)
        ]

    def _encode_one(self, outputs: _Outputs, source: str, row: int, padded: Tensor) -> shards.Flac:
        batch = outputs.batch
        with _naming(f"{source}_{batch.utterance_ids[row]}"):
            leveled = self._leveled(padded, batch, row) if outputs.is_unleveled else padded
            wav = leveled[: batch.lengths[row]].numpy()
            _refuse_not_finite(bool(np.isfinite(wav).all()))
            output = waveforms.resample(wav, batch.codec_rate, batch.rate)
            return shards.encode(waveforms.fit(output, batch.num_samples[row]), batch.rate)

    def _leveled(self, wav: Tensor, batch: _Batch, row: int) -> Tensor:
        """The codec's own output `[T']` for a row, at the level at which the shard has it."""
        length = batch.lengths[row]
        output = fit(wav[None] / self._codec.own_level(wav[None], length), length)[0]
        return output if self._settings.keep_gain else output * batch.gain[row]


@contextmanager
def _naming(*utterance_ids: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        more = f" and {len(utterance_ids) - 1} of its batch" if len(utterance_ids) > 1 else ""
        raise ResynthesisError(f"utterance {utterance_ids[0]}{more}: {error}") from error


def _duration(rows: list[Any]) -> float:
    return sum(row.num_samples / row.sample_rate for row in rows)


def _num_helpers(device: torch.device, threads: int) -> int:
    """On one CPU thread, helpers would only take turns with the codec."""
    return 0 if device.type == "cpu" and threads == 1 else threads


def _writer(
    codec: Codec, settings: ResynthesisSettings, source: str, path: Path, weights_sha256: str
) -> shards.ShardWriter:
    quantizers = settings.sources[source]
    if quantizers > codec.num_quantizers:
        raise ResynthesisError(
            f"{source}: {quantizers} quantizers, but {settings.codec} has {codec.num_quantizers}; "
            f"lower `quantizers`, or raise the number in the codec's `model`"
        )
    bitrate = 0.0 if codec.sample_rate is None else codec.bitrate_kbps(quantizers)
    bitrate = math.nan if bitrate is None else bitrate
    provenance = shards.Provenance(settings.codec, quantizers, bitrate, weights_sha256, __version__, settings.license)
    more = [] if settings.resynthesize == utterances.BONAFIDE else [ORIGINAL_KEY]
    return shards.ShardWriter(path, f"{source}_", provenance, more)


def _refuse_not_finite(finite: bool) -> None:
    if not finite:
        raise ResynthesisError("the codec gave samples that are not finite; its weights do not fit its architecture")
