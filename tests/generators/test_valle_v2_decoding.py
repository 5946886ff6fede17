"""Codes of Amphion's second VALL-E: where they end, and that a batch of unequal rows changes none of them."""

import pytest
import small_generators
import torch
from torch import Tensor

from codecfake.generators.model_settings import ValleV2Sampling
from codecfake.generators.valle_decoding import Request, sampler
from codecfake.generators.valle_network import END, Text
from codecfake.generators.valle_v2_decoding import generate
from codecfake.generators.valle_v2_network import ValleV2Network

PHONES, PROMPT = 4, 6  # with three marks of begin and end: 13 positions


@pytest.fixture(scope="module")
def network() -> ValleV2Network:
    return small_generators.build("valle-v2").network


def request(choose: object, prompt_frames: int = PROMPT) -> Request:
    prompt = torch.randint(0, 1024, (prompt_frames, 8), generator=torch.Generator().manual_seed(prompt_frames))
    return Request(Text(torch.arange(PHONES)), prompt, choose)


def never_ends(logits: Tensor) -> int:
    return int(logits[:END].argmax())


@pytest.mark.parametrize(("most_positions", "frames"), [(12, 0), (13, 0), (14, 1), (20, 7)])
def test_phones_prompt_and_codes_fill_the_positions_at_most(
    most_positions: int, frames: int, network: ValleV2Network
) -> None:
    (codes,) = generate(network, [request(never_ends)], most_positions)
    assert codes.shape == (frames, 8)
    assert not len(codes) or 0 <= int(codes.min()) <= int(codes.max()) < 1024


def test_the_end_is_no_code(network: ValleV2Network) -> None:
    choices = iter([5, 7, END])
    (codes,) = generate(network, [request(lambda logits: next(choices))], 50)
    assert codes[:, 0].tolist() == [5, 7]


def test_rows_of_unequal_length_that_end_at_different_places_are_those_of_each_alone(network: ValleV2Network) -> None:
    def requests() -> list[Request]:
        sampling = ValleV2Sampling(top_k=20)
        rows = [request(sampler(seed, sampling), prompt_frames=3 + 4 * seed) for seed in range(3)]
        ends = iter([1, 2, END])
        return [*rows, request(lambda logits: next(ends), prompt_frames=2)]

    together = generate(network, requests(), 24)
    assert len({len(codes) for codes in together}) == 4
    for codes, each in zip(together, requests(), strict=True):
        assert torch.equal(codes, generate(network, [each], 24)[0])
