"""Resynthesis as the codecs' own packages show it in their examples: one file at a time.

Every function here takes our codec, for its weights, and returns a function that resynthesizes one file.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import soundfile
import torch
import yaml
from torch import Tensor
from torch.nn import functional as F

from codec_wrappers.codec import Codec

OneFile = Callable[[Path, Path, int], None]  # input file, output file, number of quantizers


def encodec(codec: Codec, device: torch.device) -> OneFile:
    """`EncodecModel.encode` and `decode` at a target bandwidth."""
    from encodec import EncodecModel
    from encodec.utils import convert_audio

    model = EncodecModel.encodec_model_24khz(pretrained=False)
    model.load_state_dict(_move_weights(codec))
    model.eval().to(device)

    def one_file(source: Path, target: Path, quantizers: int) -> None:
        wav, rate = _read(source)
        wav = convert_audio(wav, rate, model.sample_rate, model.channels)[None].to(device)
        model.set_target_bandwidth(codec.bitrate_kbps(quantizers))
        with torch.no_grad():
            output = model.decode(model.encode(wav))[0, :, : wav.shape[-1]]
        _write(target, output, model.sample_rate)

    return one_file


def speechtokenizer(codec: Codec, device: torch.device) -> OneFile:
    """`SpeechTokenizer.encode` and `decode`."""
    network: Any = codec.network

    def one_file(source: Path, target: Path, quantizers: int) -> None:
        wav = _resample(*_read(source), codec.sample_rate)[None].to(device)
        with torch.no_grad():
            output = network.decode(network.encode(wav)[:quantizers])[0, :, : wav.shape[-1]]
        _write(target, output, codec.sample_rate)

    return one_file


def dac(codec: Codec, device: torch.device) -> OneFile:
    """`DAC.encode` and `decode` of whole files, which `AudioSignal` reads and resamples."""
    from audiotools import AudioSignal

    network: Any = codec.network

    def one_file(source: Path, target: Path, quantizers: int) -> None:
        signal = AudioSignal(*soundfile.read(source, dtype="float32")).resample(codec.sample_rate).to(device)
        with torch.no_grad():
            padded = network.preprocess(signal.audio_data, signal.sample_rate)
            latent, *_ = network.encode(padded, quantizers)
            output = network.decode(latent)[0, :, : signal.signal_length]
        _write(target, output, codec.sample_rate)

    return one_file


def funcodec(codec: Codec, device: torch.device) -> OneFile:
    """`Speech2Token`, with a model without the discriminators and losses that need a GPU."""
    from funcodec.bin.codec_inference import Speech2Token

    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(yaml.safe_dump(_funcodec_config(codec.hop_length)))
        tokens = Speech2Token(str(config), None, device=str(device), sampling_rate=codec.sample_rate)
    tokens.model.load_state_dict(_move_weights(codec), strict=False)

    def one_file(source: Path, target: Path, quantizers: int) -> None:
        wav = _resample(*_read(source), codec.sample_rate)
        *_, output, _ = tokens(wav, bit_width=round(1000 * codec.bitrate_kbps(quantizers)))
        _write(target, output[0], codec.sample_rate)

    return one_file


def network_alone(codec: Codec, device: torch.device) -> OneFile:
    """Our own network, one file at a time, for codecs without a package."""

    def one_file(source: Path, target: Path, quantizers: int) -> None:
        wav = _resample(*_read(source), codec.sample_rate).to(device)
        padded = wav if codec.any_length else F.pad(wav, (0, -wav.shape[1] % codec.hop_length))
        with torch.no_grad():
            output = codec.decode(codec.encode(padded)[:, :quantizers])[:, : wav.shape[1]]
        _write(target, output, codec.sample_rate)

    return one_file


def _funcodec_config(hop_length: int) -> dict[str, Any]:
    shape = {"ratios": [8, 5, 4, 2] + [2] * (hop_length == 640), "norm": "time_group_norm", "causal": False}
    return {
        "input_size": 1,
        "encoder": "encodec_seanet_encoder",
        "encoder_conf": shape,
        "quantizer": "costume_quantizer",
        "quantizer_conf": {
            "codebook_size": 1024,
            "num_quantizers": 32,
            "ema_decay": 0.99,
            "kmeans_init": True,
            "sampling_rate": 16_000,
            "encoder_hop_length": hop_length,
        },
        "decoder": "encodec_seanet_decoder",
        "decoder_conf": shape,
        "discriminator": "multiple_disc",
        "discriminator_conf": {"disc_conf_list": []},
        "model": "encodec",
        "model_conf": {
            "odim": 128,
            "multi_spectral_window_powers_of_two": [],
            "target_sample_hz": 16_000,
            "audio_normalize": True,
            "segment_dur": None,
            "overlap_ratio": None,
        },
    }


def _move_weights(codec: Codec) -> dict[str, Tensor]:
    """Move the weights out of our codec, for the package's own model."""
    assert codec.network is not None
    weights = codec.network.state_dict()
    codec.network = None
    return weights


def _read(path: Path) -> tuple[Tensor, int]:
    """Wav `[1, T]` and its rate; torchaudio's own reader would need another package."""
    wav, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return torch.from_numpy(wav.mean(axis=1))[None], rate


def _resample(wav: Tensor, from_rate: int, to_rate: int | None) -> Tensor:
    from torchaudio.functional import resample

    assert to_rate is not None
    return resample(wav, from_rate, to_rate)


def _write(path: Path, wav: Tensor, sample_rate: int | None) -> None:
    soundfile.write(path, wav.clamp(-1, 1).cpu().numpy().T, sample_rate, subtype="PCM_16")
