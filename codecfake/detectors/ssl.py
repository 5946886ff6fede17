"""Self-supervised front-ends, cut after a few layers: wav2vec 2.0 (also XLS-R and MMS), WavLM and HuBERT.

The output of layer 5 needs only the first five blocks: the cut model computes it bit for bit, three times
faster than the whole one.

A model normalizes either the input of each block (the large ones; `do_stable_layer_norm`) or its output (base). The
encoder's own LayerNorm is then after the last block or before the first. After the last block it belongs to the output
of the whole model only, so it is removed unless `final_norm` asks for it.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codecfake.base.home import expanded
from codecfake.detectors import FeatureShape, shipped_front_ends
from codecfake.detectors.front_end import FrontEnd, sha256
from codecfake.detectors.front_end_settings import INCLUDED, ONE, POST_NORM, RANDOM, SslSettings

CONFIG, FILES = "config.json", ("model.safetensors", "pytorch_model.bin")  # of a published model; either file
UNUSED = {"masked_spec_embed"}  # weights for pre-training only


class FrontEndWeightsError(ValueError):
    """Pretrained weights are missing or belong to another model."""


class Ssl(FrontEnd):
    """wav `[B, T]` -> output of block `layer`, `[B, F, D]`: 201 frames of 1024 for 64,600 samples and XLS-R.

    With `layers` other than one, the outputs of several blocks, `[B, L, F, D]`.
    """

    architecture: str  # the prefix of transformers' class names

    def __init__(self, settings: SslSettings) -> None:
        super().__init__()
        self._settings = settings
        build = BUILDERS.get(settings.weights, _pretrained)
        model: Any = build(self.architecture, settings)
        if settings.final_norm and not model.config.do_stable_layer_norm:
            raise FrontEndWeightsError(f"front-end weights {settings.weights!r}: {POST_NORM}")
        if model.config.do_stable_layer_norm and not settings.final_norm:
            model.encoder.layer_norm = nn.Identity()
        self.model = model
        self._dimension: int = model.config.hidden_size
        self._convolutions = list(zip(model.config.conv_kernel, model.config.conv_stride, strict=True))

    @property
    def is_pretrained(self) -> bool:  # type: ignore[override]
        return self._settings.weights not in BUILDERS

    def shape(self, num_samples: int) -> FeatureShape:
        for kernel, stride in self._convolutions:
            num_samples = (num_samples - kernel) // stride + 1
        return FeatureShape(num_samples, self._dimension, frames_first=False, num_layers=self._settings.num_layers)

    def forward(self, wav: Tensor) -> Tensor:
        if self._settings.normalize:
            mean, variance = wav.mean(1, keepdim=True), wav.var(1, correction=0, keepdim=True)
            wav = (wav - mean) / (variance + self._settings.variance_floor).sqrt()
        if self._settings.layers == ONE:
            return self.model(wav).last_hidden_state
        layers = self.model(wav, output_hidden_states=True).hidden_states
        return torch.stack(layers[-self._settings.num_layers :], dim=1)

    def provenance(self) -> str | dict[str, str]:
        """What the model folder of a detector records of these weights."""
        if not self.is_pretrained:
            return self._settings.weights
        return {"source": self._settings.weights, "sha256": digest(self.model)}

    def digest(self) -> str:
        return digest(self.model)

    def included(self) -> dict[str, Any]:
        """Its settings in a model folder that contains its weights, with the model's whole configuration."""
        from transformers import PretrainedConfig

        config, of_any_model = self.model.config.to_dict(), PretrainedConfig().to_dict()
        own = {key: value for key, value in config.items() if key not in of_any_model}
        return {**asdict(self._settings), "weights": INCLUDED, "config": own}


class Wav2Vec2(Ssl):
    architecture = "Wav2Vec2"


class WavLM(Ssl):
    architecture = "WavLM"


class Hubert(Ssl):
    architecture = "Hubert"


def digest(model: nn.Module) -> str:
    """sha256 over names and values of the weights in use."""
    return sha256({name: tensor for name, tensor in model.state_dict().items() if name not in UNUSED})


def _overrides(settings: SslSettings) -> dict[str, Any]:
    return {"num_hidden_layers": settings.layer, "layerdrop": 0.0, "apply_spec_augment": False}


def _random(architecture: str, settings: SslSettings) -> nn.Module:
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return getattr(transformers, f"{architecture}Model")(_config(architecture, settings))


def _included(architecture: str, settings: SslSettings) -> nn.Module:
    """The model without memory for its weights, which the model folder of the detector has."""
    import transformers

    with torch.device("meta"):
        return getattr(transformers, f"{architecture}Model")(_config(architecture, settings))


BUILDERS: dict[str, Callable[[str, SslSettings], nn.Module]] = {RANDOM: _random, INCLUDED: _included}


def _config(architecture: str, settings: SslSettings) -> Any:
    import transformers

    return getattr(transformers, f"{architecture}Config")(**{**settings.config, **_overrides(settings)})


def _pretrained(architecture: str, settings: SslSettings) -> nn.Module:
    """The blocks up to `layer`.

    Tensors above it are never read from safetensors or a zipped pickle; an older pickle is loaded whole.
    """
    import transformers

    folder = _folder(settings.weights)
    transformers.logging.set_verbosity_error()  # it reports the layers above the cut as unexpected
    transformers.logging.disable_progress_bar()
    try:
        model, report = getattr(transformers, f"{architecture}Model").from_pretrained(
            folder,
            local_files_only=True,
            weights_only=True,
            output_loading_info=True,
            dtype=torch.float32,
            **_overrides(settings),
        )
    except Exception as error:  # damaged files can raise anything
        raise _absent(settings.weights, error) from error
    missing = sorted(set(report["missing_keys"]) - UNUSED)
    if missing:
        raise FrontEndWeightsError(
            f"front-end weights {settings.weights!r} lack {len(missing)} tensors of a {settings.layer}-layer "
            f"{architecture}, the first is {missing[0]}; give weights of that architecture"
        )
    return model


def _folder(weights: str) -> Path:
    """The folder itself, of a shipped front-end, or of a hub id, which is downloaded unless it already was.

    Raises FrontEndWeightsError if it is not available.
    """
    if weights.startswith(shipped_front_ends.PREFIX):
        return shipped_front_ends.folder(weights)
    if (path := Path(expanded(weights))).is_dir():
        return path
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HFValidationError

    try:
        folder = Path(hf_hub_download(weights, CONFIG)).parent
        try:
            hf_hub_download(weights, FILES[0])
        except EntryNotFoundError:  # some published models have none
            hf_hub_download(weights, FILES[1])
    except HFValidationError as error:
        raise _absent(weights, "it is neither a folder on this machine nor the id of a hub model") from error
    except (OSError, EntryNotFoundError) as error:
        raise _absent(weights, error) from error
    return folder


def _absent(weights: str, error: Exception | str) -> FrontEndWeightsError:
    return FrontEndWeightsError(
        f"front-end weights {weights!r} cannot be loaded: {error}\n"
        f"Without a network, fetch {CONFIG} and {FILES[0]}, or {FILES[1]} if it does not exist, elsewhere "
        f"(`hf download MODEL --local-dir FOLDER`), copy the folder to this machine and give its path as `weights` "
        f"of the experiment's front-end, or as --front-end to `score` and `import-checkpoint`"
    )
