"""Clips: trials as waveforms of one length at one rate, the input of every detector."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from codecfake import audio
from codecfake.detectors import SAMPLE_RATE
from codecfake.shards import AudioStore, ShardError
from codecfake.trials import RECORDING


class Clips(Dataset[Tensor]):
    """The clip of each trial, `[num_samples]`, float32 at 16 kHz. Raises ShardError if a recording is in no shard."""

    def __init__(self, trials: pd.DataFrame, audio_root: Path, num_samples: int) -> None:
        self._recordings = list(trials[RECORDING].itertuples(index=False, name=None))
        self._store = AudioStore(audio_root, [(corpus, source) for corpus, source, _ in self._recordings])
        self._num_samples = num_samples
        for corpus, source, utterance_id in self._recordings:
            if (corpus, source, utterance_id) not in self._store:
                raise ShardError(
                    f"{audio_root / corpus / source}: no utterance {utterance_id} in its shards, but a protocol "
                    f"names it; run the resynthesis of {source} again, or build the protocols from this audio"
                )

    def __len__(self) -> int:
        return len(self._recordings)

    def __getitem__(self, index: int) -> Tensor:
        samples, sample_rate = self._store.read(*self._recordings[index])
        wav = audio.resample(samples / audio.FULL_SCALE, sample_rate, SAMPLE_RATE)
        return torch.from_numpy(clip(wav, self._num_samples).astype(np.float32))


def clip(wav: np.ndarray, num_samples: int) -> np.ndarray:
    """The first `num_samples` of `[T]`; a shorter one is repeated until it is long enough."""
    if len(wav) == 0:
        raise ValueError("a recording without samples cannot be repeated")
    return np.resize(wav, num_samples)
