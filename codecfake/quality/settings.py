"""Settings of the measurement of quality."""

from dataclasses import dataclass


class QualityError(ValueError):
    """The quality of a codec cannot be measured on this audio, or its tables not be made from these files."""


@dataclass(frozen=True)
class QualitySettings:
    """Which fakes are measured, on how many utterances of all corpora together."""

    source: str
    corpora: list[str]  # those that have the source's audio
    utterances: int = 32
    seed: int = 1

    def __post_init__(self) -> None:
        if self.utterances < 1:
            raise QualityError(f"QualitySettings.utterances is {self.utterances}; at least 1 is needed")


@dataclass(frozen=True)
class SummarySettings:
    sources: list[str]  # in the order of the tables
