"""Segments of recordings to train a codec on, cut from audio shards and resampled to the codec's rate.

The batch of a step depends only on seed and step: it is the same for any number of worker processes, and in a run that
was killed and started again.
"""

import hashlib
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from codec_wrappers.codec import Gain, TrainableCodec
from codec_wrappers.resynthesis.shard import level
from codec_wrappers.training.settings import CodecTrainingError
from codecfake.audio import shards, waveforms
from codecfake.base import files

EDGE_DURATION = 0.02  # seconds read on both sides of a segment, so that the resampler sees no edge in it
BEFORE_TRAINING = 0  # the step whose draws the statistics of a fresh codec are taken from; training begins at 1


@dataclass(frozen=True, order=True, slots=True)
class Recording:
    """One utterance in the shards."""

    corpus: str
    utterance_id: str
    num_samples: int
    sample_rate: int
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.corpus}/{self.utterance_id}"


@dataclass(frozen=True)
class Sizes:
    """Of the segments: `num_samples` at `sample_rate` each, of utterances brought to the level `gain`."""

    sample_rate: int
    num_samples: int
    batch_size: int
    gain: Gain

    @classmethod
    def of(cls, codec: TrainableCodec, duration: float, batch_size: int, gain: Gain) -> "Sizes":
        """Segments of about `duration` seconds: a whole number of the codec's frames, at least one."""
        frames = max(1, round(duration * codec.sample_rate / codec.hop_length))
        return cls(codec.sample_rate, frames * codec.hop_length, batch_size, gain)


class Segments(Dataset[Tensor]):
    """The batch `[B, T]` of each step: utterances drawn with equal chances, starting anywhere, at the level of use."""

    def __init__(self, root: Path, source: str, recordings: Sequence[Recording], sizes: Sizes, seed: int) -> None:
        self._recordings = list(recordings)
        self._store = shards.AudioStore(root, [(recording.corpus, source) for recording in recordings])
        self._source, self._sizes, self._seed = source, sizes, seed
        self._levels: dict[int, float] = {}

    def __getitem__(self, step: int) -> Tensor:
        return self.drawn(step, self._sizes.batch_size)

    def drawn(self, step: int, size: int) -> Tensor:
        """`[size, T]`, the first `size` draws of a step."""
        return torch.stack([self._segment(number, place) for number, place in self._draws(step, size)])

    def names(self, step: int) -> list[str]:
        """The utterances that the batch of a step is cut from."""
        draws = self._draws(step, self._sizes.batch_size)
        return [self._recordings[number].name for number, _ in draws]

    def batches(self, steps: range, workers: int, device: torch.device) -> Iterator[Tensor]:
        """The batch of each of `steps`, on `device`, read by `workers` processes (0: by this one)."""
        loader = DataLoader(
            self,
            batch_size=None,  # one item is a whole batch
            sampler=steps,
            num_workers=workers,
            pin_memory=device.type == "cuda",
        )
        for wav in loader:
            yield wav.to(device, non_blocking=True)

    def _draws(self, step: int, size: int) -> list[tuple[int, float]]:
        """Number of the recording and place in it, in [0, 1), of each segment."""
        rng = np.random.default_rng([self._seed, step])
        return [(int(rng.integers(len(self._recordings))), float(rng.random())) for _ in range(size)]

    def _segment(self, number: int, place: float) -> Tensor:
        recording = self._recordings[number]
        data = self._store.read_bytes(recording.corpus, self._source, recording.utterance_id)
        wav = cut(data, recording, place, self._sizes.sample_rate, self._sizes.num_samples)
        return torch.from_numpy(wav) / self._level(number, data)

    def _level(self, number: int, data: bytes) -> float:
        """Of the whole utterance: a pause must not become loud. Measured when it is first drawn."""
        if self._sizes.gain is Gain.NONE:
            return 1.0
        if number not in self._levels:
            whole = _decode(data, 0, self._recordings[number].num_samples)
            rate = self._recordings[number].sample_rate
            self._levels[number] = level(self._sizes.gain, torch.from_numpy(whole)[None], rate).item()
        return self._levels[number]


def listed(root: Path, source: str, corpora: Sequence[str]) -> list[Recording]:
    """All recordings in the shards under `root/{corpus}/{source}`, in order of their names.

    Raises ShardError if a corpus has no shards there.
    """
    return sorted(
        recording for corpus in sorted(set(corpora)) for recording in _indexed(root / corpus / source, corpus)
    )


def held_out(recordings: Sequence[Recording], number: int, seed: int) -> tuple[list[Recording], list[Recording]]:
    """`number` recordings to validate on, and the others to train on.

    They are chosen by hashes of their names, so neither their order nor other corpora's shards decide.
    Raises CodecTrainingError if nothing is left to train on.
    """
    if len(recordings) <= number:
        raise CodecTrainingError(
            f"{len(recordings)} utterances to train on, {number} of them held out for validation; "
            f"give more speech in codec_training.corpora, or lower validation_utterances"
        )
    ordered = sorted(recordings, key=lambda one: hashlib.sha256(f"{seed}/{one.name}".encode()).digest())
    return ordered[:number], sorted(ordered[number:])


def whole(root: Path, source: str, recordings: Sequence[Recording], sample_rate: int) -> list[Tensor]:
    """Whole recordings at a rate, `[1, T]` each."""
    store = shards.AudioStore(root, [(recording.corpus, source) for recording in recordings])
    wavs = []
    for recording in recordings:
        samples, rate = store.read(recording.corpus, source, recording.utterance_id)
        wav = waveforms.resample(samples / waveforms.FULL_SCALE, rate, sample_rate)
        wavs.append(torch.from_numpy(wav.astype(np.float32))[None])
    return wavs


def cut(data: bytes, recording: Recording, place: float, sample_rate: int, num_samples: int) -> np.ndarray:
    """Float32 `[num_samples]` of FLAC bytes, resampled, from `place` in [0, 1) of all possible starts.

    Starts are points where samples of both rates coincide, so that the result is a part of the resampled recording.
    A shorter recording is padded with zeros.
    """
    grid = recording.sample_rate // math.gcd(recording.sample_rate, sample_rate)
    length = -(-num_samples * recording.sample_rate // sample_rate)
    start = int(place * (max(0, recording.num_samples - length) // grid + 1)) * grid
    edge = math.ceil(EDGE_DURATION * recording.sample_rate / grid) * grid if sample_rate != recording.sample_rate else 0
    before = min(start, edge)
    read = _decode(data, start - before, before + length + edge)
    wav = waveforms.resample(read, recording.sample_rate, sample_rate).astype(np.float32)
    return waveforms.fit(wav[before * sample_rate // recording.sample_rate :], num_samples)


def _decode(data: bytes, start: int, num_samples: int) -> np.ndarray:
    """Float32 of up to `num_samples` from `start` on, without decoding what comes before and after."""
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        file.seek(start)
        return file.read(num_samples, dtype="float32")


def _indexed(folder: Path, corpus: str) -> Iterator[Recording]:
    indexes = sorted(folder.glob("*.parquet"))
    if not indexes:
        raise shards.ShardError(
            f"{folder}: no shards to train on; write them with `python -m codecfake record` and sample_rate native"
        )
    for path in indexes:
        table = files.read_parquet(path, ("utterance_id", "num_samples", "sample_rate", "sha256"))
        for row in table.itertuples(index=False):
            yield Recording(corpus, row.utterance_id, int(row.num_samples), int(row.sample_rate), row.sha256)
