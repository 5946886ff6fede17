"""AudioGen's language model and codec, converted, give what the official code gave."""

from functools import cache

import golden_generators as golden
import numpy as np
import pytest
import torch
from golden_vectors import Vector, assert_close
from torch import Tensor, nn

from codecfake.generators.audiogen_conversion import codec_tensors, language_model_tensors
from codecfake.generators.audiogen_network import AudiogenNetwork, Request, sampler
from codecfake.generators.model_settings import AudiogenSampling, AudiogenSettings

LIMIT, OUTPUT_LIMIT = 1e-4, 2e-4  # standard deviations
LANGUAGE_MODELS, CODECS = golden.vectors("audiogen_lm_"), golden.vectors("audiogen_codec_")
GUIDANCE = 3.0


@pytest.fixture(autouse=True)
def _no_gradients() -> object:
    with torch.inference_mode():
        yield


@cache
def language_model(name: str) -> AudiogenNetwork:
    vector = golden.vector(name)
    about = vector.about["configuration"]
    sizes = AudiogenSettings("random", about["dim"], about["num_heads"], about["num_layers"], codec_filters=2)
    network = AudiogenNetwork(sizes, text_dimension=vector["t5_states"].shape[-1])
    _load(network, language_model_tensors(golden.weights(vector, "lm")), "audio_encoder.")
    return network.use_precision().eval()


def _load(network: nn.Module, tensors: dict[str, Tensor], *other: str) -> None:
    """Every tensor has a place, and every place outside `other` has a tensor."""
    missing, unexpected = network.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert {name for name in missing if not name.startswith(other)} == set()


def states(vector: Vector) -> list[Tensor]:
    lengths = vector["t5_lengths"]
    return [torch.from_numpy(vector["t5_states"][row, :length]) for row, length in enumerate(lengths)]


def greedy(logits: Tensor) -> Tensor:
    return logits.argmax(-1)


def logits_of(network: AudiogenNetwork, steps: Tensor, captions: list[Tensor], guidance: float) -> Tensor:
    """Logits `[4, S, 2048]` at steps `[B, 4, S]` of the first item of a batch."""
    conditions, memory, rows = network.conditions(captions), None, []
    for step in range(steps.shape[-1]):
        logits, memory = network.step(steps[:, :, step : step + 1], conditions, guidance, memory)
        rows.append(logits[0])
    return torch.stack(rows, dim=1)


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
@pytest.mark.parametrize(("key", "guidance"), [("seq_logits_cond", 1.0), ("seq_logits_null", 0.0)])
def test_golden_logits_are_those_of_the_official_code(name: str, key: str, guidance: float) -> None:
    vector = golden.vector(name)
    steps = golden.codes(vector, "pattern_sequence")[:1]
    ours = logits_of(language_model(name), steps, states(vector)[:1], guidance)
    assert_close(ours, vector[key], LIMIT)


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_golden_guided_logits_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    steps = golden.codes(vector, "pattern_sequence")[:1]
    ours = logits_of(language_model(name), steps, states(vector)[:1], GUIDANCE)
    assert_close(ours[:, -1], vector["seq_logits_cfg3_last"], LIMIT)


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_golden_logits_of_a_shorter_caption_in_a_batch_are_those_of_the_caption_alone(name: str) -> None:
    """The official code lets padding take part in the attention; here a caption gives what it gives alone."""
    vector = golden.vector(name)
    steps, captions = golden.codes(vector, "pattern_sequence").flip(0), states(vector)[::-1]
    ours = logits_of(language_model(name), steps, captions, guidance=1.0)
    assert_close(ours[:, -1], vector["seq_logits_unpadded_caption_last"], LIMIT)


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_golden_greedy_codes_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    requests = [Request(each, greedy) for each in states(vector)]
    frames = vector["greedy_codes"].shape[-1]
    alone = language_model(name).generate(requests[:1], frames, GUIDANCE)
    assert np.array_equal(alone[0], vector["greedy_codes"][0])
    together = language_model(name).generate(requests, frames, GUIDANCE)
    assert torch.equal(together[0], alone[0])


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_golden_codes_after_a_prompt_of_codes_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    prompt = golden.codes(vector, "codes")[0, :, :5]
    frames = vector["greedy_codes_prompt5"].shape[-1]
    requests = [Request(states(vector)[0], greedy)]
    codes = language_model(name).generate(requests, frames, GUIDANCE, [prompt])
    assert np.array_equal(codes[0], vector["greedy_codes_prompt5"][0])


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_golden_sampled_codes_are_those_of_the_official_code_with_its_seed(name: str) -> None:
    vector = golden.vector(name)
    choose = sampler(vector.about["seed"], AudiogenSampling())
    frames = vector["sampled_codes"].shape[-1]
    codes = language_model(name).generate([Request(states(vector)[0], choose)], frames, GUIDANCE)
    assert np.array_equal(codes[0], vector["sampled_codes"][0])


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_golden_pattern_of_delays_is_that_of_the_official_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With known codes for draws, each step gets the official cells."""
    vector, network = golden.vector(name), language_model(name)
    codes, cells = golden.codes(vector, "codes")[0], list[Tensor]()
    books, frames = torch.arange(4), codes.shape[1]
    draws = iter([codes[books, (step - books).clamp(0, frames - 1)] for step in range(frames + 3)])

    def record(codes: Tensor, *_: object) -> tuple[Tensor, None]:
        cells.append(codes[0, :, 0].clone())
        return torch.zeros(1, 4, 2048), None

    monkeypatch.setattr(network, "step", record)
    ours = network.generate([Request(states(vector)[0], lambda _: next(draws))], frames, GUIDANCE)
    assert torch.equal(ours[0], codes)
    assert np.array_equal(torch.stack(cells, dim=1), vector["pattern_sequence"][0][:, :-1])


@cache
def codec(name: str) -> AudiogenNetwork:
    vector = golden.vector(name)
    sizes = AudiogenSettings("random", 8, 2, 1, codec_filters=vector.about["configuration"]["n_filters"])
    network = AudiogenNetwork(sizes, text_dimension=8)
    _load(network, codec_tensors(golden.weights(vector, "model")), "decoder.", "enc_to_dec_proj.")
    return network.eval()


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("clip", ["a", "b"])
def test_golden_codec_gives_what_the_official_one_gave(name: str, clip: str) -> None:
    vector, network = golden.vector(name), codec(name)
    wav = torch.from_numpy(vector[f"{clip}_wav"])
    assert_close(network.audio_encoder.encoder(wav), vector[f"{clip}_latent"], LIMIT)
    assert np.array_equal(network.audio_encoder.encode(wav).audio_codes[0], vector[f"{clip}_codes"])
    assert_close(network.decode(golden.codes(vector, f"{clip}_codes")[0]), vector[f"{clip}_out"][0, 0], OUTPUT_LIMIT)


@pytest.mark.parametrize("name", CODECS)
def test_golden_waveform_of_given_codes_is_that_of_the_official_code(name: str) -> None:
    vector, network = golden.vector(name), codec(name)
    assert_close(network.decode(golden.codes(vector, "given_codes")[0]), vector["given_out"][0, 0], OUTPUT_LIMIT)
