"""The network of VALL-E and VALL-E X gives what the official code gave."""

from collections.abc import Sequence

import golden_generators as golden
import numpy as np
import pytest
import torch
from golden_vectors import Vector, assert_close
from torch import Tensor

from codecfake.generators.model_settings import TokenSampling
from codecfake.generators.sampling import probabilities
from codecfake.generators.valle_decoding import Choice, Request, generate, greedy, other_codebooks, sampler
from codecfake.generators.valle_network import BEGIN, Cache, Text, ValleNetwork

LIMIT = 1e-4  # standard deviations, of the README
VALLEX, AMPHION = golden.vectors("vallex_"), golden.vectors("amphion_valle_", but="amphion_valle_v2")
LANGUAGES = {"en": 0, "zh": 1}


@pytest.fixture(autouse=True)
def _no_gradients() -> object:
    with torch.inference_mode():
        yield


def request(vector: Vector, key: str, choose: Choice) -> Request:
    return Request(_text(vector, key), golden.codes(vector, f"{key}_prompt_codes")[0], choose)


def _text(vector: Vector, key: str) -> Text:
    ids = golden.codes(vector, f"{key}_text")[0]
    if "text_language" not in vector:
        return Text(ids)
    last = int(vector["text_language"][-1])
    return Text(ids, torch.tensor([int(vector["prompt_language"])] * 2 + [last] * (len(ids) - 2)))


def logits_along(network: ValleNetwork, request: Request, frames: Sequence[int]) -> Tensor:
    """Logits before each of these frames and after the last one, by the cache."""
    begin = request.prompt.new_full((int(network.begin_token),), BEGIN)
    inputs = torch.cat([begin, request.prompt[:, 0]])
    hidden, memory = network.start(request.text, inputs)
    rows, cache = [network.ar_predict_layer(hidden[-1])], Cache([memory])
    for place, code in enumerate(frames, len(inputs)):
        rows.append(network.step(torch.tensor([code]), torch.tensor([place]), cache)[0])
    return torch.stack(rows)


@pytest.mark.parametrize("name", VALLEX)
def test_golden_logits_of_vall_e_x_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    network = golden.valle(vector)
    text = Text(golden.codes(vector, "text")[0], _languages(vector))
    codes = torch.cat(
        [torch.tensor([BEGIN]), golden.codes(vector, "prompt_codes")[0, :, 0], golden.codes(vector, "tf_codes")[0]]
    )
    hidden, _ = network.start(text, codes)
    assert_close(hidden[None], vector["ar_hidden"], LIMIT)
    assert_close(network.ar_predict_layer(hidden[len(text.ids) :])[None], vector["ar_logits"], LIMIT)


def _languages(vector: Vector) -> Tensor:
    enrolled, spoken = int(vector["text_enroll_len"]), golden.codes(vector, "text_language")
    return torch.cat([spoken.new_full((enrolled,), int(vector["prompt_language"])), spoken])


@pytest.mark.parametrize("name", AMPHION)
def test_golden_logits_of_amphions_vall_e_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    network = golden.valle(vector)
    text, codes = Text(golden.codes(vector, "text")[0]), golden.codes(vector, "tf_codes")[0]
    begin = codes.new_full((int(network.begin_token),), BEGIN)
    hidden, _ = network.start(text, torch.cat([begin, codes]))
    logits = network.ar_predict_layer(hidden[len(text.ids) :])
    assert_close(hidden[None, len(text.ids) :], vector["ar_hidden"], LIMIT)
    assert_close(logits[None], vector["ar_logits"], LIMIT)


@pytest.mark.parametrize("name", AMPHION)
def test_golden_logits_of_the_other_codebooks_are_those_of_the_official_training(name: str) -> None:
    vector = golden.vector(name)
    network = golden.valle(vector)
    text, codes = Text(golden.codes(vector, "text")[0]), golden.codes(vector, "nar_codes")[0]
    prefix = int(vector["nar_tf_prefix_len"])
    for stage in range(1, 8):
        logits = network.stage(text, codes[:prefix], codes[prefix:, :stage])
        assert_close(logits, vector[f"nar_tf_logits_stage{stage}"], LIMIT)


@pytest.mark.parametrize("name", VALLEX + AMPHION)
def test_golden_greedy_codes_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    network = golden.valle(vector)
    # both in one batch: their lengths differ
    requests = [request(vector, key, greedy) for key in ("g", "e")]
    for key, codes in zip(("g", "e"), generate(network, requests, "vallex" not in name), strict=True):
        assert np.array_equal(codes, vector[f"{key}_codes"][0]), key


@pytest.mark.parametrize("name", VALLEX + AMPHION)
def test_golden_logits_along_the_greedy_codes_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    network = golden.valle(vector)
    ended = request(vector, "e", greedy)
    assert_close(logits_along(network, ended, vector["e_codes"][0, :, 0]), vector["e_ar_logits"], LIMIT)
    codes = golden.codes(vector, "e_codes")[0]
    for stage in range(1, 8):
        logits = network.stage(ended.text, ended.prompt, codes[:, :stage])
        assert_close(logits, vector["e_nar_logits"][stage - 1], LIMIT)


@pytest.mark.parametrize("name", VALLEX + AMPHION)
@pytest.mark.parametrize(("key", "sampling"), [("s1", TokenSampling()), ("s2", TokenSampling(0.7, 10))])
def test_golden_sampled_codes_are_those_of_the_official_code_with_its_seed(
    name: str, key: str, sampling: TokenSampling
) -> None:
    vector = golden.vector(name)
    choose = sampler(int(vector[f"{key}_torch_seed"]), sampling)
    codes = generate(golden.valle(vector), [request(vector, "g", choose)], "vallex" not in name)
    assert np.array_equal(codes[0], vector[f"{key}_codes"][0])


@pytest.mark.parametrize("name", VALLEX)
def test_golden_codes_without_a_prompt_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    ids = golden.codes(vector, "n_text")[0]
    text, prompt = Text(ids, torch.full_like(ids, LANGUAGES["en"])), torch.zeros(0, 8, dtype=torch.int64)
    codes = generate(golden.valle(vector), [Request(text, prompt, greedy)], end_at_argmax=False)
    assert np.array_equal(codes[0], vector["n_codes"][0])


@pytest.mark.parametrize("name", AMPHION)
def test_golden_codes_after_the_first_half_of_a_recording_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    codes = golden.codes(vector, "cont_codes_in")[0]
    half = len(codes) // 2
    text = Text(golden.codes(vector, "text")[0])
    ours = other_codebooks(golden.valle(vector), text, codes[:half], codes[half:, 0])
    assert np.array_equal(ours, vector["cont_codes"][0])


@pytest.mark.parametrize("name", VALLEX)
def test_golden_probabilities_of_the_ten_best_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    ours = probabilities(torch.from_numpy(vector["filter_in"]), TokenSampling(temperature=0.7, top_k=10))
    assert_close(ours, vector["filter_k10_t0.7"], LIMIT)
