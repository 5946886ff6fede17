"""The kinds of degradations, their steps, and the `degrade` of a condition; no audio package is imported here."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from codecfake.base import degraded_names, plugins
from codecfake.base.home import expanded
from codecfake.base.settings import Fault, FaultsError, as_faults, build, fault
from codecfake.base.spelling import as_yaml
from codecfake.base.suggestions import unknown

Value = int | str
NAME = "[A-Za-z0-9][A-Za-z0-9_-]*"  # of a folder
MP3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # the bit rates of MPEG-2 layer III that keep speech


@dataclass(frozen=True)
class Kind:
    """A kind of degradation. Its values are `choices`, or whole numbers from `least` to `most`."""

    meaning: str  # of a value
    unit: str
    function: str = ""  # module:name below this package; (wav, recording, value, rng) -> wav; "": done elsewhere
    choices: tuple[Value, ...] = ()
    least: int = 0
    most: int = 0
    package: str = ""  # that it needs and codecfake does not, and the extra that installs it
    extra: str = ""
    check_of_files: str = ""  # of a kind that draws files from a folder: module:name; (file) -> None or AudioError

    def check(self, value: Value) -> None:
        """Raise FaultsError for a value that the kind does not have."""
        if self.choices and value not in self.choices:
            raise fault(f"{value!r} is not {self.meaning}; choose from {', '.join(map(str, self.choices))}")
        if not self.choices and (not isinstance(value, int) or not self.least <= value <= self.most):
            raise fault(f"{value!r} is not {self.meaning}; give a whole number from {self.least} to {self.most}")


KINDS = {
    "mp3": Kind("the bit rate of MP3", "kbps", "coding:mp3", MP3_KBPS),
    "opus": Kind("the bit rate of Opus", "kbps", "coding:opus", least=8, most=128),
    "aac": Kind("the bit rate of AAC", "kbps", "aac:aac", least=16, most=64, package="av", extra="aac"),
    "g711": Kind("a law of G.711", "law", "coding:g711", ("alaw", "mulaw")),
    "band": Kind("the highest frequency that passes", "Hz", "band:band", least=500, most=7_900),
    "resample": Kind("the sample rate of a detour", "Hz", "band:resample", least=2_000, most=15_000),
    "noise": Kind("the signal-to-noise ratio of white noise", "dB", "level:noise", least=-20, most=80),
    "clipping": Kind("the level, relative to the peak, at which samples are clipped", "%", "level:clipping",
                     least=1, most=99),
    "room": Kind("the reverberation time of a room", "ms", "level:room", least=50, most=3_000),
    "trim": Kind("how far below the loudest frame silence at the ends is", "dB", "timing:trim", least=10, most=90),
    "speed": Kind("the speed relative to the original", "%", "timing:speed", least=50, most=200),
    "codec": Kind("the number of quantizers of a second codec", "quantizers", least=1, most=1_024),
}  # fmt: skip
# with a `folder`; their functions get a file of it in place of the recording
KINDS_OF_FOLDERS = {
    "noise": Kind("the signal-to-noise ratio of recorded noise", "dB", "mixing:noise", least=-20, most=80,
                  check_of_files="mixing:require_noise"),
    "room": Kind("the direct-to-reverberant ratio in a recorded room", "dB", "mixing:room", least=-20, most=40,
                 check_of_files="mixing:require_room"),
}  # fmt: skip
CODEC = "codec"  # the kind whose steps are numbers of quantizers


@dataclass(frozen=True)
class Ladder:
    """One kind of degradation in steps of their own strength; step 0 is the plain condition."""

    kind: str
    steps: list[int | str]
    codec: str | None = None  # of the experiment, for the kind `codec` alone
    folder: str | None = None  # with recorded noise or rooms, on this machine
    pattern: str = "*"  # of its file names
    name: str | None = None  # of the folder, in names of conditions; None: its own last part

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise fault(unknown("degradation", self.kind, KINDS), "kind")
        faults = [*self._codec_faults(), *self._folder_faults(), *self._step_faults()]
        if faults:
            raise FaultsError("", faults)

    def _codec_faults(self) -> Iterator[Fault]:
        if self.kind == CODEC and self.codec is None:
            yield Fault(("codec",), "it is missing; name a codec of the experiment")
        if self.kind != CODEC and self.codec is not None:
            yield Fault(("codec",), f"{self.kind} has no codec; remove it, or write `kind: {CODEC}`")

    def _folder_faults(self) -> Iterator[Fault]:
        if self.folder is None:
            if self.pattern != "*" or self.name is not None:
                key = "pattern" if self.pattern != "*" else "name"
                yield Fault((key,), "it describes the files of a folder; give `folder`, or remove it")
            return
        if self.kind not in KINDS_OF_FOLDERS:
            kinds = ", ".join(KINDS_OF_FOLDERS)
            yield Fault(("folder",), f"{self.kind} needs no folder; remove it. These take one: {kinds}")
        if not Path(expanded(self.folder)).is_absolute():
            yield Fault(("folder",), f"{self.folder!r} is a relative path; give the whole path, from / or ~")
        if not re.fullmatch(NAME, self.folder_name):
            yield Fault(("name",), f"{self.folder_name!r} cannot be part of names; give a `name` of letters and digits")

    def _step_faults(self) -> Iterator[Fault]:
        if not self.steps:
            yield Fault(("steps",), "it is empty; give one or more")
        for place, value in enumerate(self.steps):
            if value in self.steps[:place]:
                yield Fault(("steps", str(place)), f"{value!r} is listed twice; list it once")
            try:
                self.about.check(value)
            except ValueError as error:
                yield from (each.below("steps", str(place)) for each in as_faults(error))

    @property
    def series(self) -> str:
        """What its steps have in common: `noise`, `codec-dac` for a second codec, `noise-musan` for a folder."""
        return degraded_names.series(self.kind, self.codec or self.folder_name)

    @property
    def about(self) -> Kind:
        """Its kind, which a folder changes."""
        return about(self.series)

    @property
    def folder_name(self) -> str:
        """The name of its folder; "" without one."""
        return "" if self.folder is None else self.name or Path(self.folder).name

    @property
    def labels(self) -> list[str]:
        """The names of its degradations: `noise_20`."""
        return [degraded_names.label(self.series, value) for value in self.steps]


def about(series: str) -> Kind:
    """The kind of a series: for `noise-musan`, that of noise from a folder."""
    kind = degraded_names.kind_of(series)
    return KINDS_OF_FOLDERS[kind] if series != kind and kind in KINDS_OF_FOLDERS else KINDS[kind]


@dataclass(frozen=True)
class Ladders:
    """The `degrade` of a condition: one ladder, or several of different kinds."""

    ladders: tuple[Ladder, ...]
    is_list: bool = False  # in the experiment file

    @staticmethod
    def from_plain(value: Any) -> "Ladders":
        """The ladders for a mapping of settings, or for a list of such mappings."""
        items = value if isinstance(value, list) else [value]
        ladders, faults = [], []
        for place, item in enumerate(items):
            try:
                ladders.append(_ladder(item))
            except ValueError as error:
                place_in_list = (str(place),) if isinstance(value, list) else ()
                faults += [each.below(*place_in_list) for each in as_faults(error)]
        series = [ladder.series for ladder in ladders]
        twice = next((name for name in series if series.count(name) > 1), None)
        if twice is not None:
            faults.append(Fault((), f"{twice} has two ladders; list all of its steps in one"))
        if faults:
            raise FaultsError("", faults)
        return Ladders(tuple(ladders), isinstance(value, list))

    @property
    def labels(self) -> list[str]:
        """The names of all degradations, ladder by ladder."""
        return [label for ladder in self.ladders for label in ladder.labels]


def _ladder(item: Any) -> Ladder:
    if not isinstance(item, dict):
        names = ", ".join(each.name for each in fields(Ladder))
        raise fault(f"expected a mapping of settings, found {as_yaml(item)}; known settings: {names}")
    return build(Ladder, item)


@dataclass(frozen=True)
class DegradationSettings:
    """One step of a ladder, for one source of a corpus."""

    corpus: str
    kind: str
    value: int | str
    seed: int = 1
    folder_name: str = ""  # of recorded noise or rooms; "": a kind that needs none

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise fault(unknown("degradation", self.kind, KINDS), "kind")
        about(self.series).check(self.value)

    @property
    def series(self) -> str:
        return degraded_names.series(self.kind, self.folder_name)

    @property
    def label(self) -> str:
        return degraded_names.label(self.series, self.value)

    def load(self) -> Callable[..., Any]:
        """The function of its kind: (wav `[T]`, recording `[T]` or file of the folder, value, rng) -> wav."""
        return plugins.load(f"codecfake.degradation.{about(self.series).function}")


@dataclass(frozen=True)
class FolderSettings:
    """A folder of recorded noise or rooms."""

    kind: str  # of `KINDS_OF_FOLDERS`
    folder: str
    pattern: str = "*"

    @property
    def about(self) -> Kind:
        return KINDS_OF_FOLDERS[self.kind]
