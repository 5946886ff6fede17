"""What a job on a GPU sets for repeatable results, and leaves alone on a CPU."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from places import ROOT

from codecfake.base.devices import make_repeatable

ALGORITHMS = "CUBLAS_WORKSPACE_CONFIG"
FLAGS: list[tuple[Any, str]] = [
    (torch.backends.cudnn, "deterministic"),
    (torch.backends.cudnn, "allow_tf32"),
    (torch.backends.cuda.matmul, "allow_tf32"),
    (torch.utils.deterministic, "fill_uninitialized_memory"),
]
THREE_BATCHES = """
import codec_wrappers
from codec_wrappers.resynthesis.shard import resynthesize
from codecfake.base.devices import make_repeatable
from pretended_cuda import CUDA, pretended_cuda
from small_codecs import SMALL
import torch
with pretended_cuda(forward_only=True):
    codec = codec_wrappers.build("dac", SMALL["dac"])
    codec.network.eval().requires_grad_(False).to(make_repeatable(torch.device("cuda")))
    for _ in range(3):
        resynthesize(codec, torch.rand(1, 4000).to(CUDA), [4])
"""


@pytest.fixture
def settings_of_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(ALGORITHMS, raising=False)
    strategy = torch.jit.set_fusion_strategy([("STATIC", 2)])
    before = [getattr(owner, name) for owner, name in FLAGS]
    yield
    for (owner, name), value in zip(FLAGS, before, strict=True):
        setattr(owner, name, value)
    torch.jit.set_fusion_strategy(strategy)
    torch.set_deterministic_debug_mode("default")
    os.environ.pop(ALGORITHMS, None)


def test_a_gpu_uses_deterministic_algorithms_and_compiles_nothing_on_the_way(settings_of_torch: None) -> None:
    make_repeatable(torch.device("cuda"))
    assert torch.backends.cudnn.deterministic
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert os.environ[ALGORITHMS] == ":4096:8"
    assert torch.jit.set_fusion_strategy([]) == []


def test_a_workspace_of_cublas_that_the_user_chose_is_kept(
    settings_of_torch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALGORITHMS, ":16:8")
    make_repeatable(torch.device("cuda"))
    assert os.environ[ALGORITHMS] == ":16:8"


def test_on_a_cpu_nothing_is_changed(settings_of_torch: None) -> None:
    make_repeatable(torch.device("cpu"))
    assert not torch.are_deterministic_algorithms_enabled()
    assert ALGORITHMS not in os.environ
    assert torch.jit.set_fusion_strategy([]) == [("STATIC", 2)]


@pytest.mark.long
def test_dac_is_not_compiled_while_it_resynthesizes_on_a_gpu() -> None:
    """TorchScript's fuser loads the driver when it compiles, which fails on a machine without one."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests/support")])}
    process = subprocess.run([sys.executable, "-c", THREE_BATCHES], env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
