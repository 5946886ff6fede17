"""Counts the operations and the kernel launches behind the GPU hours of `codecfake plan`, and writes its table.

    python benchmarks/operations.py > codecfake/running/planning/operations.yaml

Networks have their published size and run on fake tensors, which have a shape but no data, so no GPU is needed and
nothing is computed. torch's own counter counts the floating-point operations of convolutions and matrix products (a
multiplication and an addition are two); LSTMs, which it does not know, are added. A launch is an operation of torch
that is not a view; an LSTM counts as one. Spectral losses, optimizers and copies are left out, so true times are
longer.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch
import yaml
from torch import Tensor, nn

import codec_wrappers
from benchmarks.fine_tuning import CROP
from benchmarks.generator_operations import generators
from benchmarks.operation_counts import Entries, Operations, count, fake_tensors
from benchmarks.rates import BACK_ENDS, DEEP, FRONT_ENDS
from codec_wrappers.codec import TrainableCodec
from codec_wrappers.networks import weight_norm
from codec_wrappers.training import discriminators
from codec_wrappers.training.recipe import Recipe, Stage, recipe
from codecfake.detectors.detector import Detector, DetectorSettings

UTTERANCE = 4.0  # seconds, as those of VCTK and AISHELL-3
UTTERANCES = 14  # in a batch of resynthesis, whose duration is at most 60 s; what finds the ends of rows is not counted
QUANTIZERS = {"encodec": 8, "soundstream": 8, "speechtokenizer": 8, "funcodec": 32, "dac": 9}  # others: all of them
CLIPS = 128  # in a batch of a detector
WITH_BACKWARD = 3  # a backward pass costs two forward passes: gradients of the inputs, and of the weights
# forward passes of the discriminators in a step: for the codec, recordings without gradients and fakes with gradients
# of the inputs (1 + 2); for the discriminators, both with all gradients (2 x 3)
DISCRIMINATORS = 9
HEADER = """\
# Counted by benchmarks/operations.py, which says what is left out; do not edit. gflop: billions of floating-point
# operations per second of audio (features, train: per clip of 64,600 samples). exact_gflop: those of an encoder, which
# are in float32 at any precision. launches: of GPU kernels per batch. batch: seconds of audio in a batch of the codec's
# recipe, of resynthesis, or of four generated utterances; or 128 clips. layer: of the features; layer_gflop: of each
# further block of the network.
"""


def main() -> None:
    """Count and print the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(HEADER)
    for entries in (codecs, front_ends, back_ends, generators):
        for name, entry in entries():
            print(f"{name}: {yaml.safe_dump(entry, default_flow_style=True, sort_keys=False).strip()}", flush=True)


def codecs() -> Entries:
    """Of resynthesis and of training, for each codec that can be built without weights."""
    for name in codec_wrappers.names():
        if codec_wrappers.entry(name).is_trainable:
            with fake_tensors():
                codec = _codec(name)
                yield f"resynthesis.{name}", _resynthesis(codec, QUANTIZERS.get(name, codec.num_quantizers))
                yield f"codec_training.{name}", _training(codec, recipe(name, {"teacher": "HuBERT base"}))


def front_ends() -> Entries:
    """Of features, without gradients; of one more block, where a network has them."""
    for name, front_end in FRONT_ENDS.items():
        work = _features(front_end)
        entry = work.per(CLIPS)
        if "layer" in front_end:
            deeper = _features({**front_end, "layer": front_end["layer"] + 1}) + work * -1
            entry |= {"layer": front_end["layer"], "layer_gflop": deeper.per(CLIPS)["gflop"]}
        yield f"features.{name}", entry


def _features(front_end: dict[str, Any]) -> Operations:
    with fake_tensors():
        detector = _detector(front_end, {"name": "lcnn"})
        return count(lambda: detector.front_end(torch.empty(CLIPS, CROP)))


def back_ends() -> Entries:
    """Of a training step without its features."""
    for (front_end, name), back_end in BACK_ENDS.items():
        with fake_tensors():
            detector = _detector({**FRONT_ENDS, **DEEP}[front_end], back_end)
            features = detector.front_end(torch.empty(CLIPS, CROP))
            yield f"train.{name}", (count(lambda: detector.back_end(features)) * WITH_BACKWARD).per(CLIPS)  # noqa: B023


def _codec(name: str) -> TrainableCodec:
    codec = codec_wrappers.build(name, {})
    assert isinstance(codec, TrainableCodec)
    codec.network.eval().requires_grad_(False)
    return codec


def _detector(front_end: dict[str, Any], back_end: dict[str, Any]) -> Detector:
    return Detector(DetectorSettings(front_end, back_end), CROP).eval().requires_grad_(False)


def _resynthesis(codec: TrainableCodec, quantizers: int) -> dict[str, float]:
    weight_norm.fold(codec.network)
    encoding, decoding = _passes(codec, UTTERANCE, UTTERANCES, quantizers)
    entry, exact = (part.per(UTTERANCES * UTTERANCE) for part in (encoding + decoding, encoding))
    return {"gflop": entry["gflop"], "exact_gflop": exact["gflop"], **entry}


def _training(codec: TrainableCodec, recipe: Recipe) -> dict[str, float]:
    """The average step of a recipe, over its stages."""
    starts = [*(stage.from_step for stage in recipe.stages), recipe.steps]
    steps = [end - start for start, end in zip(starts, starts[1:], strict=False)]
    parts = [
        _step(codec, recipe, stage) * (number / recipe.steps)
        for stage, number in zip(recipe.stages, steps, strict=True)
    ]
    return sum(parts, Operations()).per(recipe.batch_size * recipe.segment_duration)


def _step(codec: TrainableCodec, recipe: Recipe, stage: Stage) -> Operations:
    codec.use_decoder(stage.decoder)
    duration, batch_size = recipe.segment_duration, recipe.batch_size
    encoding, decoding = _passes(codec, duration, batch_size, codec.num_quantizers)
    step = encoding * (1 if "encoder" in stage.frozen else WITH_BACKWARD) + decoding * WITH_BACKWARD
    wav = torch.empty(batch_size, round(duration * codec.sample_rate))
    if stage.adversarial:
        parts = discriminators.build(recipe.discriminators).values()
        step = sum((count(lambda: part(wav)) * DISCRIMINATORS for part in parts), step)  # noqa: B023
    return step + (count(lambda: _teacher()(wav)) if recipe.is_used("distillation") else Operations())


def _passes(codec: TrainableCodec, duration: float, batch_size: int, quantizers: int) -> tuple[Operations, Operations]:
    frames = int(duration * codec.sample_rate / codec.hop_length)
    wav = torch.empty(batch_size, frames * codec.hop_length)
    codes: list[Tensor] = []
    encoding = count(lambda: codes.append(codec.encode_first(wav, quantizers)))
    return encoding, count(lambda: codec.decode_all(codes[0], [quantizers]))


def _teacher() -> nn.Module:
    """HuBERT of the base size, which the published recipe has."""
    from transformers import HubertConfig, HubertModel

    return HubertModel(HubertConfig()).eval()


if __name__ == "__main__":
    main()
