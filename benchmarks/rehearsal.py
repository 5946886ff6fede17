"""Utterance tables of the published sizes, which stand in for corpora that are not there."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import SPOOF
from codecfake.corpora.ingest import DTYPES
from codecfake.corpora.sizes import CorpusSize, Part, published
from codecfake.experiment.schema import Corpus, Experiment

LANGUAGES = {"aishell3": "zh"}
SPEAKERS = {"vctk": ("p", 225), "aishell3": ("SSB", 1)}  # p225, p226, …; SSB001, …
LEAST = 0.5  # seconds; lengths are gamma-distributed above it, as roughly those of read sentences are


def write_tables(experiment: Experiment, results: Path, wu2024: bool) -> None:
    """Write `results/corpora/{corpus}/utterances.parquet` and `rejected.tsv` of every corpus of an experiment.

    `wu2024` gives VCTK the 107 speakers of Wu et al. 2024, Table 2, and p226 to p229 their published shares.
    """
    for name, corpus in experiment.corpora.items():
        table = utterance_table(name, corpus, wu2024)
        folder = results / "corpora" / name
        files.write_parquet(folder / "utterances.parquet", table)
        files.write_tsv(folder / "rejected.tsv", pd.DataFrame({"path": [], "reason": []}))


def utterance_table(name: str, corpus: Corpus, wu2024: bool = False) -> pd.DataFrame:
    """As many utterances, speakers and hours as the corpus is published with."""
    size = published(corpus.layout, corpus.size)
    rng = np.random.default_rng(list(name.encode()))
    tables = [_part(name, corpus, size, part, rng, wu2024) for part in size.speech]
    return pd.concat(tables, ignore_index=True).astype(DTYPES)


def _part(
    name: str, corpus: Corpus, size: CorpusSize, part: Part, rng: np.random.Generator, wu2024: bool
) -> pd.DataFrame:
    speakers = _speakers(corpus.layout, part, wu2024)
    mark = f"{part.split or ''}{part.key[0]}"
    ids = [
        f"{_prefix(name, corpus)}{speaker}_{mark}{number:05d}" for speaker, count in speakers for number in range(count)
    ]
    return pd.DataFrame(
        {
            "utterance_id": ids,
            "corpus": name,
            "speaker_id": [speaker for speaker, count in speakers for _ in range(count)],
            "language": LANGUAGES.get(corpus.layout, "en"),
            "text": None,
            "path": [f"rehearsal/{utterance_id}.wav" for utterance_id in ids],
            "key": part.key,
            "split": part.split,
            "attack": [f"A{number % 6 + 1:02d}" if part.key == SPOOF else "-" for number in range(len(ids))],
            "sample_rate": size.sample_rate,
            "channels": 1,
            "num_samples": _num_samples(part, size.sample_rate, rng),
            "sha256": [hashlib.sha256(f"{name}/{utterance_id}".encode()).hexdigest() for utterance_id in ids],
        },
        columns=list(DTYPES),
    )


def _prefix(name: str, corpus: Corpus) -> str:
    return f"{name}_" if corpus.layout == "listed" else ""


def _speakers(layout: str, part: Part, wu2024: bool) -> list[tuple[str, int]]:
    """Each speaker and the number of utterances of it."""
    if layout == "vctk" and wu2024:
        # Table 2: 42,752 / 735 / 755 utterances of 103 / 2 / 2 speakers; how the pairs share theirs is not published
        listed = {"p226": 368, "p227": 378, "p228": 377, "p229": 367}
        others = [f"p{number}" for number in range(225, 225 + 107) if f"p{number}" not in listed]
        return sorted([*listed.items(), *_shared(others, part.utterances - sum(listed.values()))])
    letters, first = SPEAKERS.get(layout, (layout, 1))
    names = [f"{letters}{number:03d}" for number in range(first, first + part.speakers)]
    return list(_shared(names, part.utterances))


def _shared(speakers: list[str], utterances: int) -> Iterator[tuple[str, int]]:
    """Utterances shared out evenly."""
    each, left = divmod(utterances, len(speakers))
    for number, speaker in enumerate(speakers):
        yield speaker, each + (number < left)


def _num_samples(part: Part, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Lengths `[utterances]` whose sum is that of the part's hours, to a rounding each."""
    mean = part.hours * 3600 / part.utterances
    above = rng.gamma(4, size=part.utterances)
    seconds = LEAST + above * (mean - LEAST) / above.mean()
    return np.rint(seconds * sample_rate).astype(np.int64)
