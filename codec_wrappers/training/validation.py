"""Validation of a codec in training: how well it reproduces held-out utterances, and how many codes it uses."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from codec_wrappers.codec import TrainableCodec
from codec_wrappers.resynthesis.levels import level
from codec_wrappers.resynthesis.shard import resynthesize
from codec_wrappers.training.losses import MelDistance, si_sdr_db

MEL_WINDOW, NUM_MELS = 1024, 80


@dataclass(frozen=True)
class Quality:
    """Means over utterances; `codebook_use` and `codebook_perplexity` are means over quantizers."""

    si_sdr_db: float
    mel_distance: float
    codebook_use: float  # share of the codes that were used at least once
    codebook_perplexity: float  # the number of codes with the same entropy if all were used equally often
    num_utterances: int


class Validation:
    """Resynthesizes whole utterances `[1, T]` as the workflow does, with `quantizers` quantizers."""

    def __init__(self, codec: TrainableCodec, wavs: list[Tensor], quantizers: int, device: torch.device) -> None:
        self._codec, self._quantizers = codec, quantizers
        self._mel = MelDistance(codec.sample_rate, MEL_WINDOW, NUM_MELS).to(device)
        self.wavs = [wav.to(device) for wav in wavs]
        self.outputs: list[Tensor] = []  # of the last call

    def __call__(self) -> Quality:
        self._codec.network.eval()
        self.outputs = [resynthesize(self._codec, wav, [self._quantizers])[0] for wav in self.wavs]
        pairs = list(zip(self.outputs, self.wavs, strict=True))
        use, perplexity = use_of_codes(self._counts())
        return Quality(
            si_sdr_db=float(np.mean([si_sdr_db(output, wav) for output, wav in pairs])),
            mel_distance=float(np.mean([float(self._mel(output, wav)) for output, wav in pairs])),
            codebook_use=use,
            codebook_perplexity=perplexity,
            num_utterances=len(pairs),
        )

    @torch.inference_mode()
    def _counts(self) -> Tensor:
        """The number of uses of each code, `[Q, N]`."""
        codec = self._codec
        counts = torch.zeros(self._quantizers, round(2**codec.bits_per_code))
        for wav in self.wavs:
            speech = wav / level(codec.gain, wav, codec.sample_rate)
            codes = codec.encode(torch.nn.functional.pad(speech, (0, -wav.shape[1] % codec.hop_length)))
            for count, row in zip(counts, codes[0, : self._quantizers].cpu(), strict=True):
                count += torch.bincount(row, minlength=len(count))
        return counts


def use_of_codes(counts: Tensor) -> tuple[float, float]:
    """The share of codes in use and the perplexity, both means over quantizers, from counts `[Q, N]`."""
    shares = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    entropy = torch.special.entr(shares).sum(dim=1)
    return (counts > 0).float().mean().item(), entropy.exp().mean().item()
