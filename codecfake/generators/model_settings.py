"""What an experiment can set of each generator. Nothing here imports torch."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from codecfake.base.settings import Range, fault

Count = Annotated[int, Range(least=1)]
RANDOM = "random"  # in place of a folder or hub id: tiny random weights or tables, for tests


@dataclass(frozen=True)
class TokenSampling:
    """How the next token is drawn. The defaults are those of both repositories: from the whole distribution."""

    temperature: Annotated[float, Range(above=0)] = 1.0
    top_k: Count | None = None  # draw from this many most probable tokens; None: from all
    top_p: Annotated[float, Range(above=0, most=1)] = 1.0  # draw from the most probable tokens with this sum


@dataclass(frozen=True)
class ValleV2Sampling(TokenSampling):
    """How Amphion's second VALL-E draws tokens; the defaults are those of its network."""

    top_k: Count | None = 100
    top_p: Annotated[float, Range(above=0, most=1)] = 0.9
    most_positions: Count = 2000  # of phones, prompt and new codes together


@dataclass(frozen=True)
class AudiogenSampling:
    """How AudioGen draws tokens; the defaults are those of its repository for a duration of 10 s."""

    temperature: Annotated[float, Range(above=0)] = 1.0
    top_k: Count | None = 250
    guidance: Annotated[float, Range(least=0)] = 3.0  # null + guidance · (conditional − null)
    duration: Annotated[float, Range(above=0)] = 10.0  # seconds; more than 10 in overlapping windows


@dataclass(frozen=True)
class _ValleNetwork:
    """The sizes that VALL-E and VALL-E X have in common."""

    dimension: Count = 1024
    num_heads: Count = 16
    num_layers: Count = 12  # of each of the two transformers
    text_vocabulary: Count = 512
    codec_model: dict[str, Any] = field(default_factory=dict)  # settings of the codec wrapper

    def __post_init__(self) -> None:
        _require_even_heads(self.dimension, self.num_heads)


@dataclass(frozen=True)
class ValleSettings(_ValleNetwork):
    """VALL-E as in Amphion, first version; a checkpoint's args.json has the last word on the network."""

    begin_token: bool = False  # `prepend_bos`
    language: str = "en-us"  # of eSpeak NG


@dataclass(frozen=True)
class VallexSettings(_ValleNetwork):
    """VALL-E X as by Plachtaa."""

    text_vocabulary: Count = 2048
    decoder: Literal["vocos", "codec"] = "vocos"  # of codes to a waveform
    vocos: str = "charactr/vocos-encodec-24khz"  # folder or hub id of its weights, or "random"


@dataclass(frozen=True)
class ValleV2Settings:
    """VALL-E as in Amphion, second version."""

    tables: str = ""  # folder of phones.txt and lexicon.txt, or "random"
    dimension: Count = 1024
    feed_forward: Count = 4096
    num_heads: Count = 16
    num_layers: Count = 16  # of each of the two transformers
    codec_model: dict[str, Any] = field(default_factory=dict)  # settings of the codec wrapper

    def __post_init__(self) -> None:
        _require_even_heads(self.dimension, self.num_heads)


@dataclass(frozen=True)
class AudiogenSettings:
    """AudioGen; a checkpoint's own configuration has the last word on the network."""

    text_encoder: str = "google-t5/t5-large"  # folder or hub id of a T5, or "random"
    dimension: Count = 1536
    num_heads: Count = 24
    num_layers: Count = 48
    codec_filters: Count = 64  # of the codec's first layer

    def __post_init__(self) -> None:
        if self.dimension % self.num_heads:
            raise fault(f"{self.dimension} must be a multiple of the number of heads ({self.num_heads})", "dimension")


def _require_even_heads(dimension: int, num_heads: int) -> None:
    if dimension % (2 * num_heads):
        raise fault(f"{dimension} must be a multiple of twice the number of heads ({num_heads})", "dimension")
