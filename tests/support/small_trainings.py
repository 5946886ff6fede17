"""Trainings of tiny codecs on a corpus of made-up voices."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from small_codecs import SMALL
from small_recipes import small
from torch import Tensor

from codec_wrappers.training.loop import CodecTrainingSettings, train
from codecfake.audio.shards import Provenance, ShardWriter

CPU = torch.device("cpu")
RATE, NUM_UTTERANCES = 24_000, 9
AS_RECORDED = Provenance(codec="none", quantizers=0, bitrate_kbps=0.0, weights_sha256="", version="test")


def voices(root: Path) -> Path:
    """Shards of a corpus of voices: harmonics of a gliding pitch, each utterance louder than the last."""
    rng = np.random.default_rng(0)
    for shard in range(2):
        with ShardWriter(root / "voices/native" / f"{shard:04d}.tar", "", AS_RECORDED) as writer:
            for number in range(shard, NUM_UTTERANCES, 2):
                writer.add(f"u{number}", voice(rng, int(RATE * rng.uniform(0.15, 0.3))) * (number + 1) / 10, RATE)
    return root


def voice(rng: np.random.Generator, num_samples: int) -> np.ndarray:
    pitch = rng.uniform(100, 200) + np.cumsum(rng.standard_normal(num_samples)) * 0.02
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    wav = sum(np.sin(n * phase) / n for n in range(1, 9)) + 0.01 * rng.standard_normal(num_samples)
    return 0.9 * wav / np.abs(wav).max()


def settings(name: str = "encodec", model: dict[str, Any] | None = None, **changes: Any) -> CodecTrainingSettings:
    complete = CodecTrainingSettings(
        codec=f"small {name}",
        wrapper=name,
        corpora=["voices"],
        model=SMALL[name] if model is None else model,
        changes=small(name),
        validation_utterances=2,
        validations=2,
        tensorboard=False,
    )
    return replace(complete, **changes)


def run(
    recordings: Path, folder: Path, settings: CodecTrainingSettings, workers: int = 0, start: Path | None = None
) -> dict[str, Tensor]:
    """The weights that training gives."""
    train(settings, recordings, "native", folder, CPU, workers, start)
    return load_file(folder / "weights.safetensors")
