"""Utterance tables of the published sizes, which replace corpora that are not available."""

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
LEAST = 0.5  # seconds; lengths follow a gamma distribution above it, roughly as those of read sentences do


def write_tables(experiment: Experiment, results: Path, wu2024: bool) -> None:
    """Write `results/corpora/{corpus}/utterances.parquet` and `rejected.tsv` of every corpus of an experiment.

    With `wu2024`, VCTK has the 107 speakers of Wu et al. 2024, Table 2, and p226 to p229 have their published counts.
    """
    for name, corpus in experiment.corpora.items():
        table = utterance_table(name, corpus, wu2024)
        folder = results / "corpora" / name
        files.write_parquet(folder / "utterances.parquet", table)
        files.write_tsv(folder / "rejected.tsv", pd.DataFrame({"path": [], "reason": []}))


def utterance_table(name: str, corpus: Corpus, wu2024: bool = False) -> pd.DataFrame:
    """A table with the published numbers of utterances, speakers and hours of the corpus."""
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
    """Each speaker with the number of its utterances."""
    if layout == "vctk" and wu2024:
        # Table 2: 42,752 / 735 / 755 utterances of 103 / 2 / 2 speakers; the split inside the pairs is not published
        counts = {"p226": 368, "p227": 378, "p228": 377, "p229": 367}
        others = [f"p{number}" for number in range(225, 225 + 107) if f"p{number}" not in counts]
        return sorted([*counts.items(), *_share_out(others, part.utterances - sum(counts.values()))])
    letters, first = SPEAKERS.get(layout, (layout, 1))
    names = [f"{letters}{number:03d}" for number in range(first, first + part.speakers)]
    return list(_share_out(names, part.utterances))


def _share_out(speakers: list[str], utterances: int) -> Iterator[tuple[str, int]]:
    """Distribute utterances evenly over speakers."""
    each, remainder = divmod(utterances, len(speakers))
    for number, speaker in enumerate(speakers):
        yield speaker, each + (number < remainder)


def _num_samples(part: Part, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Lengths `[utterances]` that add up to the part's hours, up to the rounding of each."""
    mean = part.hours * 3600 / part.utterances
    above = rng.gamma(4, size=part.utterances)
    seconds = LEAST + above * (mean - LEAST) / above.mean()
    return np.rint(seconds * sample_rate).astype(np.int64)
