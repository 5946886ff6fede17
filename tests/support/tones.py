"""A corpus that any detector can learn: bona fide trials are tones, spoofs are noise."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files

CORPUS, RECORDINGS, SOURCE = "tones", "F00", "F01"
SAMPLE_RATE = 16_000
PROVENANCE = Provenance(codec="none", quantizers=0, bitrate_kbps=0.0, weights_sha256="", version="test")


@dataclass(frozen=True)
class Corpus:
    audio: Path
    train: list[Path]
    dev: list[Path]


def write_audio(root: Path, num_utterances: int, sample_rate: int = SAMPLE_RATE) -> Path:
    """Write shards of `num_utterances` tones and as much noise, 0.2 s to 0.4 s long; gives their root."""
    rng = np.random.default_rng(7)
    for source in (RECORDINGS, SOURCE):
        with ShardWriter(root / CORPUS / source / "0000.tar", f"{source}_", PROVENANCE) as shard:
            for number in range(num_utterances):
                num_samples = int(rng.uniform(0.2, 0.4) * sample_rate)
                shard.add(f"u{number:03d}", _sound(source, num_samples, sample_rate, rng), sample_rate)
    return root


def _sound(source: str, num_samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    time = np.arange(num_samples) / sample_rate
    if source == RECORDINGS:
        return 0.3 * np.sin(2 * np.pi * rng.uniform(200, 800) * time)
    return 0.2 * rng.standard_normal(num_samples).clip(-4, 4)


def write_protocol(path: Path, numbers: range, sources: tuple[str, ...] = (RECORDINGS, SOURCE)) -> Path:
    """Write the protocol of some utterances, each once from every source."""
    rows = [_row(number, source) for source in sources for number in numbers]
    files.write_tsv(path, pd.DataFrame(rows))
    return path


def _row(number: int, source: str) -> dict[str, str]:
    utterance_id = f"u{number:03d}"
    return {
        "speaker_id": "s1",
        "trial_id": utterance_id if source == RECORDINGS else f"{source}_{utterance_id}",
        "utterance_id": utterance_id,
        "source": source,
        "key": "bonafide" if source == RECORDINGS else "spoof",
        "corpus": CORPUS,
        "language": "en",
        "attack": "-" if source == RECORDINGS else source,
    }
