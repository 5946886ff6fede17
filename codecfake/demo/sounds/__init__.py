"""Sound events of the demo, synthesized without recordings; classes and numbers are those of ESC-50 (Piczak 2015).

A source (a bell, a bird, an engine) has parameters of its own, drawn once; each take of it draws the rest: when it is
struck, how the rain falls. Thus takes of one source resemble each other, as clips of one recording do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from codecfake.demo.sounds import strikes, textures, tones

SAMPLE_RATE = 44100
SECONDS = (1.2, 1.8)  # shortest and longest
CREST = 6.0  # peaks are bent to stay below this multiple of the RMS; a recording would clip otherwise


@dataclass(frozen=True)
class Event:
    """A class of sounds. `make(source, take, time)` is a waveform at `time`, `[T]` in seconds, of any level."""

    name: str
    number: int
    make: Callable[[np.random.Generator, np.random.Generator, np.ndarray], np.ndarray]


EVENTS = (
    Event("rain", 10, textures.rain),
    Event("crackling_fire", 12, textures.crackling_fire),
    Event("chirping_birds", 14, tones.chirping_birds),
    Event("wind", 16, textures.wind),
    Event("door_wood_knock", 30, strikes.door_wood_knock),
    Event("siren", 42, tones.siren),
    Event("engine", 44, tones.engine),
    Event("church_bells", 46, strikes.church_bells),
)


def synthesize(event: Event, source: np.random.Generator, take: np.random.Generator) -> np.ndarray:
    """A take `[T]` at `SAMPLE_RATE`. Every take of a source gets a fresh generator `source` with the same seed."""
    time = np.arange(int(take.uniform(*SECONDS) * SAMPLE_RATE)) / SAMPLE_RATE
    wav = event.make(source, take, time)
    wav = wav / np.sqrt(np.mean(wav**2))
    return wav / (1 + np.abs(wav) / CREST)
