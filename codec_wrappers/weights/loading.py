"""Codec weights on disk: one safetensors file under the network's own state_dict names, all of them and no more."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from torch import Tensor, nn

from codec_wrappers.codec import Codec
from codec_wrappers.weights.checkpoints import WEIGHTS
from codecfake.base import files, provenance

NAMES_SHOWN = 3
C = TypeVar("C", bound=Codec)


class WeightsError(ValueError):
    """Weights do not fit the codec they are meant for."""


def load_into(codec: C, path: Path | None) -> C:
    """Give `codec` back with the weights of `path`, a safetensors file or a folder with one as `fetch` makes it.

    Raises WeightsError as `load_strict`, or if there is no path.
    """
    if path is None or codec.network is None:
        raise WeightsError(f"{type(codec).__name__}: found no weights to load; give the path of a safetensors file")
    load_strict(codec.network, path / WEIGHTS if path.is_dir() else path)
    return codec


def digest(path: Path) -> str:
    """Hex sha256 of the weights at `path`, ignoring other files beside them.

    Raises FileError or WeightsError if they are not those that a record beside them names.
    """
    weights = path / WEIGHTS
    _require_as_fetched(path)
    files.require_seal(path)
    return files.sha256(weights if weights.is_file() else path)


def _require_as_fetched(folder: Path) -> None:
    for path, what in provenance.faults(folder):
        raise WeightsError(f"{path}: {what}; restore it; or delete the folder, then the same command fetches it again")


def load_strict(network: nn.Module, path: Path) -> None:
    """Load a safetensors file into `network`. Raises WeightsError unless every name and shape fits."""
    found = _read(path)
    refuse_misfits(found, network.state_dict(), path)
    network.load_state_dict(found)


def refuse_misfits(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    """Raise WeightsError unless the tensors `found` in `path` have the names and shapes of `expected`, and no more."""
    _refuse(path, "missing", sorted(set(expected) - set(found)))
    _refuse(path, "unexpected", sorted(set(found) - set(expected)))
    _refuse(path, "wrongly shaped", sorted(_shape_faults(found, expected)))


def save(network: nn.Module, path: Path) -> None:
    """Write the state_dict of `network` as safetensors, atomically; tensors that share memory are written apart."""
    save_tensors(network.state_dict(), path)


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors by name as safetensors, atomically; those that share memory are written apart."""
    from safetensors.torch import save as serialize

    apart = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    files.write_bytes(path, serialize(apart))


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


def _shape_faults(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    return [
        f"{name} ({list(found[name].shape)} in the file, {list(tensor.shape)} in the network)"
        for name, tensor in expected.items()
        if found[name].shape != tensor.shape
    ]
