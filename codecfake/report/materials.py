"""The materials of the run: corpora, protocols and codecs, as rows to show."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from codecfake.base import files, utterances
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols.lists import RECORDINGS
from codecfake.report.inputs import ReportError, ReportInputs

SECONDS_PER_HOUR = 3600
NUM_REASONS = 5  # of rejection, to be listed


@dataclass(frozen=True)
class CorpusRow:
    name: str
    languages: str
    utterances: int
    speakers: int
    hours: float
    rejected: int
    reasons: dict[str, int]  # the most frequent ones


@dataclass(frozen=True)
class ProtocolRow:
    protocol: str
    corpus: str
    bonafide: int
    spoof: int
    speakers: int
    hours: float


@dataclass(frozen=True)
class Quality:
    """How close a codec's output is to its input, before and after training."""

    si_sdr_before: str
    si_sdr_after: str
    mel_before: str
    mel_after: str
    num_utterances: str


@dataclass(frozen=True)
class CodecRow:
    source: str
    codec: str
    quantizers: int
    bitrate_kbps: float  # 0: the control; NaN: latents
    printed_kbps: float | None
    weights: str  # the first digits of their sha256
    clipped_samples: int
    quality: Quality | None  # None: not trained here

    @property
    def is_coded(self) -> bool:
        """Whether a codec changed the recordings; the control, which changes nothing, has a bit rate of 0."""
        return self.bitrate_kbps != 0

    @property
    def bitrate(self) -> str:
        return bitrate_text(self.bitrate_kbps)

    @property
    def label(self) -> str:
        return f"{self.codec}, {bitrate_text(self.bitrate_kbps, '.3g', ' kbit/s')}"


def bitrate_text(bitrate_kbps: float, form: str = ".2f", unit: str = "") -> str:
    """The bit rate for a reader; latents have none, and their shards say NaN."""
    return "no bit rate" if math.isnan(bitrate_kbps) else f"{bitrate_kbps:{form}}{unit}"


def corpus_rows(inputs: ReportInputs) -> list[CorpusRow]:
    return [_corpus(name, inputs.results / "corpora" / name) for name in inputs.corpora]


def _corpus(name: str, folder: Path) -> CorpusRow:
    table = utterances.read(folder / "utterances.parquet")
    rejected = files.read_tsv(folder / "rejected.tsv")
    return CorpusRow(
        name,
        ", ".join(sorted(table["language"].unique())),
        len(table),
        table["speaker_id"].nunique(),
        float(_seconds(table).sum()) / SECONDS_PER_HOUR,
        len(rejected),
        {str(reason): int(n) for reason, n in rejected["reason"].value_counts().head(NUM_REASONS).items()},
    )


def _seconds(table: pd.DataFrame) -> pd.Series:
    return table["num_samples"] / table["sample_rate"]


def protocol_rows(inputs: ReportInputs) -> list[ProtocolRow]:
    """The size of every protocol by corpus. Raises ReportError for a trial whose utterance is in no corpus."""
    tables = (utterances.read(inputs.results / "corpora" / name / "utterances.parquet") for name in inputs.corpora)
    seconds = pd.concat(_seconds(table.set_index(["corpus", "utterance_id"])) for table in tables)
    return [row for name in inputs.protocols for row in _protocol(inputs, name, seconds)]


def _protocol(inputs: ReportInputs, name: str, seconds: pd.Series) -> list[ProtocolRow]:
    trials = files.read_tsv(inputs.results / "protocols" / f"{name}.tsv")
    utterance = pd.MultiIndex.from_frame(trials[["corpus", "utterance_id"]])
    for corpus, utterance_id in utterance[~utterance.isin(seconds.index)]:
        raise ReportError(f"protocol {name}: utterance {utterance_id} is not in corpus {corpus}; write protocols again")
    trials["seconds"] = seconds.reindex(utterance).to_numpy()
    return [_part(name, str(corpus), part) for corpus, part in trials.groupby("corpus")]


def _part(name: str, corpus: str, trials: pd.DataFrame) -> ProtocolRow:
    bonafide = int((trials["key"] == BONAFIDE).sum())
    hours = float(trials["seconds"].sum()) / SECONDS_PER_HOUR
    return ProtocolRow(name, corpus, bonafide, len(trials) - bonafide, trials["speaker_id"].nunique(), hours)


def codec_rows(inputs: ReportInputs) -> list[CodecRow]:
    """One row per source of a codec. Raises ReportError if its shards have different settings."""
    codec_sources = dict.fromkeys(
        source for sources in inputs.sources.values() for source in sources if source != RECORDINGS
    )
    return [_codec(inputs, source) for source in codec_sources]


def _codec(inputs: ReportInputs, source: str) -> CodecRow:
    corpora = [corpus for corpus, sources in inputs.sources.items() if source in sources]
    indexes = [path for c in corpora for path in visible((inputs.results / "audio" / c / source).glob("*.parquet"))]
    columns = ["codec", "quantizers", "bitrate_kbps", "weights_sha256"]
    table = pd.concat(files.read_parquet(path, (*columns, "clipped_samples")) for path in indexes)
    kinds = table[columns].drop_duplicates()
    if len(kinds) != 1:
        raise ReportError(
            f"source {source}: its shards were made with {len(kinds)} settings (codec, quantizers, bit rate or weights "
            f"differ); delete {inputs.results / 'audio'}/*/{source} and run the workflow again"
        )
    kind = kinds.iloc[0]
    return CodecRow(
        source,
        kind["codec"],
        int(kind["quantizers"]),
        float(kind["bitrate_kbps"]),
        inputs.printed_kbps.get(source),
        kind["weights_sha256"][:8],
        int(table["clipped_samples"].sum()),
        _quality(inputs.results / "codecs" / inputs.trained_codecs[source])
        if source in inputs.trained_codecs
        else None,
    )


def _quality(folder: Path) -> Quality:
    """Before and after training; the weights before it were fresh, or those that it started from."""
    table = files.read_tsv(folder / "quality.tsv").set_index("state")
    before, after = table.drop(index="trained").iloc[0], table.loc["trained"]
    return Quality(
        _two_decimals(before["si_sdr_db"]),
        _two_decimals(after["si_sdr_db"]),
        _two_decimals(before["mel_distance"]),
        _two_decimals(after["mel_distance"]),
        str(after["num_utterances"]),
    )


def _two_decimals(number: str) -> str:
    return f"{float(number):.2f}"
