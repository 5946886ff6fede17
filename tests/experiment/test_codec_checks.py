"""What the codecs of an experiment must keep, before any job: settings, quantizers, weights, licenses."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import EXPERIMENTS, ROOT, TINY

from codec_wrappers.training.settings import CodecTrainingSettings
from codecfake.base import plugins
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import licenses, reading
from codecfake.experiment.schema import Experiment
from codecfake.experiment.weights import Local, NoWeights, Official, Shipped, Trained, Weights


def load(name: str) -> Experiment:
    return reading.load(EXPERIMENTS / f"{name}.yaml")


def license_fault(experiment: Experiment) -> str:
    """The fault of an experiment's licenses."""
    return "".join(map(str, licenses.license_faults(experiment)))


def without_generators(experiment: Experiment) -> Experiment:
    """The same with a folder in place of every generator."""
    corpora = {name: replace(corpus, generation=None) for name, corpus in experiment.corpora.items()}
    return replace(experiment, corpora=corpora)


def with_weights(codec: str, weights: Weights, **changes: Any) -> Experiment:
    experiment = load("demo")
    changed = replace(experiment.codecs[codec], weights=weights, **changes)
    return replace(experiment, codecs={**experiment.codecs, codec: changed})


def faults_of(folder: Path, codec: dict[str, Any]) -> str:
    """What is said about the tiny experiment with one more codec, which lies in `folder`."""
    values = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    values["codecs"]["own"] = {"weights": "none", "sources": {"X1": {"quantizers": 1}}} | codec
    (folder / "own.yaml").write_text(yaml.safe_dump(values))
    try:
        reading.load(folder / "own.yaml")
    except ConfigurationError as error:
        return str(error)
    return ""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path


@pytest.mark.parametrize("name", sorted(path.stem for path in EXPERIMENTS.glob("*.yaml")))
def test_a_shipped_experiment_breaks_no_rule(name: str) -> None:
    assert license_fault(load(name)) == ""


# Of the codecs of the package: a key and value of the experiment, and what is said


@pytest.mark.parametrize(
    ("codec", "message"),
    [
        ({"wrapper": "encodc"}, "codecs.own.wrapper: unknown codec 'encodc'; did you mean 'encodec'"),
        (
            {"wrapper": "encodec", "weights": "trained", "model": {"n_filtres": 4}},
            "codecs.own.model: unknown setting 'n_filtres'",
        ),
        (
            {"wrapper": "encodec", "weights": "trained", "model": {"n_filters": "4"}},
            "codecs.own.model.n_filters: expected a whole number, found '4'; write 4",
        ),
        (
            {"wrapper": "soundstream", "weights": "trained", "model": {"form": "kaidams"}},
            "codecs.own.model.form: unknown form 'kaidams'; did you mean 'kaiidams'",
        ),
        (
            {"wrapper": "passthrough", "sources": {"X1": {"quantizers": 2}}},
            "codecs.own.sources.X1.quantizers: 2, but passthrough with these settings has 1",
        ),
        (
            {
                "wrapper": "encodec",
                "weights": "trained",
                "model": {"num_quantizers": 4},
                "sources": {"X1": {"quantizers": 64}},
            },
            "codecs.own.sources.X1.quantizers: 64, but encodec with these settings has 4",
        ),
        (
            {"wrapper": "lyra", "weights": {"official": "lyra"}, "sources": {"X1": {"quantizers": 47}}},
            "codecs.own.sources.X1.quantizers: 47, but lyra with these settings has 46",
        ),
        (
            {
                "wrapper": "academicodec",
                "weights": "trained",
                "model": {"groups": 1},
                "sources": {"X1": {"quantizers": 3}},
            },
            "codecs.own.sources.X1.quantizers: 3, but academicodec with these settings has 2",
        ),
        (
            {"wrapper": "dac", "weights": "trained", "sources": {"X1": {"quantizers": 10}}},
            "codecs.own.sources.X1.quantizers: 10, but dac with these settings has 9",
        ),
        ({"wrapper": "lyra", "weights": "trained"}, "codecs.own.weights: trained, but lyra cannot be trained here"),
        ({"wrapper": "dac"}, "codecs.own.weights: none, but dac cannot work without weights"),
        ({"wrapper": "passthrough", "weights": "trained"}, "codecs.own.weights: passthrough has no weights"),
        ({"wrapper": "passthrough", "weights": {"local": "x"}}, "codecs.own.weights: passthrough has no weights"),
        (
            {"wrapper": "dac", "weights": {"official": "dac_48khz"}},
            "codecs.own.weights.official: unknown checkpoint 'dac_48khz'; did you mean 'dac_44khz'",
        ),
        (
            {"wrapper": "dac", "weights": {"official": "encodec_24khz"}},
            "codecs.own.weights.official: encodec_24khz has weights of encodec, not of dac",
        ),
        (
            {"wrapper": "dac", "weights": {"official": "dac_44khz"}, "model": {"sample_rate": 24000}},
            "codecs.own.model.sample_rate: 24000; dac_44khz needs 44100",
        ),
        (
            {"wrapper": "dac", "weights": {"shipped": "dac-smal"}},
            "codecs.own.weights.shipped: unknown shipped weights 'dac-smal'",
        ),
        (
            {"wrapper": "dac", "weights": {"shipped": "audiodec-small"}},
            "codecs.own.weights.shipped: audiodec-small has weights of audiodec, not of dac",
        ),
        (
            {"wrapper": "audiodec", "weights": {"shipped": "audiodec-small"}, "model": {"channels": 4}},
            "codecs.own.model.channels: 4; audiodec-small needs 8",
        ),
        (
            {"wrapper": "audiodec", "weights": "trained", "training": {"start_from": "trained"}},
            "codecs.own.training.start_from: trained, but training of audiodec can only start from weights: shipped, ",
        ),
        (
            {"wrapper": "audiodec", "weights": "trained", "training": {"start_from": {"shiped": "audiodec-small"}}},
            "codecs.own.training.start_from: {'shiped': 'audiodec-small'} is not one of",
        ),
        (
            {"wrapper": "dac", "weights": {"official": "dac_44khz"}, "training": {"start_from": {"local": "x"}}},
            "codecs.own.training.start_from: only training starts from weights, and these are official; remove it",
        ),
        (
            {"wrapper": "dac", "weights": "trained", "training": {"changes": {"stepps": 3}}},
            "codecs.own.training.changes: unknown setting 'stepps'",
        ),
        (
            {"wrapper": "dac", "weights": "trained", "training": {"recipe": "dca"}},
            "codecs.own.training.recipe: unknown recipe 'dca'; did you mean 'dac'",
        ),
        (
            {"wrapper": "dac", "weights": "trained", "training": {"changes": {"discriminators": {"peroids": {}}}}},
            "codecs.own.training.changes.discriminators: unknown discriminator 'peroids'; did you",
        ),
        ({"wrapper": "passthrough", "keep_gain": True}, "codecs.own.keep_gain: without `gain` there is no level"),
    ],
)  # fmt: skip
def test_a_fault_of_a_codec_is_told_when_the_experiment_is_read(
    codec: dict[str, Any], message: str, folder: Path
) -> None:
    faults = faults_of(folder, codec)
    assert re.search(rf"own\.yaml:\d+: {re.escape(message)}", faults)
    assert len(faults.splitlines()) == 1


def test_all_faults_are_told_at_once_each_on_a_line_of_its_own(folder: Path) -> None:
    codec = {
        "wrapper": "encodec",
        "weights": "none",
        "keep_gain": True,
        "sources": {"X1": {"quantizers": 33}, "X2": {"quantizers": 40}, "X3": {"same_as": "X4"}},
    }
    places = [line.split(": ")[1] for line in faults_of(folder, codec).splitlines()]
    assert places == [
        "codecs.own.sources.X3.same_as",
        "codecs.own.sources.X1.quantizers",
        "codecs.own.sources.X2.quantizers",
        "codecs.own.weights",
        "codecs.own.keep_gain",
    ]


def test_settings_are_checked_where_neither_torch_nor_a_codec_is_installed() -> None:
    blocked = "torch", "encodec", "dac", "funcodec", "speechtokenizer", "ai_edge_litert"
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r})); from pathlib import Path; "
        f"from codecfake.experiment import reading, codec_table; reading.load(Path({str(TINY)!r})); "
        f"print(len(codec_table.rows(codec_table.path_of('xie2025'))))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 14


# Of codecs outside the package

MODULE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class OwnSettings:
    width: int = 4
    num_quantizers: int = 8

def build(settings: OwnSettings): ...
def load(settings, weights): ...
def plain(settings): ...
"""


@pytest.mark.parametrize(
    ("codec", "entry", "message"),
    [
        ({"wrapper": "own.py:build"}, "", ""),
        ({"wrapper": "own.py:plain", "model": {"anything": 1}}, "", ""),
        ({"wrapper": "own.py:build", "weights": {"local": "x"}}, "", ""),
        ({"wrapper": "own.py:biuld"}, "", "codecs.own.wrapper: own.py:biuld: unknown name in "),
        ({"wrapper": "other.py:build"}, "", "codecs.own.wrapper: other.py:build: there is no file "),
        (
            {"wrapper": "own.py:build", "model": {"widht": 1}},
            "",
            "codecs.own.model: unknown setting 'widht'",
        ),
        (
            {"wrapper": "own.py:build", "sources": {"X1": {"quantizers": 9}}},
            "",
            "codecs.own.sources.X1.quantizers: 9, but own.py:build with these settings has 8",
        ),
        (
            {"wrapper": "own.py:plain", "sources": {"X1": {"quantizers": 9}}},
            "ENTRY = {'num_quantizers': 3}",
            "codecs.own.sources.X1.quantizers: 9, but own.py:plain with these settings has 3",
        ),
        ({"wrapper": "own.py:plain", "model": {"a": 1}}, "ENTRY = {'settings': 'OwnSettings'}", "own.model: unknown"),
        ({"wrapper": "own.py:plain"}, "ENTRY = {'settings': 'Other'}", "own.py:plain: ENTRY: settings: "),
        ({"wrapper": "own.py:build"}, "ENTRY = {'lisence': 'MIT'}", "own.py:build: ENTRY: unknown"),
        ({"wrapper": "own.py:build"}, "ENTRY = 'MIT'", "ENTRY is 'MIT'; make it a mapping"),
        ({"wrapper": "own.py:build"}, "ENTRY = {'environment': 'none.yaml'}", "own.py:build: ENTRY: environment: "),
        ({"wrapper": "own.py:build", "weights": "trained"}, "", "codecs.own.weights: trained, but own.py:build cannot"),
        ({"wrapper": "own.py:build", "weights": {"official": "lyra"}}, "", "own.weights: official, but the weights"),
        ({"wrapper": "own.py:build", "weights": {"local": "x"}}, "load = None", "own.weights: local, but the module"),
    ],
)  # fmt: skip
def test_a_codec_outside_the_package_is_checked_as_ours_are(
    codec: dict[str, Any], entry: str, message: str, folder: Path
) -> None:
    (folder / "own.py").write_text(f"{MODULE}\n{entry}\n")
    faults = faults_of(folder, codec)
    assert message in faults
    assert len(faults.splitlines()) == bool(message)


def test_a_recipe_is_named_for_a_codec_outside_the_package_that_is_trained() -> None:
    with pytest.raises(ValueError, match="recipe: own.py:build has no published one; choose from plain, "):
        CodecTrainingSettings("own", "own.py:build", ["voices"]).resolved()
    assert CodecTrainingSettings("own", "own.py:build", ["voices"], "plain").resolved().batch_size == 64


# Licenses


def test_a_permissive_experiment_refuses_restricted_and_unlicensed_weights_by_name() -> None:
    fault = license_fault(replace(load("xie2025-official"), license="permissive"))
    assert fault.startswith("license: permissive refuses ")
    for name in (
        "audiodec (code: CC-BY-NC-4.0), audiodec (weights: CC-BY-NC-4.0)",
        "encodec (weights: unstated)",
        "academicodec (code: unstated)",
        "speechtokenizer (weights: unstated)",
    ):
        assert name in fault
    assert "dac (" not in fault
    assert "Train these codecs" in fault


def test_a_codec_outside_the_package_has_the_license_of_its_entry_or_none(folder: Path) -> None:
    for entry, license in (("", "unstated"), ("ENTRY = {'license': 'MIT'}", "MIT")):
        module = f"own_{license.lower()}.py"
        (folder / module).write_text(f"{MODULE}\n{entry}\n")
        assert faults_of(folder, {"wrapper": f"{module}:build"}) == ""
        assert reading.load(folder / "own.yaml").license_of("own") == license


def test_codecs_trained_here_are_permissive() -> None:
    assert license_fault(replace(without_generators(load("xie2025")), license="permissive")) == ""


def test_a_permissive_experiment_refuses_generators_whose_weights_are_restricted_by_name() -> None:
    fault = license_fault(replace(load("xie2025"), license="permissive"))
    assert "permissive refuses valle (codec weights: unstated), vallex (codec weights: unstated), audiogen" in fault
    assert "audiogen (weights: CC-BY-NC-4.0)" in fault
    assert "Leave them out, or write `license: any`" in fault


def test_alternatives_that_nothing_uses_are_not_held_to_the_license() -> None:
    experiment = without_generators(load("xie2025"))
    assert experiment.codecs["soundstream-academicodec"].weights == Official("soundstream_academicodec")
    assert license_fault(replace(experiment, license="permissive")) == ""


def test_weights_of_ones_own_need_a_license_to_be_permissive() -> None:
    own = with_weights("encodec", Local("mine.safetensors"))
    assert "encodec (weights: unstated)" in license_fault(replace(own, license="permissive"))
    licensed = with_weights("encodec", Local("mine.safetensors", "MIT"))
    assert license_fault(replace(licensed, license="permissive")) == ""


@pytest.mark.parametrize(
    ("codec", "weights", "line"),
    [
        ("dac", Official("dac_44khz"), "MIT"),
        ("encodec", Official("encodec_24khz"), "code MIT, weights unstated"),
        ("audiodec", Trained(), "Apache-2.0"),
    ],
)
def test_the_license_of_a_row_is_one_line(codec: str, weights: Weights, line: str) -> None:
    assert with_weights(codec, weights).license_of(codec) == line


# Weights


@pytest.mark.parametrize(
    ("value", "weights"),
    [
        ("trained", Trained()),
        ("none", NoWeights()),
        ({"official": "dac_44khz"}, Official("dac_44khz")),
        ({"shipped": "dac-small"}, Shipped("dac-small")),
        ({"local": "a.safetensors"}, Local("a.safetensors", "unstated")),
        ({"local": "a.safetensors", "license": "MIT"}, Local("a.safetensors", "MIT")),
    ],
)
def test_weights_are_read_from_what_an_experiment_writes(value: Any, weights: Weights) -> None:
    assert Weights.from_plain(value) == weights


@pytest.mark.parametrize(
    "value", ["traind", None, {}, {"official": ""}, {"official": "a", "license": "MIT"}, {"local": 3}]
)
def test_anything_else_is_no_weights(value: Any) -> None:
    with pytest.raises(
        ValueError,
        match=r"is not one of trained, none, \{shipped: NAME\}, \{official: CHECKPOINT\}, \{hub: OWNER",
    ):
        Weights.from_plain(value)


def test_weights_say_what_a_job_waits_for_and_what_it_loads(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/b").touch()
    (tmp_path / "folder/a").touch()
    for weights, inputs, path in (
        (NoWeights(), [], None),
        (Trained(), ["results/codecs/x/weights.safetensors"], "results/codecs/x/weights.safetensors"),
        (Official("lyra"), ["results/weights/lyra/provenance.json"], "results/weights/lyra"),
        (Local("one"), [f"{tmp_path}/one"], f"{tmp_path}/one"),
        (Local("folder"), [f"{tmp_path}/folder/a", f"{tmp_path}/folder/b"], f"{tmp_path}/folder"),
    ):
        assert weights.inputs("x", tmp_path) == inputs
        assert weights.path("x", tmp_path) == (None if path is None else Path(path))


def test_weights_that_are_trained_further_keep_the_license_that_they_had() -> None:
    experiment = load("demo")
    start = {"local": "x.safetensors", "license": "CC-BY-NC-4.0"}
    codecs = experiment.codecs | {"encodec": replace(experiment.codecs["encodec"], training={"start_from": start})}
    own = replace(experiment, codecs=codecs, license="permissive")
    assert own.licenses_of("encodec")["weights"] == "CC-BY-NC-4.0"
    fault = license_fault(own)
    assert fault is not None
    assert "encodec (weights: CC-BY-NC-4.0)" in str(fault)
