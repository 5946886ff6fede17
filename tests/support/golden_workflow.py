"""What there is to check of a codec's golden file: each array for itself, and its waveforms through the workflow."""

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from golden_codecs import official
from golden_stages import Output, check, encoded, limit_of, margin_of, parsed
from golden_vectors import Vector, assert_close, unexplained
from torch import Tensor

from codec_wrappers.codec import Codec
from codec_wrappers.resynthesis.levels import level
from codec_wrappers.resynthesis.shard import resynthesize

INPUTS = r"(wav|margin(_.+)?)"  # what the checks start from
ALL = 10**9


def checks_of(vector: Vector) -> list[tuple[str, Callable[[Vector, str], None], str]]:
    """What to check of a file, as name, check and array: each array for itself, and waveforms through the workflow."""
    checks: list[tuple[str, Callable[[Vector, str], None], str]] = []
    for key in vector.keys:
        clip = next((clip for clip in vector.clips if key.startswith(f"{clip}_")), "")
        kind = key.removeprefix(f"{clip}_")
        if not re.fullmatch(INPUTS, kind):
            checks.append(("array", check, key))
        if re.fullmatch("out(_.+)?", kind) and f"{clip}_wav" in vector:
            checks.append(("workflow", check_workflow, key))
    return checks


def check_workflow(vector: Vector, key: str) -> None:
    """Compare a stored waveform with what the workflow makes of the recording: as long, and at its level."""
    clip, kind = vector.split(key)
    output = parsed(vector, clip, kind)
    codec, wav = official(vector, output.decoder), vector.tensor(f"{clip}_wav")
    outputs, codes = _recorded(codec, wav, output.quantizers)
    stored = vector[key] * (float(level(codec.gain, wav)) if output.is_leveled else 1.0)
    num_samples = min(wav.shape[1], _same_samples(vector, codec, clip, output, codes))
    if not num_samples:
        pytest.skip(f"{key}: a code of narrow margin changes it")
    expected = np.pad(stored, (0, max(0, wav.shape[1] - len(stored))))
    bound = limit_of(codec) * stored.std() / expected[:num_samples].std()
    assert outputs.shape == wav.shape
    assert_close(outputs[0, :num_samples], expected[:num_samples], bound)


def _recorded(codec: Codec, wav: Tensor, quantizers: int) -> tuple[Tensor, np.ndarray]:
    """What the workflow gives, `[1, T]`, and the codes `[Q, F]` it made on the way."""
    inputs = []
    encode_first = codec.encode_first

    def watched(wav: Tensor, number: int) -> Tensor:
        inputs.append(encode_first(wav, number))
        return inputs[-1]

    codec.encode_first = watched  # type: ignore[method-assign, assignment]
    try:
        (output,) = resynthesize(codec, wav, [quantizers])
    finally:
        del codec.encode_first
    return output, inputs[0][0].numpy()


def _same_samples(vector: Vector, codec: Codec, clip: str, output: Output, codes: np.ndarray) -> int:
    """How many leading samples are to be compared: none where a narrow margin explains that a code differs."""
    stored = vector[output.codes] if output.codes in vector else _official_codes(vector, clip)
    assert codes.shape[1] == stored.shape[1]
    differs = codes[: output.quantizers] != stored[: output.quantizers]
    margin = margin_of(vector, clip, output.codes.removeprefix(f"{clip}_")) if output.codes in vector else None
    assert not unexplained(differs, None if margin is None else margin[: output.quantizers]).any()
    return 0 if differs.any() else ALL


def _official_codes(vector: Vector, clip: str) -> np.ndarray:
    """Where none are stored: ours of the recording without zeros."""
    with torch.inference_mode():
        return encoded(vector, clip).codes.numpy()
