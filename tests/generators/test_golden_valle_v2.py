"""The network of Amphion's second VALL-E, converted, gives what the official code gave."""

from functools import cache

import golden_generators as golden
import numpy as np
import pytest
import torch
from golden_vectors import assert_close
from torch import Tensor

from codecfake.generators.conversion import valle_v2_tensors
from codecfake.generators.valle_v2_network import END_CODES, ValleV2Network, first_ids

LIMIT = 1e-4  # standard deviations, of the README
NAMES = golden.vectors("amphion_valle_v2")


@pytest.fixture(autouse=True)
def _no_gradients() -> object:
    with torch.inference_mode():
        yield


@cache
def network(name: str) -> ValleV2Network:
    vector = golden.vector(name)
    about = vector.about["configuration"]
    sizes = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    network = ValleV2Network(*(about[key] for key in sizes))
    network.load_state_dict(valle_v2_tensors(golden.weights(vector, "ar"), golden.weights(vector, "nar")))
    return network.use_precision().eval()


def logits_along(network: ValleV2Network, ids: Tensor) -> Tensor:
    """Logits `[L, 1334]` at ids `[L]`, one at a time."""
    rows, memory = [], None
    for place in range(1, len(ids) + 1):
        logits, memory = network.step(ids[None, place - 1 : place], torch.ones(1, place, dtype=torch.int64), memory)
        rows.append(logits[0])
    return torch.stack(rows)


@pytest.mark.parametrize("name", NAMES)
def test_golden_ids_of_phones_and_codes_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    ids = first_ids(golden.codes(vector, "phones")[0], golden.codes(vector, "codes")[0, 0])
    assert np.array_equal([*ids, END_CODES], vector["ar_input_ids"][0])


@pytest.mark.parametrize("name", NAMES)
def test_golden_logits_and_loss_of_the_first_codebook_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    ids = golden.codes(vector, "ar_input_ids")[0]
    logits = logits_along(network(name), ids)
    assert_close(logits[None], vector["ar_logits"], LIMIT)
    # the loss is that of the codes, with their begin and end
    start = len(vector["phones"][0]) + 2
    loss = torch.nn.functional.cross_entropy(logits[start - 1 : -1], ids[start:])
    assert float(loss) == pytest.approx(float(vector["ar_loss"]), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_golden_greedy_ids_are_those_of_the_official_code(name: str) -> None:
    vector = golden.vector(name)
    ids, num_given = golden.codes(vector, "ar_greedy_ids")[0], vector["ar_greedy_input"].shape[1]
    assert np.array_equal(ids[:num_given], vector["ar_greedy_input"][0])
    logits = logits_along(network(name), ids[:-1])
    assert torch.equal(logits[num_given - 1 :].argmax(-1), ids[num_given:])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("book", range(1, 8))
def test_golden_logits_of_the_other_codebooks_are_those_of_the_official_code(name: str, book: int) -> None:
    vector = golden.vector(name)
    phones, codes = golden.codes(vector, "phones")[0], golden.codes(vector, "codes")[:, 0].T
    prompt = vector.about["configuration"]["nar_prompt_len"]
    logits = network(name).nar(phones, codes[:prompt], codes[prompt:, :book])
    assert_close(logits, vector[f"nar_logits_layer{book}"], LIMIT)
