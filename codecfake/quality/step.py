"""How well each codec reproduces speech: measures on held-out recordings and their fakes, and summary tables."""

import hashlib
import logging
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from codecfake.audio import waveforms
from codecfake.audio.shards import AudioStore
from codecfake.base import files
from codecfake.base.hidden_files import visible
from codecfake.base.progress import progress
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols.lists import RECORDINGS
from codecfake.quality.measures import METRICS, NAMES, NEITHER, SAMPLE_RATE, Measured, measure, measure_sound
from codecfake.quality.settings import QualityError, QualitySettings, SummarySettings

logger = logging.getLogger(__name__)

UTTERANCE = ["corpus", "utterance_id"]
NO_BITRATE = "none"
PROVENANCE = ["codec", "quantizers", "bitrate_kbps"]
COLUMNS = ["source", *UTTERANCE, "speaker_id", *PROVENANCE, *NAMES, "note"]


@dataclass(frozen=True)
class Statistics:
    """A metric over utterances. The standard error assumes independence, which does not hold for one speaker's."""

    n: int
    mean: float
    standard_error: float  # NaN for fewer than two utterances, or if the mean is infinite


# measuring one codec


def measure_codec(settings: QualitySettings, protocols: Sequence[Path], audio_root: Path, output: Path) -> None:
    """Measure the sources of a codec on utterances drawn from the bona fide trials of `protocols`.

    Writes a row per source and utterance. Columns are `COLUMNS`; for a metric without a value, `note` has the reason.
    Raises QualityError if no bona fide trial is from a source's corpora, or if its shards have different settings, and
    ShardError if an utterance has no audio.
    """
    utterances = draw(_bonafide(protocols), settings.utterances, settings.seed)
    for source, corpora in settings.sources.items():
        _require_utterances(utterances, source, corpora, protocols)
    made_by = {source: _provenance(audio_root, source, corpora) for source, corpora in settings.sources.items()}
    pairs = [(corpus, source) for source, corpora in settings.sources.items() for corpus in corpora]
    store = AudioStore(
        audio_root, dict.fromkeys((corpus, each) for corpus, source in pairs for each in (RECORDINGS, source))
    )
    rows = []
    # a recording is compared with all of its fakes before the next one, because its F0 is then computed once
    for row in progress(utterances.itertuples(), f"quality of {', '.join(settings.sources)}", len(utterances), "utt"):
        compare = measure_sound if row.corpus in settings.sounds else measure
        names = {"corpus": row.corpus, "utterance_id": row.utterance_id, "speaker_id": row.speaker_id}
        for source in [source for corpus, source in pairs if corpus == row.corpus]:
            values = compare(*_pair(store, source, row.corpus, row.utterance_id))
            rows.append({"source": source, **names, **made_by[source], **_texts(values)})
    order = list(settings.sources)
    rows.sort(key=lambda row: order.index(row["source"]))  # stable, so that utterances keep their order
    files.write_tsv(output, pd.DataFrame(rows, columns=COLUMNS))


def _require_utterances(
    utterances: pd.DataFrame, source: str, corpora: Sequence[str], protocols: Sequence[Path]
) -> None:
    if not utterances["corpus"].isin(corpora).any():
        raise QualityError(
            f"source {source}: no bona fide trial of {', '.join(map(str, protocols))} is from corpus "
            f"{' or '.join(corpora)}, which the source was made from; choose a condition with such trials"
        )


def draw(utterances: pd.DataFrame, number: int, seed: int) -> pd.DataFrame:
    """`number` rows, in equal shares from each corpus (the first ones may have one more), by the hash of their ids.

    A corpus with fewer rows contributes all of them. The result does not depend on the order of rows.
    """
    groups = utterances.groupby("corpus")
    share, rest = divmod(number, max(1, len(groups)))
    parts = [utterances.head(0)]
    for place, (corpus, rows) in enumerate(groups):
        target = share + (place < rest)
        if len(rows) < target:
            logger.info("corpus %s: all of its %d held-out utterances are drawn, not %d", corpus, len(rows), target)
        rank = [hashlib.sha256(f"quality:{seed}:{corpus}/{name}".encode()).digest() for name in rows["utterance_id"]]
        parts.append(rows.assign(rank=rank).sort_values("rank").head(target).drop(columns="rank"))
    return pd.concat(parts).sort_values(UTTERANCE, ignore_index=True)


def _bonafide(protocols: Sequence[Path]) -> pd.DataFrame:
    trials = pd.concat([files.read_tsv(path) for path in protocols])
    return trials[trials["key"] == BONAFIDE].drop_duplicates(UTTERANCE)


def _provenance(audio_root: Path, source: str, corpora: Sequence[str]) -> dict[str, Any]:
    """The codec, quantizers and bit rate of the source, from the indexes of its shards."""
    folders = [audio_root / corpus / source for corpus in corpora]
    indexes = [files.read_parquet(path, PROVENANCE) for folder in folders for path in visible(folder.glob("*.parquet"))]
    kinds = pd.concat(indexes or [pd.DataFrame(columns=PROVENANCE)]).drop_duplicates()
    if len(kinds) != 1:
        raise QualityError(
            f"source {source}: its shards under {audio_root} were made with {len(kinds)} settings (codec, "
            f"quantizers or bit rate differ); delete {audio_root}/*/{source} and run the workflow again"
        )
    codec, quantizers, bitrate = kinds.iloc[0]
    return {"codec": codec, "quantizers": int(quantizers), "bitrate_kbps": _bitrate_text(bitrate)}


def _bitrate_text(kbps: float) -> str:
    """Latents have none: their shards say NaN."""
    return NO_BITRATE if math.isnan(kbps) else f"{kbps:.6g}"


def _pair(store: AudioStore, source: str, corpus: str, utterance_id: str) -> tuple[np.ndarray, np.ndarray]:
    """The recording and its fake at the rate of the metrics, cut to equal length: resampling can add one sample."""
    wavs = []
    for each in (RECORDINGS, source):
        samples, rate = store.read(corpus, each, utterance_id)
        wavs.append(waveforms.resample(samples / waveforms.FULL_SCALE, rate, SAMPLE_RATE))
    lengths = [len(wav) for wav in wavs]
    if max(lengths) - min(lengths) > 1:
        raise QualityError(
            f"utterance {utterance_id} of {corpus}: {source} has {lengths[1]} samples at {SAMPLE_RATE} Hz and the "
            f"recording has {lengths[0]}; make both again"
        )
    return wavs[0][: min(lengths)], wavs[1][: min(lengths)]


def _texts(values: Measured) -> dict[str, str]:
    """Numbers with six digits, which are the same on all machines; reasons go to the note."""
    numbers = {name: "" if isinstance(value, str) else f"{value:.6g}" for name, value in values.items()}
    reasons = [f"{name}: {value}" for name, value in values.items() if isinstance(value, str)]
    return {**numbers, "note": "; ".join(reasons)}


# the tables


def write_summary(settings: SummarySettings, folder: Path, output: Path) -> None:
    """Write `quality.csv`, a row per source and metric, and `quality_order.csv`, the gains from more bits.

    Reads `folder/{codec}.tsv` of `measure_codec`; writes the tables into the folder `output`. Where sounds were
    measured, they are in `quality_sounds.csv`, and in the other tables only for sources without speech.
    """
    measured = pd.concat([read(folder / f"{codec}.tsv") for codec in settings.codecs])
    tables = {source: _of_source(measured, source, folder) for source in settings.sources}
    if settings.sounds:
        sounds = {source: _of_contents(table, settings.sounds)[1] for source, table in tables.items()}
        _write_means(output / "quality_sounds.csv", {source: own for source, own in sounds.items() if len(own)})
        tables = {source: next(filter(len, _of_contents(table, settings.sounds))) for source, table in tables.items()}
    gains = list(_gains(tables))
    _write_means(output / "quality.csv", tables)
    _write_csv(output / "quality_order.csv", gains, GAIN_COLUMNS)
    worse = [f"{row['metric']} from {row['fewer']} to {row['more']}" for row in gains if row["worse"] == YES]
    if worse:
        logger.warning(
            "more bits are worse in %d of %d comparisons: %s; quality_order.csv says by how much",
            len(worse), len(gains), ", ".join(worse),
        )  # fmt: skip


MEAN_COLUMNS = ["source", *PROVENANCE, "metric", "n", "missing", "mean", "standard_error", "why_missing"]
GAIN_COLUMNS = [
    "codec", "metric", "fewer", "more", "fewer_kbps", "more_kbps", "n", "gain", "standard_error", "worse",
]  # fmt: skip
YES, NO = "yes", "no"


def read(path: Path) -> pd.DataFrame:
    """The file of a codec, indexed by utterance, with metrics as numbers. Raises QualityError if it is incomplete."""
    table = files.read_tsv(path)
    absent = [f"column {name!r}" for name in COLUMNS if name not in table] or ["row"] * table.empty
    if absent:
        raise QualityError(f"{path}: no {absent[0]}; delete it and measure again")
    return table.set_index(UTTERANCE).assign(**{name: pd.to_numeric(table[name]).to_numpy() for name in NAMES})


def _of_source(measured: pd.DataFrame, source: str, folder: Path) -> pd.DataFrame:
    rows = measured[measured["source"] == source]
    if rows.empty:
        raise QualityError(f"{folder}: no file has rows of source {source}; delete that of its codec and measure again")
    return rows


def statistics(values: np.ndarray) -> Statistics:
    """The mean of `[N]` and its standard error, without NaN values."""
    numbers = values[~np.isnan(values)]
    if len(numbers) == 0:
        return Statistics(0, np.nan, np.nan)
    if len(numbers) == 1 or np.isinf(numbers).any():
        return Statistics(len(numbers), float(numbers.mean()), np.nan)
    return Statistics(len(numbers), float(numbers.mean()), float(numbers.std(ddof=1) / np.sqrt(len(numbers))))


def _of_contents(table: pd.DataFrame, sounds: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of speech, and those of sounds."""
    is_sound = table.index.get_level_values("corpus").isin(list(sounds))
    return table[~is_sound], table[is_sound]


def _write_means(path: Path, tables: dict[str, pd.DataFrame]) -> None:
    _write_csv(path, [row for source, table in tables.items() for row in _means(source, table)], MEAN_COLUMNS)


def _means(source: str, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    reasons = _reasons(table["note"])
    for name in NAMES:
        summary = statistics(table[name].to_numpy())
        why = "; ".join(f"{reason} ({count})" for reason, count in sorted(reasons.get(name, {}).items()))
        place = {"source": source, **table[PROVENANCE].iloc[0], "metric": name}
        yield {**place, **asdict(summary), "missing": len(table) - summary.n, "why_missing": why}


def _reasons(notes: pd.Series) -> dict[str, Counter[str]]:
    """Metric -> reason for a missing value -> its count."""
    counts: dict[str, Counter[str]] = {}
    for note in notes:
        for part in filter(None, note.split("; ")):
            metric, reason = part.split(": ", 1)
            counts.setdefault(metric, Counter())[reason] += 1
    return counts


def _gains(tables: dict[str, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    """The gain of every step to more quantizers of one codec, on the utterances that both sources have."""
    provenance = {source: table[PROVENANCE].iloc[0] for source, table in tables.items()}
    for (fewer, more), metric in product(_steps(provenance), METRICS):
        if metric.better != NEITHER:
            yield {
                "codec": provenance[more]["codec"],
                "metric": metric.name,
                "fewer": fewer,
                "more": more,
                "fewer_kbps": provenance[fewer]["bitrate_kbps"],
                "more_kbps": provenance[more]["bitrate_kbps"],
                **_gain(tables[fewer][metric.name], tables[more][metric.name], metric.better),
            }


def _steps(provenance: dict[str, pd.Series]) -> list[tuple[str, str]]:
    """Pairs of sources of one codec: each source, and the one with the next larger number of quantizers."""
    sources = sorted(
        provenance, key=lambda source: (provenance[source]["codec"], int(provenance[source]["quantizers"]))
    )
    return [
        (fewer, more)
        for fewer, more in pairwise(sources)
        if provenance[fewer]["codec"] == provenance[more]["codec"]
        and provenance[fewer]["quantizers"] != provenance[more]["quantizers"]
    ]


def _gain(fewer: pd.Series, more: pd.Series, better: int) -> dict[str, Any]:
    """The mean improvement over utterances; `worse` if it is below zero by more than its standard error."""
    before, after = fewer.align(more, join="inner")
    with np.errstate(invalid="ignore"):  # infinite in both
        change = np.where(before == after, 0.0, better * (after - before))
    summary = statistics(change)
    worse = summary.mean < -summary.standard_error or np.isneginf(summary.mean)
    return {
        "n": summary.n,
        "gain": summary.mean,
        "standard_error": summary.standard_error,
        "worse": YES if worse else NO,
    }


def _write_csv(path: Path, rows: list[dict[str, Any]], columns: list[str]) -> None:
    with files.sealed(path) as part:
        pd.DataFrame(rows, columns=columns).to_csv(part, index=False, float_format="%.6g", lineterminator="\n")
