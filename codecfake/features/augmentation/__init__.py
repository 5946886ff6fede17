"""Augmentation of training clips: what may happen to speech on its way to a listener, bona fide and spoof alike."""

AUGMENTATIONS = (
    "rawboost_convolutive", "rawboost_impulsive", "rawboost_stationary",
    "noise", "reverberation", "compression", "speed", "band_limit",
)  # fmt: skip
