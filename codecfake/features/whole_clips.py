"""Recordings in full length, for detectors that were published for them."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from codecfake.audio import waveforms
from codecfake.detectors import SAMPLE_RATE
from codecfake.detectors.released_forms import WHOLE
from codecfake.features.clips import Clips


class WholeClips(Clips):
    """The whole recording of each trial, `[T]`, float32 at 16 kHz; only batches of one have equal lengths."""

    def __init__(self, trials: pd.DataFrame, audio_root: Path) -> None:
        super().__init__(trials, audio_root, num_samples=0, crop=WHOLE)

    def __getitem__(self, index: int) -> Tensor:
        samples, rate = waveforms.decode_int16(self._store.bytes_of(int(self._rows[index])))
        wav = samples / np.float32(waveforms.FULL_SCALE)
        return torch.from_numpy(waveforms.resample(wav, rate, SAMPLE_RATE).astype(np.float32))
