"""Generated corpora in an experiment: what replaces them, what they need, and every fault before the first job."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from places import ROOT

from codecfake.base.validation import ConfigurationError
from codecfake.experiment import generators, licenses, reading, site
from codecfake.experiment.schema import Experiment
from codecfake.protocols.prompts import PromptRule

SMALL = ROOT / "tests/experiments/generated.yaml"


def based_on_small(folder: Path, **sections: Any) -> Path:
    """An experiment that differs from the small one in some sections."""
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"based_on": str(SMALL), "title": "Mine", **sections}), encoding="utf-8")
    for module in ("toy_speech.py", "toy_sounds.py"):
        (folder / module).write_bytes((SMALL.parent / module).read_bytes())
    return path


def with_generation(folder: Path, corpus: str = "valle", **changes: Any) -> Path:
    return based_on_small(folder, corpora={corpus: {"generation": changes}})


def run(experiment: Path, corpora: dict[str, str], **config: Any) -> Experiment:
    return site.read({"experiment": str(experiment), "corpora": corpora, **config}, ROOT).experiment


@pytest.fixture
def audiocaps(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "audiocaps/audio").mkdir(parents=True)
    return {"audiocaps": str(tmp_path / "audiocaps")}


def test_fakes_are_generated_where_the_corpora_of_their_texts_are_there(audiocaps: dict[str, str]) -> None:
    assert list(run(SMALL, audiocaps).generated()) == ["valle", "vallex", "audiogen"]


def test_without_the_corpus_of_its_captions_a_corpus_is_left_out_and_this_is_said() -> None:
    here = run(SMALL, {})
    assert list(here.generated()) == ["valle", "vallex"]
    assert here.not_run == {
        "A3": "corpus audiogen has no root in config.yaml, and audiocaps, which has its texts, has none either"
    }


def test_a_folder_replaces_a_generator(tmp_path: Path, audiocaps: dict[str, str]) -> None:
    (tmp_path / "fakes").mkdir()
    here = run(SMALL, {**audiocaps, "valle": str(tmp_path / "fakes")})
    assert list(here.generated()) == ["vallex", "audiogen"]
    assert "A1" in here.conditions and here.corpora["valle"].options["prefix"] == "A1_"


@pytest.mark.parametrize(("generate", "corpora"), [(False, []), ("false", []), (["vallex"], ["vallex"])])
def test_config_yaml_can_forbid_generation(audiocaps: dict[str, str], generate: Any, corpora: list[str]) -> None:
    here = run(SMALL, audiocaps, generate=generate)
    assert list(here.generated()) == corpora
    assert here.not_run["A1"] == "corpus valle has no root in config.yaml, and `generate` there does not make it"


def test_config_yaml_names_only_corpora_that_have_a_generator() -> None:
    with pytest.raises(
        ConfigurationError, match="generate: unknown corpus with a generator 'vale'; did you mean 'valle'"
    ):
        run(SMALL, {}, generate=["vale"])


def test_nothing_is_generated_that_no_condition_evaluates(tmp_path: Path, audiocaps: dict[str, str]) -> None:
    mine = based_on_small(tmp_path, conditions={"A1": None})
    assert list(run(mine, audiocaps).generated()) == ["vallex", "audiogen"]


def test_the_lists_have_the_seed_of_the_experiment_or_their_own() -> None:
    experiment = reading.load(SMALL)
    lists = {name: generators.list_settings(experiment, name) for name in experiment.generated()}
    assert {name: values["seed"] for name, values in lists.items()} == {"valle": 1, "vallex": 7, "audiogen": 1}
    assert lists["valle"]["prompts"] == {"least": 0.5, "most": 20, "utterances": "all"}
    assert lists["audiogen"]["prompts"] is None
    assert lists["valle"]["published"] == 5


def test_prompts_have_3_to_10_seconds_by_default() -> None:
    assert PromptRule() == PromptRule(least=3, most=10, utterances="all")


def fault(path: Path) -> str:
    with pytest.raises(ConfigurationError) as error:
        reading.load(path)
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"generator": "vale"}, "generation.generator: unknown generator 'vale'; did you mean 'valle'?"),
        ({"generator": "nowhere:build"}, "there is no module 'nowhere'"),
        ({"generator": "valle", "model": {"dimensoin": 4}}, "generation.model: unknown setting 'dimensoin'"),
        ({"generator": "valle", "sampling": {"top_p": 2}}, "generation.sampling.top_p: 2.0 is out of range"),
        ({"texts": None}, "generation: give exactly one of texts, captions; found none"),
        ({"texts": None, "captions": {"corpus": "audiocaps"}}, "imitates a speaker, and captions have none"),
        ({"texts": {"domain": "codex"}}, "generation.texts.domain: unknown domain 'codex'; did you mean 'codec'?"),
        ({"texts": {"corpus": "vallex"}}, "generation.texts: give exactly one of domain, corpus"),
        ({"texts": {"domain": "codec", "source": "F01"}}, "texts are those of recordings, not of fakes (F01)"),
        ({"weights": "trained"}, "generation.weights: trained, but those of toy_speech:build can only be"),
        ({"generator": "valle", "weights": {"official": "dac_16khz"}}, "dac_16khz has no weights for valle"),
        ({"prompts": {"least": 30}}, "least is 30 s, more than most, 20 s; exchange them"),
        ({"generator": "valle-v2"}, "generation.model.tables: it is empty; give a folder with phones.txt"),
        (
            {"generator": "valle-v2", "model": {"tables": "nowhere"}},
            "generation.model.tables: nowhere/phones.txt: it does not exist; give a folder with phones.txt",
        ),
        ({"batch_size": 0}, "generation.batch_size: 0 is out of range"),
    ],
)
def test_faults_are_named_with_their_key_and_remedy(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    assert message in fault(with_generation(tmp_path, **changes))


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"domains": {"codec": {"corpora": ["english", "valle"]}}},
            "domains.codec.corpora: 'valle' is generated, and its texts may come from this domain",
        ),
        (
            {"codec_training": {"corpora": ["english", "valle"]}},
            "codec_training.corpora: 'valle' is generated; codecs are trained on recordings",
        ),
        ({"corpora": {"valle": {"layout": "vctk", "options": None}}}, "corpora.valle.layout: vctk, but a generated"),
        (
            {"corpora": {"audiogen": {"generation": {"captions": {"corpus": "english"}}}}},
            "corpora of layout vctk have no captions; give `texts`",
        ),
        (
            {"corpora": {"audiogen": {"generation": {"captions": {"corpus": "valle"}}}}},
            "'valle' is generated itself; name a corpus of recordings",
        ),
    ],
)
def test_generated_corpora_are_only_evaluated(tmp_path: Path, sections: dict[str, Any], message: str) -> None:
    assert message in fault(based_on_small(tmp_path, **sections))


def test_missing_weights_are_found_before_the_first_job(tmp_path: Path) -> None:
    path = with_generation(tmp_path, weights={"local": "mine.safetensors"})
    with pytest.raises(
        ConfigurationError, match=r"generation.weights: .*mine.safetensors does not exist; put the weights"
    ):
        run(path, {}, weights=str(tmp_path))


def test_a_permissive_experiment_refuses_the_weights_of_a_generator_by_name(tmp_path: Path) -> None:
    weights = {"local": "mine.safetensors", "license": "CC-BY-NC-4.0"}
    path = based_on_small(tmp_path, license="permissive", corpora={"audiogen": {"generation": {"weights": weights}}})
    (text,) = map(str, licenses.license_faults(reading.load(path)))
    assert "permissive refuses audiogen (weights: CC-BY-NC-4.0)" in text
    assert "Leave them out, or write `license: any`" in text


def test_the_license_of_a_fake_names_code_and_weights(tmp_path: Path) -> None:
    small = reading.load(SMALL)
    assert generators.license_of(small.generated()["valle"]) == "Apache-2.0"
    path = with_generation(tmp_path, weights={"local": "x", "license": "CC-BY-NC-4.0"})
    assert generators.license_of(reading.load(path).generated()["valle"]) == "code Apache-2.0, weights CC-BY-NC-4.0"
