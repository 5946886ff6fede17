"""A store of the features of a frozen front-end, which all training sets, strategies and seeds share.

`FOLDER/{store}/{weights}/{corpus}/{source}/{shard}-{number}.f16`: the store is named after the settings of front-end
and clips, `weights` after the digest of the front-end, and shards as those of the audio. A clip is found by its
utterance and by the sha256 of its recording, so features of other weights or audio are never read. A second part of a
shard has clips that were added later. Without a running job, the folder can be deleted: what is missing is computed
when it is needed.
"""

import fcntl
import hashlib
import logging
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from codecfake.base import files
from codecfake.base.progress import progress
from codecfake.detectors.front_end import FrontEnd
from codecfake.detectors.settings import FRONT_ENDS
from codecfake.features.clips import Clips
from codecfake.features.parts import INDEX, ITEM_BYTES, STORE, SUFFIX, UTTERANCE, FeatureCacheError, Part, parts_in
from codecfake.features.store_settings import StoreSettings
from codecfake.features.streaming import Order, StreamedFeatures, split_into_batches

LOCK = ".lock"
BATCH_CLIPS = 128
SOURCE = ["corpus", "source"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CachePlace:
    """The folder for stores, and the size limit of one; without a limit, all free space can be used."""

    folder: Path
    limit_bytes: float = float("inf")


class FeatureStore:
    """Features `[F, D]`, or `[L, F, D]`, of clips that `settings` describe, by one front-end."""

    def __init__(self, place: CachePlace, settings: StoreSettings, front_end: FrontEnd) -> None:
        """Raises FeatureCacheError if the folder has a store of something else."""
        self._place = place
        shape = front_end.shape(settings.crop_samples)
        layers = (shape.num_layers,) if shape.num_layers > 1 else ()
        self.shape = (*layers, shape.num_frames, shape.dimension)
        self._record = {**asdict(settings), **_weights(settings, front_end), "shape": list(self.shape)}
        digest = hashlib.sha256(files.as_json(self._record).encode()).hexdigest()
        self.folder = place.folder / settings.name / digest[:16]
        if (self.folder / STORE).is_file() and files.read_json(self.folder / STORE) != self._record:
            raise FeatureCacheError(f"{self.folder}: {STORE} describes other features; delete this folder")

    def fill(self, streamed: StreamedFeatures) -> None:
        """Compute and write what is missing of the features of all clips.

        Raises FeatureCacheError, before anything is written, if the disk or the limit is too small; HalfPrecisionError;
        and FeatureCacheError if files were damaged after they were written.
        """
        assert streamed.is_rounded, "the store has half precision"
        clips = streamed.clips.recordings()
        missing = self._missing(clips)
        self._require_room(len(missing))
        with _exclusive_lock(self.folder):
            if not (self.folder / STORE).is_file():
                files.write_note(self.folder / STORE, files.as_json(self._record))
        for name, of_source in missing.groupby(SOURCE):
            folder = self._folder_of(name)
            with _exclusive_lock(folder):
                self._write(folder, self._missing(of_source), streamed, "/".join(map(str, name)))

    def find(self, clips: Clips) -> pd.DataFrame:
        """`path`, `row` and `sha256` of the stored features of each clip, in order.

        Raises FeatureCacheError if a clip has none.
        """
        table = self._joined(clips.recordings())
        for _, row in table[table["path"].isna()].iterrows():
            raise FeatureCacheError(
                f"{self._folder_of(tuple(row[SOURCE]))}: no features of {row['utterance_id']}, although they were "
                f"written; do not delete features while a job reads them, and give the same command again"
            )
        return table[["path", "row", "sha256"]].astype({"row": int})

    def parts(self, corpus: str, source: str) -> list[Part]:
        """The finished parts of a source."""
        return parts_in(self._folder_of((corpus, source)), self.shape)

    def _write(self, folder: Path, missing: pd.DataFrame, streamed: StreamedFeatures, name: str) -> None:
        shards = list(missing.groupby("shard"))
        order: list[Order] = [split_into_batches(clips.index.to_numpy(), BATCH_CLIPS) for _, clips in shards]
        batches = [batch for of_shard in order for batch in of_shard]
        bar = progress(streamed.batches(batches), f"features of {name}, to disk", total=len(batches), unit="batch")
        halves = (features.half().cpu().numpy() for features in bar)
        for (shard, clips), of_shard in zip(shards, order, strict=True):
            Part(_new_path(folder, str(shard)), self.shape).write(clips, islice(halves, len(of_shard)))
        next(halves, None)  # ends the bar

    def _missing(self, clips: pd.DataFrame) -> pd.DataFrame:
        """The clips without features, each once, under their numbers."""
        table = self._joined(clips)
        return clips[table["path"].isna().to_numpy()].drop_duplicates([*SOURCE, *UTTERANCE])

    def _joined(self, clips: pd.DataFrame) -> pd.DataFrame:
        """The clips with `path`, `row` and `sha256` of their features, missing where nothing is stored."""
        indexes = [
            part.index().assign(corpus=corpus, source=source)
            for corpus, source in clips[SOURCE].drop_duplicates().itertuples(index=False, name=None)
            for part in self.parts(corpus, source)
        ]
        nothing = pd.DataFrame(columns=[*SOURCE, *UTTERANCE, "sha256", "path", "row"], dtype=object)
        stored = pd.concat(indexes or [nothing]).drop_duplicates([*SOURCE, *UTTERANCE])
        return clips.merge(stored, on=[*SOURCE, *UTTERANCE], how="left", validate="many_to_one")

    def _require_room(self, num_clips: int) -> None:
        size = num_clips * ITEM_BYTES * math.prod(self.shape)
        present = sum(path.stat().st_size for path in self.folder.glob(f"*/*/*{SUFFIX}"))
        self.folder.mkdir(parents=True, exist_ok=True)
        free, rest = shutil.disk_usage(self.folder).free, self._place.limit_bytes - present
        if size > min(free, rest):
            shape = " x ".join(map(str, self.shape))
            what, room = ("the limit leaves", rest) if rest <= free else ("the disk has", free)
            raise FeatureCacheError(
                f"{self.folder}: the features of {num_clips:,} clips take {size / 1e9:,.3f} GB ({shape} of 2 bytes "
                f"each), but {what} {max(0, room) / 1e9:,.3f} GB; give another folder or limit, or set cache_features "
                f"to none"
            )

    def _folder_of(self, name: Any) -> Path:
        return self.folder.joinpath(*name)


def _weights(settings: StoreSettings, front_end: FrontEnd) -> dict[str, str]:
    """Digests of a front-end's weights, and of its code if it stands beside the experiment."""
    code = FRONT_ENDS.part(settings.front_end["name"]).code_sha256()
    return {"front_end_weights_sha256": front_end.digest(), **({"front_end_code_sha256": code} if code else {})}


def _new_path(folder: Path, shard: str) -> Path:
    """The place of a shard's next part. Numbers of a killed job, which have no index, are replaced."""
    number = next(n for n in range(len(list(folder.iterdir())) + 1) if not (folder / f"{shard}-{n}{INDEX}").exists())
    return folder / f"{shard}-{number}{SUFFIX}"


@contextmanager
def _exclusive_lock(folder: Path) -> Iterator[None]:
    """Let only one process at a time write into a folder; the system releases the lock of a killed process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("%s: waiting for another job that writes these features", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
