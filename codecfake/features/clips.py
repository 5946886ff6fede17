"""Clips: trials as waveforms of equal length at one rate, the input of every detector."""

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import Tensor
from torch.utils.data import Dataset

from codecfake.audio import waveforms
from codecfake.audio.shards import AudioStore, ShardError
from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.chain import Chain
from codecfake.features.settings import FIRST, RANDOM, REPEAT, ZERO
from codecfake.protocols.trials import RECORDING


class Clips(Dataset[Tensor]):
    """The clip of each trial, `[num_samples]`, float32 at 16 kHz.

    The index of an item is `epoch * len(clips) + trial`. With `crop: random` or a chain of augmentations, a recording's
    clip depends only on `seed`, the epoch and the recording, not on the worker, the list or the key.

    With `shortest` and `crop: random`, a recording of more than `num_samples` is cut to a random length from `shortest`
    to `num_samples`, and another one stays whole; `stacked` makes a batch of such clips.

    Raises ShardError if a recording is in no shard.
    """

    def __init__(
        self,
        trials: pd.DataFrame,
        audio_root: Path,
        num_samples: int,
        crop: str = FIRST,
        pad: str = REPEAT,
        chain: Chain | None = None,
        seed: int = 0,
        shortest: int | None = None,
    ) -> None:
        self._store = AudioStore(audio_root, trials[["corpus", "source"]].itertuples(index=False, name=None))
        self._rows = self._store.index.rows(trials[RECORDING])
        self.num_samples, self._crop, self._pad = num_samples, crop, pad
        self._chain = chain or Chain()
        self._seed, self._shortest = seed, shortest
        for corpus, source, utterance_id in trials.loc[self._rows < 0, RECORDING].itertuples(index=False, name=None):
            raise ShardError(
                f"{audio_root / corpus / source}: no utterance {utterance_id} in its shards, but a protocol "
                f"names it; run the resynthesis of {source} again, or build the protocols from this audio"
            )

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Tensor:
        epoch, trial = divmod(index, len(self))
        row = int(self._rows[trial])
        rng = self._rng(epoch, row) if self.vary else None
        wav, num_samples = self._segment(row, rng)
        if rng is not None and len(wav):
            wav = self._chain(wav.astype(np.float64), rng)
            wav = wav[_start(self._crop, len(wav), num_samples, rng) :]
        return torch.from_numpy(clip(wav, num_samples, self._pad).astype(np.float32))

    @property
    def vary(self) -> bool:
        """Whether the clip of a trial changes between epochs."""
        return self._crop == RANDOM or bool(self._chain)

    @property
    def differ_in_length(self) -> bool:
        """Whether clips have several lengths."""
        return self._shortest is not None

    def stacked(self, clips: Sequence[Tensor]) -> Tensor:
        """Clips of several lengths as a batch `[B, T]`, extended to the longest of them."""
        longest = max(map(len, clips))
        return torch.from_numpy(np.stack([clip(each.numpy(), longest, self._pad) for each in clips]))

    def recordings(self) -> pd.DataFrame:
        """Corpus, source and utterance of each trial's recording, its shard, and the sha256 of its bytes, in hex."""
        index, rows = self._store.index, self._rows
        shards = np.array([Path(tar).stem for tar in index.tars])
        names = np.empty((len(rows), 2), dtype=object)
        for name, its_rows in index.sources.items():
            names[(rows >= its_rows.start) & (rows < its_rows.stop)] = name
        return pd.DataFrame(
            {
                "corpus": names[:, 0],
                "source": names[:, 1],
                "utterance_id": index.utterance_ids.take(pa.array(rows)).to_pylist(),
                "shard": shards[index.entries["tar"][rows]],
                "recording_sha256": [digest.tobytes().hex() for digest in index.sha256[rows]],
            }
        )

    def digest(self) -> str:
        """sha256 of what determines the clips: names and bytes of the recordings in order, length, crop and padding."""
        index = self._store.index
        total = hashlib.sha256(f"{self.num_samples} {self._crop} {self._pad}".encode())
        for row in self._rows:
            total.update("\0".join(index.name(int(row))).encode() + index.sha256[row].tobytes())
        return total.hexdigest()

    def _rng(self, epoch: int, row: int) -> np.random.Generator:
        name = "\0".join((str(self._seed), str(epoch), *self._store.index.name(row)))
        return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()))

    def _segment(self, row: int, rng: np.random.Generator | None) -> tuple[np.ndarray, int]:
        """The part of a recording that the clip is made from, `[T]`, and the length of the clip.

        At 16 kHz, only this part is decoded.
        """
        entry = self._store.index.entries[row]
        data = self._store.bytes_of(row)
        if entry["sample_rate"] != SAMPLE_RATE:
            samples, rate = waveforms.decode_int16(data)
            whole = waveforms.resample(_full_scale(samples), rate, SAMPLE_RATE)
            num_samples, start, num_needed = self._place(len(whole), rng)
            return whole[start : start + num_needed], num_samples
        num_samples, start, num_needed = self._place(int(entry["num_samples"]), rng)
        return _full_scale(waveforms.decode_int16(data, start, num_needed)[0]), num_samples

    def _place(self, length: int, rng: np.random.Generator | None) -> tuple[int, int, int]:
        """Length of the clip of a recording of `length` samples; start and length of the part that it is made from."""
        num_samples = self.num_samples
        if self._shortest is not None and rng is not None:
            is_long = length > num_samples
            num_samples = int(rng.integers(self._shortest, num_samples + 1)) if is_long else length
        num_needed = math.ceil(num_samples * self._chain.stretch)
        return num_samples, _start(self._crop, length, num_needed, rng), num_needed


def _full_scale(samples: np.ndarray) -> np.ndarray:
    """Samples at full scale ±1 in float32, which represents 16 bits exactly."""
    return samples / np.float32(waveforms.FULL_SCALE)


def _start(crop: str, length: int, num_needed: int, rng: np.random.Generator | None) -> int:
    """The start of `num_needed` of `length` samples; with random crops, all possible starts are equally likely."""
    if crop == FIRST or length <= num_needed or rng is None:
        return 0
    return int(rng.integers(length - num_needed + 1))


def clip(wav: np.ndarray, num_samples: int, pad: str = REPEAT) -> np.ndarray:
    """The first `num_samples` of `[T]`; `LENGTHENED[pad]` extends a shorter waveform."""
    if len(wav) == 0:
        raise ValueError("a recording without samples cannot be extended to a clip; remove it")
    return wav[:num_samples] if len(wav) >= num_samples else LENGTHENED[pad](wav, num_samples)


LENGTHENED: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    REPEAT: np.resize,  # repeats it from the start: Xie et al. 2025 and the AASIST code
    ZERO: waveforms.fit,
}
