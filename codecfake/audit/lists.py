"""The lists that an audit compares: the trials of every protocol, with their speakers, texts and audio."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.audio.shards import AudioStore
from codecfake.audit.settings import AuditSettings
from codecfake.base import files, utterances
from codecfake.base.degraded_names import degradation_of, with_degradation
from codecfake.base.utterances import KEYS
from codecfake.protocols.lists import RECORDINGS
from codecfake.protocols.people import People
from codecfake.protocols.trials import RECORDING

WHAT = ("speakers", "utterances", "sentences", "audio")


@dataclass(frozen=True)
class TrialList:
    """Trials used together for training, selection or evaluation.

    Column `person` names their speaker over all lists; column `row` is their row in the audio index.
    """

    name: str  # `codec/train`, `eval/C1`, or `eval/C7 spoof` where a whole key is evaluated
    domains: tuple[str, ...]
    judges_all: bool  # the experiment uses every utterance, including training data
    trials: pd.DataFrame

    @property
    def protocol(self) -> str:
        return self.name.split()[0]

    @cached_property
    def members(self) -> dict[str, pd.Index]:
        """What is compared -> its distinct names."""
        table = self.trials
        names = {
            "speakers": table["person"],
            "utterances": table["corpus"] + "/" + table["utterance_id"],
            "sentences": table["sentence"].dropna(),
            "audio": table["audio"],
        }
        return {what: pd.Index(values.unique()) for what, values in names.items()}


def read_tables(settings: AuditSettings, results: Path) -> dict[str, pd.DataFrame]:
    """Corpus -> its utterance table with columns `sentence` and `person`, for corpora used here or by codecs."""
    names = dict.fromkeys([*settings.corpora, *settings.codec_training])
    tables = {name: utterances.read(results / "corpora" / name / "utterances.parquet") for name in names}
    everyone = people(settings, tables)
    return {
        name: table.assign(sentence=table["text"].map(normalized), person=everyone.names(table))
        for name, table in tables.items()
    }


def people(settings: AuditSettings, tables: dict[str, pd.DataFrame]) -> People:
    """The speakers of all corpora in utterance tables."""
    return People(pd.concat(tables.values(), ignore_index=True), tables, settings.speakers_of)


def normalized(text: str | None) -> str | None:
    """A sentence without case, punctuation and width of characters; None if nothing is left."""
    if not isinstance(text, str):
        return None
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(character if character.isalnum() else " " for character in folded).split()
    return " ".join(words) or None


def read_lists(settings: AuditSettings, results: Path, tables: dict[str, pd.DataFrame]) -> list[TrialList]:
    """Train and dev of each domain, then each condition; keys that are evaluated as a whole are separate lists."""
    sentences = pd.concat([table[["corpus", "utterance_id", "sentence"]] for table in tables.values()])
    everyone = people(settings, tables)
    trial_lists = []
    for domain in settings.domains:
        for split in ("train", "dev"):
            trials = _read(results / "protocols" / domain / f"{split}.tsv", sentences)
            trials["person"] = everyone.names(trials)
            trial_lists.append(TrialList(f"{domain}/{split}", (domain,), False, trials))
    for name, condition in settings.conditions.items():
        trials = _read(results / "protocols" / "eval" / f"{name}.tsv", sentences)
        trials["person"] = everyone.names(trials, condition.speakers_of)
        domains = tuple(condition.domains)
        for part, judges_all, rows in _parts(trials, condition.all_of):
            trial_lists.append(TrialList(f"eval/{name}{part}", domains, judges_all, rows))
    return trial_lists


def with_audio(lists: list[TrialList], store: AudioStore) -> list[TrialList]:
    """The lists with `row`, `audio` (equal for equal bytes) and `duration` (seconds) of each trial."""
    digests = audio_names(store)
    return [TrialList(item.name, item.domains, item.judges_all, _with_audio(item, store, digests)) for item in lists]


def audio_names(store: AudioStore) -> np.ndarray:
    """A number for each row of the index, int `[N]`, the same where the FLAC bytes are the same."""
    _, numbers = np.unique(np.ascontiguousarray(store.index.sha256).view("V32").ravel(), return_inverse=True)
    return numbers


def audio_of(lists: list[TrialList]) -> list[tuple[str, str]]:
    """(corpus, source) of all trials, and of the recordings that fakes were made from."""
    pairs = pd.concat([item.trials[["corpus", "source"]].drop_duplicates() for item in lists]).drop_duplicates()
    corpora_and_sources = list(pairs.itertuples(index=False, name=None))
    partners = (
        (corpus, with_degradation(RECORDINGS, degradation_of(source))) for corpus, source in corpora_and_sources
    )
    return sorted({*corpora_and_sources, *partners, *((corpus, RECORDINGS) for corpus, _ in corpora_and_sources)})


def _read(path: Path, sentences: pd.DataFrame) -> pd.DataFrame:
    table = files.read_tsv(path)
    return table.merge(sentences, how="left", on=["corpus", "utterance_id"], validate="many_to_one")


def _parts(trials: pd.DataFrame, all_of: list[str]) -> Iterator[tuple[str, bool, pd.DataFrame]]:
    if not all_of:
        yield "", False, trials
        return
    for key in KEYS:
        yield f" {key}", key in all_of, trials[trials["key"] == key]


def _with_audio(item: TrialList, store: AudioStore, digests: np.ndarray) -> pd.DataFrame:
    rows = store.index.rows(item.trials[RECORDING])
    lost = item.trials[rows < 0]
    if len(lost):
        first = lost.iloc[0]
        raise ValueError(
            f"{item.name}: trial {first['trial_id']} has no audio in {first['corpus']}/{first['source']}; "
            f"make its shards again"
        )
    entries = store.index.entries[rows]
    duration = entries["num_samples"] / entries["sample_rate"]
    return item.trials.assign(row=rows, audio=digests[rows], duration=duration)
