"""Codes from the networks of VALL-E: what to speak and a prompt in, EnCodec's codes out.

The first codebook is sampled in batches, in float64: there, what a batch changes in the last digits of a logit does not
reach a draw. The other codebooks are decided item by item, so that an item's result depends on the item alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from codecfake.generators import weights_folder
from codecfake.generators.model_settings import TokenSampling
from codecfake.generators.sampling import draw, probabilities, random_numbers
from codecfake.generators.settings import GeneratorSettings
from codecfake.generators.valle_network import BEGIN, END, NUM_CODEBOOKS, Cache, Text, ValleNetwork

FRAMES_PER_SYMBOL = 16  # the longest result: this many frames for each id of the text

Choice = Callable[[Tensor], int]  # logits [1025] to a code


@dataclass(frozen=True)
class Request:
    """What one item gives the network."""

    text: Text  # of prompt and target
    prompt: Tensor  # codes [P, 8]
    choose: Choice


def sampler(seed: int, sampling: TokenSampling) -> Choice:
    """Draw each code from the item's own random numbers."""
    generator = random_numbers(seed)
    return lambda logits: int(draw(probabilities(logits[None].cpu(), sampling), generator))


def greedy(logits: Tensor) -> int:
    """The most probable code."""
    return int(logits.argmax())


def load_network(settings: GeneratorSettings, model: Any, begin_token: bool, languages: bool) -> ValleNetwork:
    """The network of VALL-E or VALL-E X with its weights, or random ones, ready to generate."""
    sizes = (model.dimension, model.num_heads, model.num_layers, model.text_vocabulary)
    return use_precision(
        weights_folder.load_or_random(
            lambda: ValleNetwork(*sizes, begin_token=begin_token, languages=languages), settings.weights
        )
    )


def use_precision(network: ValleNetwork) -> ValleNetwork:
    """The same network, whose autoregressive part computes in float64."""
    for name, part in network.named_children():
        part.to(torch.float64 if name.startswith("ar_") else torch.float32)
    return network


@torch.inference_mode()
def generate(network: ValleNetwork, requests: Sequence[Request], end_at_argmax: bool) -> list[Tensor]:
    """Codes `[T, 8]` for each request; T is 0 if the network ended at once.

    `end_at_argmax`: end also where the end is most probable, even if another code was drawn.
    """
    first = _first_codebooks(network, requests, end_at_argmax)
    return [
        other_codebooks(network, request.text, request.prompt, codes)
        for request, codes in zip(requests, first, strict=True)
    ]


@torch.inference_mode()
def other_codebooks(network: ValleNetwork, text: Text, prompt: Tensor, first: Tensor) -> Tensor:
    """Codes `[T, 8]` with a given first codebook `[T]`."""
    codes = first[:, None]
    for _ in range(NUM_CODEBOOKS - 1 if len(first) else 0):
        codes = torch.cat([codes, network.stage(text, prompt, codes).argmax(-1, keepdim=True)], dim=1)
    return codes if len(first) else first.new_zeros(0, NUM_CODEBOOKS)


def _first_codebooks(network: ValleNetwork, requests: Sequence[Request], end_at_argmax: bool) -> list[Tensor]:
    rows = [_Row(network, request) for request in requests]
    logits, cache = torch.stack([row.logits for row in rows]), Cache([row.memory for row in rows])
    active = rows
    while True:
        for row, values in zip(active, logits.cpu(), strict=True):
            row.choose(values, end_at_argmax)
        going = [place for place, row in enumerate(active) if not row.has_ended]
        if not going:
            return [row.codes for row in rows]
        if len(going) < len(active):
            active = [active[place] for place in going]
            cache.keep(going)
        logits = network.step(*_next_inputs(active, logits.device), cache)


class _Row:
    """One item of a batch while its codes are drawn."""

    def __init__(self, network: ValleNetwork, request: Request) -> None:
        self.request, self.has_ended = request, False
        begin = request.prompt.new_full((int(network.begin_token),), BEGIN)
        inputs = torch.cat([begin, request.prompt[:, 0]])
        hidden, self.memory = network.start(request.text, inputs)
        self.logits = network.ar_predict_layer(hidden[-1])
        self.num_inputs, self._new = len(inputs), list[int]()
        # both programs count the begin token among the new codes
        self._most = FRAMES_PER_SYMBOL * len(request.text.ids) + (0 if network.begin_token else 1)

    @property
    def codes(self) -> Tensor:
        return self.request.prompt.new_tensor(self._new)

    def choose(self, logits: Tensor, end_at_argmax: bool) -> None:
        code = self.request.choose(logits)
        ends = code == END or (end_at_argmax and greedy(logits) == END)
        if ends or len(self._new) == self._most:
            self.has_ended = True
        else:
            self._new.append(code)

    def next_input(self) -> tuple[int, int]:
        """The code to feed, and its place."""
        return self._new[-1], self.num_inputs + len(self._new) - 1


def _next_inputs(rows: Sequence[_Row], device: torch.device) -> tuple[Tensor, Tensor]:
    codes, places = torch.tensor([row.next_input() for row in rows], device=device).T
    return codes, places
