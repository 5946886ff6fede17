"""The settings of codecs of single packages that are used with published weights and cannot be trained here.

As in `settings`, nothing here imports torch.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from codec_wrappers.settings import SEANET_STRIDES, Codebooks, Count, Strided


@dataclass(frozen=True)
class VocosSettings(Codebooks):
    n_filters: Count = 32  # this and the next three: of EnCodec
    dimension: Count = 128
    lstm_layers: Count = 2
    codebook_size: Count = 1024
    num_codebooks: Count = 32  # of EnCodec's weights
    quantizer_choices: tuple[Count, ...] = (2, 4, 8, 16)  # numbers of codebooks that the decoder was trained with
    channels: Count = 384
    intermediate_channels: Count = 1152
    num_layers: Count = 8
    n_fft: Count = 1280
    seed: int | None = None  # of random weights, which are for tests

    sample_rate: ClassVar[int] = 24_000
    strides: ClassVar[tuple[int, ...]] = SEANET_STRIDES
    hop_length: ClassVar[int] = math.prod(SEANET_STRIDES)

    @property
    def num_quantizers(self) -> int:
        return self.quantizer_choices[-1]


@dataclass(frozen=True)
class SnacSettings(Codebooks):
    """Defaults: the model for speech, `snac_24khz`."""

    sampling_rate: Count = 24_000
    encoder_dim: Count = 48
    encoder_rates: tuple[Count, ...] = (2, 4, 8, 8)
    decoder_dim: Count = 1024
    attn_window_size: Count | None = None  # frames
    codebook_size: Count = 4096
    codebook_dim: Count = 8
    vq_strides: tuple[Count, ...] = (4, 2, 1)  # frames per code
    noise: bool = True  # in the decoder
    depthwise: bool = True
    seed: int | None = None  # of random weights, which are for tests

    @property
    def sample_rate(self) -> int:
        return self.sampling_rate

    @property
    def hop_length(self) -> int:
        return math.prod(self.encoder_rates)

    @property
    def num_quantizers(self) -> int:
        return len(self.vq_strides)

    @property
    def code_strides(self) -> tuple[int, ...]:
        return self.vq_strides


@dataclass(frozen=True)
class BigCodecSettings(Codebooks, Strided):
    ngf: Count = 48  # channels of the first layer
    strides: tuple[Count, ...] = (2, 2, 2, 5, 5)
    dimension: Count = 1024  # of the latent
    rnn_num_layers: Count = 2
    channels: Count = 1536  # of the first layer of the decoder
    codebook_size: Count = 8192
    codebook_dim: Count = 8
    seed: int | None = None  # of random weights, which are for tests

    sample_rate: ClassVar[int] = 16_000
    num_quantizers: ClassVar[int] = 1
