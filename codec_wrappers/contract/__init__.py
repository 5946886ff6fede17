"""The contract between codecs and workflow: every published form is tried and held to its promises."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from codec_wrappers import Form
from codec_wrappers.codec import Codec
from codec_wrappers.contract.forms import PUBLISHED, form_of, fresh, loaded, needs_weights
from codec_wrappers.contract.measurements import Measurements, Settings, measure
from codec_wrappers.contract.promises import ContractError, broken
from codecfake.base.progress import progress


def measure_forms(
    names: Sequence[str], weights: Mapping[str, Path], small: bool, settings: Settings, device: torch.device
) -> list[Measurements]:
    """Measurements of the named forms. Those with weights are of the published size, whatever `small` says."""
    found = []
    for name in progress(names, "contract", len(names), "codecs"):
        form = form_of(name)
        tried = replace(settings, piece_duration=form.piece_duration)
        codec = _codec(form, weights.get(name), small, settings.seed, device)
        try:
            found.append(measure(name, codec, tried, device, trained=name in weights))
        except (RuntimeError, ValueError) as error:
            raise ContractError(f"{name} fails where it did not on single signals: {error}") from error
    return found


def choose(names: Sequence[str], weights: Mapping[str, Path]) -> list[str]:
    """The named forms, or all that need no weights but those given. Raises CodecError for an unknown name."""
    for name in [*names, *weights]:
        form_of(name)
    return list(names) or [name for name, form in PUBLISHED.items() if name in weights or not needs_weights(form)]


def weights_by_codec(given: Sequence[str]) -> dict[str, Path]:
    """From `CODEC=PATH` each. Raises ContractError for anything else."""
    pairs = [entry.partition("=") for entry in given]
    for (name, sign, path), entry in zip(pairs, given, strict=True):
        if not (name and sign and path):
            raise ContractError(f"weights {entry!r} do not say whose they are; give CODEC=PATH")
    return {name: Path(path) for name, _, path in pairs}


def check(measured: Sequence[Measurements]) -> None:
    """Raises ContractError with every broken promise."""
    faults = [fault for found in measured for fault in broken(found)]
    if faults:
        raise ContractError("\n".join(["promises are broken:", *faults]))


def _codec(form: Form, weights: Path | None, small: bool, seed: int, device: torch.device) -> Codec:
    if weights is not None or needs_weights(form):
        return loaded(form, weights, device)
    return fresh(form, small, device, seed)
