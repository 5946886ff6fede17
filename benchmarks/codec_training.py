"""The speed of codec training, for `benchmarks/rates.py`: the product's own training for a few steps, and for more.

The difference leaves out the start, the codebooks' first vectors, validation and writing.
"""

import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch

from benchmarks import speech
from codec_wrappers.training import loop
from codec_wrappers.training.settings import CodecTrainingSettings
from codecfake.audio import recordings
from codecfake.audio.settings import NATIVE

CORPUS = "speech"


def record(folder: Path, seconds: float) -> Path:
    """Shards of synthetic recordings; returns the folder of their audio."""
    table = speech.make(folder / "corpus", seconds, None)
    table.to_parquet(folder / "utterances.parquet")
    settings = recordings.RecordingsSettings(num_shards=1, sample_rate=NATIVE, bonafide_only=True)
    shard = folder / "audio" / CORPUS / NATIVE / "0000.tar"
    shard.parent.mkdir(parents=True)
    recordings.write_shard(settings, folder / "utterances.parquet", folder / "corpus", 0, shard)
    return folder / "audio"


def speed(settings: CodecTrainingSettings, audio: Path, device: torch.device, steps: int, workers: int = 0) -> float:
    """Seconds of segments per second."""
    recipe = settings.resolved()
    # the first training in a process also loads libraries
    _, few, many = (_seconds(with_steps(settings, number), audio, device, workers) for number in (2, 2, 2 + steps))
    if many <= few:
        raise RuntimeError(f"{settings.codec}: {steps} more steps took no more time; measure more (--training-steps)")
    return steps * recipe.batch_size * recipe.segment_duration / (many - few)


def published(wrapper: str) -> CodecTrainingSettings:
    """The published recipe, without its teacher, which would be downloaded and has a small share of the time."""
    changes = {"weights": {"distillation": 0}}
    return CodecTrainingSettings(
        wrapper, wrapper, [CORPUS], changes=changes, validation_utterances=2, validations=1, tensorboard=False
    )


def with_steps(settings: CodecTrainingSettings, steps: int) -> CodecTrainingSettings:
    """The same training in a few steps, all as in its last stage, which has most of the published steps."""
    last = {**asdict(settings.resolved().stages[-1]), "from_step": 0}
    return replace(settings, changes={**settings.changes, "steps": steps, "warm_up_steps": 0, "stages": [last]})


def _seconds(settings: CodecTrainingSettings, audio: Path, device: torch.device, workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        loop.train(settings, audio, NATIVE, Path(folder), device, workers)
        return time.perf_counter() - start
