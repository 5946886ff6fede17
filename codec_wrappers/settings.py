"""The settings of the package's codecs, and the shape of the codes that follows from them.

Nothing here imports torch, so that Snakemake can check settings before the first job without torch or codecs.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from codecfake.base.settings import Range, fault
from codecfake.base.suggestions import unknown

Count = Annotated[int, Range(least=1)]
Share = Annotated[float, Range(least=0, most=1)]

REMAINDERS = ("drop", "pad")  # what happens to samples after the last whole frame

SOUNDSTREAM_FORMS = ("kaiidams", "academicodec")
SOUNDSTREAM_CODEBOOKS = 24  # of form academicodec as published, for 12 kbit/s
SEANET_STRIDES = (2, 4, 5, 8)  # of EnCodec and SpeechTokenizer as published
FUNCODEC_STRIDES = {"ds320": (2, 4, 5, 8), "ds640": (2, 2, 4, 5, 8)}  # of the waveform
FUNCODEC_GROUPS = {"freqcodec_gr1": 1, "freqcodec_gr8": 8}  # of the short-time spectrum
FUNCODEC_SPECTRUM_HOP = 320
AUDIODEC_DECODERS = ("vocoder", "symmetric")
HIFICODEC_STAGES = 2  # stages of the quantizer, each over all groups
DAC_PUBLISHED = {44_100: ((2, 4, 8, 8), 9), 24_000: ((2, 4, 5, 8), 32), 16_000: ((2, 4, 5, 8), 12)}
DAC_MODES = ("file", "chunked")


class Codebooks:
    """Settings of a codec whose codebooks all have one size."""

    codebook_size: int

    @property
    def bits_per_code(self) -> float:
        return math.log2(self.codebook_size)


class Strided(ABC):
    """Settings of a codec whose frames are as long as the strides of its encoder, multiplied."""

    @property
    @abstractmethod
    def strides(self) -> tuple[int, ...]: ...

    @property
    def hop_length(self) -> int:
        return math.prod(self.strides)


@dataclass(frozen=True)
class PassthroughSettings:
    """No settings."""

    sample_rate: ClassVar[int | None] = None
    hop_length: ClassVar[int] = 1
    num_quantizers: ClassVar[int] = 1
    bits_per_code: ClassVar[float] = 32.0


@dataclass(frozen=True)
class SoundstreamSettings(Codebooks, Strided):
    form: str = "kaiidams"
    channels: Count = 32  # of the first layer; they double at each stride
    strides: tuple[Count, ...] = (2, 4, 5, 8)
    dimension: Count = 512  # of the latent
    num_quantizers: Count = 8
    num_codebooks: Count | None = None  # in the weights, form academicodec only; None: the published 24
    codebook_size: Count = 1024
    codebook_decay: Share = 0.99
    remainder: str = "drop"  # the decoder's missing last samples; form kaiidams can "pad"
    quantizer_dropout: Share = 1.0  # share of training batches that use a random number of codebooks

    sample_rate: ClassVar[int] = 16_000

    def __post_init__(self) -> None:
        _require_one_of("form", self.form, SOUNDSTREAM_FORMS)
        _require_one_of("remainder", self.remainder, REMAINDERS)
        if self.form == "academicodec" and self.remainder != "drop":
            raise fault("form academicodec leaves nothing out; remove `remainder`", "remainder")
        if self.form == "kaiidams" and self.num_codebooks is not None:
            raise fault("form kaiidams has num_quantizers codebooks; remove `num_codebooks`", "num_codebooks")
        if self.form == "academicodec" and self.total_codebooks < self.num_quantizers:
            raise fault(
                f"{self.num_quantizers} of {self.total_codebooks} codebooks; raise num_codebooks, or lower this number",
                "num_quantizers",
            )

    @property
    def total_codebooks(self) -> int:
        return SOUNDSTREAM_CODEBOOKS if self.num_codebooks is None else self.num_codebooks


@dataclass(frozen=True)
class SpeechTokenizerSettings(Codebooks, Strided):
    n_filters: Count = 64
    strides: tuple[Count, ...] = SEANET_STRIDES
    dimension: Count = 1024
    semantic_dimension: Count = 768
    lstm_layers: Count = 2
    n_q: Count = 8
    codebook_size: Count = 1024

    sample_rate: ClassVar[int] = 16_000

    @property
    def num_quantizers(self) -> int:
        return self.n_q


@dataclass(frozen=True)
class FuncodecSettings(Codebooks):
    architecture: str = "ds640"
    strides: tuple[Count, ...] | None = None  # of the waveform; None: as published for the architecture
    n_filters: Count = 32
    dimension: Count = 128
    lstm_layers: Count = 2
    num_quantizers: Count = 32
    codebook_size: Count = 1024
    quantizer_dropout: Share = 1.0  # share of training batches that use a random number of codebooks
    config: dict[str, Any] | None = None  # the package's own; its sizes then replace the above

    sample_rate: ClassVar[int] = 16_000

    def __post_init__(self) -> None:
        _require_one_of("architecture", self.architecture, (*FUNCODEC_STRIDES, *FUNCODEC_GROUPS))
        if self.strides is not None and self.architecture in FUNCODEC_GROUPS:
            raise fault(f"{self.architecture} codes a spectrum, not the waveform; remove `strides`", "strides")

    @property
    def hop_length(self) -> int:
        strides = self.strides or FUNCODEC_STRIDES.get(self.architecture)
        return FUNCODEC_SPECTRUM_HOP if strides is None else math.prod(strides)


@dataclass(frozen=True)
class EncodecSettings(Codebooks, Strided):
    n_filters: Count = 32
    strides: tuple[Count, ...] = SEANET_STRIDES
    dimension: Count = 128
    lstm_layers: Count = 2
    num_quantizers: Count = 32
    codebook_size: Count = 1024
    quantizer_dropout: Share = 1.0  # share of training batches that use a random number of codebooks

    sample_rate: ClassVar[int] = 24_000


@dataclass(frozen=True)
class AudioDecSettings(Codebooks, Strided):
    """Defaults: libritts_v1, the autoencoder `symAD_libritts_24000_hop300` with its v1 vocoder."""

    decoder: str = "vocoder"
    sample_rate: Count = 24000
    channels: Count = 32
    channel_ratios: tuple[Count, ...] = (2, 4, 8, 16)
    strides: tuple[Count, ...] = (3, 4, 5, 5)
    dimension: Count = 64  # of the latent
    num_quantizers: Count = 8
    codebook_size: Count = 1024
    codebook_decay: Share = 0.8
    vocoder_channels: Count = 512
    lookahead: Annotated[int, Range(least=0)] = 0  # samples by which codes follow the wav; as published, they lead it

    def __post_init__(self) -> None:
        _require_one_of("decoder", self.decoder, AUDIODEC_DECODERS)
        if len(self.channel_ratios) != len(self.strides):
            numbers = f"{len(self.channel_ratios)} ratios for {len(self.strides)} strides"
            raise fault(f"{numbers}; give one for each stride", "channel_ratios")


@dataclass(frozen=True)
class AcademicodecSettings(Codebooks, Strided):
    sample_rate: Count = 24000
    peak_normalize: bool = False  # True: as Wu et al. (2024) ran it; its author calls it unnecessary
    channels: Count = 512  # of the latent; each stage toward the waveform has half as many
    strides: tuple[Count, ...] = (2, 4, 5, 8)
    kernels: tuple[Count, ...] = (3, 7, 11)  # of the residual blocks
    dilations: tuple[Count, ...] = (1, 3, 5)
    groups: Count = 2
    codebook_size: Count = 1024
    remainder: str = "drop"  # the samples after the last whole frame, as published; "pad": zeros complete a frame

    def __post_init__(self) -> None:
        _require_one_of("remainder", self.remainder, REMAINDERS)
        least = 2 ** len(self.strides)
        if self.channels % least or self.channels % self.groups:
            raise fault(
                f"{self.channels} channels cannot be halved {len(self.strides)} times and split into "
                f"{self.groups} groups; give a multiple of {math.lcm(least, self.groups)}",
                "channels",
            )

    @property
    def num_quantizers(self) -> int:
        return HIFICODEC_STAGES * self.groups


@dataclass(frozen=True)
class DacSettings(Codebooks, Strided):
    sample_rate: Count = 44_100
    mode: str = "file"  # or "chunked"; the weights are the same, training uses file (segments with padding)
    encoder_dim: Count = 64
    encoder_rates: tuple[Count, ...] | None = None  # None (also below): as published for the sample rate
    latent_dim: Count | None = None
    decoder_dim: Count = 1536
    decoder_rates: tuple[Count, ...] | None = None
    n_codebooks: Count | None = None
    codebook_size: Count = 1024
    codebook_dim: Count = 8
    quantizer_dropout: Share = 0.5  # share of a training batch that uses a random number of codebooks

    def __post_init__(self) -> None:
        if self.sample_rate not in DAC_PUBLISHED:
            choices = ", ".join(str(rate) for rate in DAC_PUBLISHED)
            raise fault(f"{self.sample_rate} is none of DAC's sample rates; choose from {choices}", "sample_rate")
        _require_one_of("mode", self.mode, DAC_MODES)

    @property
    def strides(self) -> tuple[int, ...]:
        """The strides of the encoder."""
        return self.encoder_rates or DAC_PUBLISHED[self.sample_rate][0]

    @property
    def num_quantizers(self) -> int:
        return self.n_codebooks or DAC_PUBLISHED[self.sample_rate][1]


@dataclass(frozen=True)
class LyraSettings:
    """No settings."""

    sample_rate: ClassVar[int] = 16_000
    hop_length: ClassVar[int] = 320
    num_quantizers: ClassVar[int] = 46
    bits_per_code: ClassVar[float] = 4.0


def _require_one_of(key: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise fault(unknown(key, value, choices), key)
