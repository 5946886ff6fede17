"""The audio tokenizers of `transformers`, each a family: EnCodec, DAC, Mimi, X-Codec, X-Codec2, NeuCodec and more.

Weights are a folder as on the Hugging Face hub, with `config.json` and `model.safetensors`, and are read by
transformers itself: it knows the older names of their tensors. All networks get recordings at one rate, in mono.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.functional import pad

from codec_wrappers.codec import Codec, Gain
from codec_wrappers.networks.fresh_codebooks import drop_biases, start_codebooks
from codec_wrappers.transformers_settings import PUBLISHED, TransformersSettings, merged
from codec_wrappers.weights.loading import WeightsError, load_into
from codecfake.base import json_texts, provenance
from codecfake.base.hub_models import CONFIG, recorded
from codecfake.base.settings import SettingsError
from codecfake.base.suggestions import unknown

LONG_CONTEXT = 4.0  # seconds; attention and norms over the whole recording have no bound: windows approximate them
CODEBOOKS = ("embed", "embed_sum")  # buffers that hold zeros in fresh networks
REMEDY = "fetch the model again"


class Tokenizer(Codec):
    """Codes `[B, Q, F]` by `encode` and `decode` of a network of transformers, as most families have them."""

    network: Any

    def __init__(self, settings: TransformersSettings, network: Any) -> None:
        self.sample_rate = settings.sample_rate
        self.hop_length = settings.hop_length
        self.num_quantizers = settings.num_quantizers
        self.bits_per_code = settings.bits_per_code
        self.network = network.eval()

    def encode(self, wav: Tensor) -> Tensor:
        return self.network.encode(wav[:, None]).audio_codes

    def decode(self, codes: Tensor) -> Tensor:
        return self.network.decode(codes).audio_values[:, 0]


class Encodec(Tokenizer):
    any_length = True

    def encode(self, wav: Tensor) -> Tensor:
        # its own `encode` defaults to the smallest bandwidth
        return self.network.quantizer.encode(self.network.encoder(wav[:, None])).transpose(0, 1)

    def decode(self, codes: Tensor) -> Tensor:
        return self.network.decoder(self.network.quantizer.decode(codes.transpose(0, 1)))[:, 0]


class Dac(Tokenizer):
    def encode(self, wav: Tensor) -> Tensor:
        return self.encode_first(wav, self.num_quantizers)

    def encode_first(self, wav: Tensor, number: int) -> Tensor:
        return self.network.encode(wav[:, None], n_quantizers=number).audio_codes

    def decode(self, codes: Tensor) -> Tensor:
        return self.network.decode(audio_codes=codes).audio_values


class Mimi(Tokenizer):
    any_length = True
    context_duration = LONG_CONTEXT

    def encode(self, wav: Tensor) -> Tensor:
        return self.encode_first(wav, self.num_quantizers)

    def encode_first(self, wav: Tensor, number: int) -> Tensor:
        return self.network.encode(wav[:, None], num_quantizers=number).audio_codes


class Xcodec(Tokenizer):
    """X-Codec, and Higgs Audio v2: HuBERT's features of the whole recording are part of the latent."""

    context_duration = LONG_CONTEXT


class Xcodec2(Tokenizer):
    """Codes of waveforms and of mel spectrograms, which its feature extractor makes on the CPU from a whole input."""

    any_length = True
    context_duration = LONG_CONTEXT
    extractor = "Xcodec2FeatureExtractor"
    input_rate: int  # Hz

    def __init__(self, settings: TransformersSettings, network: Any) -> None:
        super().__init__(settings, network)
        self.input_rate = settings.configuration.get("input_sampling_rate", settings.sample_rate)
        hop_length = settings.hop_length * self.input_rate // settings.sample_rate
        self._extract = getattr(transformers, self.extractor)(sampling_rate=self.input_rate, hop_length=hop_length)

    def encode(self, wav: Tensor) -> Tensor:
        rows = list(wav.cpu().numpy())
        inputs = self._extract(rows, sampling_rate=self.input_rate, return_tensors="pt")
        waveform, spectrum = (inputs[name].to(wav.device) for name in ("input_values", "input_features"))
        return self.network.encode(waveform, input_features=spectrum).audio_codes.long()

    def decode(self, codes: Tensor) -> Tensor:
        return self.network.decode(audio_codes=codes).audio_values[:, 0]


class NeuCodec(Xcodec2):
    """Its encoder takes 16 kHz, and its decoder gives 24 kHz; here it is a codec at 24 kHz.

    A spectrogram needs two of its frames: shorter input is followed by zeros.
    """

    extractor = "NeuCodecFeatureExtractor"

    def encode(self, wav: Tensor) -> Tensor:
        from torchaudio.functional import resample

        missing = max(0, self.hop_length - wav.shape[1])  # the extractor itself appends a sample and completes a frame
        return super().encode(resample(pad(wav, (0, missing)), self.sample_rate, self.input_rate))


class PocketTts(Tokenizer):
    """Continuous latents, where Mimi has codes."""

    context_duration = LONG_CONTEXT

    def encode(self, wav: Tensor) -> Tensor:
        return self.network.encode(wav[:, None]).latents[:, None]

    def decode(self, codes: Tensor) -> Tensor:
        return self.network.decode(codes[:, 0]).audio_values[:, 0]


class VibeVoice(Tokenizer):
    """Continuous latents: the mean of the variational autoencoder. It was trained to decode them with noise as well."""

    gain = Gain.DBFS_25  # as its feature extractor sets it
    context_duration = LONG_CONTEXT

    def encode(self, wav: Tensor) -> Tensor:
        return self.network.encode(wav[:, None], sample=False).latents[:, None]

    def decode(self, codes: Tensor) -> Tensor:
        return self.network.decode(codes[:, 0]).audio[:, 0]


@dataclass(frozen=True)
class Family:
    """The codec of a family, and the classes of transformers that it uses."""

    codec: type[Tokenizer]
    model: str
    config: str


FAMILIES = {
    "encodec": Family(Encodec, "EncodecModel", "EncodecConfig"),
    "dac": Family(Dac, "DacModel", "DacConfig"),
    "mimi": Family(Mimi, "MimiModel", "MimiConfig"),
    "xcodec": Family(Xcodec, "XcodecModel", "XcodecConfig"),
    "higgs": Family(Xcodec, "HiggsAudioV2TokenizerModel", "HiggsAudioV2TokenizerConfig"),
    "xcodec2": Family(Xcodec2, "Xcodec2Model", "Xcodec2Config"),
    "neucodec": Family(NeuCodec, "NeuCodecModel", "NeuCodecConfig"),
    "pockettts": Family(PocketTts, "PocketTTSAudioTokenizerModel", "PocketTTSAudioTokenizerConfig"),
    "vibevoice": Family(VibeVoice, "VibeVoiceAcousticTokenizerModel", "VibeVoiceAcousticTokenizerConfig"),
}


def build(settings: TransformersSettings) -> Tokenizer:
    """The network with random weights: those of `seed`, or else of torch's generator. They are for tests."""
    with torch.random.fork_rng(devices=[], enabled=settings.seed is not None):
        if settings.seed is not None:
            torch.manual_seed(settings.seed)
        codec = _fresh(settings)
        drop_biases(codec.network)
        _start_codebooks(codec)
    return codec


def load(settings: TransformersSettings, weights: Path | None) -> Tokenizer:
    """The codec with the weights of a folder of the hub's form, or of a safetensors file with the network's names.

    The folder may also hold the record of a model that `hub_models.fetch` left in the cache of the hub.

    Raises WeightsError if the folder's configuration or tensors are not those of the settings, and as `recorded`.
    """
    if weights is None:
        raise WeightsError(f"{settings.family}: no weights to load; give a folder with {CONFIG} and model.safetensors")
    if not weights.is_dir():
        return load_into(_fresh(settings), weights)
    family = FAMILIES[settings.family]
    is_record = not (weights / CONFIG).is_file() and (weights / provenance.RECORD).is_file()
    return family.codec(settings, _published(settings, family, recorded(weights) if is_record else weights))


def _fresh(settings: TransformersSettings) -> Tokenizer:
    family = FAMILIES[settings.family]
    return family.codec(settings, getattr(transformers, family.model)(_configuration(settings, family)))


def _configuration(settings: TransformersSettings, family: Family) -> Any:
    """Raises SettingsError for a key that the configuration does not have: transformers would ignore it."""
    kind = getattr(transformers, family.config)
    names = {each.name for each in fields(kind)}
    for key in settings.config:
        if key not in names:
            raise SettingsError(f"config: {unknown('key', key, sorted(names))}")
    return kind(**settings.configuration)


def _start_codebooks(codec: Tokenizer) -> None:
    layers = [each for each in codec.network.modules() if hasattr(each, "encode") and hasattr(each, "codebook")]
    start_codebooks([(layer, _vectors(layer)) for layer in layers], codec.encode, codec.hop_length)
    for layer in layers:
        if hasattr(layer.codebook, "_embed"):
            layer.codebook._embed = None  # Mimi keeps its vectors where they were first used: on the CPU


def _vectors(layer: Any) -> Tensor:
    return next(value for name, value in layer.codebook.named_buffers() if name in CODEBOOKS)


def _published(settings: TransformersSettings, family: Family, folder: Path) -> Any:
    kind, model = getattr(transformers, family.config), getattr(transformers, family.model)
    path = folder / CONFIG
    model_type = json_texts.read_object(path, REMEDY).get("model_type")
    if model_type != kind.model_type:
        raise WeightsError(f"{path}: is of {model_type!r}; {settings.family} needs {kind.model_type!r}")
    config = kind.from_pretrained(folder, local_files_only=True)
    _refuse_other_shape(settings, config, path)
    try:
        network, report = model.from_pretrained(
            folder, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True,
            output_loading_info=True,
        )  # fmt: skip
    except (OSError, RuntimeError, SafetensorError) as error:
        raise WeightsError(f"{folder}: cannot be read as {family.model} ({error}); {REMEDY}") from error
    faults = [f"{what}: {', '.join(map(str, sorted(map(str, names))[:3]))}" for what, names in report.items() if names]
    if faults:
        raise WeightsError(f"{folder}: its tensors are not those of {family.model} ({'; '.join(faults)}); {REMEDY}")
    return network


def _refuse_other_shape(settings: TransformersSettings, config: Any, path: Path) -> None:
    """Raise WeightsError unless the published configuration has the values of the settings."""
    for key, ours in merged(PUBLISHED[settings.family], settings.config).items():
        theirs = getattr(config, key, None)
        if not _is_same(ours, theirs):
            raise WeightsError(
                f"{path}: {key} is {_plain(theirs)}, and {ours} in the codec's `model`; write the file's value under "
                f"`config` there"
            )


def _is_same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, Mapping):
        return all(_is_same(value, getattr(theirs, key, None)) for key, value in ours.items())
    return _plain(ours) == _plain(theirs)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value
