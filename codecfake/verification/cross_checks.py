"""Comparisons between score files: copies, fakes shared by conditions, trials with two scores or none.

Spoofs of different conditions are matched by their recording: the longest suffix of the name (after `_` or `-`) that is
the name of a bona fide trial. `F03_p228_028` and `C3-3_p228_028` come from `p228_028`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from codecfake.verification.faults import FAULT, NOTE, Finding, first_of
from codecfake.verification.reading import ScoreFile

LEAST_SHARED = 10  # at least this many equal scores, each unique in its file, are not a coincidence if they are also
LEAST_SHARE = 0.01  # at least this share of the fakes
MOST_SHAPES = 4  # kinds of names that a finding lists


@dataclass(frozen=True)
class Entry:
    """A score file with finite scores and keys, and its model and condition."""

    model: str
    condition: str
    file: ScoreFile

    @property
    def where(self) -> str:
        return f"{self.model}/{self.condition}"

    @cached_property
    def spoofs(self) -> pd.Series:
        """Spoof scores by name; the first score of repeated trials."""
        return _by_name(self.file, bonafide=False)

    @cached_property
    def recordings(self) -> pd.Series:
        """Bona fide scores by name."""
        return _by_name(self.file, bonafide=True)

    @cached_property
    def sorted_spoofs(self) -> bytes:
        return bytes(np.sort(self.file.of_key(False)).tobytes())


@dataclass(frozen=True)
class Copies:
    """Files whose spoofs have identical scores."""

    entries: tuple[Entry, ...]
    in_order: bool  # per trial; otherwise only as a set of numbers

    @property
    def conditions(self) -> frozenset[str]:
        return frozenset(entry.condition for entry in self.entries)


def cross_file_findings(entries: list[Entry]) -> Iterator[Finding]:
    """Findings that need several files (or both keys of one)."""
    groups = copies(entries)
    for group in groups:
        yield _copy_finding(group)
    copied_entries = {id(entry) for group in groups for entry in group.entries[1:]}
    for model in _group_by(entries, lambda entry: entry.model).values():
        yield from _shared_scores([entry for entry in model if id(entry) not in copied_entries], _all_recordings(model))
        yield from _rescored_trials(model)
    for condition in _group_by(entries, lambda entry: entry.condition).values():
        yield from _different_trials(condition)
    for entry in entries:
        yield from _unpaired(entry)


def copies(entries: list[Entry]) -> list[Copies]:
    """Groups of files whose spoof scores are bit-identical, in any order; skips files with few distinct values."""
    telling = [entry for entry in entries if entry.spoofs.nunique() >= max(2, min(LEAST_SHARED, len(entry.spoofs) / 2))]
    groups = [group for group in _group_by(telling, lambda entry: entry.sorted_spoofs).values() if len(group) > 1]
    return [Copies(tuple(group), _trial_by_trial(group)) for group in groups]


def origins(spoofs: pd.Index, recordings: pd.Index) -> pd.Index:
    """The recording of each spoof, by name; the spoof's own name if no bona fide trial matches."""
    names = frozenset(recordings)
    return pd.Index([_origin(name, names) for name in spoofs], dtype=object)


def shape(name: str) -> str:
    """The kind of a name, with its digits replaced: `p#_#`, `SSB#`."""
    return re.sub(r"\d+", "#", name)


def _origin(name: str, recordings: frozenset[str]) -> str:
    ends = (name[match.end() :] for match in re.finditer("[_-]", name))
    return next((end for end in (name, *ends) if end in recordings), name)


def _copy_finding(group: Copies) -> Finding:
    names = _joint_name(group.entries)
    manner = "trial by trial" if group.in_order else "in another order"
    size = len(group.entries[0].spoofs)
    text = f"all {size} spoof scores are bit-identical, {manner}: one set of fakes counted {len(group.entries)} times"
    return Finding(FAULT, "identical", names, text)


def _joint_name(entries: tuple[Entry, ...]) -> str:
    if len({entry.model for entry in entries}) > 1:
        return " ≡ ".join(entry.where for entry in entries)
    return f"{entries[0].model}/{' ≡ '.join(entry.condition for entry in entries)}"


def _trial_by_trial(group: list[Entry]) -> bool:
    recordings = _all_recordings(group)
    first, *others = (entry.spoofs.set_axis(origins(entry.spoofs.index, recordings)) for entry in group)
    return all(_equal_by_name(first, other) for other in others)


def _equal_by_name(first: pd.Series, second: pd.Series) -> bool:
    if not (first.index.is_unique and second.index.is_unique):
        return False
    return set(first.index) == set(second.index) and bool((second[first.index].to_numpy() == first.to_numpy()).all())


def _shared_scores(entries: list[Entry], recordings: pd.Index) -> Iterator[Finding]:
    """Pairs of conditions in which some fakes, but not all, have bit-identical scores."""
    spoofs = [entry.spoofs.set_axis(origins(entry.spoofs.index, recordings)) for entry in entries]
    spoofs = [scores[~scores.index.duplicated(keep=False)] for scores in spoofs]
    for (first, ours), (second, theirs) in combinations(zip(entries, spoofs, strict=True), 2):
        common = ours.index.intersection(theirs.index)
        if len(common) < LEAST_SHARED:
            continue
        equal = ours[common].to_numpy() == theirs[common].to_numpy()
        if not equal.any():
            continue
        telling = equal & _unique_scores(ours)[common].to_numpy() & _unique_scores(theirs)[common].to_numpy()
        if telling.sum() >= max(LEAST_SHARED, LEAST_SHARE * len(common)):
            text = f"{equal.sum()} of {len(common)} fakes of the same recordings have bit-identical scores"
            yield Finding(FAULT, "shared", f"{first.where} ∩ {second.condition}", text + _by_shape(common, equal))


def _unique_scores(scores: pd.Series) -> pd.Series:
    """Whether each score is unique, so that an equal one elsewhere is not due to saturation."""
    return ~scores.duplicated(keep=False)


def _by_shape(names: pd.Index, equal: np.ndarray) -> str:
    counts = pd.Series(equal).groupby([shape(name) for name in names]).agg(["sum", "size"])
    if not 1 < len(counts) <= MOST_SHAPES:
        return ""
    return ": " + ", ".join(f"{row['sum']} of {row['size']} named {sort}" for sort, row in counts.iterrows())


def _rescored_trials(entries: list[Entry]) -> Iterator[Finding]:
    """Bona fide trials whose scores differ from those in most of the model's files."""
    groups = sorted(_group_by(entries, _fingerprint).values(), key=len, reverse=True)
    for place, group in enumerate(groups):
        more_usual = [other[0] for other in groups[:place]]
        for entry in group:
            yield from _first_difference(entry, more_usual)


def _fingerprint(entry: Entry) -> bytes:
    return bytes(pd.util.hash_pandas_object(entry.recordings.sort_index()).to_numpy().tobytes())


def _first_difference(entry: Entry, references: list[Entry]) -> Iterator[Finding]:
    for reference in references:
        common = entry.recordings.index.intersection(reference.recordings.index)
        apart = np.abs(entry.recordings[common].to_numpy() - reference.recordings[common].to_numpy())
        if (apart > 0).any():
            text = f"{first_of(common[apart > 0])} of {len(common)} bona fide trials have other scores than in"
            remedy = f"{reference.condition}, by up to {apart.max():.3g}: score each recording once"
            yield Finding(FAULT, "rescored", entry.where, f"{text} {remedy}")
            return


def _different_trials(entries: list[Entry]) -> Iterator[Finding]:
    """Trials that another model has scores for in the same condition."""
    largest = max(entries, key=lambda entry: len(entry.file.names))
    for entry in entries:
        missing = largest.file.names.difference(entry.file.names)
        if len(missing):
            text = (
                f"{first_of(missing)} of {largest.where} without a score: the models are evaluated on different trials"
            )
            yield Finding(FAULT, "missing", entry.where, text)


def _unpaired(entry: Entry) -> Iterator[Finding]:
    """Recordings without a fake, if nearly all recordings have one."""
    names = entry.recordings.index
    has_fake = names.isin(origins(entry.spoofs.index, names))
    if not has_fake.all() and has_fake.mean() > 0.5:
        without_fake = names[~has_fake]
        text = f"{first_of(without_fake)} of {len(names)} bona fide trials without a fake{_common_prefix(without_fake)}"
        yield Finding(NOTE, "unpaired", entry.where, text)


def _common_prefix(names: pd.Index) -> str:
    common = names[0]
    for name in names:
        while not name.startswith(common):
            common = common[:-1]
    common = re.sub("[^_-]*$", "", common) or common  # a common prefix of numbers is a coincidence
    return f", all named {common}…" if len(names) > 1 and common else ""


def _all_recordings(entries: list[Entry]) -> pd.Index:
    return pd.Index(sorted({name for entry in entries for name in entry.recordings.index}), dtype=object)


def _by_name(file: ScoreFile, bonafide: bool) -> pd.Series:
    scores = pd.Series(file.of_key(bonafide), index=file.names_of_key(bonafide))
    return scores[~scores.index.duplicated()]


def _group_by(entries: list[Entry], key: Callable[[Entry], Hashable]) -> Mapping[Hashable, list[Entry]]:
    groups: dict[Hashable, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[key(entry)].append(entry)
    return groups
