"""Tiny `model` settings of every codec wrapper: each law of `test_codecs.py` holds for all of them in seconds."""

from typing import Any

SMALL: dict[str, dict[str, Any]] = {
    "passthrough": {},
    "encodec": {"n_filters": 4, "dimension": 16, "lstm_layers": 1, "num_quantizers": 4, "codebook_size": 16},
    "speechtokenizer": {
        "n_filters": 4, "dimension": 16, "semantic_dimension": 16, "lstm_layers": 1, "n_q": 4,
        "codebook_size": 16,
    },
    "funcodec": {
        "architecture": "ds320", "n_filters": 4, "dimension": 16, "lstm_layers": 1, "num_quantizers": 4,
        "codebook_size": 16,
    },
    "dac": {"sample_rate": 16_000, "encoder_dim": 4, "decoder_dim": 48, "n_codebooks": 4, "codebook_size": 16},
    "audiodec": {
        "channels": 4, "dimension": 16, "num_quantizers": 4, "codebook_size": 16, "vocoder_channels": 16,
    },
    "academicodec": {"channels": 32, "kernels": [3, 7], "dilations": [1, 3], "codebook_size": 16},
    "soundstream": {"channels": 4, "dimension": 16, "num_quantizers": 4, "codebook_size": 16},
}  # fmt: skip
