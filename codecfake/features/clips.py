"""Clips: trials as waveforms of one length at one rate, the input of every detector."""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
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

    Item `epoch * len(clips) + trial`: with `crop: random` or a chain of augmentations, a recording's clip depends on
    `seed`, the epoch and the recording, and on nothing else: neither the worker, nor the list, nor the key.

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
    ) -> None:
        self._store = AudioStore(audio_root, trials[["corpus", "source"]].itertuples(index=False, name=None))
        self._rows = self._store.index.rows(trials[RECORDING])
        self.num_samples, self._crop, self._pad = num_samples, crop, pad
        self._chain = chain or Chain()
        self._seed = seed
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
        wav = self._stretch(row, rng)
        if rng is not None and len(wav):
            wav = self._chain(wav.astype(np.float64), rng)
            wav = wav[_start(self._crop, len(wav), self.num_samples, rng) :]
        return torch.from_numpy(clip(wav, self.num_samples, self._pad).astype(np.float32))

    @property
    def vary(self) -> bool:
        """Whether the clip of a trial may be another one in another epoch."""
        return self._crop == RANDOM or bool(self._chain)

    def digest(self) -> str:
        """sha256 over what the clips are made of: names and bytes of the recordings in their order, and how cut."""
        index = self._store.index
        total = hashlib.sha256(f"{self.num_samples} {self._crop} {self._pad}".encode())
        for row in self._rows:
            total.update("\0".join(index.name(int(row))).encode() + index.sha256[row].tobytes())
        return total.hexdigest()

    def _rng(self, epoch: int, row: int) -> np.random.Generator:
        name = "\0".join((str(self._seed), str(epoch), *self._store.index.name(row)))
        return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()))

    def _stretch(self, row: int, rng: np.random.Generator | None) -> np.ndarray:
        """What the clip is made of, `[T]`; of a recording at 16 kHz no more is decoded than is needed."""
        entry = self._store.index.entries[row]
        wanted = math.ceil(self.num_samples * self._chain.stretch)
        data = self._store.bytes_of(row)
        if entry["sample_rate"] != SAMPLE_RATE:
            samples, rate = waveforms.decode_int16(data)
            whole = waveforms.resample(_scaled(samples), rate, SAMPLE_RATE)
            start = _start(self._crop, len(whole), wanted, rng)
            return whole[start : start + wanted]
        start = _start(self._crop, int(entry["num_samples"]), wanted, rng)
        return _scaled(waveforms.decode_int16(data, start, wanted)[0])


def _scaled(samples: np.ndarray) -> np.ndarray:
    """To full scale ±1, in float32, which holds 16 bits exactly."""
    return samples / np.float32(waveforms.FULL_SCALE)


def _start(crop: str, length: int, wanted: int, rng: np.random.Generator | None) -> int:
    """Where `wanted` of `length` samples start; every place that fits is as likely as any other."""
    if crop == FIRST or length <= wanted or rng is None:
        return 0
    return int(rng.integers(length - wanted + 1))


def clip(wav: np.ndarray, num_samples: int, pad: str = REPEAT) -> np.ndarray:
    """The first `num_samples` of `[T]`; a shorter one is made long enough as `LENGTHENED[pad]` does."""
    if len(wav) == 0:
        raise ValueError("a recording without samples cannot be made longer")
    return wav[:num_samples] if len(wav) >= num_samples else LENGTHENED[pad](wav, num_samples)


LENGTHENED: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    REPEAT: np.resize,  # from its start again, as often as needed: Xie et al. 2025 and the AASIST code
    ZERO: waveforms.fit,
}
