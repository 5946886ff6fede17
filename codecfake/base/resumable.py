"""Training that ends in the same bytes however often it is killed, for detectors and codecs.

It rests on two things. A checkpoint holds the progress of a run and the run's fingerprint. And no random state is
kept: every step draws its randomness from the seed and its own number alone.
"""

import hashlib
import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from codecfake.base import files

log = logging.getLogger(__name__)


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read."""


def fingerprint(*parts: str) -> str:
    """What must be equal for a checkpoint to belong to the same run: settings and data, as text."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def seed_step(*numbers: int) -> None:
    """Seed torch from the seed of a run and the numbers of a step."""
    words = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    torch.manual_seed(int(words[0]))


def save(path: Path, run: str, content: Mapping[str, Any]) -> None:
    """Write the state of the run with fingerprint `run`: tensors and plain values."""
    buffer = io.BytesIO()
    torch.save({"run": run, **content}, buffer)
    with files.atomic(path) as part:
        part.write_bytes(buffer.getbuffer())


def restore(path: Path, run: str) -> dict[str, Any] | None:
    """The state that `save` wrote for the run with fingerprint `run`, on the CPU; None if missing or from another run.

    Modules and optimizers copy what they load to their own devices. The rest belongs to the CPU: Adam, for example,
    would fetch a step count from a GPU at every update.

    Raises CheckpointError if the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # missing or changed bytes raise many kinds of errors
        raise CheckpointError(f"{path}: damaged ({error}); delete it to train from the beginning") from error
    if content.pop("run") != run:
        log.warning("%s: from a run with other settings or other data; training starts from the beginning", path)
        return None
    return content
