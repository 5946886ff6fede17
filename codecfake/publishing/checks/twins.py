"""Fakes and the recordings that they were made from: a twin is bona fide, and of the same speaker."""

from collections.abc import Iterator

from codecfake.audio.shard_index import NO_CODEC
from codecfake.base.utterances import BONAFIDE
from codecfake.publishing.checks.findings import Fault
from codecfake.publishing.coded_keys import Policy, allowed
from codecfake.publishing.output import RECORD
from codecfake.publishing.published import PublishedClip

Name = tuple[str, str]  # corpus and clip id


class Twins:
    """Collects clips one by one; `faults` compares them at the end."""

    def __init__(self, policy: Policy | None = None) -> None:
        """`policy`: of the data set, if coded speech is not simply spoof."""
        self._policy = policy or {}
        self._reported: set[Name] = set()  # clips whose key is a fault already
        self._clips: dict[Name, tuple[str | None, str | None]] = {}  # key and speaker
        self._fakes: list[tuple[Name, Name, str, str | None]] = []  # fake, twin, where the fake is, codec

    def add(self, clip: PublishedClip) -> Iterator[Fault]:
        """Faults of the clip itself."""
        name = (clip.corpus, clip.clip_id)
        if name in self._clips:
            yield Fault("id", clip.where, f"clip {clip.clip_id} occurs twice in corpus {clip.corpus!r}")
        self._clips[name] = (clip.key, clip.speaker_id)
        is_coded = bool(clip.twin_id) or clip.codec not in (None, "", "-", NO_CODEC)
        if clip.key == BONAFIDE and is_coded and BONAFIDE not in allowed(self._policy, clip.codec, BONAFIDE):
            self._reported.add(name)
            how = f"was made from {clip.twin_id}" if clip.twin_id else f"went through the codec {clip.codec}"
            yield Fault("key", clip.where, f"{clip.clip_id} is {BONAFIDE}, but {how}")
        if clip.twin_id:
            self._fakes.append((name, (clip.corpus, clip.twin_id), clip.where, clip.codec))

    def faults(self) -> Iterator[Fault]:
        """Coded clips whose twin has a key that no codec resynthesizes, those with another key than the label policy
        gives them, and those of another speaker than their twin."""
        for fake, twin, where, codec in self._fakes:
            if twin in self._clips:
                key, speaker = self._clips[twin]
                keys, own = allowed(self._policy, codec, str(key)), self._clips[fake][0]
                if not keys:
                    yield Fault("twin", where, f"{fake[1]} was made from {twin[1]}, whose key is {key}")
                elif self._policy and own not in keys and fake not in self._reported:
                    what = (
                        f"{fake[1]} is {own}, but coded {key} speech is {' or '.join(sorted(keys))} by the label policy"
                    )
                    yield Fault("key", where, f"{what} in {RECORD}")
                elif speaker != self._clips[fake][1]:
                    yield Fault("twin", where, f"{fake[1]} and its recording {twin[1]} have different speakers")

    @property
    def num_without(self) -> int:
        """The number of fakes whose recording is not in the data set."""
        return sum(twin not in self._clips for _, twin, *_ in self._fakes)
