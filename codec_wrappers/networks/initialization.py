"""Initialization of fresh weights: a convolution roughly preserves the variance of its input.

Torch's default divides the variance by three in each layer, so that a deep codec starts silent and stays silent for
long. Residual units start near the identity: at full level, each would double the variance, a dozen would multiply it
by 4096. AudioDec's units do not: they have its only activations, so it would start as a linear network.
"""

import math
import re
from typing import Any

import torch
from torch import nn

from codec_wrappers.networks.weight_norm import NormedConv1d, NormedConvTranspose1d, length

BRANCH_LEVEL = 0.1
BRANCH_END = re.compile(r"(layers\.\d+\.conv1|convs2\.\d+|block\.3(\.conv\.conv)?)$")
WAVEFORM_LEVEL = 0.1  # about the level of speech; channels inside a codec start at 1


@torch.no_grad()
def keep_variance(network: nn.Module) -> None:
    """Draw new weights for every 1-d convolution in `network` from torch's generator, and set biases to zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            _draw(layer)
    quiet_branches(network)


@torch.no_grad()
def quiet_branches(network: nn.Module) -> None:
    """Scale down the last convolution of every residual branch in `network`; its name identifies it."""
    for name, layer in network.named_modules():
        if BRANCH_END.search(name) and isinstance(layer, nn.Conv1d):
            scale: Any = layer.weight_g if hasattr(layer, "weight_g") else layer.weight
            scale.mul_(BRANCH_LEVEL)


def _draw(layer: nn.Conv1d | nn.ConvTranspose1d) -> None:
    spread = _level(layer) / math.sqrt(_inputs_per_output(layer))
    if isinstance(layer, NormedConv1d | NormedConvTranspose1d):
        layer.weight_v.normal_(std=spread)
        layer.weight_g.copy_(length(layer.weight_v))
    elif hasattr(layer, "weight_g"):
        raise TypeError(f"{layer} has torch's weight normalization; use keep_package_variance")
    else:
        layer.weight.normal_(std=spread)
    if layer.bias is not None:
        layer.bias.zero_()


def _level(layer: nn.Conv1d | nn.ConvTranspose1d) -> float:
    if layer.in_channels == 1:
        return 1 / WAVEFORM_LEVEL
    return WAVEFORM_LEVEL if layer.out_channels == 1 else 1.0


def _inputs_per_output(layer: nn.Conv1d | nn.ConvTranspose1d) -> float:
    taps = layer.in_channels // layer.groups * layer.kernel_size[0]
    return taps / layer.stride[0] if isinstance(layer, nn.ConvTranspose1d) else taps
