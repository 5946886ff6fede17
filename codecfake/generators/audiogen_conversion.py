"""The released files of AudioGen, as tensors of our network.

Each of `state_dict.bin` and `compression_state_dict.bin` is a dictionary of a state (`best_state`) and the text of its
configuration (`xp.cfg`). Nothing in them is executed.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from codecfake.base import bounded_yaml, torch_files
from codecfake.generators.audiogen_network import CODEC_RATIOS, NUM_CODEBOOKS, NUM_CODES
from codecfake.generators.generator import GeneratorError

STATE, CONFIG = "best_state", "xp.cfg"
REMEDY = "give the released files of audiogen-medium"
TEXT = "condition_provider.conditioners.description.output_proj."
LANGUAGE_MODEL_NAMES = (
    (r"^emb\.(\d+)\.", r"decoder.model.decoder.embed_tokens.\1."),
    (r"^linears\.(\d+)\.", r"decoder.lm_heads.\1."),
    (r"^out_norm\.", "decoder.model.decoder.layer_norm."),
    (r"^transformer\.layers\.", "decoder.model.decoder.layers."),
    (r"\.norm1\.", ".self_attn_layer_norm."),
    (r"\.norm_cross\.", ".encoder_attn_layer_norm."),
    (r"\.norm2\.", ".final_layer_norm."),
    (r"\.cross_attention\.", ".encoder_attn."),
    (r"\.linear1\.", ".fc1."),
    (r"\.linear2\.", ".fc2."),
    (rf"^{re.escape(TEXT)}", "enc_to_dec_proj."),
)
CODEC_NAMES = (
    (r"^(encoder|decoder)\.model\.", r"audio_encoder.\1.layers."),
    (r"\.(conv\.conv|convtr\.convtr)\.", ".conv."),
    (r"\.weight_g$", ".parametrizations.weight.original0"),
    (r"\.weight_v$", ".parametrizations.weight.original1"),
    (r"^quantizer\.vq\.layers\.(\d+)\._codebook\.", r"audio_encoder.quantizer.layers.\1.codebook."),
)
# What the network of this package assumes. A configuration that lacks one of these keys has the default.
LANGUAGE_MODEL_RULES: dict[str, Any] = {
    "transformer_lm.n_q": NUM_CODEBOOKS,
    "transformer_lm.card": NUM_CODES,
    "transformer_lm.hidden_scale": 4,
    "transformer_lm.norm_first": True,
    "transformer_lm.bias_proj": False,
    "transformer_lm.bias_ff": False,
    "transformer_lm.bias_attn": False,
    "transformer_lm.activation": "gelu",
    "transformer_lm.positional_embedding": "sin",
    "codebooks_pattern.modeling": "delay",
    "codebooks_pattern.delay.delays": [0, 1, 2, 3],
    "fuser.cross": ["description"],
}
CODEC_RULES: dict[str, Any] = {
    "seanet.ratios": list(CODEC_RATIOS),
    "seanet.pad_mode": "constant",
    "seanet.true_skip": True,
    "seanet.lstm": 2,
    "seanet.causal": False,
    "seanet.dimension": 128,
    "seanet.norm": "weight_norm",
    "encodec.sample_rate": 16_000,
    "encodec.channels": 1,
    "encodec.renormalize": False,
    "rvq.n_q": NUM_CODEBOOKS,
    "rvq.bins": NUM_CODES,
}


def convert(language_model: Path, codec: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of our network, and the `model` settings of its size.

    Raises UnpicklingError for a file that cannot be read as data, GeneratorError for another kind of model.
    """
    state, config = _read(language_model, LANGUAGE_MODEL_RULES)
    codec_state, codec_config = _read(codec, CODEC_RULES)
    tensors = language_model_tensors(state) | codec_tensors(codec_state)
    sizes = {"dimension": "dim", "num_heads": "num_heads", "num_layers": "num_layers"}
    model = {ours: _value(config, f"transformer_lm.{theirs}", language_model) for ours, theirs in sizes.items()}
    return tensors, model | {"codec_filters": _value(codec_config, "seanet.n_filters", codec)}


def language_model_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A released state of the language model under our names; fused projections become three."""
    tensors: dict[str, Tensor] = {}
    for name, tensor in state.items():
        ours = _renamed(name, LANGUAGE_MODEL_NAMES)
        if ours.endswith("in_proj_weight"):
            parts = zip(("q_proj", "k_proj", "v_proj"), tensor.chunk(3), strict=True)
            tensors |= {ours.replace("in_proj_weight", f"{part}.weight"): each for part, each in parts}
        else:
            tensors[ours] = tensor
    return tensors


def codec_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A released state of the codec under our names."""
    return {_renamed(name, CODEC_NAMES): tensor for name, tensor in state.items()}


def _renamed(name: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _read(path: Path, rules: Mapping[str, Any]) -> tuple[dict[str, Tensor], Any]:
    content = torch_files.read(path)
    if not isinstance(content, dict) or not {STATE, CONFIG} <= set(content):
        raise GeneratorError(f"{path}: it is not a dictionary with {STATE!r} and {CONFIG!r}; {REMEDY}")
    config = bounded_yaml.load(str(content[CONFIG]))
    for keys, expected in rules.items():
        value = _lookup(config, keys)
        if value is not None and value != expected:
            raise GeneratorError(f"{path}: {CONFIG} has {keys} = {value}, this network has {expected}; {REMEDY}")
    return torch_files.state_dict(content[STATE]), config


def _value(config: Any, keys: str, path: Path) -> Any:
    value = _lookup(config, keys)
    if value is None:
        raise GeneratorError(f"{path}: {CONFIG} has no {keys}; {REMEDY}")
    return value


def _lookup(config: Any, keys: str) -> Any:
    for key in keys.split("."):
        config = config.get(key) if isinstance(config, Mapping) else None
    return config
