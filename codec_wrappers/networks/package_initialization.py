"""Fresh weights for the networks of packages: they are deep, have no normalization layers, and must preserve a signal.

The packages use torch's weight normalization; see `networks.initialization` for our own networks.
"""

import math
from typing import Any

import torch
from torch import nn

from codec_wrappers.networks.initialization import quiet_branches


@torch.no_grad()
def keep_package_variance(network: nn.Module) -> None:
    """Scale weight-normed 1-d convolutions so that each preserves the variance of its input; set biases to zero.

    PyTorch's default divides the variance by three in every layer. At its usual level, speech then reaches EnCodec's
    latent as a constant, and training needs hundreds of steps to undo that.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d) and hasattr(module, "weight_g"):
            _scale(module)
    quiet_branches(network)


def _scale(convolution: Any) -> None:
    if convolution.bias is not None:
        convolution.bias.zero_()
    if isinstance(convolution, nn.ConvTranspose1d):
        # one weight_g per input channel; an output sample sums in_channels · kernel / stride products
        gain = math.sqrt(convolution.out_channels * convolution.stride[0] / convolution.in_channels)
    else:
        gain = 1.0  # one weight_g per output channel, the norm of all weights in the sum of its sample
    convolution.weight_g.fill_(gain)
