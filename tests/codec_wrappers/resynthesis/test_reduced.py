"""Decoders with fewer bits: the codes stay exact, the output hardly changes, and the setting ends with the decoder."""

from typing import Any

import pytest
import torch
from torch import Tensor

from codec_wrappers.codec import Codec
from codec_wrappers.contract import forms
from codec_wrappers.contract.forms import FORMS
from codec_wrappers.contract.measurements import snr_db
from codec_wrappers.contract.signals import speech_like
from codec_wrappers.resynthesis.reduced import decoding
from codec_wrappers.resynthesis.round_trip import round_trip

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
BACKENDS: list[Any] = [torch.backends.cuda.matmul, torch.backends.cudnn]


@pytest.fixture(scope="module")
def codec() -> Codec:
    return forms.fresh(FORMS["soundstream_kaiidams"], small=True, device=CPU, seed=0)


def through(codec: Codec, precision: Any) -> Tensor:
    wav = speech_like(16_000, 1, 8_000, 1)
    with torch.inference_mode():
        (output,) = round_trip(codec, wav, [codec.num_quantizers], 30.0, precision)
    return output


def test_bfloat16_begins_after_the_codes_and_hardly_changes_the_output(
    codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = through(codec, "float32")
    encode, decode = codec.encode, codec.decode
    calls = []

    def watched_encode(wav: Tensor) -> Tensor:
        calls.append(("encode", torch.is_autocast_enabled("cpu")))
        return encode(wav)

    def watched_decode(codes: Tensor) -> Tensor:
        calls.append(("decode", torch.is_autocast_enabled("cpu")))
        return decode(codes)

    monkeypatch.setattr(codec, "encode", watched_encode)
    monkeypatch.setattr(codec, "decode", watched_decode)
    reduced = through(codec, "bfloat16")
    assert calls == [("encode", False), ("decode", True)]
    assert reduced.dtype == torch.float32
    assert 15 < snr_db(reduced, exact) < 80


def test_tf32_changes_nothing_on_a_cpu(codec: Codec) -> None:
    assert torch.equal(through(codec, "tf32"), through(codec, "float32"))


def test_tf32_is_on_for_a_decoder_on_a_gpu_and_off_after_it() -> None:
    before = [backend.allow_tf32 for backend in BACKENDS]
    try:
        for backend in BACKENDS:
            backend.allow_tf32 = False
        with pytest.raises(KeyError), decoding(CUDA, "tf32"):
            assert all(backend.allow_tf32 for backend in BACKENDS)
            raise KeyError
        assert not any(backend.allow_tf32 for backend in BACKENDS)
        with decoding(CPU, "tf32"), decoding(CUDA, "float32"):
            assert not any(backend.allow_tf32 for backend in BACKENDS)
    finally:
        for backend, value in zip(BACKENDS, before, strict=True):
            backend.allow_tf32 = value
