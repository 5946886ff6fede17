"""Codec weights on disk: one safetensors file with the tensors of the network's state_dict."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from codec_wrappers.codec import Codec
from codec_wrappers.weights import moving_sums
from codec_wrappers.weights.checkpoints import WEIGHTS
from codecfake.base import files, provenance
from codecfake.base.printing import excerpt

MOST_NAMES = 3
C = TypeVar("C", bound=Codec)


class WeightsError(ValueError):
    """Weights do not fit the codec."""


def load_into(codec: C, path: Path | None) -> C:
    """Load weights into `codec` and return it; `path` is a safetensors file, or a folder that `fetch` wrote.

    Raises WeightsError as `load_strict`, or without a path.
    """
    if path is None or codec.network is None:
        raise WeightsError(f"{type(codec).__name__}: no weights to load; give the path of a safetensors file")
    load_strict(codec.network, path / WEIGHTS if path.is_dir() else path)
    return codec


def digest(path: Path) -> str:
    """Hex sha256 of the weights at `path`, ignoring other files beside them.

    Raises FileError or WeightsError if they differ from a record beside them.
    """
    weights = path / WEIGHTS
    _require_unchanged(path)
    files.require_seal(path)
    return files.sha256(weights if weights.is_file() else path)


def _require_unchanged(folder: Path) -> None:
    for path, what in provenance.faults(folder):
        raise WeightsError(f"{path}: {what}; restore it, or delete the folder: the same command then fetches it again")


def load_strict(network: nn.Module, path: Path) -> None:
    """Load a safetensors file into `network`. Raises WeightsError unless every name and shape fits.

    Moving sums of codebooks can be absent: they follow from vectors and counts.
    """
    tensors = moving_sums.restore(_read(path), network.state_dict())
    refuse_misfits(tensors, network.state_dict(), path)
    network.load_state_dict(tensors)


def refuse_misfits(tensors: Mapping[str, Tensor], reference: Mapping[str, Tensor], path: Path) -> None:
    """Raise WeightsError unless the tensors of the file `path` have exactly the names and shapes of `reference`."""
    _refuse(path, "missing", sorted(set(reference) - set(tensors)))
    _refuse(path, "unexpected", sorted(set(tensors) - set(reference)))
    _refuse(path, "wrongly shaped", sorted(_shape_faults(tensors, reference)))


def save(network: nn.Module, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write the state_dict of `network` as `save_tensors` does, with its floats as `dtype`.

    Half precision, which is for weights to pass on, leaves out the moving sums of codebooks.
    """
    state = network.state_dict()
    tensors = state if dtype == torch.float32 else moving_sums.drop(state)
    save_tensors({name: each.to(dtype) if each.is_floating_point() else each for name, each in tensors.items()}, path)


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors by name as safetensors, atomically, without a seal; tensors that share memory are written apart."""
    from safetensors.torch import save as serialize

    apart = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with files.atomic(path) as part:
        part.write_bytes(serialize(apart))


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{path}: cannot be read as safetensors ({error}); fetch or train the weights again"
        ) from error


def _refuse(path: Path, fault: str, names: list[str]) -> None:
    if names:
        examples = ", ".join(map(excerpt, names[:MOST_NAMES])) + (", …" if len(names) > MOST_NAMES else "")
        raise WeightsError(
            f"{path}: {len(names)} {fault} tensor(s) for this architecture: {examples}; "
            f"use weights with the same `model` settings and the official names"
        )


def _shape_faults(tensors: Mapping[str, Tensor], reference: Mapping[str, Tensor]) -> list[str]:
    return [
        f"{name} ({list(tensors[name].shape)} in the file, {list(tensor.shape)} in the network)"
        for name, tensor in reference.items()
        if tensors[name].shape != tensor.shape
    ]
