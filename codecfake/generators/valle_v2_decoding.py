"""Codes from the networks of Amphion's second VALL-E: phones and a prompt in, SpeechTokenizer's codes out.

As for the first version, the first codebook is sampled in batches in float64, and the others are decided item by item.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from codecfake.generators.valle_decoding import Request
from codecfake.generators.valle_network import END, NUM_CODEBOOKS, NUM_CODES
from codecfake.generators.valle_v2_network import END_CODES, PAD, ValleV2Network, first_ids


@torch.inference_mode()
def generate(network: ValleV2Network, requests: Sequence[Request], most_positions: int) -> list[Tensor]:
    """Codes `[T, 8]` for each request; T is 0 if the network ended at once, or had no positions left.

    A request's `choose` gets the logits of the codes and of the end, `[1025]`: no other id can follow a code.
    """
    first = _first_codebooks(network, requests, most_positions)
    return [_other_codebooks(network, request, codes) for request, codes in zip(requests, first, strict=True)]


def _first_codebooks(network: ValleV2Network, requests: Sequence[Request], most_positions: int) -> list[Tensor]:
    rows = [first_ids(request.text.ids, request.prompt[:, 0]) for request in requests]
    room = [most_positions - len(row) for row in rows]
    new: list[list[int]] = [[] for _ in requests]
    going = [place for place, most in enumerate(room) if most > 0]
    ids, seen, memory = *_padded([rows[place] for place in going]), None
    while going:
        logits, memory = network.step(ids, seen, memory)
        codes = [
            requests[place].choose(values) for place, values in zip(going, _codes_and_end(logits).cpu(), strict=True)
        ]
        for place, code in zip(going, codes, strict=True):
            new[place] += [code] if code != END else []
        kept = [row for row, place in enumerate(going) if codes[row] != END and len(new[place]) < room[place]]
        memory, seen = _keep(kept, len(going), memory, seen)
        ids = ids.new_tensor([[codes[row]] for row in kept])
        going = [going[row] for row in kept]
    return [request.prompt.new_tensor(codes) for request, codes in zip(requests, new, strict=True)]


def _other_codebooks(network: ValleV2Network, request: Request, first: Tensor) -> Tensor:
    codes = first[:, None]
    for _ in range(NUM_CODEBOOKS - 1 if len(first) else 0):
        logits = network.stage(request.text.ids, request.prompt, codes)
        codes = torch.cat([codes, logits.argmax(-1, keepdim=True)], dim=1)
    return codes if len(first) else first.new_zeros(0, NUM_CODEBOOKS)


def _padded(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """The rows `[B, L]`, with padding at their starts, and 1 where they have ids."""
    longest = max(map(len, rows), default=0)
    ids = [torch.cat([row.new_full((longest - len(row),), PAD), row]) for row in rows]
    padded = torch.stack(ids) if ids else torch.zeros(0, 0, dtype=torch.int64)
    return padded, (padded != PAD).long()


def _codes_and_end(logits: Tensor) -> Tensor:
    return torch.cat([logits[:, :NUM_CODES], logits[:, END_CODES : END_CODES + 1]], dim=-1)


def _keep(rows: list[int], number: int, memory: Any, seen: Tensor) -> tuple[Any, Tensor]:
    """The memory and what is seen, `[B, L]`, without the other rows, and with room for one more id."""
    if rows and len(rows) < number:
        memory.batch_select_indices(torch.tensor(rows, device=seen.device))
    seen = seen[rows]
    return memory, torch.cat([seen, seen.new_ones(len(rows), 1)], dim=1)
