"""Distillation: a codec's first codebook learns a speech model's representation (Zhang et al. 2024)."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from codec_wrappers.training.recipe import AVERAGE, LAYER
from codecfake.base import precision
from codecfake.base.home import expanded
from codecfake.base.settings import SettingsError

SAMPLE_RATE = 16_000


class Teacher:
    """A frozen HuBERT: the average of the outputs of all its layers, or the output of one, at 50 frames per second.

    It is not an `nn.Module`, so that checkpoints do not include it.
    """

    def __init__(self, model: str, sample_rate: int, output: str = AVERAGE) -> None:
        """`model` is a folder in the form of `transformers`, or a name on the hub; `output`: "average" or "layer N"."""
        if sample_rate != SAMPLE_RATE:
            raise SettingsError(
                f"Recipe.teacher: {model} takes {SAMPLE_RATE} Hz, but the codec has {sample_rate} Hz; "
                f"choose a codec of {SAMPLE_RATE} Hz, or set `weights: {{distillation: 0}}`"
            )
        self._model = _hubert(model).eval().requires_grad_(False)
        layer = LAYER.fullmatch(output)
        self._layer = None if layer is None else int(layer[1])
        if self._layer is not None and self._layer > self._model.config.num_hidden_layers:
            raise SettingsError(
                f"Recipe.teacher_output: {output}, but {model} has {self._model.config.num_hidden_layers} layers; "
                f"choose one of them, or {AVERAGE}"
            )

    @torch.no_grad()
    def __call__(self, wav: Tensor) -> Tensor:
        """Target `[B, F, D]` of wav `[B, T]`, which is normalized to mean 0 and variance 1, as in HuBERT's training."""
        deviation, mean = torch.std_mean(wav, dim=1, keepdim=True)
        with precision.exact(wav.device.type):
            output = self._model.to(wav.device)((wav - mean) / (deviation + 1e-7), output_hidden_states=True)
        states = output.hidden_states  # the input of the first layer, and the output of each
        return torch.stack(states).mean(dim=0) if self._layer is None else states[self._layer]


def _hubert(model: str) -> Any:
    from transformers import AutoConfig, HubertModel

    model = expanded(model)
    try:
        kind = AutoConfig.from_pretrained(model).model_type
        network, loading = HubertModel.from_pretrained(model, output_loading_info=True)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"Recipe.teacher: {model} cannot be loaded ({error}); give the folder of a HuBERT model, or its name on "
            f"the hub"
        ) from error
    missing = sorted(set(loading["missing_keys"]) - {"masked_spec_embed"})  # missing tensors would be random
    if kind != "hubert" or missing:
        raise SettingsError(
            f"Recipe.teacher: {model} is a model of type {kind} and lacks {len(missing)} tensors of HuBERT; "
            f"give a complete HuBERT model"
        )
    return network


def distillation_loss(semantic: Tensor, target: Tensor) -> Tensor:
    """-log σ(cos) of `[B, F, D]` and `[B, F', D]`: the cosine over time, averaged over dimensions.

    This is the paper's continuous distillation. The longer of the two is cut: HuBERT returns one frame less.
    """
    if semantic.shape[2] != target.shape[2]:
        raise SettingsError(
            f"Recipe.teacher: it has {target.shape[2]} dimensions, but the codec's semantic output has "
            f"{semantic.shape[2]}; set `semantic_dimension: {target.shape[2]}` in the codec's `model`"
        )
    frames = min(semantic.shape[1], target.shape[1])
    cosine = F.cosine_similarity(semantic[:, :frames], target[:, :frames], dim=1)
    return -F.logsigmoid(cosine).mean()
