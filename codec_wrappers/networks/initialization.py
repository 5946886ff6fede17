"""How fresh weights start: every convolution passes its input on, with its energy, and every residual unit is silent.

Torch's own start divides the variance by three at each layer, so that a deep codec begins, and for long stays, silent.
Here a fresh codec is nearly a change of basis, from which the phase of a waveform can be learned in few steps.
"""

import re

import torch
from torch import nn

from codec_wrappers.networks.weight_norm import NormedConv1d, NormedConvTranspose1d, length

NOISE = 0.1  # amplitude, relative to the change of basis, of what breaks the symmetry between taps
BRANCH_LEVEL = 0.1
BRANCH_END = re.compile(r"(res_units\.\d+\.conv2|layers\.\d+\.conv1|convs2\.\d+|block\.3(\.conv\.conv)?)$")


@torch.no_grad()
def keep_energy(network: nn.Module) -> None:
    """Draw the weights of every 1-d convolution in `network` anew, from torch's generator; biases become zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            _draw(layer)
    quiet_branches(network)


@torch.no_grad()
def quiet_branches(network: nn.Module) -> None:
    """Scale down the last convolution of every residual branch in `network`, known by its name.

    At full level each branch would double the variance, a dozen of them by 4096.
    """
    for name, layer in network.named_modules():
        if BRANCH_END.search(name) and isinstance(layer, nn.Conv1d):
            (layer.weight_g if hasattr(layer, "weight_g") else layer.weight).mul_(BRANCH_LEVEL)


def _draw(layer: nn.Conv1d | nn.ConvTranspose1d) -> None:
    normed = isinstance(layer, NormedConv1d | NormedConvTranspose1d)
    shape = layer.weight_v.shape if normed else layer.weight.shape
    groups = layer.groups if isinstance(layer, nn.Conv1d) else 1
    parts = [_change_of_basis(shape[0] // groups, *shape[1:], layer.stride[0]) for _ in range(groups)]
    weight = torch.cat(parts)
    if normed:
        layer.weight_v.copy_(weight)
        layer.weight_g.copy_(length(layer.weight_v))
    else:
        layer.weight.copy_(weight)
    if layer.bias is not None:
        layer.bias.zero_()


def _change_of_basis(rows: int, columns: int, kernel: int, stride: int) -> torch.Tensor:
    """`[rows, columns, kernel]`: orthogonal over as many taps in the middle as the stride, and a little noise."""
    taps = kernel if 1 in (rows, columns) else stride  # a waveform has no channels to be turned, only time
    first = (kernel - taps + 1) // 2
    weight = torch.zeros(rows, columns, kernel)
    basis = nn.init.orthogonal_(torch.empty(rows, columns * taps))
    weight[..., first : first + taps] = basis.unflatten(1, (columns, taps))
    return weight + NOISE * torch.randn_like(weight) / (columns * kernel) ** 0.5
