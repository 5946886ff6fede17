"""ASVspoof 2021, tasks LA and DF: trials of a challenge, for evaluation only; both keys went through codecs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from codecfake.base import settings
from codecfake.base.utterances import SPOOF, Utterance
from codecfake.corpora import trial_lists
from codecfake.corpora.listing import Listing, audio_files, by_stem, listing, require
from codecfake.corpora.trial_lists import BY_NAME, Trial

Phase = Literal["progress", "eval", "hidden"]
PHASES = {phase: phase for phase in get_args(Phase)}
LICENSE = "ODC-By 1.0"


@dataclass(frozen=True)
class Asvspoof2021Options:
    """`phases` of the challenge to read: published EERs are those of `eval` alone.

    Every phase is evaluation data, so all trials are in the split eval.
    """

    phases: tuple[Phase, ...] = ("eval",)


@dataclass(frozen=True)
class Task:
    """A task of the challenge, and the form of its list of keys."""

    name: str
    form: str  # speaker, trial, codec, …, attack, key, trim, phase, …

    @property
    def keys(self) -> str:
        return f"keys/{self.name}/CM/trial_metadata.txt"

    @property
    def audio(self) -> str:
        return f"ASVspoof2021_{self.name}_eval/flac"

    @property
    def official(self) -> str:
        return f"{self.keys} (from the keys of the challenge) and {self.audio}/{self.name}_E_1000147.flac"


def check(task: Task, root: Path) -> None:
    """Raise CorpusError if the recordings are not there."""
    trial_lists.first_folder(root, [task.audio], "the recordings")


def utterances(task: Task, root: Path, options: Mapping[str, object]) -> Listing:
    """The trials of the wanted phases; the attack of a spoof is the one of its line."""
    choice = settings.build(Asvspoof2021Options, options)
    require(root, (task.keys,), task.official)
    check(task, root)
    audio = by_stem(root, audio_files(root, task.audio))
    return listing(root, *trial_lists.with_recordings(_trials(task, root, choice.phases), audio, task.keys))


def _trials(task: Task, root: Path, phases: tuple[str, ...]) -> Iterator[Trial]:
    for line in trial_lists.lines(root / task.keys, task.form):
        speaker, name, codec, _, attack, label, _, phase, *_ = line.words
        key = trial_lists.meaning(label, BY_NAME, line.where)
        trial_lists.meaning(phase, PHASES, line.where)
        utterance = Utterance(
            name, speaker, "en", f"{task.audio}/{name}.flac",
            key=key, split="eval", attack=attack if key == SPOOF else "-", coding=codec,
        )  # fmt: skip
        yield Trial(name, line.where, utterance, is_selected=phase in phases)
