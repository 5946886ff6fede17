"""Golden vectors: our own networks give what the official code gave, stage by stage, with the recipe's weights.

Limits are those of the vectors' README: latents 1e-4, outputs 2e-4 of their standard deviation, codes equal.
"""

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from codec_wrappers import wrapper
from codec_wrappers.networks.latent_codec import LatentCodec
from codec_wrappers.soundstream import KaiidamsSoundstream

FOLDER = Path(os.environ.get("CODECFAKE_GOLDEN", Path(__file__).parents[2] / "shared" / "golden"))
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {  # by how the file names begin
    "audiodec_24k": ("audiodec", {"decoder": "vocoder"}),
    "hificodec_": ("academicodec", {}),
    "soundstream_kaiidams": ("soundstream", {"form": "kaiidams"}),
    "soundstream_academicodec": ("soundstream", {"form": "academicodec"}),
}
FOUND = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem.startswith(tuple(FAMILIES)))
CLIPS = ("a", "b")  # of a length that is a multiple of the hop, and of one that is not
LATENT_LIMIT, OUTPUT_LIMIT = 1e-4, 2e-4


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


class Official:
    """One golden file, and our codec of full size with the same weights."""

    def __init__(self, folder: Path, name: str, parts: tuple[str, ...] | None = None, **model: Any) -> None:
        about = json.loads((folder / f"{name}.json").read_text())
        wrapper_name, defaults = next(family for prefix, family in FAMILIES.items() if name.startswith(prefix))
        module = wrapper(wrapper_name)
        self.arrays = np.load(folder / f"{name}.npz")
        self.spec = {part: spec for part, spec in about["state_dict"].items() if parts is None or part in parts}
        recipe = _recipe(folder)
        filled = {part: recipe.fill(spec, about["seed"]) for part, spec in self.spec.items()}
        for part, weights in filled.items():
            assert recipe.digest(weights) == about["weights_sha256"][part]
        self.state = {
            part: {key: torch.from_numpy(array) for key, array in weights.items()} for part, weights in filled.items()
        }
        self.codec: LatentCodec = module.build({**defaults, **model})
        self.codec.network.load_state_dict(module.from_official(self.state), strict=True)

    def array(self, clip: str, name: str) -> np.ndarray:
        return self.arrays[f"{clip}_{name}"]

    def tensor(self, clip: str, name: str) -> Tensor:
        """A stored array with a batch axis, codes as int64."""
        array = self.array(clip, name)
        return torch.from_numpy(array.astype(np.int64) if array.dtype.kind == "i" else array)[None]


@pytest.fixture(scope="module", params=FOUND or [pytest.param("", marks=pytest.mark.skip("no golden vectors found"))])
def official(request: pytest.FixtureRequest) -> Official:
    return Official(FOLDER, request.param)


@pytest.fixture(scope="module")
def symmetric(golden: Path) -> Official:
    """AudioDec with the decoder it was first trained with."""
    return Official(golden, "audiodec_24k", parts=("autoencoder",), decoder="symmetric")


def test_golden_names_and_shapes_of_our_tensors_are_the_official_ones(official: Official) -> None:
    ours = {name: list(tensor.shape) for name, tensor in official.codec.network.state_dict().items()}
    prefixes = {part: "" if part == "model" else f"{part}." for part in official.spec}
    theirs = {
        prefixes[part] + name: shape
        for part, spec in official.spec.items()
        for name, (shape, _) in spec.items()
        if not (part == "autoencoder" and name.startswith("decoder."))  # the vocoder takes its place
    }
    assert ours == theirs


def test_golden_names_and_shapes_of_the_symmetric_audiodec_are_the_official_ones(symmetric: Official) -> None:
    ours = {name: list(tensor.shape) for name, tensor in symmetric.codec.network.state_dict().items()}
    assert ours == {f"autoencoder.{name}": shape for name, (shape, _) in symmetric.spec["autoencoder"].items()}


@pytest.mark.parametrize("clip", CLIPS)
def test_golden_latents_are_those_of_the_official_encoder(official: Official, clip: str) -> None:
    assert_close(official.codec.to_latent(official.tensor(clip, "wav")), official.array(clip, "latent"), LATENT_LIMIT)


@pytest.mark.parametrize("clip", CLIPS)
def test_golden_codes_of_the_stored_latents_are_the_official_ones(official: Official, clip: str) -> None:
    codes = official.codec.quantizer.encode(official.tensor(clip, "latent"))
    np.testing.assert_array_equal(codes[0].numpy(), official.array(clip, "codes"))


@pytest.mark.parametrize("clip", CLIPS)
def test_golden_codes_of_the_waveform_are_the_official_ones(official: Official, clip: str) -> None:
    codes = official.codec.encode(official.tensor(clip, "wav"))
    np.testing.assert_array_equal(codes[0].numpy(), official.array(clip, "codes"))


@pytest.mark.parametrize("clip", CLIPS)
def test_golden_codes_decode_to_the_official_waveform(official: Official, clip: str) -> None:
    name = "out_vocoder" if f"{clip}_out_vocoder" in official.arrays else "out"
    assert_close(decoded(official, clip), official.array(clip, name), OUTPUT_LIMIT)


@pytest.mark.parametrize("clip", CLIPS)
def test_golden_codes_decode_to_the_official_waveform_of_the_symmetric_audiodec(symmetric: Official, clip: str) -> None:
    assert_close(decoded(symmetric, clip), symmetric.array(clip, "out_sym"), OUTPUT_LIMIT)


def test_golden_audiodec_of_a_streaming_checkpoint_loses_its_pad_buffers_and_nothing_else(symmetric: Official) -> None:
    streamed = {**symmetric.state["autoencoder"], "encoder.conv.pad_buffer": torch.zeros(1, 1, 6)}
    assert set(wrapper("audiodec").from_official({"autoencoder": streamed})) == set(
        symmetric.codec.network.state_dict()
    )


def decoded(official: Official, clip: str) -> Tensor:
    """What the decoder gives for the stored codes, `[1, T']`."""
    latent = official.codec.quantizer.decode(official.tensor(clip, "codes"))
    if isinstance(official.codec, KaiidamsSoundstream):  # without the frame that the wrapper repeats
        return official.codec.network.decoder(latent)[:, 0]
    return official.codec.to_wav(latent)


def assert_close(found: Tensor, expected: np.ndarray, limit: float) -> None:
    assert tuple(found[0].shape) == expected.shape
    assert np.abs(found[0].numpy() - expected).max() <= limit * expected.std()


def _recipe(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("deterministic_weights", folder / "deterministic_weights.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
