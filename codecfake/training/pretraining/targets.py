"""The classes to predict: clusters of log-mel frames, as in the first iteration of HuBERT (Hsu et al. 2021)."""

from collections.abc import Iterable

import torch
import torchaudio
from torch import Tensor

from codec_wrappers.networks.codebooks import kmeans

SAMPLE_RATE = 16_000
NUM_MELS = 40
FLOOR = 1e-4  # of mel powers, in the unit of crops with unit variance
FRAMES_PER_CROP = 60  # that take part in clustering


class LogMel:
    """Log-mel frames `[F, NUM_MELS]` of a waveform `[T]`, each band with zero mean over the waveform.

    Frame f begins at sample f × `hop` and has `window` samples, as that of the network.
    """

    def __init__(self, window: int, hop: int) -> None:
        self._spectrogram = torchaudio.transforms.MelSpectrogram(
            SAMPLE_RATE, n_fft=window, hop_length=hop, n_mels=NUM_MELS, center=False
        )

    def __call__(self, wav: Tensor) -> Tensor:
        frames = (self._spectrogram(wav) + FLOOR).log().T
        return frames - frames.mean(dim=0)


class Clusters:
    """K-means clusters of log-mel frames; torch's generator draws the frames and the start."""

    def __init__(self, crops: Iterable[Tensor], log_mel: LogMel, number: int) -> None:
        self._log_mel = log_mel
        self._centers, _ = kmeans(torch.cat([_some_rows(log_mel(crop)) for crop in crops]), number)

    def classes(self, wavs: Tensor) -> Tensor:
        """The cluster `[B, F]` of every frame of wavs `[B, T]`."""
        return torch.stack([torch.cdist(self._log_mel(wav), self._centers).argmin(dim=1) for wav in wavs])


def _some_rows(frames: Tensor) -> Tensor:
    return frames[torch.randperm(len(frames))[:FRAMES_PER_CROP]]
