"""Settings of the back-ends; the defaults are the published ones. This module needs no torch."""

from collections.abc import Collection
from dataclasses import dataclass

from codecfake.base.settings import fault
from codecfake.base.suggestions import unknown

NODES = ("attention", "max")
HEADS = LINEAR, SINGLE, COSINE = ("linear", "single", "cosine")
FORMS = PLAIN, X = ("plain", "x")
ACTIVATIONS = RELU, SELU = ("relu", "selu")
POOLINGS = MEAN, ASTP = ("mean", "astp")


def require_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Raise a fault of the setting `name` unless its value is one of the choices."""
    if value not in choices:
        raise fault(unknown(name, value, choices), name)


def require_positive(owner: str, **values: int) -> None:
    """Raise a fault of the first setting that is not at least 1."""
    for name, value in values.items():
        if value < 1:
            raise fault(f"{owner} {name} is {value}; it must be at least 1", name)


@dataclass(frozen=True)
class LcnnSettings:
    width: float = 1.0  # of every layer, relative to the published network
    head: str = LINEAR  # the last layer: two logits; single: one; cosine: a cosine, for loss: oc_softmax

    def __post_init__(self) -> None:
        require_choice("head", self.head, HEADS)
        if self.width <= 0:
            raise ValueError(f"lcnn width is {self.width}; it must be positive")


@dataclass(frozen=True)
class AasistSettings:
    """Defaults are W2V2-AASIST's.

    AASIST is `{projection: null, block_pool: 3, nodes: max, pool_ratios: [0.5, 0.7, 0.5]}`; AASIST-L is
    `{…, channels: [32, 24], graph_dims: [24, 32], pool_ratios: [0.4, 0.5, 0.7]}`.
    """

    projection: int | None = 128  # features are first mapped to this size; null: not mapped
    channels: tuple[int, int] = (32, 64)  # of residual blocks 1 and 2, and 3 to 6
    graph_dims: tuple[int, int] = (64, 32)  # of the two separate graphs, and of the joint one
    pool_ratios: tuple[float, float, float] = (0.5, 0.5, 0.5)  # of the spectral, the temporal and the joint graph
    block_pool: int = 1  # each residual block divides the number of frames by it
    nodes: str = "attention"  # how a node summarizes its row of the spectrogram: attention, or max of magnitudes
    head: str = LINEAR

    def __post_init__(self) -> None:
        require_choice("head", self.head, HEADS)
        if self.nodes not in NODES:
            raise fault(unknown("kind of nodes", self.nodes, NODES), "nodes")
        for name, length in (("channels", 2), ("graph_dims", 2), ("pool_ratios", 3)):
            if len(getattr(self, name)) != length:
                raise ValueError(f"aasist {name} is {list(getattr(self, name))}; {length} numbers are needed")


@dataclass(frozen=True)
class PoolingSettings:
    head: str = LINEAR

    def __post_init__(self) -> None:
        require_choice("head", self.head, HEADS)


@dataclass(frozen=True)
class SlsSettings:
    hidden: int = 1024  # numbers between the two last layers

    def __post_init__(self) -> None:
        require_positive("sls", hidden=self.hidden)


@dataclass(frozen=True)
class Nes2NetSettings:
    """Defaults are the speech models' on XLS-R; those for singing (CtrSVDD) have `{dilation: 1, head: single}`."""

    form: str = X  # of the inner blocks: Nes2Net-X, or plain
    activation: str = RELU  # or selu
    groups: tuple[int, int] = (8, 8)  # outer and inner parts of the features; their product divides the dimension
    dilation: int = 2  # in frames, of the inner convolutions; a checkpoint does not show it
    se_ratio: int = 1  # how much smaller the bottleneck of squeeze-excitation is
    pooling: str = MEAN  # over time; or astp, attentive mean and standard deviation
    head: str = LINEAR

    def __post_init__(self) -> None:
        require_choice("form", self.form, FORMS)
        require_choice("activation", self.activation, ACTIVATIONS)
        require_choice("pooling", self.pooling, POOLINGS)
        require_choice("head", self.head, HEADS)
        require_positive("nes2net", dilation=self.dilation, se_ratio=self.se_ratio)
        if len(self.groups) != 2 or min(self.groups) < 2:
            raise fault(f"nes2net groups are {list(self.groups)}; two numbers of at least 2 are needed", "groups")


@dataclass(frozen=True)
class MhfaSettings:
    heads: int = 32
    compression: int = 128  # numbers per frame of keys and of values
    embedding: int = 256
    head: str = LINEAR

    def __post_init__(self) -> None:
        require_choice("head", self.head, HEADS)
        require_positive("mhfa", heads=self.heads, compression=self.compression, embedding=self.embedding)


@dataclass(frozen=True)
class ConformerSettings:
    """Defaults are the published ones, which expect clips of 66,800 samples."""

    tcm: bool = True  # temporal-channel modelling; false: a plain conformer, whose class token alone is read
    dimension: int = 144  # a multiple of `heads`
    blocks: int = 4
    heads: int = 4
    kernel_size: int = 31  # in frames, of the convolutions; odd
    head: str = LINEAR

    def __post_init__(self) -> None:
        require_choice("head", self.head, HEADS)
        sizes = {"dimension": self.dimension, "blocks": self.blocks, "heads": self.heads}
        require_positive("conformer", **sizes, kernel_size=self.kernel_size)
        if self.dimension % (2 * self.heads):
            multiple = 2 * self.heads
            raise fault(f"conformer dimension is {self.dimension}; it must be a multiple of {multiple}", "dimension")
        if self.kernel_size % 2 == 0:
            raise fault(f"conformer kernel_size is {self.kernel_size}; it must be odd", "kernel_size")
