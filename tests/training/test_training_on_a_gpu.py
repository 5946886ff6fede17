"""What only a GPU can show of a training: it is killed, goes on, and ends where an undisturbed one does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_training import SETTINGS
from test_training_on_cuda import KilledError, killed_after_epochs, trained, write_corpus

from codecfake.base import devices, files

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]

CLOSE = 0.02  # of losses: the gradients of LCNN's max pooling are not deterministic on CUDA


def test_a_killed_training_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    device, corpus = devices.prepare("cuda", 1), write_corpus(tmp_path)
    settings = replace(SETTINGS, learning_rate=1e-4)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        killed_after_epochs(2, patch)
        trained(corpus, tmp_path / "killed", settings, device)
    trained(corpus, tmp_path / "killed", settings, device)
    trained(corpus, tmp_path / "whole", settings, device)
    losses = [files.read_tsv(tmp_path / name / "history.tsv")["dev_loss"].astype(float) for name in ("killed", "whole")]
    np.testing.assert_allclose(*losses, atol=CLOSE)
