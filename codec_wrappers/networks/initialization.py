"""How fresh weights start: a convolution gives out about the variance it takes in.

Torch's own start divides it by three at each layer, so that a deep codec begins, and for long stays, silent.
"""

import math

import torch
from torch import nn

from codec_wrappers.networks.weight_norm import NormedConv1d, NormedConvTranspose1d


@torch.no_grad()
def keep_variance(network: nn.Module) -> None:
    """Draw the weights of every 1-d convolution in `network` anew, from torch's generator; biases become zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            normed = isinstance(layer, NormedConv1d | NormedConvTranspose1d)
            weight = layer.weight_v if normed else layer.weight
            weight.normal_(std=1 / math.sqrt(_inputs_per_output(layer)))
            if normed:
                layer.weight_g.copy_(weight.norm(dim=(1, 2), keepdim=True))
            if layer.bias is not None:
                layer.bias.zero_()


def _inputs_per_output(layer: nn.Conv1d | nn.ConvTranspose1d) -> float:
    taps = layer.in_channels // layer.groups * layer.kernel_size[0]
    return taps / layer.stride[0] if isinstance(layer, nn.ConvTranspose1d) else taps
