"""Detectors of spoofed speech: a front-end (features) and a back-end (classifier), chosen by name."""

from dataclasses import dataclass

SPOOF, BONAFIDE = 0, 1  # class indices, everywhere
SAMPLE_RATE = 16_000  # Hz, of every detector's input


@dataclass(frozen=True)
class FeatureShape:
    """What a front-end tells the back-end that is built on it, for clips of one length."""

    num_frames: int
    dimension: int
    frames_first: bool  # the published LCNN on this front-end looks at frames by features; else the reverse
