"""Every codec on a pretended CUDA device: what the CPU gives, and no wait for the GPU where none is necessary."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import soundfile
import torch
from pretended_cuda import CUDA, CudaTensor, MixedDevicesError, Observations, pretended_cuda
from test_batches import WRAPPERS
from torch import Tensor

from codec_wrappers import entry
from codec_wrappers.codec import Codec, Gain
from codec_wrappers.contract import forms
from codec_wrappers.contract.forms import FORMS
from codec_wrappers.contract.measurements import snr_db
from codec_wrappers.contract.signals import speech_like
from codec_wrappers.networks import weight_norm
from codec_wrappers.resynthesis import shard
from codec_wrappers.resynthesis.round_trip import round_trip
from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codec_wrappers.resynthesis.shard import resynthesize, resynthesize_shard
from codecfake.base import files
from codecfake.base.utterances import COLUMNS

CPU = torch.device("cpu")
# Forms that differ from another one in a size alone
SIMILAR = ("funcodec_ds320", "hificodec_16k", "dac_16k", "dac_16k_chunked", "dac_24k_chunked")
FRESH = [name for name, form in FORMS.items() if entry(form.wrapper).has_fresh_form]
NETWORKS = [name for name in FRESH if name not in ("passthrough", *SIMILAR)]
COMPLEX = ("_fft_r2c", "_fft_c2r", "_fft_c2c", "complex")  # have no form in half precision
WINDOW = 0.1  # seconds
NUM_UTTERANCES, NUM_SAMPLES = 3, 4_000
# Waits of a shard: each batch of istft checks its window once
WAITS_PER_BATCH = {**dict.fromkeys(NETWORKS, 0), "freqcodec_gr1": 2, "freqcodec_gr8": 2}
# Their extractors work on the CPU, and the resamplers of NeuCodec and Higgs Audio make their filters there
WAITS_PER_BATCH |= {"xcodec2": 3, "neucodec": 4, "higgs": 1}
# The window of istft; the seeds of SNAC's noise, which four layers get from the CPU
WAITS_PER_BATCH |= {"vocos": 1, "snac_24k": 5}
# transformers computes the padding of each convolution on the device
WAITS_PER_BATCH |= dict.fromkeys(("mimi", "transformers_encodec", "pockettts"), 200)


@pytest.fixture
def gpu() -> Iterator[Observations]:
    with pretended_cuda() as observations:
        yield observations


def on_both_devices(name: str) -> tuple[Codec, Codec]:
    on_cpu = forms.fresh(FORMS[name], small=True, device=CPU, seed=0)
    assert on_cpu.network is not None
    on_cpu.network.requires_grad_(False)
    weight_norm.fold(on_cpu.network)  # first: copies of parametrized layers share a class, which folding changes
    on_gpu = copy.deepcopy(on_cpu)
    assert on_gpu.network is not None
    on_gpu.network.to(CUDA)
    return on_cpu, on_gpu


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_a_codec_gives_the_same_on_both_devices_at_every_input_level(name: str, gpu: Observations) -> None:
    on_cpu, on_gpu = on_both_devices(name)
    assert on_cpu.sample_rate is not None
    numbers = [on_cpu.num_quantizers]
    wav = speech_like(on_cpu.sample_rate, 2, int(0.25 * on_cpu.sample_rate) + 13, 3)
    for gain in Gain:
        on_cpu.gain = on_gpu.gain = gain
        window = 30.0 if gain is not Gain.NONE else WINDOW
        (expected,) = resynthesize(on_cpu, wav, numbers, window)
        (output,) = resynthesize(on_gpu, wav.to(CUDA), numbers, window)
        torch.testing.assert_close(output.cpu(), expected, atol=1e-5, rtol=0)


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_a_shard_waits_for_the_gpu_only_where_it_must(
    name: str, gpu: Observations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, codec = on_both_devices(name)
    monkeypatch.setattr(shard, "load_codec", lambda *_: codec)
    form = FORMS[name]
    settings = ResynthesisSettings(name, form.wrapper, {"X": codec.num_quantizers}, 1, form.small)
    table = corpus(tmp_path / "corpus")
    gpu.clear()
    resynthesize_shard(settings, table, tmp_path / "corpus", None, 0, tmp_path / "out", CUDA, threads=2)
    assert len(pd.read_parquet(tmp_path / "out/X/0000.parquet")) == NUM_UTTERANCES
    assert gpu.num_waits <= WAITS_PER_BATCH[name], gpu.waits


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in NETWORKS if FORMS[name].wrapper in WRAPPERS])
def test_a_decoder_in_bfloat16_is_near_and_uses_no_operation_that_bfloat16_lacks(name: str) -> None:
    on_cpu = forms.fresh(FORMS[name], small=True, device=CPU, seed=0)
    assert on_cpu.network is not None and on_cpu.sample_rate is not None
    wav, numbers = speech_like(on_cpu.sample_rate, 1, 10 * on_cpu.hop_length, 3), [on_cpu.num_quantizers]
    with torch.no_grad():
        (expected,) = round_trip(on_cpu, wav, numbers, 30.0)
    strategy = torch.jit.set_fusion_strategy([])  # as `make_repeatable` does for a job on a GPU
    with pretended_cuda(forward_only=True) as observations, torch.no_grad():
        on_cpu.network.requires_grad_(False).to(CUDA)
        (output,) = round_trip(on_cpu, wav.to(CUDA), numbers, 30.0, "bfloat16")
    torch.jit.set_fusion_strategy(strategy)
    assert 15 < snr_db(output.cpu(), expected) < 100
    assert observations.reduced["convolution"] > 0
    assert not [operation for operation in COMPLEX if observations.reduced[operation]]


def corpus(root: Path) -> Path:
    """Utterances of one length, so that they are one batch; the path of their table."""
    root.mkdir()
    rows = []
    for number in range(NUM_UTTERANCES):
        path = root / f"u{number}.wav"
        soundfile.write(path, speech_like(16_000, 1, NUM_SAMPLES, number)[0].numpy(), 16_000, subtype="PCM_16")
        row = dict.fromkeys(COLUMNS, "x") | {"utterance_id": path.stem, "path": path.name, "key": "bonafide"}
        sizes = {"sample_rate": 16_000, "num_samples": NUM_SAMPLES, "channels": 1}
        rows.append(row | sizes | {"sha256": files.sha256(path)})
    files.write_parquet(root.with_suffix(".parquet"), pd.DataFrame(rows))
    return root.with_suffix(".parquet")


@pytest.mark.parametrize("name", ["encodec", "speechtokenizer", "funcodec_ds640"])
def test_a_network_of_a_package_decodes_without_a_wait_for_the_gpu(name: str, gpu: Observations) -> None:
    _, codec = on_both_devices(name)
    codes = torch.zeros(1, codec.num_quantizers, 5, dtype=torch.long, device=CUDA)
    gpu.clear()
    with torch.no_grad():
        codec.decode_all(codes, [1, codec.num_quantizers])
    assert gpu.num_waits == 0, gpu.waits


@pytest.mark.parametrize("numbers", [[2], [1, 2, 4]])
def test_chunks_of_dac_wait_as_often_for_one_source_as_for_several(numbers: list[int], gpu: Observations) -> None:
    _, codec = on_both_devices("dac_16k_chunked")
    codes = torch.zeros(1, codec.num_quantizers, 5, dtype=torch.long, device=CUDA)
    gpu.clear()
    with torch.no_grad():
        codec.decode_all(codes, numbers)
    assert gpu.num_waits == 2  # the wavs to the CPU, and their levels back


def test_the_rehearsal_sees_a_tensor_that_was_left_on_the_cpu(gpu: Observations) -> None:
    """A mutation: a buffer of the encoder stays behind."""
    _, codec = on_both_devices("encodec")
    assert codec.network is not None
    bias = next(name for name, _ in codec.network.named_parameters() if name.endswith("bias"))
    owner, _, attribute = bias.rpartition(".")
    on_cpu = torch.nn.Parameter(codec.network.get_parameter(bias).detach().cpu(), requires_grad=False)
    setattr(codec.network.get_submodule(owner), attribute, on_cpu)
    with pytest.raises(MixedDevicesError, match="Expected all tensors to be on the same device"):
        resynthesize(codec, torch.rand(1, 640, device=CUDA), [1])


def test_the_rehearsal_sees_a_wait_in_the_middle_of_a_codec(gpu: Observations, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutation: the decoder looks at its codes."""
    _, codec = on_both_devices("encodec")
    decode = codec.decode

    def watchful(codes: Tensor) -> Tensor:
        assert isinstance(codes, CudaTensor) and int(codes.max()) >= 0
        return decode(codes)

    gpu.clear()
    with torch.no_grad():
        watchful(torch.zeros(1, 1, 5, dtype=torch.long, device=CUDA))
    assert gpu.num_waits == 1


def test_fresh_weights_leave_the_random_state_of_gpus_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(device: object = None) -> Tensor:
        raise AssertionError("the random state of a GPU was read")

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    monkeypatch.setattr(torch.cuda, "get_rng_state", refuse)
    forms.fresh(FORMS["encodec"], small=True, device=CPU, seed=0)
