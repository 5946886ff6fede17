"""Weights of a frozen front-end in half precision: rounded once, with the features that rounding each time gives."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.features import precision

LCNN = {"name": "lcnn", "width": 0.125}
SSL = {
    "weights": "random",
    "layer": 1,
    "config": {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "conv_dim": [8] * 7},
}
CLIP = 8_000  # samples


class Roundings(TorchDispatchMode):
    """Counts tensors that are brought to bfloat16."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self.count += func is torch.ops.aten._to_copy.default and kwargs.get("dtype") == torch.bfloat16
        return func(*args, **kwargs)


def front_end(name: str) -> nn.Module:
    torch.manual_seed(0)
    settings = {"name": "mel"} if name == "mel" else {**SSL, "name": name}
    return Detector(DetectorSettings(settings, LCNN), CLIP).front_end.eval().requires_grad_(False)


@pytest.mark.parametrize("name", ["wav2vec2", "wavlm", "mel"])
def test_features_with_rounded_weights_have_the_same_bits(name: str) -> None:
    exact, wav = front_end(name), 0.1 * torch.randn(2, CLIP)
    rounded = precision.rounded(exact, "bfloat16")
    with torch.no_grad():
        assert torch.equal(precision.run(rounded, wav, "bfloat16"), precision.run(exact, wav, "bfloat16"))
    assert all(parameter.dtype == torch.float32 for parameter in exact.parameters())


def test_rounded_weights_are_not_rounded_for_each_batch() -> None:
    exact, wav = front_end("wav2vec2"), 0.1 * torch.randn(2, CLIP)
    rounded = precision.rounded(exact, "bfloat16")
    counts = []
    for network in (exact, rounded):
        with torch.no_grad(), Roundings() as roundings:
            precision.run(network, wav, "bfloat16")
        counts.append(roundings.count)
    num_weights = sum(parameter.dtype == torch.bfloat16 for parameter in rounded.parameters())
    assert num_weights > 10
    assert counts[0] - counts[1] == num_weights


def test_only_weights_of_products_are_copied() -> None:
    exact = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
    rounded = precision.rounded(exact, "bfloat16")
    assert rounded.get_parameter("0.weight").dtype == torch.bfloat16
    assert rounded.get_parameter("1.weight") is exact.get_parameter("1.weight")
    assert precision.rounded(exact, "float32") is exact
