"""The contract between codecs and workflow: tests of every published form against its promises."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from codec_wrappers import Form
from codec_wrappers.codec import Codec
from codec_wrappers.contract.forms import FORMS, form_of, fresh, needs_weights, with_weights
from codec_wrappers.contract.measurements import Measurements, Settings, measure
from codec_wrappers.contract.promises import ContractError, broken_promises
from codecfake.base.home import expanded
from codecfake.base.progress import progress


def measure_forms(
    names: Sequence[str], weights: Mapping[str, Path], small: bool, settings: Settings, device: torch.device
) -> list[Measurements]:
    """Measurements of the named forms. Forms with weights have the published size, whatever `small` is."""
    rows = []
    for name in progress(names, "contract", len(names), "codecs"):
        form = form_of(name)
        own = replace(settings, piece_duration=form.piece_duration)
        codec = _codec(form, weights.get(name), small, settings.seed, device)
        try:
            rows.append(measure(name, codec, own, device, is_trained=name in weights))
        except (RuntimeError, ValueError) as error:
            raise ContractError(f"{name} fails in the measurements after its single signals passed: {error}") from error
    return rows


def choose(names: Sequence[str], weights: Mapping[str, Path]) -> list[str]:
    """The named forms; by default all except those whose weights are missing. Raises CodecError for an unknown name."""
    for name in [*names, *weights]:
        form_of(name)
    return list(names) or [name for name, form in FORMS.items() if name in weights or not needs_weights(form)]


def weights_by_codec(options: Sequence[str]) -> dict[str, Path]:
    """Paths by codec from options `CODEC=PATH`. Raises ContractError for anything else."""
    pairs = [option.partition("=") for option in options]
    for (name, sign, path), option in zip(pairs, options, strict=True):
        if not (name and sign and path):
            raise ContractError(f"weights {option!r} do not name their codec; give CODEC=PATH")
    return {name: Path(expanded(path)) for name, _, path in pairs}


def check(rows: Sequence[Measurements]) -> None:
    """Raise ContractError with every broken promise."""
    faults = [fault for row in rows for fault in broken_promises(row)]
    if faults:
        raise ContractError("\n".join(["promises are broken:", *faults]))


def _codec(form: Form, weights: Path | None, small: bool, seed: int, device: torch.device) -> Codec:
    if weights is not None or needs_weights(form):
        return with_weights(form, weights, device)
    return fresh(form, small, device, seed)
