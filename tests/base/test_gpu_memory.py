"""A job does not start on a GPU whose memory other programs fill, and says how much is free."""

import logging
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from codecfake.base import gpu_memory, gpus
from codecfake.base.gpu_memory import GpuMemory

# `nvidia-smi --id=NAME …` answers what the file NAME beside it says
SMI = """#!/bin/sh
cat "$(dirname "$0")/${1#--id=}" 2>/dev/null || { echo "No devices were found"; exit 6; }
"""


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of what an imitated `nvidia-smi` answers for each GPU."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "nvidia-smi").write_text(SMI)
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def test_memory_is_read_in_mebibytes(answers: Path) -> None:
    (answers / "0").write_text("1000, 143771\n")
    assert gpu_memory.read("0") == GpuMemory(1000 * 2**20, 143771 * 2**20)
    assert str(gpu_memory.read("0")) == "1.0 of 150.8 GB free"


@pytest.mark.parametrize("answer", ["[N/A], [N/A]\n", "", "1 MiB\n"])
def test_an_answer_that_is_no_number_is_no_memory(answer: str, answers: Path) -> None:
    (answers / "0").write_text(answer)
    assert gpu_memory.read("0") is None
    assert gpu_memory.read("MIG-1") is None  # exit code 6


def test_without_nvidia_smi_a_gpu_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_memory.read("0") is None
    assert gpus.take(["0"], tmp_path / "slots") == "0"


def test_half_of_the_memory_is_enough() -> None:
    assert GpuMemory(50, 100).is_enough
    assert not GpuMemory(49, 100).is_enough


def test_a_gpu_that_others_fill_is_left_alone(answers: Path, tmp_path: Path) -> None:
    (answers / "0").write_text("3000, 80000\n")
    (answers / "1").write_text("79000, 80000\n")
    assert gpus.take(["0", "1"], tmp_path / "slots") == "1"


def test_a_job_waits_for_memory_and_names_numbers(
    answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (answers / "0").write_text("3000, 80000\n")

    def sleep(_: float) -> None:
        (answers / "0").write_text("79000, 80000\n")

    # of this module alone: threads of other tests, a server's, may sleep meanwhile
    monkeypatch.setattr(gpus, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    with caplog.at_level(logging.INFO):
        assert gpus.take(["0"], tmp_path / "slots") == "0"
    assert caplog.messages == [
        "waiting for a GPU: 0 has 3.1 of 83.9 GB free, because other programs use it, and a job starts when 50% is free"
    ]
