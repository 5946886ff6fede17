"""Settings of the back-ends. This module needs no torch."""

from dataclasses import dataclass

from codecfake.base.settings import fault
from codecfake.base.suggestions import unknown

NODES = ("attention", "max")


@dataclass(frozen=True)
class LcnnSettings:
    width: float = 1.0  # of every layer, relative to the published network

    def __post_init__(self) -> None:
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

    def __post_init__(self) -> None:
        if self.nodes not in NODES:
            raise fault(unknown("kind of nodes", self.nodes, NODES), "nodes")
        for name, length in (("channels", 2), ("graph_dims", 2), ("pool_ratios", 3)):
            if len(getattr(self, name)) != length:
                raise ValueError(f"aasist {name} is {list(getattr(self, name))}; {length} numbers are needed")
