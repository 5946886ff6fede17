"""What the shard indexes of a run say about each source, read before any audio."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from codec_wrappers import UNSTATED
from codecfake.audio import ladder_shards, shard_lists
from codecfake.base import files
from codecfake.base.hidden_files import visible
from codecfake.publishing import licensing
from codecfake.publishing.catalog import Trial
from codecfake.publishing.clips import PublishingError

COLUMNS = (
    "utterance_id", "offset", "num_bytes", "sha256", "num_samples", "sample_rate",
    "codec", "quantizers", "bitrate_kbps", "weights_sha256", "license",
)  # fmt: skip
SECOND = ("second_codec", "second_quantizers", "second_weights_sha256", "second_license")
OF_DEGRADED = ("second", "uses_recordings")
ORIGIN = ["codec", "quantizers", "bitrate_kbps", "weights_sha256", "license"]


@dataclass(frozen=True)
class SourceFacts:
    """One source of one corpus: how it was made, and how much of it is published."""

    corpus: str
    source: str
    codec: str
    quantizers: int
    bitrate_kbps: float
    weights_sha256: str
    license: str  # as the shards have it, of the codec or generator; "" for recordings
    sample_rates: tuple[int, ...]
    num_clips: int
    num_bytes: int
    seconds: float
    index_sha256: tuple[str, ...]  # of the indexes of its shards, in order
    second: dict[str, str] | None = None  # of degraded audio: the second codec, its quantizers, weights and license
    uses_recordings: bool = False  # degraded audio with noise or rooms of recordings, whose license is not known

    @property
    def identifiers(self) -> list[str]:
        """The licenses of what made it."""
        second = licensing.identifiers(self.second["second_license"]) if self.second else []
        return [*licensing.identifiers(self.license), *second, *([UNSTATED] if self.uses_recordings else [])]

    def plain(self) -> dict[str, Any]:
        """Plain values, without those of degraded audio where the source is plain."""
        return {name: value for name, value in asdict(self).items() if name not in OF_DEGRADED or value}


def index_paths(audio: Path, corpus: str, source: str) -> list[Path]:
    """The indexes of all shards of a source, in order. Raises PublishingError if some, or all, are missing."""
    folder = audio / corpus / source
    paths = visible(folder.glob("*.parquet"))
    missing = shard_lists.missing_shards(folder)
    if missing or not paths:
        what = f"{min(missing)} is missing" if missing else "it has no shards"
        raise PublishingError(f"{folder}: {what}; finish the run first: codecfake run … -- {folder / shard_lists.LIST}")
    return paths


def survey(audio: Path, corpus: str, source: str, trials: Mapping[str, Trial]) -> SourceFacts:
    """The facts of one source; `trials` are those to be published, by utterance id.

    Raises PublishingError if one is in no shard, or if the shards were made in different ways.
    """
    paths = index_paths(audio, corpus, source)
    more = (*SECOND, ladder_shards.MIXED_FILE)
    tables = [files.read_arrow(path, COLUMNS, more).to_pandas() for path in paths]
    table = pd.concat(tables, ignore_index=True)
    table = table[table["utterance_id"].isin(list(trials))]
    _require_all(audio / corpus / source, table, trials)
    second = [name for name in SECOND if name in table]
    origins = table[[*ORIGIN, *second]].drop_duplicates()
    if len(origins) > 1:
        raise PublishingError(
            f"{audio / corpus / source}: its shards were made with different {_differing(origins)}; "
            f"delete the older ones and finish the run again"
        )
    origin = origins.iloc[0]
    return SourceFacts(
        corpus=corpus,
        source=source,
        codec=str(origin["codec"]),
        quantizers=int(origin["quantizers"]),
        bitrate_kbps=float(origin["bitrate_kbps"]),
        weights_sha256=str(origin["weights_sha256"]),
        license=str(origin["license"]),
        sample_rates=tuple(sorted(int(rate) for rate in table["sample_rate"].unique())),
        num_clips=len(table),
        num_bytes=int(table["num_bytes"].sum()),
        seconds=float((table["num_samples"] / table["sample_rate"]).sum()),
        index_sha256=tuple(files.sha256(path) for path in paths),
        second={name: str(origin[name]) for name in second} or None,
        uses_recordings=ladder_shards.MIXED_FILE in table,
    )


def index_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of one index, in the order of the tar."""
    yield from files.read_arrow(path, COLUMNS).sort_by("offset").to_pylist()


def _require_all(folder: Path, table: pd.DataFrame, trials: Mapping[str, Trial]) -> None:
    missing = sorted(trials.keys() - set(table["utterance_id"]))
    if missing:
        raise PublishingError(
            f"{folder}: {len(missing)} trials are in no shard, the first is {trials[missing[0]].trial_id}; "
            f"finish the run first: codecfake run … -- {folder / shard_lists.LIST}"
        )


def _differing(origins: pd.DataFrame) -> str:
    return " and ".join(name for name in origins if origins[name].nunique() > 1)
