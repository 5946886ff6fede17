"""What a codec is trained and judged by: distances between mel spectrograms, and SI-SDR."""

import torch
import torchaudio
from torch import Tensor, nn

FLOOR = 1e-5  # amplitude under which mel bands count as silence


class MelDistance(nn.Module):
    """Mean absolute difference of log10 mel amplitude spectrograms of two wavs `[B, T]`; 0.1 is 2 dB."""

    banks: Tensor
    window: Tensor

    def __init__(self, sample_rate: int, window: int, num_mels: int) -> None:
        super().__init__()
        self.window_length = window
        banks = torchaudio.functional.melscale_fbanks(
            window // 2 + 1, 0.0, sample_rate / 2, num_mels, sample_rate, norm=None, mel_scale="htk"
        )
        self.register_buffer("banks", banks, persistent=False)
        self.register_buffer("window", torch.hann_window(window), persistent=False)

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        return self.difference(estimate, target).abs().mean()

    def difference(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Signed, for every frame and band: `[B, F, M]`."""
        return self._log_mel(estimate) - self._log_mel(target)

    def _log_mel(self, wav: Tensor) -> Tensor:
        size = self.window_length
        padded = torch.nn.functional.pad(wav, (0, max(0, size - wav.shape[1])))
        spectrum = torch.stft(padded, size, size // 4, window=self.window, return_complex=True)
        mel = spectrum.abs().transpose(1, 2) @ self.banks / self.window.sum()
        return mel.clamp(min=FLOOR).log10()


class MultiScaleMelLoss(nn.Module):
    """Absolute plus squared log10 mel difference, over windows of about 12, 24 and 48 ms.

    No single window sees both pitch and onsets. The square, which the absolute value alone lacks, makes a spectrum
    that stays at the mean of speech a bad answer; both together are the loss of Défossez et al. 2022.
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        shortest = 2 ** round(torch.log2(torch.tensor(sample_rate * 0.012)).item())
        scales = ((shortest, 32), (2 * shortest, 64), (4 * shortest, 80))
        self.distances = nn.ModuleList(MelDistance(sample_rate, window, mels) for window, mels in scales)

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        differences = [distance.difference(estimate, target) for distance in self.distances]  # type: ignore[operator]
        return torch.stack([part.abs().mean() + part.square().mean() for part in differences]).mean()


def si_sdr_db(estimate: Tensor, target: Tensor) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, mean over the rows of `[B, T]` (Le Roux et al. 2019)."""
    from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

    return float(scale_invariant_signal_distortion_ratio(estimate, target, zero_mean=True).mean())
