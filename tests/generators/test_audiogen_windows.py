"""Sounds longer than one window of AudioGen, with a small network and short windows."""

from collections.abc import Callable
from functools import partial

import pytest
import small_generators
import torch
from torch import Tensor

from codecfake.generators import audiogen_windows
from codecfake.generators.audiogen_network import AudiogenNetwork, Request, sampler
from codecfake.generators.model_settings import AudiogenSampling

GUIDANCE, WINDOW, STRIDE = 3.0, 10, 2
Generate = Callable[..., list[Tensor]]  # requests and the number of frames to codes


@pytest.fixture(scope="module")
def network() -> AudiogenNetwork:
    return small_generators.build("audiogen").network


@pytest.fixture
def generate(network: AudiogenNetwork) -> Generate:
    return partial(audiogen_windows.generate, network, guidance=GUIDANCE, window=WINDOW, stride=STRIDE)


def request(seed: int) -> Request:
    """A caption of its own length, with random numbers from their start."""
    states = torch.randn(2 + seed, 16, generator=torch.Generator().manual_seed(seed))
    return Request(states, sampler(seed, AudiogenSampling()))


def by_hand(network: AudiogenNetwork, request: Request) -> Tensor:
    """13 frames: 0 to 9, then 2 to 11, then 4 to 12, each after the frames that the window before gave."""
    first = network.generate([request], 10, GUIDANCE)[0]
    second = network.generate([request], 10, GUIDANCE, [first[:, 2:]])[0]
    third = network.generate([request], 9, GUIDANCE, [second[:, 2:]])[0]
    return torch.cat([first[:, :2], second[:, :2], third], dim=1)


def test_a_long_sound_is_made_of_windows_that_continue_each_other(network: AudiogenNetwork, generate: Generate) -> None:
    (codes,) = generate([request(1)], 13)
    assert torch.equal(codes, by_hand(network, request(1)))


@pytest.mark.parametrize("num_frames", [1, 9, 10])
def test_a_sound_of_one_window_is_what_the_network_gives_at_once(
    num_frames: int, network: AudiogenNetwork, generate: Generate
) -> None:
    (codes,) = generate([request(1)], num_frames)
    assert torch.equal(codes, network.generate([request(1)], num_frames, GUIDANCE)[0])


@pytest.mark.parametrize("num_frames", [11, 12, 13, 20])
def test_a_long_sound_has_the_frames_that_were_asked_for_and_begins_as_a_window(
    num_frames: int, network: AudiogenNetwork, generate: Generate
) -> None:
    (codes,) = generate([request(1)], num_frames)
    assert codes.shape == (4, num_frames)
    assert 0 <= int(codes.min()) <= int(codes.max()) < 2048
    assert torch.equal(codes[:, :WINDOW], network.generate([request(1)], WINDOW, GUIDANCE)[0])


def test_a_long_sound_is_the_same_in_any_batch_and_order(generate: Generate) -> None:
    alone = [generate([request(seed)], 15)[0] for seed in range(3)]
    together = generate([request(seed) for seed in (2, 0, 1)], 15)
    for seed, codes in zip((2, 0, 1), together, strict=True):
        assert torch.equal(codes, alone[seed])


def test_a_prompt_stays_and_uses_no_random_numbers(network: AudiogenNetwork) -> None:
    prompt = torch.randint(0, 2048, (4, 5), generator=torch.Generator().manual_seed(0))
    draws = list[Tensor]()

    def choose(logits: Tensor) -> Tensor:
        draws.append(logits)
        return logits.argmax(-1)

    (codes,) = network.generate([Request(torch.zeros(1, 16), choose)], 7, GUIDANCE, [prompt])
    assert torch.equal(codes[:, :5], prompt)
    # two frames, and three steps in which the later codebooks reach them
    assert len(draws) == 5


@pytest.mark.slow  # 3,750 frames of a network that generates them one by one: minutes
def test_a_waveform_of_more_than_ten_seconds_is_the_same_in_any_batch_and_order() -> None:
    sampling = {"duration": 12.5}
    alone = small_generators.build("audiogen", sampling=sampling)
    together = small_generators.build("audiogen", sampling=sampling, batch_size=3)
    items = small_generators.items(alone)
    first = alone.generate(items)
    assert [len(waveform) for waveform in first] == [200_000] * 3
    for waveform, item in zip(together.generate(items[::-1]), items[::-1], strict=True):
        assert waveform.tobytes() == first[items.index(item)].tobytes()
