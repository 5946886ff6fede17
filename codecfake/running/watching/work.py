"""How much a finished job has done, in the unit of its rule, from its output; with its time, this gives a speed."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow.parquet

from codecfake.audio.splicing import SPANS
from codecfake.base import files
from codecfake.base.degraded_names import SEPARATOR, degradation_of, series, with_degradation
from codecfake.degradation.settings import CODEC

AUDIO = "s of audio"


@dataclass(frozen=True)
class Work:
    amount: float
    unit: str


def work_of(results: Path, name: str) -> Work | None:
    """What the job of this name (`resynthesize_dac/english.0001`) has done; None if nothing is counted.

    Resynthesis counts every second that it writes, for each variant of a codec.
    """
    rule, _, wildcards = name.partition("/")
    try:
        return _work(results, rule, wildcards.split("."))
    except (OSError, ValueError):  # a later run is replacing these files, or they were deleted
        return None


def _work(results: Path, rule: str, wildcards: list[str]) -> Work | None:
    if rule.startswith("resynthesize_"):
        corpus, shard = wildcards
        indexes = sorted((results / "audio" / corpus).glob(f"*/{shard}.parquet"))
        indexes = [path for path in indexes if not degradation_of(path.parent.name)]
        return Work(sum(_duration(path, rule.removeprefix("resynthesize_")) for path in indexes), AUDIO)
    if rule.startswith("degrade_through_"):
        corpus, base, shard = wildcards
        steps = with_degradation(base, series(CODEC, rule.removeprefix("degrade_through_")))
        paths = sorted((results / "audio" / corpus).glob(f"{steps}{SEPARATOR}*/{shard}.parquet"))
        return Work(sum(map(_seconds, paths)), AUDIO)
    if rule.startswith("generate_"):
        corpus, (shard,) = rule.removeprefix("generate_"), wildcards
        return Work(_duration(results / "audio" / corpus / "F00" / f"{shard}.parquet", "none"), AUDIO)
    match rule, wildcards:
        case "record", [corpus, recordings, shard]:
            return Work(_duration(results / "audio" / corpus / recordings / f"{shard}.parquet", "none"), AUDIO)
        case "splice", [corpus, source, shard]:
            return Work(_seconds(results / "audio" / corpus / source / f"{shard}.parquet"), AUDIO)
        case "degrade", [corpus, base, degradation, shard]:
            index = results / "audio" / corpus / with_degradation(base, degradation) / f"{shard}.parquet"
            return Work(_seconds(index), AUDIO)
        case "ingest_corpus", [corpus]:
            return Work(_seconds(results / "corpora" / corpus / "utterances.parquet"), AUDIO)
        case "quality", [codec]:
            return Work(len(files.read_tsv(results / "quality" / f"{codec}.tsv")), "utterances")
        case "train_codec", [codec]:
            steps = files.read_tsv(results / "codecs" / codec / "history.tsv")["step"]
            return Work(float(steps.astype(int).max()), "steps")
        case "extract_features", [*store]:
            lists = files.read_tsv(results.joinpath("feature_lists", *store[:2], f"{store[2]}.tsv"))
            return Work(float(lists["clips"].astype(int).sum()), "clips")
        case "train_detector", [*model]:
            return Work(len(files.read_tsv(results.joinpath("models", *model, "history.tsv"))), "epochs")
        case "train_tracer", [*model]:
            return Work(len(files.read_tsv(results.joinpath("tracing/models", *model, "history.tsv"))), "epochs")
    return None


def _duration(index: Path, codec: str) -> float:
    """Seconds of audio in a shard, if this codec made it."""
    made_by, seconds = _shard(index, index.stat().st_mtime_ns)
    return seconds if made_by == codec else 0.0


@lru_cache(maxsize=100_000)
def _shard(index: Path, age: int) -> tuple[str, float]:
    """The codec that wrote a shard, and its seconds, by its index of that age. No codec wrote partial fakes."""
    if SPANS in pyarrow.parquet.read_schema(index).names:
        return "", _seconds(index)
    table = pyarrow.parquet.read_table(index, columns=["codec"])
    return (table["codec"][0].as_py() if len(table) else ""), _seconds(index)


def _seconds(path: Path) -> float:
    table = pyarrow.parquet.read_table(path, columns=["num_samples", "sample_rate"]).to_pandas()
    return float((table["num_samples"] / table["sample_rate"]).sum())
