"""One process at a time builds librosa's compiled functions."""

import fcntl
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

ASK = (
    "from codecfake.base.librosa_cache import librosa; "
    "print('asked', flush=True); librosa(); print('given', flush=True)"
)
USE = (
    "import numpy as np; from codecfake.quality.measures import f0; "
    "print(f0(np.sin(np.arange(8000) * 2 * np.pi * 200 / 16000))[0].mean().round(3))"
)


def start(code: str, **environment: str) -> subprocess.Popen[str]:
    env = {"PATH": "/usr/bin:/bin", **environment}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_a_process_waits_while_another_builds() -> None:
    origin = Path(str(importlib.util.find_spec("librosa").origin))
    with origin.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = start(ASK)
        assert waiting.stdout.readline() == "asked\n"
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=1)
    assert waiting.communicate()[0] == "given\n"
    assert waiting.returncode == 0


@pytest.mark.slow
def test_processes_that_meet_an_empty_cache_together_all_end_well(tmp_path: Path) -> None:
    processes = [start(USE, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(4)]
    assert [process.communicate()[0] for process in processes] == ["200.0\n"] * 4
    assert [process.returncode for process in processes] == [0] * 4
