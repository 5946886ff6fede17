"""Published checkpoints of generators, as their authors save them, to the folders that `weights_folder` reads."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codec_wrappers.weights import conversion, loading
from codecfake.base import files, json_texts, torch_files
from codecfake.base.printing import excerpt
from codecfake.generators import audiogen_conversion, weights_folder
from codecfake.generators.audiogen_network import AudiogenNetwork
from codecfake.generators.espeak_text import read_symbols
from codecfake.generators.generator import GeneratorError
from codecfake.generators.model_settings import AudiogenSettings, ValleSettings, ValleV2Settings, VallexSettings
from codecfake.generators.valle_network import NUM_CODEBOOKS, NUM_CODES, ValleNetwork
from codecfake.generators.valle_v2_network import ValleV2Network

CONFIG, SYMBOLS = "args.json", "symbols.dict"
# What the network of this package assumes of Amphion's `args.json`
AMPHION_RULES: dict[str, Any] = {
    "prefix_mode": 1,
    "norm_first": True,
    "add_prenet": False,
    "share_embedding": True,
    "nar_scale_factor": 1,
    "num_quantizers": NUM_CODEBOOKS,
    "audio_token_num": NUM_CODES,
}
V2_FILES = ("valle_ar_", "valle_nar_")
V2_NAR_PREFIX = r"^(model\.)?(model\.)?"
V2_UNREAD = "model.model.embed_tokens.weight"
SIZES = ("dimension", "num_heads", "num_layers", "text_vocabulary")


def valle(paths: Mapping[str, Path], output: Path) -> None:
    """Convert a checkpoint of Amphion's VALL-E, first version.

    `paths`: by base name, `pytorch_model.bin` or `model.safetensors`, `args.json` and `symbols.dict`.
    Raises GeneratorError if it is another network, WeightsError if tensors are missing.
    """
    (weights,) = (path for name, path in paths.items() if name not in (CONFIG, SYMBOLS))
    read_symbols(paths[SYMBOLS])
    config = _amphion_config(paths[CONFIG])
    is_safe = weights.suffix == ".safetensors"
    state = conversion.read(weights, "") if is_safe else torch_files.read_state_dict(weights)
    model = ValleSettings(num_heads=config["nhead"], begin_token=bool(config["prepend_bos"]))
    sizes = _valle_sizes(state, model, weights)
    network = _meta(lambda: _valle_network(sizes, sizes.begin_token, languages=False))
    _write(state | _ties(state), network, {key: asdict(sizes)[key] for key in (*SIZES, "begin_token")}, weights, output)
    with files.atomic(output / weights_folder.SYMBOLS) as part:
        shutil.copyfile(paths[SYMBOLS], part)


def vallex(paths: Mapping[str, Path], output: Path) -> None:
    """Convert `vallex-checkpoint.pt`, whose state is at `model`. Raises as `valle`."""
    (weights,) = paths.values()
    content = torch_files.read(weights)
    if not isinstance(content, dict) or "model" not in content:
        raise GeneratorError(f"{weights}: it is not a dictionary with 'model'; give the released vallex-checkpoint.pt")
    state = torch_files.state_dict(content["model"])
    sizes = _valle_sizes(state, VallexSettings(), weights)
    network = _meta(lambda: _valle_network(sizes, begin_token=True, languages=True))
    _write(state | _ties(state), network, {key: asdict(sizes)[key] for key in SIZES}, weights, output)


def audiogen(paths: Mapping[str, Path], output: Path) -> None:
    """Convert `state_dict.bin` and `compression_state_dict.bin` of AudioGen. Raises as `valle`."""
    weights = paths["state_dict.bin"]
    tensors, model = audiogen_conversion.convert(weights, paths["compression_state_dict.bin"])
    projection = tensors.get("enc_to_dec_proj.weight")
    if projection is None:
        raise GeneratorError(f"{weights}: it has no projection of captions; {audiogen_conversion.REMEDY}")
    network = _meta(lambda: AudiogenNetwork(AudiogenSettings(**model), projection.shape[1]))
    _write(tensors, network, model, weights, output)


def valle_v2(paths: Mapping[str, Path], output: Path) -> None:
    """Convert `valle_ar_mls_196000.bin` and `valle_nar_mls_164000.bin` of Amphion's VALL-E, second version.

    Raises as `valle`.
    """
    ar, nar = (next(path for name, path in paths.items() if name.startswith(part)) for part in V2_FILES)
    tensors = valle_v2_tensors(torch_files.read_state_dict(ar), torch_files.read_state_dict(nar))
    gates = [tensor for name, tensor in tensors.items() if name.startswith("ar.") and name.endswith("gate_proj.weight")]
    if not gates:
        raise GeneratorError(f"{ar}: it has no gated layers; give the released files of VALL-E's second version")
    feed_forward, dimension = gates[0].shape
    model = {"dimension": dimension, "feed_forward": feed_forward, "num_layers": len(gates)}
    num_heads = ValleV2Settings().num_heads
    network = _meta(lambda: ValleV2Network(dimension, feed_forward, len(gates), num_heads))
    _write(tensors, network, model, ar, output)


def valle_v2_tensors(ar: Mapping[str, Tensor], nar: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Released states of both parts under our names; tables that no computation reads are left out."""
    tensors = {re.sub(r"^model\.", "ar.", name): tensor for name, tensor in ar.items()}
    tensors |= {re.sub(V2_NAR_PREFIX, "nar.", name): tensor for name, tensor in nar.items() if name != V2_UNREAD}
    return {
        name.replace("prompt_embedder.embeddings.", "prompt_embedder."): tensor
        for name, tensor in tensors.items()
        if not name.endswith("rotary_emb.inv_freq")
    }


def _amphion_config(path: Path) -> dict[str, Any]:
    content = json_texts.read_object(path, "restore the checkpoint's file")
    config = content.get("model", content)
    missing = [key for key in ("nhead", "prepend_bos", *AMPHION_RULES) if key not in config]
    if missing:
        raise GeneratorError(f"{path}: it has no {missing[0]!r}; give the args.json of a VALL-E of the first version")
    for key, expected in AMPHION_RULES.items():
        if config[key] != expected:
            raise GeneratorError(f"{path}: {key} is {config[key]}; only networks with {expected} are supported")
    return config


def _valle_sizes(state: Mapping[str, Tensor], model: Any, path: Path) -> Any:
    """`model` with the sizes of a state."""
    table = state.get("ar_text_embedding.word_embeddings.weight")
    if table is None:
        raise GeneratorError(f"{path}: it has no embeddings of text; give a checkpoint of VALL-E")
    layers = {name.split(".")[2] for name in state if name.startswith("ar_decoder.layers.")}
    return replace(model, dimension=table.shape[1], text_vocabulary=table.shape[0], num_layers=len(layers))


def _valle_network(model: Any, begin_token: bool, languages: bool) -> ValleNetwork:
    return ValleNetwork(
        model.dimension, model.num_heads, model.num_layers, model.text_vocabulary, begin_token, languages
    )


def _ties(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each output layer from the embedding that is the same tensor, and the reverse: some files keep one of the two."""
    ties: dict[str, Tensor] = {}
    for layer, embedding in ValleNetwork.tied_names().items():
        source = state.get(embedding, state.get(layer))
        if source is not None:
            ties |= {layer: source, embedding: source}
    return ties


def _meta(build: Any) -> nn.Module:
    with torch.device("meta"):
        return build()


def _write(
    tensors: Mapping[str, Tensor], network: nn.Module, model: Mapping[str, Any], origin: Path, output: Path
) -> None:
    """Write the tensors of a file, which must be those of the network, and its sizes."""
    ours = network.state_dict()
    loading.refuse_misfits(tensors, ours, origin)
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise GeneratorError(f"{origin}: {excerpt(name)} has a value that is not finite; fetch the file again")
    # AudioGen's are stored in half precision
    weights_folder.write({name: tensors[name].to(ours[name].dtype) for name in ours}, model, output)
