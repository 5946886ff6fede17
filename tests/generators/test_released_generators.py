"""Checkpoints as their authors save them become folders that generators load; everything else is one clear line."""

import json
from collections import OrderedDict
from pathlib import Path, PosixPath
from typing import Any

import pytest
import small_generators
import torch
import yaml
from safetensors.torch import save_file
from small_generators import CPU
from torch import Tensor

from codec_wrappers.weights import checkpoints, fetching
from codec_wrappers.weights.loading import WeightsError
from codecfake import generators
from codecfake.base.pickle_limits import UnpicklingError
from codecfake.generators import GeneratorError, conversion, weights_folder
from codecfake.generators.audiogen_network import AudiogenNetwork
from codecfake.generators.model_settings import AudiogenSettings
from codecfake.generators.valle_network import ValleNetwork

SMALL_AUDIOGEN = AudiogenSettings("random", 32, 4, 2, 2)
SYMBOLS = "<eps> 0\n! 1\n. 2\n"
ARGS = {
    "nhead": 4, "prepend_bos": False, "prefix_mode": 1, "norm_first": True, "add_prenet": False,
    "share_embedding": True, "nar_scale_factor": 1, "num_quantizers": 8, "audio_token_num": 1024,
}  # fmt: skip


def valle_files(folder: Path, state: dict[str, Tensor], **changes: Any) -> dict[str, Path]:
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "args.json").write_text(json.dumps({"model": ARGS | changes}))
    (folder / "symbols.dict").write_text(SYMBOLS)
    return {name: folder / name for name in ("pytorch_model.bin", "args.json", "symbols.dict")}


def valle_network(begin_token: bool = False, languages: bool = False) -> ValleNetwork:
    torch.manual_seed(1)
    return ValleNetwork(32, 4, 2, 20, begin_token, languages)


def assert_same(folder: Path, state: dict[str, Tensor]) -> None:
    from safetensors.torch import load_file

    written = load_file(folder / "weights.safetensors")
    assert set(written) == set(state)
    assert all(torch.equal(written[name], tensor) for name, tensor in state.items())


@pytest.mark.parametrize("begin_token", [False, True])
def test_amphions_checkpoint_becomes_a_generator(begin_token: bool, tmp_path: Path) -> None:
    state = valle_network(begin_token).state_dict()
    conversion.valle(valle_files(tmp_path, state, prepend_bos=begin_token), tmp_path / "out")
    assert_same(tmp_path / "out", state)
    settings = small_generators.settings("valle", weights=tmp_path / "out")
    generator = generators.build(settings, CPU)
    assert generator.network.begin_token == begin_token
    item = small_generators.items(generator, ("Yes.",))[0]
    assert generator.check(item) == "the checkpoint has no symbol for 'oʊ', '_', 'j', 'ɛ', 's'"


@pytest.mark.parametrize("kept", ["embedding", "layer"])
def test_a_tensor_that_a_safetensors_file_keeps_once_gets_its_twin_back(kept: str, tmp_path: Path) -> None:
    state = valle_network().state_dict()
    ties = ValleNetwork.tied_names()
    dropped = set(ties) if kept == "embedding" else set(ties.values())
    paths = valle_files(tmp_path, {})
    del paths["pytorch_model.bin"]
    paths["model.safetensors"] = tmp_path / "model.safetensors"
    save_file({name: each for name, each in state.items() if name not in dropped}, paths["model.safetensors"])
    conversion.valle(paths, tmp_path / "out")
    assert_same(tmp_path / "out", state)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"prefix_mode": 0}, "prefix_mode is 0; only networks with 1 are supported"),
        ({"add_prenet": True}, "add_prenet is True; only networks with False"),
    ],
)
def test_another_network_of_amphion_is_refused(changes: dict[str, Any], fault: str, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match=fault):
        conversion.valle(valle_files(tmp_path, valle_network().state_dict(), **changes), tmp_path / "out")


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    state = valle_network().state_dict()
    del state["ar_predict_layer.weight"]
    with pytest.raises(WeightsError, match=r"1 missing tensor\(s\).*ar_predict_layer.weight"):
        conversion.valle(valle_files(tmp_path, state), tmp_path / "out")


def test_the_checkpoint_of_vall_e_x_with_paths_among_its_settings_becomes_a_generator(tmp_path: Path) -> None:
    state = valle_network(begin_token=True, languages=True).state_dict()
    path = tmp_path / "vallex-checkpoint.pt"
    torch.save({"model": state, "exp_dir": PosixPath("exp/valle"), "epoch": 1}, path)
    conversion.vallex({path.name: path}, tmp_path / "out")
    assert_same(tmp_path / "out", state)
    model = json.loads((tmp_path / "out" / "model.json").read_text())
    assert model == {"dimension": 32, "num_heads": 16, "num_layers": 2, "text_vocabulary": 20}


def test_a_checkpoint_that_would_execute_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vallex-checkpoint.pt"
    torch.save({"model": {}, "run": Evil()}, path)
    with pytest.raises(UnpicklingError, match="would execute"):
        conversion.vallex({path.name: path}, tmp_path / "out")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("executed",)


def audiogen_files(folder: Path, **changes: Any) -> tuple[dict[str, Path], dict[str, Tensor]]:
    """A made-up AudioGen in the released form, and its tensors by our names."""
    torch.manual_seed(2)
    state = {name: torch.rand_like(each) for name, each in AudiogenNetwork(SMALL_AUDIOGEN, 16).state_dict().items()}
    language_model: OrderedDict[str, Tensor] = OrderedDict()
    codec: OrderedDict[str, Tensor] = OrderedDict()
    for name, tensor in state.items():
        target = codec if name.startswith("audio_encoder.") else language_model
        target[released_name(name)] = tensor.half() if target is language_model else tensor
    for name in [name for name in language_model if name.endswith("q_proj.weight")]:
        parts = [language_model.pop(name.replace("q_proj", f"{part}_proj")) for part in "qkv"]
        language_model[name.replace("q_proj.weight", "in_proj_weight")] = torch.cat(parts)
    config = {
        "transformer_lm": {"dim": 32, "num_heads": 4, "num_layers": 2, "n_q": 4, "card": 2048, **changes},
        "codebooks_pattern": {"modeling": "delay", "delay": {"delays": [0, 1, 2, 3]}},
        "fuser": {"cross": ["description"], "sum": []},
    }
    codec_config = {"seanet": {"n_filters": 2, "ratios": [8, 5, 4, 2], "pad_mode": "constant"}}
    paths = {}
    for name, content, text in (
        ("state_dict.bin", language_model, config),
        ("compression_state_dict.bin", codec, codec_config),
    ):
        paths[name] = folder / name
        content = {"best_state": content, "xp.cfg": yaml.safe_dump(text), "version": "1.0", "exported": True}
        torch.save(content, paths[name])
    expected = {
        name: each if name.startswith("audio_encoder.") else each.half().float() for name, each in state.items()
    }
    return paths, expected


def released_name(name: str) -> str:
    """The official name of a tensor, by a list of its own: conversion has the reverse."""
    for ours, theirs in (
        ("decoder.model.decoder.embed_tokens.", "emb."),
        ("decoder.lm_heads.", "linears."),
        ("decoder.model.decoder.layer_norm.", "out_norm."),
        ("decoder.model.decoder.layers.", "transformer.layers."),
        (".self_attn_layer_norm.", ".norm1."),
        (".encoder_attn_layer_norm.", ".norm_cross."),
        (".final_layer_norm.", ".norm2."),
        (".encoder_attn.", ".cross_attention."),
        (".fc1.", ".linear1."),
        (".fc2.", ".linear2."),
        ("enc_to_dec_proj.", "condition_provider.conditioners.description.output_proj."),
        ("audio_encoder.encoder.layers.", "encoder.model."),
        ("audio_encoder.decoder.layers.", "decoder.model."),
        ("audio_encoder.quantizer.layers.", "quantizer.vq.layers."),
        (".codebook.", "._codebook."),
        (".parametrizations.weight.original0", ".weight_g"),
        (".parametrizations.weight.original1", ".weight_v"),
    ):
        name = name.replace(ours, theirs)
    if name.startswith(("encoder.model.", "decoder.model.")) and ".lstm." not in name:
        # the transposed convolutions of the decoder follow its activations, at 3, 6, 9 and 12
        is_transposed = name.startswith("decoder.") and name.split(".")[2] in ("3", "6", "9", "12")
        name = name.replace(".conv.", ".convtr.convtr." if is_transposed else ".conv.conv.")
    return name


def test_a_released_audiogen_becomes_a_generator(tmp_path: Path) -> None:
    paths, expected = audiogen_files(tmp_path)
    conversion.audiogen(paths, tmp_path / "out")
    assert_same(tmp_path / "out", expected)
    generator = generators.build(
        small_generators.settings("audiogen", weights=tmp_path / "out", model={"text_encoder": "random"}), CPU
    )
    (waveform,) = generator.generate(small_generators.items(generator, ("a dog",)))
    assert len(waveform) == 8000


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"n_q": 8}, "xp.cfg has transformer_lm.n_q = 8, this network has 4"),
        ({"positional_embedding": "rope"}, "transformer_lm.positional_embedding = rope, this network has sin"),
        ({"dim": 64}, "wrongly shaped"),
    ],
)
def test_another_model_of_audiocraft_is_refused(changes: dict[str, Any], fault: str, tmp_path: Path) -> None:
    paths, _ = audiogen_files(tmp_path, **changes)
    with pytest.raises((GeneratorError, WeightsError), match=fault):
        conversion.audiogen(paths, tmp_path / "out")


def test_a_folder_without_sizes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match=r"model.json: it does not exist"):
        weights_folder.model_of(small_generators.settings("valle", weights=tmp_path))


def test_a_fetched_checkpoint_has_the_outputs_that_the_manifest_promises(tmp_path: Path) -> None:
    checkpoint = checkpoints.find("valle_librilight_6k")
    (tmp_path / "made").mkdir()
    paths = valle_files(tmp_path / "made", valle_network().state_dict())
    for file in checkpoint.files:
        target = tmp_path / "weights" / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(paths[target.name].read_bytes())
    fetching.fetch(checkpoint, tmp_path / "weights", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(checkpoint.outputs)
    record = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert record["weights_license"] == "MIT"
    assert set(record["weights_sha256"]) == {"weights.safetensors", "model.json", "symbols.dict"}


@pytest.mark.parametrize("name", [name for name, each in checkpoints.load().items() if each.converter])
def test_a_checkpoint_of_the_manifest_belongs_to_the_generator_that_lists_it(name: str) -> None:
    checkpoint = checkpoints.find(name)
    assert name in generators.entry(checkpoint.wrapper).checkpoints
    assert checkpoint.converter == f"codecfake.generators.conversion:{checkpoint.wrapper.replace('-', '_')}"
    assert callable(getattr(conversion, checkpoint.wrapper.replace("-", "_")))


@pytest.mark.parametrize("name", generators.names())
def test_the_checkpoints_of_a_generator_and_of_its_codec_are_in_the_manifest(name: str) -> None:
    entry = generators.entry(name)
    assert {checkpoints.find(each).wrapper for each in entry.checkpoints} == {name}
    if entry.codec is not None:
        assert checkpoints.find(str(entry.codec_checkpoint)).wrapper == entry.codec


def test_audiogens_weights_are_not_permissive_by_name() -> None:
    assert not checkpoints.find("audiogen_medium").is_permissive
    assert checkpoints.find("audiogen_medium").license == "code MIT, weights CC-BY-NC-4.0"
