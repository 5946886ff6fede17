"""Parquet files as the package `datasets` writes them: structs of audio, and numbers of labels with their names."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import soundfile

RATE = 16_000
AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def flac(seed: int, num_samples: int = 3_200) -> bytes:
    """The bytes of a FLAC file of noise."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.random.default_rng(seed).uniform(-0.5, 0.5, num_samples), RATE, format="FLAC")
    return buffer.getvalue()


def audio(names: Sequence[str | None], first: int = 0) -> pa.Array:
    """A column of recordings with these names: `flac(first)`, `flac(first + 1)`, …"""
    values = [{"bytes": flac(seed), "path": name} for seed, name in enumerate(names, start=first)]
    return pa.array(values, AUDIO)


def write(
    path: Path, columns: Mapping[str, object], labels: Mapping[str, list[str]] | None = None, rows_of_group: int = 2
) -> Path:
    """Write a parquet file; `labels`: the names of columns of numbers."""
    features: dict[str, object] = {"audio": {"sampling_rate": RATE, "_type": "Audio"}}
    features |= {name: {"names": names, "_type": "ClassLabel"} for name, names in (labels or {}).items()}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(
        pa.table(dict(columns)).replace_schema_metadata(metadata), path, row_group_size=rows_of_group
    )
    return path


def benchmark(root: Path) -> dict[str, object]:
    """A data set in two splits of two files each, with labels by number; the options that read it."""
    for split, first in (("train", 0), ("test", 10)):
        for shard in range(2):
            numbers = range(first + 5 * shard, first + 5 * shard + 5)
            columns = {
                "path": [f"flac/{number}.flac" for number in numbers],
                "audio": audio([f"u{number}.flac" for number in numbers], numbers[0]),
                "label": pa.array([number % 2 for number in numbers]),
                "speaker_id": pa.array([100 + number % 3 for number in numbers]),
                "codec_name": [f"codec{number % 4}" for number in numbers],
            }
            write(root / f"data/{split}-0000{shard}-of-00002.parquet", columns, {"label": ["bonafide", "spoof"]})
    return {
        "columns": {"key": "label", "speaker": "speaker_id", "attack": "codec_name"},
        "bonafide": ["bonafide"],
        "language": "en",
    }
