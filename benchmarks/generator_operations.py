"""Counts the operations of generators for `benchmarks/operations.py`: a batch of four items, as jobs have.

What an utterance costs depends on its text and prompt, for which typical lengths are taken. Tokens are drawn in
float64, which the table counts as float32: GPUs for graphics are far slower in float64.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

import codec_wrappers
from benchmarks.operation_counts import Entries, Operations, count, fake_tensors
from codecfake.generators import registry
from codecfake.generators.audiogen_network import HOP_LENGTH, SAMPLE_RATE, AudiogenNetwork
from codecfake.generators.model_settings import ValleSettings
from codecfake.generators.valle_network import NUM_CODEBOOKS, Cache, Text, ValleNetwork
from codecfake.generators.valle_v2_network import ValleV2Network

ITEMS = 4  # in a batch: the default of the jobs
UTTERANCE, PROMPT = 4.0, 4.0  # seconds
SYMBOLS = 100  # of the text and of the prompt together
FRAME_RATE, V2_FRAME_RATE = 75, 50  # of EnCodec, of SpeechTokenizer
WORDS, TEXT_DIMENSION = 12, 1024  # of a caption, and of the states of T5-large


def generators() -> Entries:
    """Of generation, per second of generated audio."""
    for name, operations in (("valle", _valle), ("vallex", _valle), ("valle-v2", _valle_v2), ("audiogen", _audiogen)):
        with fake_tensors():
            total, seconds = operations(name)
            yield f"generation.{name}", total.per(seconds)


def _valle(name: str) -> tuple[Operations, float]:
    model = registry.model_of(name, {})
    network = ValleNetwork(
        model.dimension, model.num_heads, model.num_layers, model.text_vocabulary, begin_token=False, languages=False
    ).eval()
    frames, num_prompt = int(UTTERANCE * FRAME_RATE), int(PROMPT * FRAME_RATE)
    text, prompt = Text(_codes(SYMBOLS)), _codes(num_prompt, NUM_CODEBOOKS)
    cache = _cache(model, SYMBOLS + num_prompt + frames // 2)
    step = count(lambda: network.step(_codes(ITEMS), _codes(ITEMS), cache))
    parts: list[Callable[[], object]] = [
        partial(network.start, text, prompt[:, 0]),
        *(partial(network.stage, text, prompt, _codes(frames, number)) for number in range(1, NUM_CODEBOOKS)),
        partial(codec_wrappers.build("encodec", {}).decode, _codes(1, NUM_CODEBOOKS, frames)),
    ]
    return step * frames + sum(map(count, parts), Operations()) * ITEMS, ITEMS * UTTERANCE


def _valle_v2(name: str) -> tuple[Operations, float]:
    model = registry.model_of(name, {})
    network = ValleV2Network(model.dimension, model.feed_forward, model.num_layers, model.num_heads).eval()
    frames, num_prompt = int(UTTERANCE * V2_FRAME_RATE), int(PROMPT * V2_FRAME_RATE)
    phones, prompt = _codes(SYMBOLS), _codes(num_prompt, NUM_CODEBOOKS)
    length = SYMBOLS + num_prompt
    # later steps also attend to earlier frames
    step = count(lambda: network.step(_codes(ITEMS, 1), _codes(ITEMS, 1), None))
    parts: list[Callable[[], object]] = [
        partial(network.step, _codes(1, length), _codes(1, length), None),
        *(partial(network.stage, phones, prompt, _codes(frames, number)) for number in range(1, NUM_CODEBOOKS)),
        partial(codec_wrappers.build("speechtokenizer", {}).decode, _codes(1, NUM_CODEBOOKS, frames)),
    ]
    return step * frames + sum(map(count, parts), Operations()) * ITEMS, ITEMS * UTTERANCE


def _codes(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.int64)


def _cache(model: ValleSettings, length: int) -> Cache:
    """Keys and values of earlier places, without reading their number from a tensor, which has no data here."""
    cache = object.__new__(Cache)
    cache.lengths, cache.longest = torch.full((ITEMS,), length), length
    shape = (ITEMS, model.num_heads, length + 1, model.dimension // model.num_heads)
    cache.layers = [(torch.empty(shape), torch.empty(shape)) for _ in range(model.num_layers)]
    return cache


def _audiogen(name: str) -> tuple[Operations, float]:
    network = AudiogenNetwork(registry.model_of(name, {}), TEXT_DIMENSION).eval()
    seconds = registry.sampling_of(name, {}).duration
    frames = int(seconds * SAMPLE_RATE / HOP_LENGTH)
    states = network.conditions([torch.empty(WORDS, TEXT_DIMENSION) for _ in range(ITEMS)])
    # the first step: later ones also attend to earlier frames. Its codec, which is left out, is small beside it
    step = count(lambda: network.step(_codes(ITEMS, 4, 1), states, 3.0, None))
    return step * frames, ITEMS * seconds
