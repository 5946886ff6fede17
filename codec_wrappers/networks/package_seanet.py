"""The arguments of SEANet in the package `encodec`, for codecs that share EnCodec's encoder."""

from typing import Any, Protocol


class Sizes(Protocol):
    @property
    def n_filters(self) -> int: ...

    @property
    def strides(self) -> tuple[int, ...]: ...

    @property
    def dimension(self) -> int: ...

    @property
    def lstm_layers(self) -> int: ...


def seanet_arguments(sizes: Sizes) -> dict[str, Any]:
    """Those of `SEANetEncoder` and `SEANetDecoder` of the 24 kHz model."""
    return {
        "n_filters": sizes.n_filters,
        "dimension": sizes.dimension,
        "lstm": sizes.lstm_layers,
        "ratios": list(sizes.strides[::-1]),
        "norm": "weight_norm",
        "causal": True,
    }
