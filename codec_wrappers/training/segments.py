"""Training segments: parts of recordings in audio shards, resampled to the codec's rate.

The batch of a step depends only on seed and step: the number of worker processes does not change it, and a run that was
killed and started again gets the same batches.
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
from codec_wrappers.resynthesis.levels import level
from codec_wrappers.training.settings import CodecTrainingError
from codecfake.audio import shards, waveforms
from codecfake.base import files, processes
from codecfake.base.hidden_files import visible

EDGE_DURATION = 0.02  # seconds read on both sides of a segment, so that the resampler meets no edge inside it
EVERY = slice(None)
BEFORE_TRAINING = 0  # the step whose segments initialize a new codec; training begins at step 1


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
    """Each segment has `num_samples` at `sample_rate`; its utterance is scaled to the level `gain`."""

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
    """The batch `[B, T]` of each step: random parts of random utterances, at the level at which the codec is used."""

    def __init__(
        self,
        root: Path,
        source: str,
        recordings: Sequence[Recording],
        sizes: Sizes,
        seed: int,
        rows: slice = EVERY,
    ) -> None:
        """`rows`: those of each batch that this process trains on."""
        self._recordings, self._rows = list(recordings), rows
        self._store = shards.AudioStore(root, [(recording.corpus, source) for recording in recordings])
        self._source, self._sizes, self._seed = source, sizes, seed
        self._levels: dict[int, float] = {}

    def __getitem__(self, step: int) -> Tensor:
        return self.draw(step, self._sizes.batch_size, self._rows)

    def draw(self, step: int, size: int, rows: slice = EVERY) -> Tensor:
        """The first `size` segments of a step `[size, T]`, or these rows of them."""
        return torch.stack([self._segment(number, place) for number, place in self._draws(step, size)[rows]])

    def names(self, step: int) -> list[str]:
        """The utterances in the batch of a step."""
        draws = self._draws(step, self._sizes.batch_size)
        return [self._recordings[number].name for number, _ in draws]

    def batches(self, steps: range, workers: int, device: torch.device) -> Iterator[Tensor]:
        """The batch of each of `steps`, on `device`; `workers` processes read it (0: this process)."""
        if workers:
            processes.require_shared_memory()
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
        """For each segment, the number of its recording, and its place there in [0, 1)."""
        rng = np.random.default_rng([self._seed, step])
        return [(int(rng.integers(len(self._recordings))), float(rng.random())) for _ in range(size)]

    def _segment(self, number: int, place: float) -> Tensor:
        recording = self._recordings[number]
        data = self._store.read_bytes(recording.corpus, self._source, recording.utterance_id)
        wav = cut(data, recording, place, self._sizes.sample_rate, self._sizes.num_samples)
        return torch.from_numpy(wav) / self._level(number, data)

    def _level(self, number: int, data: bytes) -> float:
        """The level of the whole utterance, because a pause must not become loud; measured once per utterance."""
        if self._sizes.gain is Gain.NONE:
            return 1.0
        if number not in self._levels:
            whole = _decode(data, 0, self._recordings[number].num_samples)
            rate = self._recordings[number].sample_rate
            self._levels[number] = level(self._sizes.gain, torch.from_numpy(whole)[None], rate).item()
        return self._levels[number]


def list_recordings(root: Path, source: str, corpora: Sequence[str]) -> list[Recording]:
    """All recordings in the shards under `root/{corpus}/{source}`, sorted by name.

    Raises ShardError if a corpus has no shards there.
    """
    return sorted(
        recording for corpus in sorted(set(corpora)) for recording in _read_indexes(root / corpus / source, corpus)
    )


def split_off(recordings: Sequence[Recording], number: int, seed: int) -> tuple[list[Recording], list[Recording]]:
    """`number` recordings for validation, and the others for training.

    Hashes of the names decide, so the choice depends neither on the order nor on the shards of other corpora.
    Raises CodecTrainingError if no recording is left for training.
    """
    if len(recordings) <= number:
        raise CodecTrainingError(
            f"{len(recordings)} utterances are too few: {number} of them are for validation; "
            f"add corpora to codec_training.corpora, or lower validation_utterances"
        )
    by_hash = sorted(recordings, key=lambda one: hashlib.sha256(f"{seed}/{one.name}".encode()).digest())
    return by_hash[:number], sorted(by_hash[number:])


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
    """Float32 `[num_samples]` from a FLAC file, resampled; `place` in [0, 1) selects one of the possible starts.

    At a start, samples of both rates coincide, so that the result is a part of the resampled recording.
    A shorter recording is padded with zeros.
    """
    grid = recording.sample_rate // math.gcd(recording.sample_rate, sample_rate)
    length = -(-num_samples * recording.sample_rate // sample_rate)
    start = int(place * (max(0, recording.num_samples - length) // grid + 1)) * grid
    edge = math.ceil(EDGE_DURATION * recording.sample_rate / grid) * grid if sample_rate != recording.sample_rate else 0
    before = min(start, edge)
    samples = _decode(data, start - before, before + length + edge)
    wav = waveforms.resample(samples, recording.sample_rate, sample_rate).astype(np.float32)
    return waveforms.fit(wav[before * sample_rate // recording.sample_rate :], num_samples)


def _decode(data: bytes, start: int, num_samples: int) -> np.ndarray:
    """Up to `num_samples` float32 samples from `start` on; nothing before or after them is decoded."""
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        file.seek(start)
        return file.read(num_samples, dtype="float32")


def _read_indexes(folder: Path, corpus: str) -> Iterator[Recording]:
    indexes = visible(folder.glob("*.parquet"))
    if not indexes:
        raise shards.ShardError(
            f"{folder}: no shards to train on; write them with `codecfake step record` and sample_rate native"
        )
    for path in indexes:
        table = files.read_parquet(path, ("utterance_id", "num_samples", "sample_rate", "sha256"))
        for row in table.itertuples(index=False):
            yield Recording(corpus, row.utterance_id, int(row.num_samples), int(row.sample_rate), row.sha256)
