"""Vocos (Siuzdak 2023) as a decoder of EnCodec's codes at 24 kHz, with the networks of the package `vocos`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codec_wrappers.weights import loading
from codecfake.base import bounded_yaml, torch_files
from codecfake.generators.generator import GeneratorError
from codecfake.generators.hub import absent, files_of
from codecfake.generators.packages import required

BANDWIDTH_6_KBPS = 2  # its place among the bandwidths of the published model
NUM_CODES = 1024
PURPOSE = "the vocoder (`vocos`)"
NAMES = ("config.yaml", "pytorch_model.bin")
BACKBONE, HEAD = "vocos.models.VocosBackbone", "vocos.heads.ISTFTHead"
TABLES = "feature_extractor.codebook_weights"
ENCODER = "feature_extractor.encodec."  # not needed to decode
RANDOM_BACKBONE = {
    "input_channels": 8,
    "dim": 8,
    "intermediate_dim": 16,
    "num_layers": 1,
    "adanorm_num_embeddings": BANDWIDTH_6_KBPS + 1,
}
RANDOM_HEAD = {"dim": 8, "n_fft": 1280, "hop_length": 320, "padding": "same"}


class Tables(nn.Module):
    """The embeddings of all codebooks, one after the other."""

    def __init__(self, num_rows: int, dimension: int) -> None:
        super().__init__()
        self.codebook_weights = nn.Parameter(torch.randn(num_rows, dimension))


class Vocoder(nn.Module):
    """Codes to a waveform: the sum of their embeddings, then the networks of Vocos."""

    def __init__(self, backbone: Mapping[str, Any], head: Mapping[str, Any], num_rows: int) -> None:
        super().__init__()
        models, heads = required("vocos.models", PURPOSE), required("vocos.heads", PURPOSE)
        self.feature_extractor = Tables(num_rows, backbone["input_channels"])
        self.backbone = models.VocosBackbone(**backbone)
        self.head = heads.ISTFTHead(**head)

    @torch.inference_mode()
    def forward(self, codes: Tensor) -> Tensor:
        """Waveform `[320 · T]` of codes `[Q, T]`."""
        rows = codes + NUM_CODES * torch.arange(len(codes), device=codes.device)[:, None]
        features = F.embedding(rows, self.feature_extractor.codebook_weights).sum(0).T
        condition = torch.tensor([BANDWIDTH_6_KBPS], device=codes.device)
        return self.head(self.backbone(features[None], bandwidth_id=condition))[0]


def random_vocoder(num_codebooks: int) -> Vocoder:
    """A tiny network with random weights, for tests."""
    return Vocoder(RANDOM_BACKBONE, RANDOM_HEAD, num_codebooks * NUM_CODES).eval()


def load(place: str) -> Vocoder:
    """The published network in a folder or of a hub id. Raises GeneratorError or WeightsError if it is another one."""
    config_path, weights = files_of(place, NAMES, PURPOSE)
    backbone, head = _arguments(config_path, "backbone", BACKBONE), _arguments(config_path, "head", HEAD)
    tensors = torch_files.read_state_dict(weights)
    if TABLES not in tensors:
        raise absent(place, PURPOSE, f"its weights have no {TABLES}; it is not a decoder of EnCodec's codes")
    network = Vocoder(backbone, head, len(tensors[TABLES]))
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(ENCODER)}
    loading.refuse_misfits(tensors, network.state_dict(), weights)
    network.load_state_dict(tensors)
    return network.eval()


def _arguments(path: Path, part: str, kind: str) -> dict[str, Any]:
    """The arguments of a part in a configuration of Vocos."""
    config = bounded_yaml.load(path.read_text(encoding="utf-8"))
    entry = config.get(part) if isinstance(config, dict) else None
    if not isinstance(entry, dict) or entry.get("class_path") != kind or not isinstance(entry.get("init_args"), dict):
        raise GeneratorError(f"{path}: {part} is not a {kind} with init_args; give charactr/vocos-encodec-24khz")
    return entry["init_args"]
