"""Changes that make every published recipe small: few steps on short segments, discriminators of a few channels."""

from typing import Any

STEPS = 4
ADVERSARIAL_FROM = 1  # AudioDec's second stage; all others are adversarial from the first step on

PERIODS = {"periods": [2, 3], "channels": 1}
SCALES = {"scales": 2, "channels": 4}
STFT = {"filters": 2, "windows": [256, 128]}

DISCRIMINATORS: dict[str, dict[str, Any]] = {
    "soundstream": {
        "waves": {"scales": 2, "channels": 2, "most": 8},
        "spectrum": {"window": 256, "hop": 64, "channels": 2},
    },
    "speechtokenizer": {"periods": PERIODS, "scales": SCALES, "stft": STFT},
    "funcodec": {"pooled_stft": STFT},
    "encodec": {"stft": STFT},
    "audiodec": {"periods": PERIODS, "scales": SCALES},
    "academicodec": {"periods": PERIODS, "scales": SCALES, "stft": STFT},
    "dac": {"periods": PERIODS, "bands": {"windows": [256], "channels": 2}},
}


def small(name: str, steps: int = STEPS, **changes: Any) -> dict[str, Any]:
    """The changes for one recipe, some of them replaced."""
    defaults: dict[str, Any] = {"steps": steps, "batch_size": 2, "segment_duration": 0.08}
    if name in DISCRIMINATORS:
        defaults["discriminators"] = DISCRIMINATORS[name]
    if name == "speechtokenizer":
        defaults["weights"] = {"distillation": 0}
    if name == "audiodec":
        defaults["stages"] = two_stages(ADVERSARIAL_FROM)
    return {**defaults, **changes}


def two_stages(switch: int) -> list[dict[str, Any]]:
    """AudioDec's: the autoencoder with the symmetric decoder, then the decoder alone."""
    return [
        {"from_step": 0, "adversarial": False, "decoder": "symmetric"},
        {"from_step": switch, "adversarial": True, "frozen": ["encoder", "quantizer"]},
    ]
