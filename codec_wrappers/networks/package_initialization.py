"""Fresh weights under which the packages' deep networks, which have no normalization layers, pass their input on.

The packages use torch's weight normalization; for networks of our own see `networks.initialization`.
"""

import math
from typing import Any

import torch
from torch import nn

from codec_wrappers.networks.initialization import quiet_branches


@torch.no_grad()
def keep_package_variance(network: nn.Module) -> None:
    """Scale weight-normed 1-d convolutions so that each keeps the variance of its input; set their biases to zero.

    PyTorch's own start divides the variance by three in every layer: speech at its usual level then reaches EnCodec's
    latent as a constant, and the first hundreds of training steps are spent on undoing that.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d) and hasattr(module, "weight_g"):
            _scale(module)
    quiet_branches(network)


def _scale(convolution: Any) -> None:
    if convolution.bias is not None:
        convolution.bias.zero_()
    if isinstance(convolution, nn.ConvTranspose1d):
        # a weight_g for each input channel; an output sample sums in_channels · kernel / stride products
        gain = math.sqrt(convolution.out_channels * convolution.stride[0] / convolution.in_channels)
    else:
        gain = 1.0  # a weight_g for each output channel is the norm of all weights that its sample sums over
    convolution.weight_g.fill_(gain)
