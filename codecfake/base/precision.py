"""How exactly networks are computed in training, and the parts of it that must be as exact as encoding.

Everything but training is computed in float32 without TF32, which `devices.prepare` sets: small differences decide
codes, and no job that writes codes or scores enters `training`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from codecfake.base.precision_names import AUTO, BFLOAT16, FLOAT32, TF32
from codecfake.base.settings import fault

__all__ = ["exact", "networks", "resolved", "tf32", "training"]


def resolved(name: str, device: torch.device) -> str:
    """The precision on a device: of `auto`, bfloat16 on CUDA and float32 elsewhere.

    Raises SettingsError for TF32 without CUDA, which alone has it.
    """
    on_cuda = device.type == "cuda"
    if name == TF32 and not on_cuda:
        raise fault(
            f"{TF32} needs CUDA, but this job runs on {device.type}; set it to {AUTO} or {FLOAT32}", "precision"
        )
    if name == AUTO:
        return BFLOAT16 if on_cuda else FLOAT32
    return name


@contextmanager
def training(name: str) -> Iterator[None]:
    """Inside, products and convolutions in float32 may use TF32, also in the backward pass, unless `name` is float32.

    TF32 has the range of float32 and the 10-bit fraction of float16.
    """
    with tf32(name != FLOAT32):
        yield


@contextmanager
def networks(name: str, device_type: str) -> Iterator[None]:
    """For the forward pass of networks: autocast if `name` is bfloat16."""
    with torch.autocast(device_type, torch.bfloat16, enabled=name == BFLOAT16):
        yield


@contextmanager
def exact(device_type: str) -> Iterator[None]:
    """Inside, neither autocast nor TF32, whatever is around: for quantizers, losses and validation."""
    with torch.autocast(device_type, enabled=False), tf32(False):
        yield


@contextmanager
def tf32(is_allowed: bool) -> Iterator[None]:
    """Inside, products and convolutions in float32 may use TF32, or may not."""
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    products.allow_tf32 = convolutions.allow_tf32 = is_allowed
    try:
        yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before
