"""The recordings that generators imitate, read as codecs read theirs: by the digest of the utterance table."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from codecfake.audio import waveforms
from codecfake.base import utterances
from codecfake.generators.generator import Prompt


class Prompts:
    """Recordings of some corpora by their ids."""

    def __init__(self, corpora_root: Path, roots: Mapping[str, Path]) -> None:
        """`corpora_root` has `{corpus}/utterances.parquet`; `roots` are the corpora's own folders."""
        self._roots = roots
        tables = {name: utterances.read(corpora_root / name / "utterances.parquet") for name in roots}
        self._files = {
            (name, row.utterance_id): (str(row.path), str(row.sha256))
            for name, table in tables.items()
            for row in table.itertuples()
        }

    def read(self, corpus: str, utterance_id: str, text: str, sample_rate: int) -> Prompt:
        """A prompt at a sample rate. Raises AudioError if the file changed, as `waveforms.read`."""
        path, sha256 = self._files[corpus, utterance_id]
        recording = waveforms.read(self._roots[corpus] / path, sha256)
        wav = waveforms.resample(recording.wav, recording.sample_rate, sample_rate)
        return Prompt(wav.astype(np.float32), text)
