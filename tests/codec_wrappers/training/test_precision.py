"""The law of precision: networks in training may use TF32 and bfloat16; what makes codes, losses and scores may not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from places import ROOT
from small_codecs import SMALL
from small_recipes import small
from small_trainings import CPU, run, settings, voices

import codec_wrappers
from codec_wrappers.networks.codebooks import Codebook
from codec_wrappers.training.losses import SpectralDistance
from codec_wrappers.training.validation import Validation
from codecfake.base import precision
from codecfake.base.settings import SettingsError

TRAINS = "codec_wrappers/training/"
SWITCHES = {
    "codecfake/base/devices.py": "turns TF32 off for every job",
    "codecfake/base/precision.py": "the precisions of training",
    "codecfake/features/precision.py": "of frozen and of trained front-ends, on request; it measures what changes",
    "codec_wrappers/contract/measurements.py": "measures a decoder in bfloat16",
    "codec_wrappers/resynthesis/reduced.py": "decoders that an experiment asks for, after the codes",
}


def sources() -> dict[str, str]:
    paths = [*ROOT.glob("codecfake/**/*.py"), *ROOT.glob("codec_wrappers/**/*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def test_reduced_precision_is_switched_on_in_few_places_and_used_by_codec_training_alone() -> None:
    texts = sources()
    switches = {name for name, text in texts.items() if "torch.autocast(" in text or "allow_tf32" in text}
    assert switches == set(SWITCHES)
    enters = {name for name, text in texts.items() if "precision.networks(" in text or "precision.training(" in text}
    assert {name.startswith(TRAINS) for name in enters} == {True}


def arithmetic() -> tuple[bool, bool, bool]:
    """Whether products, convolutions and autocast are reduced at this moment."""
    return (
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.is_autocast_enabled("cpu"),
    )


@pytest.mark.parametrize(
    ("name", "networks"),
    [
        ("tf32", (True, True, False)),
        pytest.param("bfloat16", (True, True, True), marks=pytest.mark.long),
        pytest.param("float32", (False, False, False), marks=pytest.mark.long),
    ],
)
def test_in_training_networks_alone_are_reduced(
    name: str, networks: tuple[bool, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record: dict[str, set[tuple[bool, ...]]] = {}

    def watch(owner: type, method: str, part: str) -> None:
        original: Callable[..., Any] = getattr(owner, method)

        def watched(*values: Any, **others: Any) -> Any:
            record.setdefault(part, set()).add(arithmetic())
            return original(*values, **others)

        monkeypatch.setattr(owner, method, watched)

    monkeypatch.setattr(precision, "resolved", lambda name, device: name)  # a CPU has no TF32, and ignores it
    watch(type(codec_wrappers.build("soundstream", SMALL["soundstream"])), "to_latent", "network")
    watch(Codebook, "nearest", "quantizer")
    watch(SpectralDistance, "_distance", "loss")
    watch(Validation, "__call__", "validation")
    changes = small("plain", 1, warm_up_steps=0)
    training = settings("soundstream", recipe="plain", changes=changes, precision=name)
    with precision.exact("cpu"):  # as `devices.prepare` leaves a process
        run(voices(tmp_path / "audio"), tmp_path, training)
        assert arithmetic() == (False, False, False)
    exact = {(False, False, False)}
    assert record["network"] == {networks, *exact}  # in training, and in validation
    assert record["quantizer"] == record["loss"] == record["validation"] == exact


def test_auto_is_bfloat16_on_cuda_and_float32_elsewhere() -> None:
    assert precision.resolved("auto", torch.device("cuda")) == "bfloat16"
    assert precision.resolved("auto", CPU) == precision.resolved("float32", CPU) == "float32"
    assert precision.resolved("tf32", torch.device("cuda")) == "tf32"


def test_tf32_without_cuda_is_refused() -> None:
    with pytest.raises(SettingsError, match="precision: tf32 needs CUDA, but this job runs on cpu; set it to auto"):
        precision.resolved("tf32", CPU)
