"""Moving sums of codebooks, which half-precision weights leave out and loading restores."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import codec_wrappers
from codec_wrappers.codec import TrainableCodec
from codec_wrappers.weights import moving_sums
from codec_wrappers.weights.loading import WeightsError, load_strict, save, save_tensors

AVERAGED = ("soundstream", "speechtokenizer", "funcodec", "encodec", "audiodec")


def trained(name: str, seed: int = 0) -> TrainableCodec:
    """A small codec whose codebooks have followed some batches."""
    torch.manual_seed(seed)
    codec = codec_wrappers.build(name, {**codec_wrappers.entry(name).small, "codebook_size": 32})
    assert isinstance(codec, TrainableCodec)
    for _ in range(3):
        codec.reconstruct(torch.randn(2, codec.hop_length * 40) * 0.1)
    return codec


def sums(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if name.endswith(("embed_avg", "running_mean"))}


@pytest.mark.parametrize("name", AVERAGED)
def test_half_precision_leaves_the_moving_sums_out_and_loading_restores_them(name: str, tmp_path: Path) -> None:
    codec, other = trained(name), trained(name, seed=1)
    save(codec.network, tmp_path / "weights.safetensors", torch.float16)
    load_strict(other.network, tmp_path / "weights.safetensors")
    ours, restored = sums(codec.network.state_dict()), sums(other.network.state_dict())
    assert ours and sums(load_file(tmp_path / "weights.safetensors")) == {}
    for each in ours:
        torch.testing.assert_close(restored[each], ours[each], rtol=5e-3, atol=5e-3 * float(ours[each].abs().max()))


def test_full_precision_stores_the_whole_state(tmp_path: Path) -> None:
    codec = trained("encodec")
    save(codec.network, tmp_path / "weights.safetensors")
    assert load_file(tmp_path / "weights.safetensors").keys() == codec.network.state_dict().keys()


def test_a_file_without_vectors_still_lacks_what_follows_from_them() -> None:
    codec = trained("encodec")
    state = moving_sums.drop(codec.network.state_dict())
    vectors = next(name for name in state if name.endswith("embed"))
    reference = codec.network.state_dict()
    assert f"{vectors}_avg" not in moving_sums.restore({k: v for k, v in state.items() if k != vectors}, reference)


def test_a_square_codebook_keeps_its_sums() -> None:
    state = {"embed": torch.randn(8, 8), "embed_avg": torch.randn(8, 8), "cluster_size": torch.ones(8)}
    assert moving_sums.drop(state).keys() == state.keys()


def test_another_missing_tensor_is_still_an_error(tmp_path: Path) -> None:
    codec = trained("encodec")
    state = codec.network.state_dict()
    state.pop(next(name for name in state if name.endswith("cluster_size")))
    save_tensors(state, tmp_path / "weights.safetensors")
    with pytest.raises(WeightsError, match="1 missing tensor"):
        load_strict(codec.network, tmp_path / "weights.safetensors")
