"""Protocols: the trials of training and evaluation, from utterance tables alone, before any audio is generated."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd

from codecfake.base import files, utterances
from codecfake.base.degraded_names import base_of
from codecfake.base.settings import Range
from codecfake.base.utterances import BONAFIDE, CODING, NO_CODING, SPLITS, SPOOF
from codecfake.protocols import labels, splits, utterance_lists
from codecfake.protocols.exports import RECORDINGS, write_exports
from codecfake.protocols.labels import DEFAULT, EXCLUDED, ORIGINAL_KEY, CodedKeys
from codecfake.protocols.people import People, SpeakersOf
from codecfake.protocols.utterance_lists import Files, UtteranceLists

COLUMNS = ("speaker_id", "trial_id", "utterance_id", "source", "key", "corpus", "language", "attack")


logger = logging.getLogger(__name__)


class ProtocolError(ValueError):
    """These tables do not give a valid protocol."""


@dataclass(frozen=True)
class Split:
    """How pooled corpora are split.

    By `utterance`, by `speaker`, by `listed` speakers, by a `list` of utterances, or as published (`corpus`).
    """

    by: Literal["utterance", "speaker", "listed", "list", "corpus"]
    dev: Annotated[float, Range(above=0, below=1)] = 0.1
    eval: Annotated[float, Range(above=0, below=1)] = 0.1
    seed: int = 1
    dev_speakers: list[str] = field(default_factory=list)  # for `listed`; all other speakers are in train
    eval_speakers: list[str] = field(default_factory=list)
    file: Files | None = None  # for `list`
    max_missing: Annotated[float, Range(least=0, below=1)] = 0.0  # share of listed names that may be no utterances

    def shares(self, num_speakers: int) -> dict[str, float]:
        """The expected share of each split, for speakers with the same number of utterances."""
        dev, held_out = self.dev, self.eval
        if self.by == "listed" and num_speakers > len(self.dev_speakers) + len(self.eval_speakers):
            dev, held_out = len(self.dev_speakers) / num_speakers, len(self.eval_speakers) / num_speakers
        return dict(zip(SPLITS, (1 - dev - held_out, dev, held_out), strict=True))


@dataclass(frozen=True)
class PartitionSettings:
    """The train and dev protocols of a domain."""

    corpora: list[str]
    split: Split
    sources: list[str] = field(default_factory=list)  # codec sources, in addition to the recordings
    keep: list[str] | None = None  # the corpora to keep after the split; None: all
    speakers_of: dict[str, str] = field(default_factory=dict)  # see `people.SpeakersOf`
    labels: dict[str, dict[str, str]] = field(default_factory=dict)  # source -> its `CodedKeys`; others: `DEFAULT`
    resynthesized: dict[str, str] = field(default_factory=dict)  # see `labels.originals`


@dataclass(frozen=True)
class Side:
    """The bona fide trials or the spoofs of a condition."""

    corpora: list[str]  # pooled before the split
    split: Split | None = None  # None: the corpora's own eval part, or everything if they have none
    keep: list[str] | None = None  # the corpora to evaluate; None: all
    source: str = RECORDINGS
    utterances: str = "eval"  # or all
    original: str = ""  # the key of the originals of coded trials; "": bona fide
    resynthesized: dict[str, str] = field(default_factory=dict)  # see `labels.originals`

    @property
    def original_key(self) -> str:
        return self.original or BONAFIDE


@dataclass(frozen=True)
class ConditionSettings:
    bonafide: Side
    spoof: Side
    speakers_of: dict[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, dict[str, str]]:
        """Source -> key of its originals -> key of the condition; empty if all coded trials are bona fide speech coded
        into spoofs.
        """
        by_source: dict[str, dict[str, str]] = {}
        for key, side in ((BONAFIDE, self.bonafide), (SPOOF, self.spoof)):
            if base_of(side.source) != RECORDINGS:
                by_source.setdefault(base_of(side.source), {})[side.original_key] = key
        return {} if all(keys == {BONAFIDE: SPOOF} for keys in by_source.values()) else by_source


Tables = Mapping[str, pd.DataFrame]  # corpus -> utterance table
Pool = Callable[[list[str], Split | None], pd.DataFrame]  # rows of corpora, split by a rule or (None) as published
Selection = list[tuple[str, pd.DataFrame]]  # each source with the rows of its trials


def partition(settings: PartitionSettings, tables: Tables, split: str) -> pd.DataFrame:
    """The trials of one split of a domain: recordings, then the fakes of each source."""
    selection = partition_selection(settings, split, _pool(tables, settings.speakers_of))
    has_policy = bool(settings.labels or settings.resynthesized)
    return _trials_of(selection, settings.labels, has_policy, f"the {split} protocol of {' + '.join(settings.corpora)}")


def condition(settings: ConditionSettings, tables: Tables) -> pd.DataFrame:
    """The trials of an evaluated condition: bona fide, then spoofs."""
    selection = condition_selection(settings, _pool(tables, settings.speakers_of))
    return _trials_of(selection, settings.labels, bool(settings.labels), "the condition")


def partition_selection(settings: PartitionSettings, split: str, pool: Pool) -> Selection:
    """The rows that `partition` takes from a pool, which needs the columns corpus, key and split alone.

    Their key is that of the recordings.
    """
    rows = pool(settings.corpora, settings.split)
    rows = _of_corpora(rows[rows["split"] == split], settings.keep)
    return [(RECORDINGS, rows), *((source, _originals(settings, source, rows)) for source in settings.sources)]


def _originals(settings: PartitionSettings, source: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The recordings whose coded versions have a key, bona fide ones first."""
    keys = {**DEFAULT, **settings.labels.get(source, {})}
    parts = [labels.originals(rows, key, settings.resynthesized) for key, label in keys.items() if label != EXCLUDED]
    return pd.concat([rows.iloc[:0], *parts])


def condition_selection(settings: ConditionSettings, pool: Pool) -> Selection:
    """The same for `condition`."""
    sides = ((settings.bonafide, BONAFIDE), (settings.spoof, SPOOF))
    return [(side.source, side_rows(side, key, pool)) for side, key in sides]


def split_utterances(
    corpora: list[str], rule: Split | None, tables: Tables, speakers_of: SpeakersOf | None = None
) -> pd.DataFrame:
    """The utterances of all corpora in order, each with its split: by `rule`, or (None) as published."""
    rows = _pooled([tables[corpus] for corpus in corpora])
    if rule is None:
        return rows
    if rule.by == "corpus":
        return rows.assign(split=splits.by_corpus(rows))
    if rule.by == "list":
        split = splits.by_utterance_lists(rows, read_lists(rule), rule.dev, rule.seed, rule.max_missing)
        return rows.assign(split=split)[split.notna()].reset_index(drop=True)
    if rule.by == "utterance":
        return rows.assign(split=splits.by_utterance(rows, rule.dev, rule.eval, rule.seed))
    people = People(rows, corpora, speakers_of)
    if rule.by == "listed":
        return rows.assign(split=splits.by_list(rows, rule.dev_speakers, rule.eval_speakers, people))
    return rows.assign(split=splits.by_speaker(rows, rule.dev, rule.eval, rule.seed, people))


def read_lists(rule: Split) -> UtteranceLists:
    """The lists of a rule by `list`. Raises as `utterance_lists.read`."""
    assert rule.file is not None
    return utterance_lists.read(rule.file)


def plain(settings: PartitionSettings | ConditionSettings | Side) -> dict[str, Any]:
    """Plain values; later settings are left out where they are empty, so that the text of older runs stays the same."""
    later = ("speakers_of", "file", "max_missing", "labels", "resynthesized", "original")
    return asdict(settings, dict_factory=lambda items: {k: v for k, v in items if k not in later or v})


def _pool(tables: Tables, speakers_of: SpeakersOf) -> Pool:
    return partial(split_utterances, tables=tables, speakers_of=speakers_of)


def write_partition(settings: PartitionSettings, corpora_root: Path, root: Path, name: str) -> None:
    """Write `root/{name}/train.tsv` and `dev.tsv` and their exports from `corpora_root/{corpus}/utterances.parquet`."""
    tables = _read(settings.corpora, corpora_root)
    _log_differences(settings.corpora, settings.split, tables)
    for split in ("train", "dev"):
        _write(root, f"{name}/{split}", partition(settings, tables, split))


def write_condition(settings: ConditionSettings, corpora_root: Path, root: Path, name: str) -> None:
    """Write `root/eval/{name}.tsv` and its exports."""
    tables = _read([*settings.bonafide.corpora, *settings.spoof.corpora], corpora_root)
    _log_differences(settings.bonafide.corpora, settings.bonafide.split, tables)
    _write(root, f"eval/{name}", condition(settings, tables))


def _log_differences(corpora: list[str], rule: Split | None, tables: Tables) -> None:
    if rule is not None and rule.by == "list":
        rows = pd.concat([tables[corpus] for corpus in corpora], ignore_index=True)
        for text in splits.differences(rows, read_lists(rule)):
            logger.info("utterances: %s", text)


def _read(corpora: list[str], root: Path) -> Tables:
    return {corpus: utterances.read(root / corpus / "utterances.parquet") for corpus in dict.fromkeys(corpora)}


def side_rows(side: Side, key: str, pool: Pool) -> pd.DataFrame:
    """The utterances of one side of a condition, whose trials have this key."""
    rows = _of_corpora(pool(side.corpora, side.split), side.keep)
    if side.utterances == "eval" and rows["split"].isin(SPLITS).any():
        rows = rows[rows["split"] == "eval"]
    if base_of(side.source) == RECORDINGS:
        return rows[rows["key"] == key]
    return labels.originals(rows, side.original_key, side.resynthesized)


def _of_corpora(rows: pd.DataFrame, keep: list[str] | None) -> pd.DataFrame:
    return rows if keep is None else rows[rows["corpus"].isin(keep)]


def _trials_of(selection: Selection, keys: Mapping[str, CodedKeys], has_policy: bool, what: str) -> pd.DataFrame:
    """The trials of all sources; `has_policy`: with the column `ORIGINAL_KEY`."""
    trials = _pooled([_trials(source, rows, keys.get(base_of(source), DEFAULT)) for source, rows in selection])
    return _checked(trials if has_policy else trials.drop(columns=ORIGINAL_KEY), what)


def _pooled(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all tables, of which some may have the column of codings."""
    rows = pd.concat(tables, ignore_index=True)
    return rows.fillna({CODING: NO_CODING}) if CODING in rows else rows


def _trials(source: str, rows: pd.DataFrame, keys: CodedKeys) -> pd.DataFrame:
    """Trials of recorded utterances, or of utterances as resynthesized into a codec source.

    A degraded source has the keys and attacks of the plain one.
    """
    columns, base = [*COLUMNS, *([CODING] if CODING in rows else []), ORIGINAL_KEY], base_of(source)
    trial_id = rows["utterance_id"] if source == RECORDINGS else source + "_" + rows["utterance_id"]
    rows = rows.assign(trial_id=trial_id, source=source, original_key=rows["key"])
    return (rows if base == RECORDINGS else labels.coded(base, rows, keys))[columns]


def _checked(trials: pd.DataFrame, what: str) -> pd.DataFrame:
    for key in (BONAFIDE, SPOOF):
        if key not in set(trials["key"]):
            raise ProtocolError(f"{what} has no {key} trial; check its corpora, split and sources")
    twice = trials.loc[trials["trial_id"].duplicated(), "trial_id"]
    if len(twice):
        raise ProtocolError(
            f"{what}: trial {twice.iloc[0]!r} appears twice; utterance ids must be unique over corpora "
            f"(give a corpus of layout listed the option prefix)"
        )
    return trials


def _write(root: Path, name: str, trials: pd.DataFrame) -> None:
    files.write_tsv(root / f"{name}.tsv", trials)
    write_exports(root / "exports", name, trials)
