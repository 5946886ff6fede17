"""A finished run of a few very short clips, as a publication reads it: protocols, shards and shard lists."""

from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.audio.shard_lists import LIST, write_list
from codecfake.audio.shards import Provenance, ShardWriter, members
from codecfake.base import files
from codecfake.base.utterances import COLUMNS
from codecfake.protocols.exports import RECORDINGS
from codecfake.protocols.lists import (
    ConditionSettings,
    PartitionSettings,
    Side,
    Split,
    write_condition,
    write_partition,
)
from codecfake.publishing.run_facts import CodecFacts, CorpusFacts, Credit, RunFacts

SAMPLE_RATE, NUM_SAMPLES = 16000, 400
CORPORA = {"english": "vctk", "mandarin": "aishell3"}  # name -> layout
LANGUAGES = {"english": "en", "mandarin": "zh"}
SPEAKER = {"english": "e{:03d}", "mandarin": "m{:03d}"}
UTTERANCE = {"english": "{}_{:03d}", "mandarin": "{}_{:03d}"}  # of speaker and number
SOURCES = {  # source -> how it was made
    RECORDINGS: Provenance("none", 0, 0.0, "", "0.1.0"),
    "F01": Provenance("encodec", 2, 1.5, "a" * 64, "0.1.0", "code MIT, weights CC-BY-NC-4.0"),
    "P00": Provenance("through", 1, 0.0, "", "0.1.0", "Apache-2.0"),
}
SPLIT = Split("speaker", dev=0.25, eval=0.25)
FACTS = RunFacts(
    title="Tiny",
    description="Made-up clips.",
    command="codecfake run tiny --run DIR",
    corpora={
        "english": CorpusFacts("english", "vctk", Credit("CC-BY-4.0", "Yamagishi et al.", "https://vctk.example")),
        "mandarin": CorpusFacts("mandarin", "aishell3", Credit("Apache-2.0", "Shi et al.", "https://aishell.example")),
    },
    codecs={
        "encodec": CodecFacts("encodec", "the 24 kHz model", "Défossez et al. 2022", "official"),
        "through": CodecFacts("through", "changes nothing", "", "none"),
    },
)


def write(run: Path, speakers: int = 4, per_speaker: int = 2, shards: int = 2) -> Path:
    """Write `results/` of a run with the title Tiny; `shards` of each source of a corpus."""
    results = run / "results"
    files.write_text(results / "experiment.txt", "Tiny\n")
    for corpus in CORPORA:
        table = utterances(corpus, speakers, per_speaker)
        files.write_parquet(results / "corpora" / corpus / "utterances.parquet", table)
        for source, provenance in SOURCES.items():
            _write_source(results / "audio" / corpus / source, table, provenance, shards)
    _write_protocols(results)
    return run


def utterances(corpus: str, speakers: int, per_speaker: int) -> pd.DataFrame:
    """An utterance table with `per_speaker` rows of each speaker."""
    pairs = [(SPEAKER[corpus].format(speaker), n) for speaker in range(speakers) for n in range(per_speaker)]
    names = [UTTERANCE[corpus].format(*pair) for pair in pairs]
    table = pd.DataFrame({name: [None] * len(pairs) for name in COLUMNS})
    return table.assign(
        utterance_id=names, corpus=corpus, speaker_id=[speaker for speaker, _ in pairs], language=LANGUAGES[corpus],
        path="x.wav", key="bonafide", attack="-", channels=1, sha256="", sample_rate=SAMPLE_RATE,
        num_samples=NUM_SAMPLES,
    )  # fmt: skip


def _write_source(folder: Path, table: pd.DataFrame, provenance: Provenance, shards: int) -> None:
    prefix = "" if folder.name == RECORDINGS else f"{folder.name}_"
    for shard in range(shards):
        with ShardWriter(folder / f"{shard:04d}.tar", prefix, provenance) as writer:
            for name in members(table, shard, shards)["utterance_id"]:
                writer.add(name, waveform(name, folder.name), SAMPLE_RATE)
    write_list(sorted(folder.glob("*.parquet")), folder / LIST)


def waveform(utterance_id: str, source: str) -> np.ndarray:
    """Noise of the utterance, `[NUM_SAMPLES]`; a fake of a codec is quieter, and that of the control is the same."""
    rng = np.random.default_rng(list(utterance_id.encode()))
    return rng.uniform(-0.5, 0.5, NUM_SAMPLES) * (0.9 if source == "F01" else 1.0)


def _write_protocols(results: Path) -> None:
    corpora, protocols = list(CORPORA), results / "protocols"
    domain = PartitionSettings(corpora, SPLIT, sources=["F01"])
    write_partition(domain, results / "corpora", protocols, "codec")
    for name, source in {"C1": "F01", "P00": "P00"}.items():
        sides = (Side(corpora, SPLIT), Side(corpora, SPLIT, source=source))
        write_condition(ConditionSettings(*sides), results / "corpora", protocols, name)
    everything = Side(corpora, SPLIT, source="P00", utterances="all")
    write_condition(ConditionSettings(Side(corpora, SPLIT), everything), results / "corpora", protocols, "P00-all")
