"""Measures for training and validating a codec: distances between spectra, and SI-SDR."""

import math
import warnings
from collections.abc import Callable

import torch
import torchaudio
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.training.recipe import Spectra
from codecfake.base import precision

MEL_DISTANCE = {"mel_scale": "htk", "mel_norm": None, "normalization": "sum"}  # of validation, for every recipe


class SpectralDistance(nn.Module):
    """The weighted distance between the spectra of two wavs `[B, T]`, which are extended by reflection.

    A wav that is shorter than an FFT is first padded with zeros.
    """

    def __init__(self, settings: Spectra, sample_rate: int) -> None:
        super().__init__()
        lengths = settings.windows or tuple(_nearest_power(sample_rate * each) for each in settings.window_durations)
        hops = settings.hops or tuple(length // 4 for length in lengths)
        bands = settings.mels or (None,) * len(lengths)
        scales = zip(lengths, hops, bands, strict=True)
        self.scales = nn.ModuleList(_Scale(settings, sample_rate, *scale) for scale in scales)
        self._logarithm: Callable[[Tensor], Tensor] = torch.log10 if settings.logarithm == "log10" else torch.log
        self._floor = settings.floor
        unused = (0.0,) * len(lengths)
        terms = (settings.linear_absolute or unused, settings.log_absolute or unused, settings.log_squared or unused)
        self._weights = list(zip(*terms, strict=True))

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        with precision.exact(estimate.device.type):
            return self._distance(estimate, target)

    def _distance(self, estimate: Tensor, target: Tensor) -> Tensor:
        total = estimate.new_zeros(())
        for scale, (linear, log_absolute, log_squared) in zip(self.scales, self._weights, strict=True):
            ours, reference = scale(estimate), scale(target)
            if linear:
                total = total + linear * F.l1_loss(ours, reference)
            if log_absolute or log_squared:
                difference = self._log(ours) - self._log(reference)
                total = total + log_absolute * difference.abs().mean() + log_squared * difference.square().mean()
        return total

    def _log(self, spectrum: Tensor) -> Tensor:
        return self._logarithm(spectrum.clamp(min=self._floor))


class MelDistance(nn.Module):
    """Mean absolute difference of log10 mel amplitude spectrograms of two wavs `[B, T]`; 0.1 is 2 dB."""

    def __init__(self, sample_rate: int, window: int, num_mels: int) -> None:
        super().__init__()
        settings = Spectra(windows=(window,), mels=(num_mels,), log_absolute=(1.0,), **MEL_DISTANCE)  # type: ignore[arg-type]
        self._distance = SpectralDistance(settings, sample_rate)

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        return self._distance(estimate, target)


class _Scale(nn.Module):
    """Spectra over one window: `[B, T] -> [B, F, M]`, the FFT's bins or mel bands."""

    window: Tensor
    bands: Tensor | None

    def __init__(self, settings: Spectra, sample_rate: int, length: int, hop: int, mels: int | None) -> None:
        super().__init__()
        self.fft_size, self.hop, self.power = settings.fft_size or length, hop, settings.power
        self.reflected = (self.fft_size if settings.centered else self.fft_size - hop) // 2  # samples
        window = torch.hann_window(length)
        window = window / _NORMS[settings.normalization](window)
        self.register_buffer("window", window, persistent=False)
        bands = None if mels is None else _mel_bands(settings, sample_rate, self.fft_size, mels)
        self.register_buffer("bands", bands, persistent=False)

    def forward(self, wav: Tensor) -> Tensor:
        filled = F.pad(wav, (0, max(0, self.fft_size - wav.shape[1])))
        padded = F.pad(filled, (self.reflected, self.reflected), "reflect")
        spectrum = torch.stft(
            padded, self.fft_size, self.hop, len(self.window), window=self.window, center=False, return_complex=True
        )
        values = spectrum.transpose(1, 2).abs().pow(self.power)
        return values if self.bands is None else values @ self.bands


_NORMS: dict[str, Callable[[Tensor], float]] = {
    "none": lambda window: 1.0,
    "sum": lambda window: float(window.sum()),
    "energy": lambda window: float(window.square().sum().sqrt()),
    "length": lambda window: math.sqrt(len(window)),
}


def _mel_bands(settings: Spectra, sample_rate: int, fft_size: int, mels: int) -> Tensor:
    highest = settings.highest_hz or sample_rate / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # published recipes have more bands than short windows have bins
        return torchaudio.functional.melscale_fbanks(
            fft_size // 2 + 1,
            settings.lowest_hz,
            highest,
            mels,
            sample_rate,
            norm=settings.mel_norm,
            mel_scale=settings.mel_scale,
        )


def _nearest_power(samples: float) -> int:
    return 2 ** round(math.log2(samples))


def si_sdr_db(estimate: Tensor, target: Tensor) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, mean over the rows of `[B, T]` (Le Roux et al. 2019)."""
    from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

    return float(scale_invariant_signal_distortion_ratio(estimate, target, zero_mean=True).mean())
