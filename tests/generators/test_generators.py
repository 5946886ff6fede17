"""What every generator promises: waveforms that depend on the item alone, and faults before any sampling."""

import dataclasses

import numpy as np
import pytest
import small_generators
import torch
from small_generators import CPU

from codecfake import generators
from codecfake.base import settings as base_settings
from codecfake.base.settings import SettingsError
from codecfake.generators import GeneratorError, GeneratorSettings

NAMES = generators.names()
NEEDED = {"vallex": "eng_to_ipa"}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    if request.param in NEEDED:
        pytest.importorskip(NEEDED[request.param], reason="pip install 'codecfake[generators]'")
    return request.param


def test_a_waveform_is_the_same_in_any_batch_and_order(name: str) -> None:
    alone, together = small_generators.build(name), small_generators.build(name, batch_size=3)
    items = small_generators.items(alone)
    first = alone.generate(items)
    for waveform, item in zip(together.generate(items[::-1]), items[::-1], strict=True):
        assert waveform.tobytes() == first[items.index(item)].tobytes()


def test_another_seed_gives_another_waveform(name: str) -> None:
    generator = small_generators.build(name)
    item = small_generators.items(generator)[0]
    one, other = generator.generate([item, dataclasses.replace(item, seed=99)])
    assert one.tobytes() != other.tobytes()


def test_generating_leaves_torchs_own_random_numbers_alone(name: str) -> None:
    generator = small_generators.build(name)
    before = torch.random.get_rng_state()
    generator.generate(small_generators.items(generator)[:1])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_waveform_is_float32_and_finite_at_the_rate_of_the_entry(name: str) -> None:
    generator = small_generators.build(name)
    (waveform,) = generator.generate(small_generators.items(generator)[:1])
    assert waveform.dtype == np.float32
    assert waveform.ndim == 1
    assert len(waveform) > 0
    assert np.isfinite(waveform).all()
    assert generator.sample_rate == generators.entry(name).sample_rate
    assert generator.needs_prompt == generators.entry(name).needs_prompt


@pytest.mark.parametrize(
    ("change", "fault"),
    [({"text": "  "}, "empty"), ({"language": "xx"}, "the language is 'xx'")],
)
def test_an_item_that_it_cannot_speak_has_a_reason(name: str, change: dict[str, str], fault: str) -> None:
    generator = small_generators.build(name)
    item = small_generators.items(generator)[0]
    assert generator.check(item) is None
    assert fault in (generator.check(dataclasses.replace(item, **change)) or "")


@pytest.mark.parametrize("name", [name for name in NAMES if generators.entry(name).needs_prompt])
def test_an_item_without_a_usable_prompt_has_a_reason(name: str) -> None:
    generator = small_generators.build(name)
    item = small_generators.items(generator)[0]
    assert item.prompt is not None
    short = dataclasses.replace(item.prompt, waveform=item.prompt.waveform[:10])
    untold = dataclasses.replace(item.prompt, text="")
    prompts = {"no prompt": None, "10 samples": short, "text of the prompt is empty": untold}
    for fault, prompt in prompts.items():
        assert fault in (generator.check(dataclasses.replace(item, prompt=prompt)) or "")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"generator": "vale"}, "unknown generator 'vale'; did you mean 'valle'"),
        ({"generator": "valle", "model": {"dimensoin": 3}}, "model: unknown setting 'dimensoin'"),
        ({"generator": "valle", "model": {"dimension": 30}}, "model.dimension: 30 must be a multiple of twice"),
        ({"generator": "audiogen", "sampling": {"duration": 0}}, "sampling.duration: 0.0 is out of range"),
        ({"generator": "audiogen", "batch_size": 0}, "batch_size: 0 is out of range"),
    ],
)
def test_a_wrong_setting_is_named_before_any_job(values: dict[str, object], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        base_settings.build(GeneratorSettings, values)


def test_a_missing_package_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vocos.models", None)
    model = {**generators.entry("vallex").small, "decoder": "vocos", "vocos": "random"}
    with pytest.raises(GeneratorError, match=r"needs the package 'vocos.*pip install 'codecfake\[generators\]'"):
        generators.build(small_generators.settings("vallex", model=model), CPU)


def test_a_generator_outside_the_package_is_built_by_its_name(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
ENTRY = {"about": "silence", "sample_rate": 8000}
def build(settings, device):
    return (settings.generator, device.type)
"""
    (tmp_path / "silence.py").write_text(code)
    monkeypatch.setenv("CODECFAKE_PLUGINS", str(tmp_path))
    settings = GeneratorSettings("silence.py:build", model={"anything": 1})
    assert generators.entry("silence.py:build").sample_rate == 8000
    assert generators.build(settings, CPU) == ("silence.py:build", "cpu")
