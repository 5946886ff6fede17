"""The tests that need a GPU pass on a pretended one, so that they are ready when there is one."""

import sys
from pathlib import Path

import pytest
import torch
from places import ROOT
from pretended_cuda import CUDA, pretended_cuda

from codecfake.base import devices

sys.path += [str(ROOT / "tests/codec_wrappers/resynthesis"), str(ROOT / "tests/training")]

import test_resynthesis_on_a_gpu as resynthesis
import test_training_on_a_gpu as training
from test_batches import NETWORKS

pytestmark = pytest.mark.long


@pytest.mark.parametrize("name", NETWORKS)
def test_of_resynthesis(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended_cuda():
        resynthesis.test_the_codes_of_a_gpu_are_those_of_the_cpu(name, CUDA)
        resynthesis.test_the_order_of_utterances_does_not_change_a_bit(name, CUDA)
        if name in resynthesis.WITH_ENDS:
            resynthesis.test_a_padded_batch_has_the_codes_of_each_recording_alone(name, CUDA, monkeypatch)
            resynthesis.test_finding_the_ends_of_rows_never_waits_for_the_gpu(name, CUDA)
        if name not in resynthesis.UNAVOIDABLE and "chunked" not in name:
            resynthesis.test_encoding_and_decoding_never_wait_for_the_gpu(name, CUDA)


def test_a_wait_fails_in_them() -> None:
    """A mutation: a number is fetched."""
    with pretended_cuda(), pytest.raises(RuntimeError, match="synchronizing"), resynthesis.no_waits():
        torch.ones(1, device=CUDA).item()


def test_of_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "prepare", lambda name, threads: CUDA)
    with pretended_cuda():
        training.test_a_killed_training_goes_on_from_its_checkpoint(tmp_path)
