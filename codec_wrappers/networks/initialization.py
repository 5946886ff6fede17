"""How fresh weights start: a convolution gives out about the variance it takes in.

Torch's own start divides it by three at each layer, so that a deep codec begins, and for long stays, silent.
"""

import math

import torch
from torch import nn

from codec_wrappers.networks.weight_norm import NormedConv1d, NormedConvTranspose1d, length

WAVEFORM_LEVEL = 0.1  # of the one convolution that gives out a waveform: about the level of speech


@torch.no_grad()
def keep_variance(network: nn.Module) -> None:
    """Draw the weights of every 1-d convolution in `network` anew, from torch's generator; biases become zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            _draw(layer)


def _draw(layer: nn.Conv1d | nn.ConvTranspose1d) -> None:
    level = WAVEFORM_LEVEL if layer.out_channels == 1 else 1.0
    spread = level / math.sqrt(_inputs_per_output(layer))
    if isinstance(layer, NormedConv1d | NormedConvTranspose1d):
        layer.weight_v.normal_(std=spread)
        layer.weight_g.copy_(length(layer.weight_v))
    else:
        layer.weight.normal_(std=spread)
    if layer.bias is not None:
        layer.bias.zero_()


def _inputs_per_output(layer: nn.Conv1d | nn.ConvTranspose1d) -> float:
    taps = layer.in_channels // layer.groups * layer.kernel_size[0]
    return taps / layer.stride[0] if isinstance(layer, nn.ConvTranspose1d) else taps
