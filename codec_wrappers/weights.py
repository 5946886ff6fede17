"""Codec weights on disk: one safetensors file under the network's own state_dict names, all of them and no more."""

from pathlib import Path

from torch import Tensor, nn

from codec_wrappers.codec import Codec
from codecfake import files

NAMES_SHOWN = 3


class WeightsError(ValueError):
    """Weights do not fit the codec they are meant for."""


def load_into(codec: Codec, path: Path | None) -> Codec:
    """Give `codec` back with the weights of `path`. Raises WeightsError as `load_strict`, or if there is no path."""
    if path is None or codec.network is None:
        raise WeightsError(f"{type(codec).__name__}: found no weights to load; give the path of a safetensors file")
    load_strict(codec.network, path)
    return codec


def load_strict(network: nn.Module, path: Path) -> None:
    """Load a safetensors file into `network`. Raises WeightsError unless every name and shape fits."""
    found, expected = _read(path), network.state_dict()
    _refuse(path, "missing", sorted(set(expected) - set(found)))
    _refuse(path, "unexpected", sorted(set(found) - set(expected)))
    _refuse(path, "wrongly shaped", sorted(_shape_faults(found, expected)))
    network.load_state_dict(found)


def save(network: nn.Module, path: Path) -> None:
    """Write the state_dict of `network` as safetensors, atomically; tensors that share memory are written apart."""
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in network.state_dict().items()}
    with files.atomic(path) as part:
        save_file(tensors, part)


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
        shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
        raise WeightsError(
            f"{path}: {len(names)} {fault} tensor(s) for this architecture: {shown}; "
            f"use weights made with the same `model` settings, under the official names"
        )


def _shape_faults(found: dict[str, Tensor], expected: dict[str, Tensor]) -> list[str]:
    return [
        f"{name} ({list(found[name].shape)} in the file, {list(tensor.shape)} in the network)"
        for name, tensor in expected.items()
        if found[name].shape != tensor.shape
    ]
