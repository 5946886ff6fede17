"""Convolutions whose weight is stored as a length `weight_g` and a direction `weight_v` (Salimans & Kingma 2016).

Published codec checkpoints use these two names; torch's parametrizations would save different ones.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize
from torch.nn.utils.weight_norm import WeightNorm, remove_weight_norm

_PARAMETRIZED = re.compile(r"(?<=\.)weight_([gv])$")


class NormedConv1d(nn.Conv1d):
    """`nn.Conv1d` with a normed weight."""

    weight_g: nn.Parameter
    weight_v: nn.Parameter

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _split_weight(self)

    def forward(self, input: Tensor) -> Tensor:
        weight = _join(self.weight_g, self.weight_v)
        return F.conv1d(input, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class NormedConvTranspose1d(nn.ConvTranspose1d):
    """`nn.ConvTranspose1d` with a normed weight."""

    weight_g: nn.Parameter
    weight_v: nn.Parameter
    padding: tuple[int, ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _split_weight(self)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        weight = _join(self.weight_g, self.weight_v)
        return F.conv_transpose1d(input, weight, self.bias, self.stride, self.padding)


def fold(network: nn.Module) -> None:
    """Compute each normed weight, ours or of torch's two kinds, once: the network is then faster, with the same output.

    After that it cannot be trained, or saved under the published names.
    """
    for module in list(network.modules()):
        if any(isinstance(hook, WeightNorm) for hook in module._forward_pre_hooks.values()):
            remove_weight_norm(module)
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")
        for name, child in module.named_children():
            if isinstance(child, NormedConv1d | NormedConvTranspose1d):
                setattr(module, name, _plain(child))


def parametrized(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with `weight_g` and `weight_v` under the names of torch's parametrizations."""
    return {_PARAMETRIZED.sub(_parametrized, name): tensor for name, tensor in tensors.items()}


def _parametrized(match: re.Match[str]) -> str:
    return f"parametrizations.weight.original{'gv'.index(match[1])}"


def _plain(normed: NormedConv1d | NormedConvTranspose1d) -> nn.Conv1d | nn.ConvTranspose1d:
    kind = nn.Conv1d if isinstance(normed, NormedConv1d) else nn.ConvTranspose1d
    plain = kind(
        normed.in_channels,
        normed.out_channels,
        normed.kernel_size,  # type: ignore[arg-type]
        stride=normed.stride,  # type: ignore[arg-type]
        padding=normed.padding,  # type: ignore[arg-type]
        dilation=normed.dilation,  # type: ignore[arg-type]
        groups=normed.groups,
        device="meta",
    )
    plain.weight = nn.Parameter(_join(normed.weight_g, normed.weight_v).detach())
    plain.bias = normed.bias
    return plain.train(normed.training)


def _split_weight(convolution: NormedConv1d | NormedConvTranspose1d) -> None:
    weight = convolution.weight.detach()
    del convolution.weight
    convolution.weight_g = nn.Parameter(length(weight))
    convolution.weight_v = nn.Parameter(weight)


def _join(weight_g: Tensor, weight_v: Tensor) -> Tensor:
    return weight_v * (weight_g / length(weight_v))


def length(weight: Tensor) -> Tensor:
    """The norm of a weight over all axes but the first, `[C, 1, 1]`."""
    return weight.norm(dim=(1, 2), keepdim=True)
