"""Settings of quality measurement."""

from dataclasses import dataclass, field


class QualityError(ValueError):
    """The quality of a codec cannot be measured on this audio, or these files cannot be summarized in tables."""


@dataclass(frozen=True)
class QualitySettings:
    """The fakes of one codec to measure, and the number of utterances over all corpora."""

    sources: dict[str, list[str]]  # source -> the corpora with audio of it
    utterances: int = 32
    seed: int = 1
    sounds: list[str] = field(default_factory=list)  # those of sounds

    def __post_init__(self) -> None:
        if self.utterances < 1:
            raise QualityError(f"QualitySettings.utterances is {self.utterances}; at least 1 is needed")


@dataclass(frozen=True)
class SummarySettings:
    sources: list[str]  # in the order of the table rows
    codecs: list[str]  # those that the sources are of
    sounds: list[str] = field(default_factory=list)  # corpora of sounds, which have a table of their own
