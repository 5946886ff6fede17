"""What only a GPU can show: its codes, its repeatability, and where the CPU waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from test_batches import DURATION, WITH_ENDS, rows_of, together_and_alone, watch_codes
from torch import Tensor

from codec_wrappers import entry
from codec_wrappers.codec import Codec
from codec_wrappers.contract import forms
from codec_wrappers.contract.forms import FORMS
from codec_wrappers.contract.promises import MOST_FRAMES
from codec_wrappers.contract.signals import speech_like
from codec_wrappers.resynthesis.round_trip import padded_round_trip
from codec_wrappers.resynthesis.shard import resynthesize
from codecfake.base import devices

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]

CPU = torch.device("cpu")
NETWORKS = [name for name, form in FORMS.items() if entry(form.wrapper).has_fresh_form and name != "passthrough"]
# torch's inverse STFT looks at its window; parts run on the CPU; transformers computes padding on the device
UNAVOIDABLE = (
    "freqcodec_gr1", "freqcodec_gr8", "vocos", "snac_24k", "xcodec2", "neucodec", "higgs", "mimi",
    "transformers_encodec", "pockettts",
)  # fmt: skip


@pytest.fixture
def gpu() -> torch.device:
    return devices.prepare("cuda", 1)


@contextmanager
def no_waits() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def fresh(name: str, device: torch.device) -> Codec:
    return forms.fresh(FORMS[name], small=True, device=device, seed=0)


def speech(codec: Codec, seed: int, frames: int = 40) -> Tensor:
    assert codec.sample_rate is not None
    return speech_like(codec.sample_rate, 1, frames * codec.hop_length, seed)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_codes_of_a_gpu_are_those_of_the_cpu(name: str, gpu: torch.device) -> None:
    on_cpu, on_gpu = fresh(name, CPU), fresh(name, gpu)
    wav = speech(on_cpu, 1)
    with torch.inference_mode():
        codes, expected = on_gpu.encode(wav.to(gpu)).cpu(), on_cpu.encode(wav)
    if on_cpu.bits_per_code is None:
        torch.testing.assert_close(codes, expected, atol=1e-4 * expected.abs().max().item(), rtol=0)
        return
    assert (codes != expected).any(dim=1).float().mean() <= MOST_FRAMES


@pytest.mark.parametrize("name", NETWORKS)
def test_the_order_of_utterances_does_not_change_a_bit(name: str, gpu: torch.device) -> None:
    codec = fresh(name, gpu)
    wavs = [speech(codec, seed, frames).to(gpu) for seed, frames in enumerate((40, 55, 70))]

    def through(order: list[int]) -> dict[int, Tensor]:
        return {number: resynthesize(codec, wavs[number], [codec.num_quantizers])[0] for number in order}

    first, second = through([0, 1, 2]), through([2, 0, 1])
    assert all(torch.equal(first[number], second[number]) for number in first)


@pytest.mark.parametrize("name", WITH_ENDS)
def test_a_padded_batch_has_the_codes_of_each_recording_alone(
    name: str, gpu: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = fresh(name, gpu)
    codes = watch_codes(codec, monkeypatch)
    together, alone = together_and_alone(codec, [wav.to(gpu) for wav in rows_of(codec, DURATION)])
    *codes_alone, codes_together = codes
    for row, expected in enumerate(codes_alone):
        differ = codes_together[row, :, : expected.shape[2]] != expected[0]
        assert differ.any(dim=0).float().mean() <= MOST_FRAMES
        if not differ.any():
            torch.testing.assert_close(together[row], alone[row], atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", WITH_ENDS)
def test_finding_the_ends_of_rows_never_waits_for_the_gpu(name: str, gpu: torch.device) -> None:
    codec = fresh(name, gpu)
    wavs, ends = rows_of(codec, DURATION), codec.row_ends()
    padded = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True).to(gpu)
    assert ends is not None
    with no_waits(), torch.inference_mode():
        padded_round_trip(codec, ends, padded, [len(wav) for wav in wavs], [codec.num_quantizers])


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in UNAVOIDABLE and "chunked" not in name])
def test_encoding_and_decoding_never_wait_for_the_gpu(name: str, gpu: torch.device) -> None:
    codec = fresh(name, gpu)
    wav = speech(codec, 2).to(gpu)
    with no_waits(), torch.inference_mode():
        codec.decode_all(codec.encode(wav), [codec.num_quantizers])
