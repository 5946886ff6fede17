"""Detectors of spoofed speech: a front-end (features) and a back-end (classifier), chosen by name."""

FRONT_ENDS = ("mel", "wav2vec2", "wavlm", "sinc")
BACK_ENDS = ("lcnn", "aasist")

SPOOF, BONAFIDE = 0, 1  # class indices, everywhere
SAMPLE_RATE = 16_000  # Hz, of every detector's input
