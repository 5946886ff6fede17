"""The way of many recordings through a codec: they are read, go through it in batches, and are encoded as FLAC.

Threads read and resample recordings before the codec, and encode them after it. Memory is bounded: the codec processes
one utterance at a time (on a GPU a batch of `batch_duration`; of a long recording, one window and its context), and at
most `QUEUED_DURATION` of recordings, or a longer one alone, wait before it, and as much after it.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pandas import DataFrame
from torch import Tensor

from codec_wrappers.codec import Codec
from codec_wrappers.resynthesis.batches import PaddedLengths, batches
from codec_wrappers.resynthesis.levels import level
from codec_wrappers.resynthesis.pipeline import Helpers, to_cpu
from codec_wrappers.resynthesis.round_trip import fit, padded_round_trip, round_trip, unleveled_round_trip
from codec_wrappers.resynthesis.settings import NATIVE, ResynthesisSettings
from codecfake.audio import shards, waveforms

QUEUED_DURATION = 240.0  # seconds of recordings that wait for the codec; as many can wait for the writer
Read = Callable[[Any], np.ndarray]  # row of a table -> its recording `[T]` at the rate in the row


class ResynthesisError(RuntimeError):
    """A recording cannot be resynthesized."""


def resynthesized(
    rows: DataFrame, codec: Codec, settings: ResynthesisSettings, read: Read, device: torch.device, threads: int
) -> Generator[list[tuple[str, str, shards.Flac]], None, None]:
    """(source, utterance_id, FLAC) of every source of a batch, for the recordings of a table.

    `rows` has the columns utterance_id, num_samples, sample_rate and what `read` needs. `threads` is the number of
    helper threads, besides torch's own; it does not change a byte. Raises ResynthesisError naming an utterance that
    cannot be read, resynthesized or encoded.
    """
    with Helpers(_num_helpers(device, threads), QUEUED_DURATION) as helpers:
        stages = Stages(codec, settings, read, device if codec.network is not None else torch.device("cpu"))
        inputs = helpers.ahead(stages.read, _batches(rows, codec, settings, device), _duration)
        outputs = (stages.through(batch) for batch in inputs)
        yield from helpers.behind(stages.encode, outputs, lambda output: output.batch.duration)


def _batches(rows: DataFrame, codec: Codec, settings: ResynthesisSettings, device: torch.device) -> Iterator[list[Any]]:
    """On a CPU, one recording at a time: more would not be faster, and would change the last bits of the output."""
    if device.type != "cuda":
        return batches(rows, 0.0)
    shortest = codec.shortest_padded
    padded = None if shortest is None else PaddedLengths(shortest, settings.window_duration)
    return batches(rows, settings.batch_duration, padded)


@dataclass(frozen=True)
class Batch:
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
class Outputs:
    """The codec's outputs for a batch: `[sources, B, T]` in the CPU's memory, complete after the event `arrived`."""

    batch: Batch
    wavs: Tensor  # not divided by the codec's `own_level` if `is_unleveled`, and then with the codec's length
    is_unleveled: bool
    arrived: torch.cuda.Event | None


class Stages:
    """The stages of a batch: it is read, goes through the codec, and is encoded. Any thread may read and encode."""

    def __init__(self, codec: Codec, settings: ResynthesisSettings, read: Read, device: torch.device) -> None:
        self._codec = codec
        self._settings = settings
        self._read_recording = read
        self._device = device
        is_cuda = device.type == "cuda"
        self._ends = codec.row_ends() if is_cuda else None
        # on a GPU, the main thread would wait for the CPU to measure the level; a helper can do that later
        self._is_unleveled = is_cuda and codec.has_own_level

    def read(self, rows: list[Any]) -> Batch:
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
        return Batch(ids, wav, lengths, gain, codec_rate, rate, num_samples)

    def _read_one(self, row: Any, native: int, codec_rate: int) -> np.ndarray:
        with naming(row.utterance_id):
            return waveforms.resample(self._read_recording(row), native, codec_rate).astype(np.float32)

    def through(self, batch: Batch) -> Outputs:
        with naming(*batch.utterance_ids), torch.inference_mode():
            wav, gain = (tensor.to(self._device, non_blocking=True) for tensor in (batch.wav, batch.gain))
            outputs = torch.stack(self._round_trip(wav / gain, batch.lengths))
            if self._is_unleveled:
                wavs, arrived = to_cpu(outputs)
            else:
                wavs, arrived = to_cpu(outputs if self._settings.keep_gain else outputs * gain)
            return Outputs(batch, wavs, self._is_unleveled, arrived)

    def _round_trip(self, wav: Tensor, lengths: list[int]) -> list[Tensor]:
        quantizers, precision = list(self._settings.sources.values()), self._settings.decoder_precision
        if self._is_unleveled:
            return unleveled_round_trip(self._codec, wav, quantizers, precision)
        if self._ends is not None and min(lengths) < max(lengths):
            return padded_round_trip(self._codec, self._ends, wav, lengths, quantizers, precision)
        return round_trip(self._codec, wav, quantizers, self._settings.window_duration, precision)

    def encode(self, outputs: Outputs) -> list[tuple[str, str, shards.Flac]]:
        """(source, utterance_id, FLAC) of every waveform."""
        if outputs.arrived is not None:
            outputs.arrived.synchronize()
        return [
            (source, utterance_id, self._encode_one(outputs, source, row, wavs[row]))
            for source, wavs in zip(self._settings.sources, outputs.wavs, strict=True)
            for row, utterance_id in enumerate(outputs.batch.utterance_ids)
        ]

    def _encode_one(self, outputs: Outputs, source: str, row: int, padded: Tensor) -> shards.Flac:
        batch = outputs.batch
        with naming(f"{source}_{batch.utterance_ids[row]}"):
            leveled = self._leveled(padded, batch, row) if outputs.is_unleveled else padded
            wav = leveled[: batch.lengths[row]].numpy()
            refuse_not_finite(bool(np.isfinite(wav).all()))
            output = waveforms.resample(wav, batch.codec_rate, batch.rate)
            return shards.encode(waveforms.fit(output, batch.num_samples[row]), batch.rate)

    def _leveled(self, wav: Tensor, batch: Batch, row: int) -> Tensor:
        """The codec's own output `[T']` for a row, at the level at which the shard has it."""
        length = batch.lengths[row]
        output = fit(wav[None] / self._codec.own_level(wav[None], length), length)[0]
        return output if self._settings.keep_gain else output * batch.gain[row]


@contextmanager
def naming(*utterance_ids: str) -> Iterator[None]:
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


def refuse_not_finite(finite: bool) -> None:
    """Raise ResynthesisError unless all samples of an output are finite."""
    if not finite:
        raise ResynthesisError("the codec gave samples that are not finite; its weights do not fit its architecture")
