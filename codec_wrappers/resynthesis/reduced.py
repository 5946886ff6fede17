"""Decoders with fewer bits than float32, which are faster on a GPU; codes do not depend on them.

In float32, DAC needs about 200 GFLOP for a second of audio at 44.1 kHz, of which its decoder takes 138: more than
300 times real time is out of reach of a GPU with 60 TFLOP/s. With TF32 or bfloat16 the decoder has several times that.
Encoders and quantizers stay exact, because small differences decide which code is nearest.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from codec_wrappers.resynthesis.settings import DecoderPrecision
from codecfake.base import precision as precision_switches


@contextmanager
def decoding(device: torch.device, precision: DecoderPrecision) -> Iterator[None]:
    """Multiply in `precision` inside the context; TF32 exists on CUDA alone, and is float32 on a CPU."""
    if precision == "bfloat16":
        with torch.autocast(device.type, torch.bfloat16):
            yield
    elif precision == "tf32" and device.type == "cuda":
        with precision_switches.tf32(True):
            yield
    else:
        yield
