"""FunCodec's convolutions without the package's check of their outputs.

After each convolution, the package fetches a number from the GPU, which then stands still; if the number is not finite,
it ends the process with the exit code of a success. Resynthesis and training refuse such numbers themselves, and name
the utterance or the loss.
"""

from typing import Any

from torch import Tensor, nn


class Convolution(nn.Module):
    """The package's convolution and its norm, under the same names."""

    def __init__(self, checked: Any) -> None:
        super().__init__()
        self.conv, self.norm = checked.conv, checked.norm

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


def remove_checks(network: nn.Module) -> None:
    """Replace the convolutions that check their outputs; weights stay as they are."""
    from funcodec.modules.normed_modules.conv import NormConv1d

    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, NormConv1d):
                setattr(parent, name, Convolution(child))
