"""The trials of all protocols of a run: which clips there are, and which parts and splits use each.

The table is kept in memory, with about 60 bytes per trial; audio is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from codecfake.base import files
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols.exports import RECORDINGS
from codecfake.protocols.lists import COLUMNS
from codecfake.publishing.clips import HOME_ORDER, Place, PublishingError, home

EVAL = "eval"
BONAFIDE_PART = "bonafide"
FEW_VALUES = [column for column in COLUMNS if column not in ("trial_id", "utterance_id")]
CLIP = ["corpus", "source", "utterance_id"]


@dataclass(frozen=True)
class Catalog:
    """`trials` has one row per trial of a protocol: the columns of protocols, and its `part` and `split`."""

    trials: pd.DataFrame

    def groups(self) -> list[tuple[str, str]]:
        """Every corpus and source with trials, sorted."""
        pairs = self.trials[["corpus", "source"]].drop_duplicates().astype(str)
        return sorted(pairs.itertuples(index=False, name=None))

    def of(self, corpus: str, source: str) -> pd.DataFrame:
        """The clips of one source, by utterance id: columns of protocols, and `places`, a tuple of Place."""
        trials = self.trials
        rows = trials[(trials["corpus"] == corpus) & (trials["source"] == source)].astype(str)
        places = list(map(Place, rows["part"], rows["split"]))
        grouped = pd.Series(places, rows["utterance_id"], dtype=object).groupby(level=0)
        table = rows.drop(columns=["part", "split"]).drop_duplicates("utterance_id").set_index("utterance_id")
        return table.assign(places=grouped.agg(lambda of_clip: tuple(sorted(of_clip))))

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
        """The number of resynthesized clips whose recording is not among the clips."""
        clips = self.trials[CLIP].drop_duplicates().astype(str)
        is_recording = clips["source"] == RECORDINGS
        speech = pd.MultiIndex.from_frame(clips[["corpus", "utterance_id"]])
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
    columns = [*FEW_VALUES, "part", "split"]
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
        yield files.read_tsv(path)[list(COLUMNS)].assign(part=place.part, split=place.split)


def _bonafide(trials: pd.DataFrame) -> pd.DataFrame:
    """Every bona fide recording once, with one split."""
    rows = trials[(trials["key"] == BONAFIDE) & (trials["source"] == RECORDINGS)]
    splits = rows.groupby(CLIP)["split"].agg(lambda of_clip: home(set(of_clip))).reset_index()
    return rows.drop_duplicates(CLIP).drop(columns="split").merge(splits, on=CLIP).assign(part=BONAFIDE_PART)
