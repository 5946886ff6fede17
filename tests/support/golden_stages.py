"""What the arrays of a codec's golden file are compared with: every kind of array has a rule here, or fails."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from golden_codecs import SIZES, official, wrapper_of
from golden_vectors import (
    FREQCODEC_LIMIT,
    LATENT_LIMIT,
    OUTPUT_LIMIT,
    Vector,
    assert_close,
    assert_codes,
    assert_latent,
)
from torch import Tensor

from codec_wrappers import lyra
from codec_wrappers.codec import Codec, Gain
from codec_wrappers.dac import ChunkedDac, Dac
from codec_wrappers.funcodec import Freqcodec, Funcodec
from codec_wrappers.networks.latent_codec import LatentCodec
from codec_wrappers.resynthesis.levels import level
from codecfake.audio import loudness

DECODERS = {"vocoder": "vocoder", "sym": "symmetric"}
DECIBEL_LIMIT = 1e-4


@dataclass(frozen=True)
class Output:
    """How a stored waveform was decoded: `out`, `out_sym`, `out_6kbps`, `out_bw3000`, `out_q20`, `out_decode`."""

    codes: str  # the array it was decoded from
    quantizers: int
    decoder: str | None
    is_leveled: bool  # as decoded, the level of the recording not given back


def check(vector: Vector, key: str) -> None:
    """Compare one stored array with what our code gives. Raises UnknownVectorError for one without a rule."""
    clip, kind = vector.split(key)
    rules = [rule for pattern, rule in RULES.items() if re.fullmatch(pattern, kind)]
    if not rules:
        raise vector.unknown(f"array {key!r} is of no known kind")
    with torch.inference_mode():
        rules[0](vector, clip, kind)


def parsed(vector: Vector, clip: str, kind: str) -> Output:
    """What the words of a waveform's name say. Raises UnknownVectorError for a word that has no meaning here."""
    words = kind.split("_")[1:]
    decoder = next((DECODERS[word] for word in words if word in DECODERS), None)
    stages = [word for word in words if word not in DECODERS and word != "decode"]
    codes = _codes_key(vector, clip, "_".join(["", *stages]))
    most = len(vector[codes]) if codes in vector else official(vector).num_quantizers
    numbers = [_quantizers(vector, word, kind) for word in stages] or [most]
    if len(numbers) > 1 or numbers[0] > most:
        raise vector.unknown(f"array {clip}_{kind} asks for {numbers} of {most} quantizers")
    return Output(codes, numbers[0], decoder, "decode" in words)


def _codes_key(vector: Vector, clip: str, suffix: str) -> str:
    """The codes stored for that waveform alone, or those of the clip."""
    names = [f"{clip}_{name}" for name in (f"codes{suffix}", f"indices{suffix}", "codes", "indices")]
    return next((name for name in names if name in vector), names[2])


def _quantizers(vector: Vector, word: str, kind: str) -> int:
    """The number of quantizers that a word of a name stands for: q20, bw3000 (bit/s), 6kbps, 1.5kbps."""
    if match := re.fullmatch(r"q(\d+)|(\d+)q", word):
        return int(match[1] or match[2])
    match = re.fullmatch(r"bw(?P<bits>\d+)|(?P<kbits>\d+([.p]\d+)?)kbps", word)
    if match is None:
        raise vector.unknown(f"{word!r} of array kind {kind!r} is neither a decoder nor a number of quantizers")
    table = vector.about.get("quantizers_per_bit_width", {})
    if match["bits"] in table:
        return int(table[match["bits"]])
    codec = official(vector)
    bits_per_second = float(match["bits"] or 1000 * float(match["kbits"].replace("p", ".")))
    exact = bits_per_second / (1000 * codec.bitrate_kbps(1))
    if match["bits"]:  # FunCodec's bit widths mean as many as they hold
        return min(codec.num_quantizers, max(1, int(exact)))
    if abs(exact - round(exact)) > 0.01:
        raise vector.unknown(f"{word!r} of array kind {kind!r} is {exact:.3f} quantizers, which is no whole number")
    return round(exact)


# Rules: what each kind of array is compared with


def _latent(vector: Vector, clip: str, kind: str) -> None:
    if f"{clip}_wav" not in vector:
        _refuse_lone(vector, clip, kind, "codes")
        return
    codec, expected = official(vector), vector[f"{clip}_{kind}"]
    latent = encoded(vector, clip).latent
    assert_latent(latent[:: len(latent) // len(expected)], expected)  # some files hold every fourth channel
    assert codec.network is None or not codec.network.training


def _codes(vector: Vector, clip: str, kind: str) -> None:
    """Of the recording, and of the stored latent where all of it is stored."""
    codec, has_latent = official(vector), f"{clip}_latent" in vector
    if has_latent and not isinstance(codec, Dac):
        _assert_codes(vector, clip, kind, _quantized(codec, vector.tensor(f"{clip}_latent"))[0])
    if f"{clip}_wav" in vector:
        _assert_codes(vector, clip, kind, encoded(vector, clip).codes)
    else:
        _refuse_lone(vector, clip, kind, "latent", "out")


def _output(vector: Vector, clip: str, kind: str) -> None:
    output = parsed(vector, clip, kind)
    if output.codes not in vector:
        _refuse_lone(vector, clip, kind, "wav")
        return
    codec, expected = official(vector, output.decoder), vector[f"{clip}_{kind}"]
    wav = codec.decode(vector.tensor(output.codes)[:, : output.quantizers])
    if codec.gain is not Gain.NONE and not output.is_leveled:  # then the official code cuts to the recording, too
        wav = (wav * _stored_level(vector, clip, codec))[:, : len(expected)]
    assert_close(wav[0], expected, limit_of(codec))


def _projected(vector: Vector, clip: str, kind: str) -> None:
    _assert_projected(vector, clip, kind, encoded(vector, clip).projected, slice(None))


def _window(vector: Vector, clip: str, kind: str) -> None:
    window, _ = _chunk(vector, clip, kind)
    expected = vector[f"{clip}_{kind}"]
    assert_latent(window[:: len(window) // len(expected)], expected)


def _window_projected(vector: Vector, clip: str, kind: str) -> None:
    window, number = _chunk(vector, clip, kind)
    codec: Any = official(vector)
    with codec._without_padding():
        projected = codec.network.encode(window[None, None])[2][0]
    frames = projected.shape[1]
    _assert_projected(vector, clip, kind, projected, slice(number * frames, (number + 1) * frames))


def _loudness(vector: Vector, clip: str, kind: str) -> None:
    value = loudness.loudness(vector.tensor(f"{clip}_wav"), vector.about["rate"])
    np.testing.assert_allclose(value, vector[f"{clip}_{kind}"], rtol=0, atol=DECIBEL_LIMIT)


def _scale(vector: Vector, clip: str, kind: str) -> None:
    value = level(Gain.UNIT_RMS, vector.tensor(f"{clip}_wav"))
    np.testing.assert_allclose(value[0], vector[f"{clip}_{kind}"], rtol=LATENT_LIMIT)


def _semantic(vector: Vector, clip: str, kind: str) -> None:
    codec: Any = official(vector)
    expected = vector[f"{clip}_{kind}"]
    assert_latent(codec.network(vector.tensor(f"{clip}_wav")[:, None])[2][0, : len(expected)], expected)


def _features(vector: Vector, clip: str, kind: str) -> None:
    codec: Any = official(vector)
    wav = padded(codec, vector.tensor(f"{clip}_wav"))
    analyze = lyra._runner(codec._models["soundstream_encoder"], "serving_default")
    frames = [analyze(input_audio=frame)["output_0"].ravel() for frame in wav.numpy().reshape(-1, 1, codec.hop_length)]
    assert_latent(torch.from_numpy(np.stack(frames)), vector[f"{clip}_{kind}"])


RULES: dict[str, Callable[[Vector, str, str], None]] = {
    r"latent": _latent,
    r"(codes|indices)(_.+)?": _codes,
    r"out(_.+)?": _output,
    r"vq_latent": _projected,
    r"chunk\d+_input": _window,
    r"chunk\d+_vq_latent": _window_projected,
    r"input_db": _loudness,
    r"scale": _scale,
    r"semantic": _semantic,
    r"features": _features,
}


@dataclass(frozen=True)
class Encoded:
    latent: Tensor  # [D, F], before the quantizer
    codes: Tensor  # [Q, F]
    projected: Tensor  # [·, F], DAC's projections of it, stage by stage


@lru_cache(maxsize=2)
def encoded(vector: Vector, clip: str) -> Encoded:
    """What our encoder and quantizer give for a clip, given to them as to the official ones."""
    codec: Any = official(vector)
    wav = vector.tensor(f"{clip}_wav")
    wav = wav / level(codec.gain, wav, codec.sample_rate)
    none = torch.empty(0)
    if isinstance(codec, Dac) and not isinstance(codec, ChunkedDac):
        whole = codec.network.preprocess(wav[:, None], codec.sample_rate)
        _, codes, projected, *_ = codec.network.encode(whole)
        return Encoded(codec.network.encoder(whole)[0], codes[0], projected[0])
    if isinstance(codec, ChunkedDac | lyra.Lyra):  # which have no latent of the whole
        return Encoded(none, codec.encode(padded(codec, wav))[0], none)
    return Encoded(to_latent(codec, wav)[0], codec.encode(wav)[0], none)


def to_latent(codec: Any, wav: Tensor) -> Tensor:
    """`[B, D, F]`, not yet quantized."""
    if isinstance(codec, LatentCodec):
        return codec.to_latent(wav)
    if isinstance(codec, Funcodec):
        return codec.network.encoder(codec._analyze(wav)).transpose(1, 2)
    return codec.network.encoder(wav[:, None])


def _quantized(codec: Any, latent: Tensor) -> Tensor:
    """Codes `[B, Q, F]` of latents `[B, D, F]`."""
    if isinstance(codec, LatentCodec):
        return codec.quantizer.encode(latent)
    if isinstance(codec, Funcodec):
        return codec.network.quantizer.encode(latent.transpose(1, 2)).transpose(0, 1)
    return codec.network.quantizer.vq.encode(latent).transpose(0, 1)


def _stored_level(vector: Vector, clip: str, codec: Codec) -> Tensor:
    if f"{clip}_wav" in vector:
        return level(codec.gain, vector.tensor(f"{clip}_wav"), codec.sample_rate)
    if codec.gain is Gain.LUFS_16:
        return 10 ** ((vector.tensor(f"{clip}_input_db") - loudness.TARGET) / 20)
    return vector.tensor(f"{clip}_scale")


def _chunk(vector: Vector, clip: str, kind: str) -> tuple[Tensor, int]:
    """What window `chunk{number}_` of a clip feeds to the encoder, and its number, counted from 0."""
    codec: Any = official(vector)
    stated, ours = vector.about.get("window_samples"), codec._window
    if stated not in (None, ours):
        raise vector.unknown(f"its windows have {stated} samples, and ours {ours}")
    wav = vector.tensor(f"{clip}_wav")
    match = re.match(r"chunk(\d+)_", kind)
    assert match is not None
    number = int(match[1])
    return codec.windows(wav / level(codec.gain, wav, codec.sample_rate))[0, number], number


def _assert_projected(vector: Vector, clip: str, kind: str, projected: Tensor, frames: slice) -> None:
    """Stages after a code that differs are left out: they project what it left over."""
    stored, ours = vector[f"{clip}_codes"][:, frames], encoded(vector, clip).codes.numpy()[:, frames]
    after = np.roll(np.logical_or.accumulate(stored != ours, axis=0), 1, axis=0)
    after[0] = False
    expected = vector[f"{clip}_{kind}"]
    same = ~np.repeat(after, len(expected) // len(stored), axis=0)
    assert_latent(torch.where(torch.from_numpy(same), projected, 0.0), np.where(same, expected, 0.0))


def _assert_codes(vector: Vector, clip: str, kind: str, codes: Tensor) -> None:
    expected = vector[f"{clip}_{kind}"]
    assert_codes(codes.numpy()[: len(expected)], expected, margin_of(vector, clip, kind), _groups(vector))


def margin_of(vector: Vector, clip: str, kind: str) -> np.ndarray | None:
    names = [f"{clip}_{name}" for name in (re.sub("codes|indices", "margin", kind), "margin")]
    name = next((name for name in names if name in vector), None)
    return None if name is None else vector[name][: len(vector[f"{clip}_{kind}"])]


def _groups(vector: Vector) -> int:
    return SIZES["academicodec"](vector)["groups"] if wrapper_of(vector) == "academicodec" else 1


def limit_of(codec: Codec) -> float:
    return FREQCODEC_LIMIT if isinstance(codec, Freqcodec) else OUTPUT_LIMIT


def padded(codec: Codec, wav: Tensor) -> Tensor:
    return wav if codec.any_length else torch.nn.functional.pad(wav, (0, -wav.shape[1] % codec.hop_length))


def _refuse_lone(vector: Vector, clip: str, kind: str, *partners: str) -> None:
    """An array without the recording is what another one is made from, or useless."""
    if not any(key.startswith(f"{clip}_{partner}") for key in vector.keys for partner in partners):
        raise vector.unknown(f"array {clip}_{kind} has nothing beside it to be compared with: no {clip}_wav")
