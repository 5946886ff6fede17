"""Which codec of ours a golden file is of: its wrapper, its size, its weights.

Sizes are read off the shapes of the official tensors, so that a file of another size needs no rule of its own.
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
import torch
from golden_vectors import Vector, published_weights

import codec_wrappers
from codec_wrappers.codec import Codec

# Wrapper, by a part of the repository's name and by how file names begin
REPOSITORIES = {
    "facebookresearch/encodec": "encodec",
    "zhangxinfd/speechtokenizer": "speechtokenizer",
    "modelscope/funcodec": "funcodec",
    "descript-audio-codec": "dac",
    "facebookresearch/audiodec": "audiodec",
    "kaiidams/soundstream": "soundstream",
    "google/lyra": "lyra",
}
PREFIXES = {
    "encodec": "encodec",
    "speechtokenizer": "speechtokenizer",
    "funcodec": "funcodec",
    "freqcodec": "funcodec",
    "dac": "dac",
    "audiodec": "audiodec",
    "hificodec": "academicodec",
    "soundstream": "soundstream",
    "lyra": "lyra",
}
TWO_CODECS = "academicodec"  # its repository holds HiFi-Codec, in three parts, and a SoundStream, in one


def wrapper_of(vector: Vector) -> str | None:
    """The wrapper that a file is of, by its repository or else its name; None if it is of no codec."""
    repository = vector.about.get("repository", "").lower()
    if TWO_CODECS in repository and vector.parts:
        return "academicodec" if "generator" in vector.parts else "soundstream"
    names = [name for part, name in REPOSITORIES.items() if part in repository]
    return next(iter(names or [name for prefix, name in PREFIXES.items() if vector.name.startswith(prefix)]), None)


def official(vector: Vector, decoder: str | None = None) -> Codec:
    """Our codec of the file's size with the file's weights, loaded under the official names.

    Of two decoders, that one, or the one that is used. Raises UnknownVectorError if the file does not fit its codec.
    """
    return _official(vector, decoder or _decoder(vector))


def shapes_of(vector: Vector, decoder: str | None = None) -> dict[str, list[int]]:
    """Names and shapes of the tensors of that codec, which cost nothing without values."""
    name = str(wrapper_of(vector))
    with torch.device("meta"):
        network: Any = codec_wrappers.build(name, _model(vector, name, decoder or _decoder(vector))).network
    return {key: list(tensor.shape) for key, tensor in network.state_dict().items()}


def _decoder(vector: Vector) -> str | None:
    if wrapper_of(vector) != "audiodec":
        return None
    return "vocoder" if "vocoder" in vector.parts else "symmetric"


@lru_cache(maxsize=2)
def _official(vector: Vector, decoder: str | None) -> Codec:
    name = wrapper_of(vector)
    if name is None:
        raise vector.unknown(f"repository {vector.about.get('repository')!r} is of no codec that is known here")
    codec = _published(vector) if name == "lyra" else _filled(vector, name, decoder)
    for ours, theirs in (("sample_rate", "rate"), ("hop_length", "hop")):
        if theirs in vector.about and getattr(codec, ours) != vector.about[theirs]:
            raise vector.unknown(f"{theirs} is {vector.about[theirs]}, and {name} has {getattr(codec, ours)}")
    return codec


def _published(vector: Vector) -> Codec:
    folder = published_weights(vector, "lyra")
    if not folder.is_dir():
        pytest.skip(f"needs the published models in {folder}")
    return codec_wrappers.load("lyra", {}, folder)


def _model(vector: Vector, name: str, decoder: str | None) -> dict[str, Any]:
    return SIZES[name](vector) | ({} if decoder is None else {"decoder": decoder})


def _filled(vector: Vector, name: str, decoder: str | None) -> Codec:
    model = _model(vector, name, decoder)
    module = codec_wrappers.module_of(name)
    codec = codec_wrappers.build(name, model)
    weights = {part: vector.weights(part) for part in vector.parts if not (part == "vocoder" != decoder)}
    tensors = module.from_official(weights) if hasattr(module, "from_official") else weights["model"]
    try:
        codec.network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise vector.unknown(f"its tensors are not those of {name} with {model} ({error})") from error
    return codec


# Settings of the wrappers, read off the shapes of the official tensors


def _encodec(vector: Vector) -> dict[str, Any]:
    shapes = vector.shapes()
    codebook_size, dimension = shapes["quantizer.vq.layers.0._codebook.embed"]
    return {
        "n_filters": shapes["encoder.model.0.conv.conv.weight_v"][0],
        "dimension": dimension,
        "codebook_size": codebook_size,
        "num_quantizers": _count(shapes, r"quantizer\.vq\.layers\.\d+\._codebook\.embed"),
        "lstm_layers": _count(shapes, r"encoder\.model\.\d+\.lstm\.weight_ih_l\d+"),
    }


def _speechtokenizer(vector: Vector) -> dict[str, Any]:
    sizes = _encodec(vector)
    num_quantizers = sizes.pop("num_quantizers")
    semantic = vector.shapes().get("transform.weight", [sizes["dimension"]])[0]
    return {**sizes, "n_q": num_quantizers, "semantic_dimension": semantic}


def _funcodec(vector: Vector) -> dict[str, Any]:
    shapes = vector.shapes()
    first = shapes["encoder.model.0.conv.conv.weight"]
    num_quantizers, codebook_size, dimension = shapes["quantizer.rq.model.embed"]
    return {
        "architecture": f"freqcodec_gr{_group_ratio(vector)}" if len(first) == 4 else f"ds{_hop(vector)}",
        "n_filters": first[0],
        "dimension": dimension,
        "codebook_size": codebook_size,
        "num_quantizers": num_quantizers,
        "lstm_layers": _count(shapes, r"encoder\.model\.\d+\.lstm\.weight_ih_l\d+"),
    }


def _group_ratio(vector: Vector) -> str:
    config = vector.about.get("config")
    if isinstance(config, dict) and "conv_group_ratio" in config.get("encoder_conf", {}):
        return str(config["encoder_conf"]["conv_group_ratio"])
    match = re.search(r"gr(\d+)", vector.name)
    if match is None:
        raise vector.unknown("neither config.encoder_conf nor its name says the conv_group_ratio")
    return match[1]


def _hop(vector: Vector) -> int:
    """The product of the strides, half of the kernels of all convolutions but the first and the last."""
    pattern = r"encoder\.model\.\d+\.conv\.conv\.weight"
    return math.prod(_strides(vector.shapes(), pattern)[1:-1])


def _dac(vector: Vector) -> dict[str, Any]:
    shapes = vector.shapes()
    codebook_size, codebook_dim = shapes["quantizer.quantizers.0.codebook.weight"]
    return {
        "sample_rate": vector.about.get("rate") or vector.about["kwargs"]["sample_rate"],
        "mode": "chunked" if "window_samples" in vector.about or "chunked" in vector.name else "file",
        "encoder_dim": shapes["encoder.block.0.weight_v"][0],
        "encoder_rates": _strides(shapes, r"encoder\.block\.\d+\.block\.4\.weight_v"),
        "latent_dim": shapes["quantizer.quantizers.0.in_proj.weight_v"][1],
        "decoder_dim": shapes["decoder.model.0.weight_v"][0],
        "decoder_rates": _strides(shapes, r"decoder\.model\.\d+\.block\.1\.weight_v"),
        "n_codebooks": _count(shapes, r"quantizer\.quantizers\.\d+\.codebook\.weight"),
        "codebook_size": codebook_size,
        "codebook_dim": codebook_dim,
    }


def _audiodec(vector: Vector) -> dict[str, Any]:
    shapes = vector.shapes("autoencoder")
    stages = r"encoder\.conv_blocks\.\d+\.conv\.conv\.weight"
    channels = shapes["encoder.conv.conv.weight"][0]
    dimension, codebook_size = shapes["quantizer.codebook.layers.0.embed"]
    sizes = {
        "sample_rate": vector.about["rate"],
        "channels": channels,
        "channel_ratios": [shapes[key][0] // channels for key in _matching(shapes, stages)],
        "strides": _strides(shapes, stages),
        "dimension": dimension,
        "num_quantizers": _count(shapes, r"quantizer\.codebook\.layers\.\d+\.embed"),
        "codebook_size": codebook_size,
    }
    if "vocoder" in vector.parts:
        sizes["vocoder_channels"] = vector.shapes("vocoder")["input_conv.conv.weight_v"][0]
    return sizes


def _hificodec(vector: Vector) -> dict[str, Any]:
    generator, books = vector.shapes("generator"), vector.shapes("quantizer")
    strides = _strides(generator, r"ups\.\d+\.weight_v")
    first = _matching(generator, r"resblocks\.\d+\.convs1\.0\.weight_v")
    dilations = vector.about.get("model_config", {}).get("resblock_dilation_sizes", [[1, 3, 5]])[0]
    return {
        "sample_rate": vector.about["rate"],
        "channels": generator["conv_pre.weight_v"][0],
        "strides": strides[::-1],
        "kernels": [generator[key][-1] for key in first[: len(first) // len(strides)]],
        "dilations": dilations[: _count(generator, r"resblocks\.0\.convs1\.\d+\.weight_v")],
        "groups": _count(books, r"quantizer_modules\.\d+\.embedding\.weight"),
        "codebook_size": books["quantizer_modules.0.embedding.weight"][0],
    }


def _soundstream(vector: Vector) -> dict[str, Any]:
    shapes = vector.shapes()
    if "quantizer.weight" in shapes:
        num_quantizers, codebook_size, dimension = shapes["quantizer.weight"]
        channels = shapes["encoder.layers.0.weight"][0]
        strides = _strides(shapes, r"encoder\.layers\.\d+\.layers\.3\.weight")
        sizes = {"form": "kaiidams", "channels": channels, "strides": strides, "dimension": dimension}
        return {**sizes, "num_quantizers": num_quantizers, "codebook_size": codebook_size}
    seanet = _encodec(vector)
    pattern = r"encoder\.model\.\d+\.conv\.conv\.weight_v"
    return {
        "form": "academicodec",
        "channels": seanet["n_filters"],
        "strides": _strides(shapes, pattern)[1:-1],
        "dimension": seanet["dimension"],
        "num_codebooks": seanet["num_quantizers"],
        "num_quantizers": max(len(vector[key]) for key in vector.keys if re.search(r"_codes($|_)", key)),
        "codebook_size": seanet["codebook_size"],
    }


SIZES: dict[str, Callable[[Vector], dict[str, Any]]] = {
    "encodec": _encodec,
    "speechtokenizer": _speechtokenizer,
    "funcodec": _funcodec,
    "dac": _dac,
    "audiodec": _audiodec,
    "academicodec": _hificodec,
    "soundstream": _soundstream,
}


def _count(shapes: dict[str, list[int]], pattern: str) -> int:
    return sum(bool(re.fullmatch(pattern, key)) for key in shapes)


def _strides(shapes: dict[str, list[int]], pattern: str) -> list[int]:
    """Of convolutions whose kernels are two strides long, in the order of the network."""
    return [shapes[key][-1] // 2 for key in _matching(shapes, pattern)]


def _matching(shapes: dict[str, list[int]], pattern: str) -> list[str]:
    """Keys in the order of their numbers: 10 after 9."""
    keys = [key for key in shapes if re.fullmatch(pattern, key)]
    return sorted(keys, key=lambda key: [int(number) for number in re.findall(r"\d+", key)])
