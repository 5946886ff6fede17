"""The trials of all protocols of a run: which clips there are, and which parts and splits use each.

The table is kept in memory, with about 60 bytes per trial; audio is not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from codecfake.base import files
from codecfake.base.degraded_names import base_of, degradation_of
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import BONAFIDE, CODING, NO_CODING
from codecfake.protocols.exports import RECORDINGS
from codecfake.protocols.labels import ORIGINAL_KEY
from codecfake.protocols.lists import COLUMNS
from codecfake.publishing.clips import HOME_ORDER, Place, PublishingError, home

EVAL = "eval"
BONAFIDE_PART = "bonafide"
FEW_VALUES = [column for column in COLUMNS if column not in ("trial_id", "utterance_id")]
CLIP = ["corpus", "source", "utterance_id"]
OF_TRIAL = ["trial_id", "key", "attack", "coding", "speaker_id", "language"]
OF_SOURCE = ["utterance_id", "part", "split", *OF_TRIAL]


class Trial(NamedTuple):
    """What the protocols say about one clip: `OF_TRIAL`, and where they use it."""

    trial_id: str
    key: str
    attack: str
    coding: str
    speaker_id: str
    language: str
    places: tuple[Place, ...] = ()  # ascending


@dataclass(frozen=True)
class Catalog:
    """`trials` has one row per trial of a protocol: the columns of protocols, and its `part` and `split`."""

    trials: pd.DataFrame

    def groups(self) -> list[tuple[str, str]]:
        """Every corpus and source with trials, sorted."""
        pairs = self.trials[["corpus", "source"]].drop_duplicates().astype(str)
        return sorted(pairs.itertuples(index=False, name=None))

    def of(self, corpus: str, source: str) -> dict[str, Trial]:
        """The trials of one source, by utterance id, in the order of the protocols."""
        table = self.trials
        rows = table[(table["corpus"] == corpus) & (table["source"] == source)]
        places: dict[str, list[Place]] = {}
        trials: dict[str, Trial] = {}
        for utterance_id, part, split, *values in zip(*(rows[name] for name in OF_SOURCE), strict=True):
            places.setdefault(utterance_id, []).append(Place(part, split))
            trials.setdefault(utterance_id, Trial(*values))
        return {name: trial._replace(places=tuple(sorted(places[name]))) for name, trial in trials.items()}

    def with_places(self, is_wanted: Callable[[Place], bool]) -> "Catalog":
        """The trials of some places alone."""
        pairs = pd.MultiIndex.from_frame(self.trials[["part", "split"]].astype(str))
        wanted = [pair for pair in pairs.unique() if is_wanted(Place(*pair))]
        return Catalog(self.trials[pairs.isin(wanted)])

    def parts(self) -> dict[str, list[str]]:
        """Part -> its splits; domains first, then conditions, each sorted, and the bona fide part at the end."""
        pairs = self.trials[["part", "split"]].drop_duplicates().astype(str).itertuples(index=False, name=None)
        splits: dict[str, set[str]] = {}
        for part, split in pairs:
            splits.setdefault(part, set()).add(split)
        names = sorted(splits, key=lambda part: (part == BONAFIDE_PART, splits[part] == {EVAL}, part))
        return {part: [split for split in reversed(HOME_ORDER) if split in splits[part]] for part in names}

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """Part -> split -> key -> number of trials."""
        sizes = self.trials.groupby(["part", "split", "key"], observed=True).size()
        result: dict[str, dict[str, dict[str, int]]] = {}
        for (part, split, key), number in sizes.items():
            result.setdefault(str(part), {}).setdefault(str(split), {})[str(key)] = int(number)
        return result

    def num_without_twin(self) -> int:
        """The number of resynthesized clips whose recording, degraded alike, is not among the clips."""
        clips = self.trials[CLIP].drop_duplicates().astype(str)
        is_recording = clips["source"].map(base_of) == RECORDINGS
        clips = clips.assign(degradation=clips["source"].map(degradation_of))
        speech = pd.MultiIndex.from_frame(clips[["corpus", "utterance_id", "degradation"]])
        return int((~is_recording & ~speech.isin(speech[is_recording])).sum())


def protocol_paths(protocols: Path) -> list[Path]:
    """The protocols of a run: `{domain}/train.tsv`, `{domain}/dev.tsv` and `eval/{condition}.tsv`, sorted."""
    paths = [path for path in visible(protocols.glob("*/*.tsv")) if _place(path) is not None]
    if not paths:
        raise PublishingError(f"{protocols}: no protocols; finish the run first")
    return paths


def read(protocols: Path) -> Catalog:
    """All trials of a run, and those of the part of all bona fide recordings.

    Raises PublishingError if there are no protocols, or if a domain or condition has the name of that part.
    """
    trials = pd.concat(list(_tables(protocol_paths(protocols))), ignore_index=True)
    if (trials["part"] == BONAFIDE_PART).any():
        raise PublishingError(
            f"{protocols}: a domain or condition is named {BONAFIDE_PART!r}, which is the part of all recordings; "
            f"rename it in the experiment and run again"
        )
    trials = pd.concat([trials, _bonafide(trials)], ignore_index=True)
    columns = [*FEW_VALUES, CODING, ORIGINAL_KEY, "part", "split"]
    return Catalog(trials.astype(dict.fromkeys(columns, "category")))


def _place(path: Path) -> Place | None:
    """The part and split of a protocol; None for other tables."""
    folder, name = path.parent.name, path.stem
    if folder == EVAL:
        return Place(name, EVAL)
    return Place(folder, name) if name in ("train", "dev") else None


def _tables(paths: list[Path]) -> Iterator[pd.DataFrame]:
    for path in paths:
        place = _place(path)
        assert place is not None
        # only corpora with coded recordings have the column of codings
        table = files.read_tsv(path)
        table = table if CODING in table else table.assign(**{CODING: NO_CODING})
        # protocols with another policy than the default have the key of the original
        table = table if ORIGINAL_KEY in table else table.assign(**{ORIGINAL_KEY: _original_key(table)})
        yield table[[*COLUMNS, CODING, ORIGINAL_KEY]].assign(part=place.part, split=place.split)


def _original_key(table: pd.DataFrame) -> pd.Series:
    """By default, codecs resynthesize bona fide speech alone."""
    return table["key"].where(table["source"].map(base_of) == RECORDINGS, BONAFIDE)


def _bonafide(trials: pd.DataFrame) -> pd.DataFrame:
    """Every bona fide recording once, with one split."""
    rows = trials[(trials["key"] == BONAFIDE) & (trials["source"] == RECORDINGS)]
    splits = rows.groupby(CLIP)["split"].agg(lambda of_clip: home(set(of_clip))).reset_index()
    return rows.drop_duplicates(CLIP).drop(columns="split").merge(splits, on=CLIP).assign(part=BONAFIDE_PART)
