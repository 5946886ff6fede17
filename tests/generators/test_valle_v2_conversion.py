"""The released files of Amphion's second VALL-E become a generator."""

from pathlib import Path

import pytest
import small_generators
import torch
from safetensors.torch import load_file
from small_generators import CPU
from torch import Tensor

from codec_wrappers.weights.loading import WeightsError
from codecfake import generators
from codecfake.generators import GeneratorError, conversion
from codecfake.generators.valle_v2_network import ValleV2Network


def released_files(folder: Path, state: dict[str, Tensor]) -> dict[str, Path]:
    """A state under the official names, and two tables that are not read."""
    ar, nar = (
        {},
        {"model.model.embed_tokens.weight": torch.zeros(2, 2), "model.model.rotary_emb.inv_freq": torch.ones(2)},
    )
    for name, tensor in state.items():
        part, _, rest = name.partition(".")
        if part == "ar":
            ar[f"model.{rest}"] = tensor
        elif rest.startswith("prompt_embedder."):
            nar[rest.replace("prompt_embedder.", "prompt_embedder.embeddings.")] = tensor
        else:
            prefix = {"phone_embedder": "", "lm_head": "model."}.get(rest.split(".")[0], "model.model.")
            nar[prefix + rest] = tensor
    paths = {name: folder / name for name in ("valle_ar_mls_196000.bin", "valle_nar_mls_164000.bin")}
    for path, tensors in zip(paths.values(), (ar, nar), strict=True):
        torch.save(tensors, path)
    return paths


def small_state() -> dict[str, Tensor]:
    """16 heads, the number that the released files have."""
    torch.manual_seed(1)
    return ValleV2Network(dimension=32, feed_forward=64, num_layers=1, num_heads=16).state_dict()


def test_released_files_become_a_generator(tmp_path: Path) -> None:
    state = small_state()
    conversion.valle_v2(released_files(tmp_path, state), tmp_path / "out")
    written = load_file(tmp_path / "out" / "weights.safetensors")
    assert set(written) == set(state)
    assert all(torch.equal(written[name], tensor) for name, tensor in state.items())
    model = {**generators.entry("valle-v2").small, "num_heads": 16}
    generator = generators.build(small_generators.settings("valle-v2", weights=tmp_path / "out", model=model), CPU)
    assert len(generator.network.nar.layers) == 1
    (waveform,) = generator.generate(small_generators.items(generator, ("No.",)))
    assert len(waveform) % 320 == 0


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    state = small_state()
    del state["nar.lm_head.6.weight"]
    with pytest.raises(WeightsError, match=r"1 missing tensor\(s\).*nar.lm_head.6.weight"):
        conversion.valle_v2(released_files(tmp_path, state), tmp_path / "out")


def test_files_of_another_network_are_refused(tmp_path: Path) -> None:
    paths = released_files(tmp_path, {"ar.model.embed_tokens.weight": torch.zeros(2, 2)})
    with pytest.raises(GeneratorError, match="it has no gated layers"):
        conversion.valle_v2(paths, tmp_path / "out")
