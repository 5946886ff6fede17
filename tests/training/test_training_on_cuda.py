"""Training and scoring of detectors on a pretended CUDA device: the same results as on the CPU, and few waits."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import tones
import torch
from pretended_cuda import CUDA, Observations, pretended_cuda
from test_training import SETTINGS
from tones import Corpus

from codecfake.base import files
from codecfake.training import loop
from codecfake.training.loop import train
from codecfake.training.settings import TrainSettings

pytestmark = pytest.mark.long


class KilledError(Exception):
    """Stands for the death of the process."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    root = tmp_path_factory.mktemp("corpus")
    train_lists = [tones.write_protocol(root / "train.tsv", range(8))]
    return Corpus(
        tones.write_audio(root / "audio", 12), train_lists, [tones.write_protocol(root / "dev.tsv", range(8, 12))]
    )


@pytest.fixture
def gpu() -> Iterator[Observations]:
    with pretended_cuda() as observations:
        yield observations


def trained(corpus: Corpus, folder: Path, settings: TrainSettings, device: torch.device = CUDA) -> Path:
    train(corpus.train, corpus.dev, corpus.audio, folder, settings, device)
    return folder


def killed_after_epochs(number: int, patch: pytest.MonkeyPatch) -> None:
    ends = loop._Run._end_epoch
    calls: list[None] = []

    def end_epoch(run: loop._Run, curves: object) -> None:
        ends(run, curves)  # type: ignore[arg-type]
        calls.append(None)
        if len(calls) == number:
            raise KilledError

    patch.setattr(loop._Run, "_end_epoch", end_epoch)


def test_a_killed_training_whose_best_epoch_is_over_goes_on_from_its_checkpoint(
    corpus: Corpus, gpu: Observations, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, learning_rate=1e-12)  # no epoch is better than the first
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        killed_after_epochs(2, patch)
        trained(corpus, tmp_path / "killed", settings)
    trained(corpus, tmp_path / "killed", settings)
    trained(corpus, tmp_path / "whole", settings)
    for name in ("history.tsv", "weights.safetensors"):
        assert files.sha256(tmp_path / "killed" / name) == files.sha256(tmp_path / "whole" / name)
