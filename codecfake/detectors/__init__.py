"""Detectors of spoofed speech: a front-end (features) and a back-end (classifier), chosen by name."""

from dataclasses import dataclass

from codecfake.audio.settings import DETECTOR_RATE

SPOOF, BONAFIDE = 0, 1  # class indices, everywhere
SAMPLE_RATE = DETECTOR_RATE  # Hz, of every detector's input


@dataclass(frozen=True)
class FeatureShape:
    """The shape of a front-end's features for clips of one length; back-ends are built for it."""

    num_frames: int
    dimension: int
    frames_first: bool  # the published LCNN on this front-end sees frames by features; otherwise the reverse
    num_layers: int = 1  # of `[B, L, F, D]`; features of one layer are `[B, F, D]`
    num_classes: int = 2  # logits of the back-end: those of a detector, or the classes of source tracing
