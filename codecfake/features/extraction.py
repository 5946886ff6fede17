"""Extraction of features: those of one source of a corpus, for all training sets that share a front-end."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from codecfake.base import files
from codecfake.detectors.detector import front_end_of
from codecfake.features.clips import Clips
from codecfake.features.parts import INDEX
from codecfake.features.settings import ROUNDED
from codecfake.features.store import CachePlace, FeatureStore
from codecfake.features.store_settings import StoreSettings
from codecfake.features.streaming import StreamedFeatures
from codecfake.protocols import trials
from codecfake.protocols.trials import RECORDING


def extract(
    protocols: Sequence[Path],
    corpus: str,
    source: str,
    audio_root: Path,
    output: Path,
    settings: StoreSettings,
    device: torch.device,
    workers: int,
    place: CachePlace,
) -> None:
    """Write the features of all trials of a source into its store, and a list of the files that have them.

    Features that the store has already are kept. A killed job, started again, continues with the first shard without
    features. Raises the errors of `FeatureStore`.
    """
    front_end = front_end_of(settings.front_end).to(device)
    clips = Clips(_trials(protocols, corpus, source), audio_root, settings.crop_samples, pad=settings.pad)
    store = FeatureStore(place, settings, front_end)
    store.fill(
        StreamedFeatures(clips, front_end, device, workers, settings.front_end_precision, feature_precision=ROUNDED)
    )
    rows = [
        (part.path.relative_to(place.folder), len(part.index()), files.sha256(part.path.with_suffix(INDEX)))
        for part in store.parts(corpus, source)
    ]
    files.write_tsv(output, pd.DataFrame(rows, columns=["file", "clips", "index_sha256"]))


def _trials(protocols: Sequence[Path], corpus: str, source: str) -> pd.DataFrame:
    """The trials of a source in any of the protocols, each once."""
    table = pd.concat([trials.read([path]) for path in protocols])
    own = table[(table["corpus"] == corpus) & (table["source"] == source)]
    return own.drop_duplicates(RECORDING).sort_values(RECORDING, ignore_index=True)
