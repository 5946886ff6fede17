"""The level that a codec expects of its input."""

import torch
from torch import Tensor

from codec_wrappers.codec import Gain
from codecfake.audio import loudness

RMS_FLOOR = 1e-8  # FunCodec's
DBFS_FLOOR, DBFS_25 = 1e-6, 10 ** (-25 / 20)  # VibeVoice's


def level(gain: Gain, wav: Tensor, sample_rate: int | None = None) -> Tensor:
    """The factor `[B, 1]` by which wav is divided before the codec and multiplied after it.

    Loudness is measured at `sample_rate`. Raises ValueError if that is necessary and `sample_rate` is None.
    """
    if gain is Gain.UNIT_RMS:
        return wav.square().mean(dim=1, keepdim=True).sqrt() + RMS_FLOOR
    if gain is Gain.PEAK_095:
        peak = wav.abs().amax(dim=1, keepdim=True) / 0.95
        return torch.where(peak > 0, peak, torch.ones_like(peak))
    if gain is Gain.LUFS_16:
        if sample_rate is None:
            raise ValueError("gain lufs needs the codec's sample rate, but this codec has none; use rms or peak")
        return loudness.level(wav, sample_rate)
    if gain is Gain.DBFS_25:
        rms = (wav.square().mean(dim=1, keepdim=True).sqrt() + DBFS_FLOOR) / DBFS_25
        return torch.maximum(rms, wav.abs().amax(dim=1, keepdim=True))
    return torch.ones_like(wav[:, :1])
