"""Fakes and the recordings that they were made from: a twin is bona fide, and of the same speaker."""

from collections.abc import Iterator

from codecfake.audio.shard_index import NO_CODEC
from codecfake.base.utterances import BONAFIDE
from codecfake.publishing.checks.findings import Fault
from codecfake.publishing.published import PublishedClip

Name = tuple[str, str]  # corpus and clip id


class Twins:
    """Collects clips one by one; `faults` compares them at the end."""

    def __init__(self) -> None:
        self._clips: dict[Name, tuple[str | None, str | None]] = {}  # key and speaker
        self._fakes: list[tuple[Name, Name, str]] = []  # fake, twin, where the fake is

    def add(self, clip: PublishedClip) -> Iterator[Fault]:
        """Faults of the clip itself."""
        name = (clip.corpus, clip.clip_id)
        if name in self._clips:
            yield Fault("id", clip.where, f"clip {clip.clip_id} occurs twice in corpus {clip.corpus!r}")
        self._clips[name] = (clip.key, clip.speaker_id)
        if clip.key == BONAFIDE and clip.twin_id:
            yield Fault("key", clip.where, f"{clip.clip_id} is {BONAFIDE}, but was made from {clip.twin_id}")
        elif clip.key == BONAFIDE and clip.codec not in (None, "", "-", NO_CODEC):
            yield Fault("key", clip.where, f"{clip.clip_id} is {BONAFIDE}, but went through the codec {clip.codec}")
        if clip.twin_id:
            self._fakes.append((name, (clip.corpus, clip.twin_id), clip.where))

    def faults(self) -> Iterator[Fault]:
        """Fakes whose twin is not bona fide, or is of another speaker."""
        for fake, twin, where in self._fakes:
            if twin in self._clips:
                key, speaker = self._clips[twin]
                if key != BONAFIDE:
                    yield Fault("twin", where, f"{fake[1]} was made from {twin[1]}, whose key is {key}")
                elif speaker != self._clips[fake][1]:
                    yield Fault("twin", where, f"{fake[1]} and its recording {twin[1]} have different speakers")

    @property
    def num_without(self) -> int:
        """The number of fakes whose recording is not in the data set."""
        return sum(twin not in self._clips for _, twin, _ in self._fakes)
