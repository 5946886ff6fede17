"""Protocols: which trials are trained on and judged, from utterance tables alone, before any audio is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd

from codecfake.base import files, utterances
from codecfake.base.settings import Range
from codecfake.base.utterances import BONAFIDE, SPLITS, SPOOF
from codecfake.protocols import splits

RECORDINGS = "F00"  # the source of audio as recorded: the bona fide arm
COLUMNS = ("speaker_id", "trial_id", "utterance_id", "source", "key", "corpus", "language", "attack")


class ProtocolError(ValueError):
    """A protocol cannot be made from these tables."""


@dataclass(frozen=True)
class Split:
    """How pooled corpora fall into train, dev and eval: by `utterance`, by `speaker`, as `listed`, as the `corpus`."""

    by: Literal["utterance", "speaker", "listed", "corpus"]
    dev: Annotated[float, Range(above=0, below=1)] = 0.1
    eval: Annotated[float, Range(above=0, below=1)] = 0.1
    seed: int = 1
    dev_speakers: list[str] = field(default_factory=list)  # of `listed`; all others are trained on
    eval_speakers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PartitionSettings:
    """The train and dev protocols of a domain."""

    corpora: list[str]
    split: Split
    sources: list[str] = field(default_factory=list)  # codec sources, beside the recordings
    keep: list[str] | None = None  # of the corpora, after the split; None: all


@dataclass(frozen=True)
class Side:
    """The bona fide trials or the spoofs of a condition."""

    corpora: list[str]  # pooled, as the split needs them
    split: Split | None = None  # None: whatever part the corpora themselves call eval, or all
    keep: list[str] | None = None  # the corpora that are judged; None: all
    source: str = RECORDINGS
    utterances: str = "eval"  # or all


@dataclass(frozen=True)
class ConditionSettings:
    bonafide: Side
    spoof: Side


Tables = Mapping[str, pd.DataFrame]  # corpus -> utterance table


def partition(settings: PartitionSettings, tables: Tables, split: str) -> pd.DataFrame:
    """The trials of one split of a domain: its recordings, then each of its sources."""
    rows = pooled(settings.corpora, settings.split, tables)
    chosen = rows[rows["split"] == split]
    if settings.keep is not None:
        chosen = chosen[chosen["corpus"].isin(settings.keep)]
    kinds = [_trials(chosen, source) for source in (RECORDINGS, *settings.sources)]
    return _checked(pd.concat(kinds, ignore_index=True), f"the {split} protocol of {' + '.join(settings.corpora)}")


def pooled(corpora: list[str], rule: Split, tables: Tables) -> pd.DataFrame:
    """The utterances of corpora, one after the other, with the split that a rule gives each."""
    rows = pd.concat([tables[corpus] for corpus in corpora], ignore_index=True)
    if rule.by == "corpus":
        return rows.assign(split=splits.by_corpus(rows))
    if rule.by == "listed":
        return rows.assign(split=splits.by_list(rows, rule.dev_speakers, rule.eval_speakers))
    draw = splits.by_utterance if rule.by == "utterance" else splits.by_speaker
    return rows.assign(split=draw(rows, rule.dev, rule.eval, rule.seed))


def condition(settings: ConditionSettings, tables: Tables) -> pd.DataFrame:
    """The trials of an evaluated condition: bona fide, then spoofs."""
    sides = [_side(settings.bonafide, tables, BONAFIDE), _side(settings.spoof, tables, SPOOF)]
    return _checked(pd.concat(sides, ignore_index=True), "the condition")


def write_partition(settings: PartitionSettings, corpora_root: Path, root: Path, name: str) -> None:
    """Write `root/{name}/train.tsv` and `dev.tsv` and their exports from `corpora_root/{corpus}/utterances.parquet`."""
    tables = _read(settings.corpora, corpora_root)
    for split in ("train", "dev"):
        _write(root, f"{name}/{split}", partition(settings, tables, split))


def write_condition(settings: ConditionSettings, corpora_root: Path, root: Path, name: str) -> None:
    """Write `root/eval/{name}.tsv` and its exports."""
    tables = _read([*settings.bonafide.corpora, *settings.spoof.corpora], corpora_root)
    _write(root, f"eval/{name}", condition(settings, tables))


def asvspoof2019(trials: pd.DataFrame) -> str:
    """The five columns of the ASVspoof 2019 LA countermeasure protocols: speaker, trial, -, attack, key.

    Columns are parted by spaces, so those inside a name become underscores: `Alec_Guinness`.
    """
    columns = (trials["speaker_id"], trials["trial_id"], trials["attack"], trials["key"])
    speaker, trial, attack, key = (_without_spaces(column.astype(str)) for column in columns)
    return "".join(speaker + " " + trial + " - " + attack + " " + key + "\n")


def _without_spaces(names: pd.Series) -> pd.Series:
    # few have any, and looking is a hundred times cheaper than replacing
    return names.str.replace(r"\s+", "_", regex=True) if names.str.contains(r"\s").any() else names


def published(trials: pd.DataFrame) -> str:
    """The three columns of the published Codecfake set: file name, real or fake, source."""
    label = trials["key"].map({BONAFIDE: "real", SPOOF: "fake"})
    source = trials["attack"].where(trials["key"] == SPOOF, RECORDINGS)
    return "".join(trials["trial_id"] + ".wav " + label + " " + source + "\n")


def _read(corpora: list[str], root: Path) -> Tables:
    return {corpus: utterances.read(root / corpus / "utterances.parquet") for corpus in dict.fromkeys(corpora)}


def _side(side: Side, tables: Tables, key: str) -> pd.DataFrame:
    if side.split is not None:
        chosen = pooled(side.corpora, side.split, tables)
    else:
        chosen = pd.concat([tables[corpus] for corpus in side.corpora], ignore_index=True)
    if side.keep is not None:
        chosen = chosen[chosen["corpus"].isin(side.keep)]
    if side.utterances == "eval" and chosen["split"].isin(SPLITS).any():
        chosen = chosen[chosen["split"] == "eval"]
    if side.source == RECORDINGS:
        chosen = chosen[chosen["key"] == key]
    return _trials(chosen, side.source)


def _trials(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """Trials of utterances as recorded, or as a codec's source makes them: of bona fide speech alone."""
    if source == RECORDINGS:
        return rows.assign(trial_id=rows["utterance_id"], source=source)[list(COLUMNS)]
    made = rows[rows["key"] == BONAFIDE]
    trial_id = source + "_" + made["utterance_id"]
    return made.assign(trial_id=trial_id, source=source, key=SPOOF, attack=source)[list(COLUMNS)]


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
    files.seal(root / f"{name}.tsv")
    files.write_text(root / f"exports/asvspoof2019/{name}.txt", asvspoof2019(trials))
    files.write_text(root / f"exports/published/{name}.txt", published(trials))
