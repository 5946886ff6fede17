"""A speech model's representation as target for a codec's first codebook (Zhang et al. 2024)."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from codecfake.base.settings import SettingsError

SAMPLE_RATE = 16_000


class Teacher:
    """HuBERT, frozen: the average of the outputs of all its layers, at 50 frames a second.

    No module, so that a checkpoint of what learns does not hold it.
    """

    def __init__(self, model: str, sample_rate: int) -> None:
        """`model` is a folder in the form of `transformers`, or a name on the hub."""
        if sample_rate != SAMPLE_RATE:
            raise SettingsError(
                f"Recipe.teacher: {model} hears {SAMPLE_RATE} Hz, the codec {sample_rate} Hz; "
                f"distil codecs of {SAMPLE_RATE} Hz, or change `weights: {{distillation: 0}}`"
            )
        self._model = _hubert(model).eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, wav: Tensor) -> Tensor:
        """Target `[B, F, D]` of wav `[B, T]`, which is brought to mean 0 and variance 1, as in HuBERT's training."""
        deviation, mean = torch.std_mean(wav, dim=1, keepdim=True)
        states = self._model.to(wav.device)((wav - mean) / (deviation + 1e-7), output_hidden_states=True).hidden_states
        return torch.stack(states).mean(dim=0)


def _hubert(model: str) -> Any:
    from transformers import AutoConfig, HubertModel

    try:
        kind = AutoConfig.from_pretrained(model).model_type
        network, loading = HubertModel.from_pretrained(model, output_loading_info=True)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"Recipe.teacher: {model} cannot be loaded ({error}); give a folder that holds a HuBERT model, or its name "
            f"on the hub"
        ) from error
    missing = sorted(set(loading["missing_keys"]) - {"masked_spec_embed"})  # what is missing would be random
    if kind != "hubert" or missing:
        raise SettingsError(
            f"Recipe.teacher: {model} is a model of type {kind} with {len(missing)} tensors of HuBERT missing; "
            f"give a HuBERT model with all of them"
        )
    return network


def distillation_loss(semantic: Tensor, target: Tensor) -> Tensor:
    """-log σ(cos) of `[B, F, D]` and `[B, F', D]`, the cosine over time, averaged over dimensions.

    This is the paper's continuous distillation. The longer of the two is cut: HuBERT gives a frame less than the codec.
    """
    if semantic.shape[2] != target.shape[2]:
        raise SettingsError(
            f"Recipe.teacher: it has {target.shape[2]} dimensions, the codec's semantic output {semantic.shape[2]}; "
            f"give the codec `model: {{semantic_dimension: {target.shape[2]}}}`"
        )
    frames = min(semantic.shape[1], target.shape[1])
    cosine = F.cosine_similarity(semantic[:, :frames], target[:, :frames], dim=1)
    return -F.logsigmoid(cosine).mean()
