"""A disk that is full or cannot be written to: place, reason and remedy, and nothing that looks finished."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from codec_wrappers.weights import loading
from codecfake.audio import shards
from codecfake.base import files
from codecfake.base.files import WriteError
from codecfake.running import run_lock
from codecfake.training import checkpoint

KIB = 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small disk, or mounts it anew with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        if os.getuid() != 0:
            pytest.skip("needs root, to mount a small disk")
        options = f"remount,{options}" if mounted else options
        mount_command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
        process = subprocess.run(mount_command, capture_output=True, text=True)
        if process.returncode != 0:
            pytest.skip(f"needs a small disk to be mounted, which is not allowed here: {process.stderr.strip()}")
        mounted = True
        return folder

    yield mount
    if mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def write_shard(folder: Path, utterances: int = 30) -> None:
    rng = np.random.default_rng(0)
    with shards.ShardWriter(folder / "0000.tar", "", shards.Provenance("none", 0, 0.0, "", "test")) as writer:
        for number in range(utterances):
            writer.add(f"u{number:02d}", rng.uniform(-0.5, 0.5, 4000), 16000)


def save_checkpoint(folder: Path) -> None:
    network = torch.nn.Linear(300, 300)
    checkpoint.save(folder / "checkpoint.pt", checkpoint.Progress(), network, torch.optim.SGD(network.parameters()), "")


def save_weights(folder: Path) -> None:
    loading.save(torch.nn.Linear(300, 300), folder / "weights.safetensors")


WRITERS = {"0000.tar": write_shard, "checkpoint.pt": save_checkpoint, "weights.safetensors": save_weights}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_named_and_the_same_call_goes_on_when_there_is_room(
    disk: Callable[[str], Path], name: str
) -> None:
    folder = disk(f"size={100 * KIB}")
    with pytest.raises(WriteError, match=rf"{name}: cannot be written \(No space left on device\); free some space"):
        WRITERS[name](folder)
    assert list(folder.iterdir()) == []
    disk(f"size={2000 * KIB}")
    WRITERS[name](folder)
    assert (folder / name).stat().st_size > 100 * KIB


@pytest.mark.parametrize("name", WRITERS)
def test_a_place_that_cannot_be_written_to_is_named(disk: Callable[[str], Path], name: str) -> None:
    disk("size=2m")
    folder = disk("ro")
    with pytest.raises(
        WriteError, match=rf"{name}: cannot be written \(Read-only file system\); make that place writable"
    ):
        WRITERS[name](folder)


def test_a_finished_file_outlives_a_full_disk(disk: Callable[[str], Path]) -> None:
    folder = disk(f"size={100 * KIB}")
    files.write_bytes(folder / "0000.tar", b"finished")
    files.seal(folder / "0000.tar")
    with pytest.raises(WriteError):
        files.write_bytes(folder / "0000.tar", bytes(200 * KIB))
    assert (folder / "0000.tar").read_bytes() == b"finished"
    files.require_seal(folder / "0000.tar")


def test_a_run_directory_that_cannot_be_written_to_is_named(disk: Callable[[str], Path]) -> None:
    disk("size=2m")
    with pytest.raises(WriteError, match=r"\.snakemake: cannot be written \(Read-only file system\)"):
        run_lock.claim(disk("ro") / ".snakemake", "now", print)
