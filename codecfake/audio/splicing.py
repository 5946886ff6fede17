"""Shards of partial fakes: recordings in which spans are replaced by the coded form, which is as long."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.audio import shard_files, shards, spans, waveforms
from codecfake.audio.partial_settings import SplicingSettings
from codecfake.audio.shard_files import Entry
from codecfake.audio.shard_index import ShardError
from codecfake.audio.spans import Span
from codecfake.base import files
from codecfake.base.progress import progress

# Columns of an index: the spans in samples, and the sha256 of both parents
SPANS = "spans"
MORE = (SPANS, "recording_sha256", "coded_sha256")
AGAIN = "delete both shards and run again"


def splice(recording: np.ndarray, coded: np.ndarray, places: Sequence[Span], fade_samples: int) -> np.ndarray:
    """A recording, int16 `[T]`, with the spans of its coded form, int16 `[T]`; linear cross-fades are within spans.

    Outside spans, samples are those of the recording. Where both parents are equal, so is the result.
    """
    weights = _weights(len(recording), places, fade_samples)
    difference = coded.astype(np.float64) - recording
    return (recording + np.rint(weights * difference)).astype(np.int16)


def _weights(num_samples: int, places: Sequence[Span], fade_samples: int) -> np.ndarray:
    """The share of the coded form in each sample, `[T]`."""
    weights = np.zeros(num_samples)
    for start, end in places:
        weights[start:end] = 1
        fade = min(fade_samples, (end - start) // 2)
        ramp = np.arange(1, fade + 1) / (fade + 1)
        weights[start : start + fade] = ramp
        weights[end - fade : end] = ramp[::-1]
    return weights


def write_shard(settings: SplicingSettings, index: Path, recordings: Path, tar_path: Path) -> None:
    """Write the partial fakes of all utterances in the shard of `index`, which has the coded audio, in its order.

    `recordings` is the index of the same shard of recordings. Raises ShardError, naming the utterance.
    """
    entries = shard_files.read_entries(index)
    originals = {entry.utterance_id: entry for entry in shard_files.read_entries(recordings)}
    source = tar_path.parent.name
    with shards.ShardWriter(tar_path, f"{source}_", shards.provenance_of(index), MORE) as writer:
        for entry in progress(entries, f"{source} {settings.corpus} {tar_path.stem}", len(entries), "utt"):
            original = originals.get(entry.utterance_id)
            if original is None:
                raise ShardError(f"{recordings}: no utterance {entry.utterance_id}, but {index} has it; {AGAIN}")
            flac, text = _partial_fake(settings, (recordings, original), (index, entry))
            writer.append(entry.utterance_id, flac, dict(zip(MORE, (text, original.sha256, entry.sha256), strict=True)))


def _partial_fake(
    settings: SplicingSettings, recorded: tuple[Path, Entry], resynthesized: tuple[Path, Entry]
) -> tuple[shards.Flac, str]:
    """The partial fake of one utterance, encoded, and its spans."""
    recording, sample_rate = shard_files.read_samples(*recorded)
    coded, coded_rate = shard_files.read_samples(*resynthesized)
    if (len(recording), sample_rate) != (len(coded), coded_rate):
        raise ShardError(
            f"{resynthesized[0]}: utterance {recorded[1].utterance_id} has {len(coded)} samples at {coded_rate} Hz, "
            f"its recording {len(recording)} at {sample_rate}; spans need both alike: set one `audio: {{sample_rate}}`"
        )
    places = spans.spans_of(settings, recorded[1].utterance_id, len(recording), sample_rate)
    fade = round(settings.partial.cross_fade_ms / 1000 * sample_rate)
    wav = splice(recording, coded, places, fade) / waveforms.FULL_SCALE
    return shards.encode(wav, sample_rate), spans.as_text(places)


def write_spans(indexes: Sequence[Path], output: Path) -> None:
    """Write the spans of all shards of a source as TSV: `utterance_id`, `start` and `end` in seconds, in order."""
    rows = [row for index in sorted(indexes) for row in _rows(index)]
    table = pd.DataFrame(rows, columns=["utterance_id", "start", "end"])
    files.write_tsv(output, table.sort_values("utterance_id", kind="stable"))


def _rows(index: Path) -> list[tuple[str, str, str]]:
    table = files.read_arrow(index, ("utterance_id", "sample_rate", SPANS)).to_pylist()
    return [
        (row["utterance_id"], *(f"{sample / row['sample_rate']:.6f}" for sample in span))
        for row in table
        for span in spans.from_text(row[SPANS])
    ]
