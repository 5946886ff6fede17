"""Configuration: checked as a whole before any job, with errors that say what to write instead."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import ROOT

import codec_wrappers
from codec_wrappers.training.loop import CodecTrainingSettings
from codecfake.base.settings import build
from codecfake.base.validation import ConfigurationError
from codecfake.demo.settings import DemoSettings
from codecfake.detectors.settings import FRONT_ENDS
from codecfake.experiment import reading, released, site
from codecfake.experiment.optional_corpora import with_roots
from codecfake.training.settings import TrainSettings

DEMO = yaml.safe_load((ROOT / "experiments/demo.yaml").read_text(encoding="utf-8"))
FOUR_CORPORA = ("vctk", "aishell3", "libritts", "19la")


def changed(**changes: Any) -> dict[str, Any]:
    """The demo with values set at dotted paths, `__` for a dot; None deletes."""
    values = copy.deepcopy(DEMO)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = values
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return values


def load(tmp_path: Path, values: dict[str, Any]) -> Any:
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return reading.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speed": 1}, "unknown setting 'speed'; did you mean 'seed'? Known settings: audio, audit, averages"),
        (
            {"codecs__encodec__bitrate": 6},
            "codecs.encodec: unknown setting 'bitrate'; known settings: decoder_precision, gain, keep_gain, model",
        ),
        ({"codec_training__epochs": 3}, "codec_training: unknown setting 'epochs'; known settings: corpora, settings"),
        (
            {"codecs__encodec__training": {"epochs": 3}},
            "unknown setting 'epochs'; known settings: changes, checkpoint_every",
        ),
        (
            {"codecs__encodec__sources__F04": {"quantizers": 8, "alternative_to": "F9"}},
            "codecs.encodec.sources.F04.alternative_to: unknown source 'F9'",
        ),
        (
            {"codecs__encodec__training": {}, "codecs__encodec__keep_gain": True},
            "keep_gain: without `gain` there is no level",
        ),
        (
            {"domains__codec__keep": ["vocoder"]},
            "domains.codec.keep: unknown corpus 'vocoder'; choose from english, mandarin",
        ),
        ({"strategies": {"sam": {"radius": 1}}}, "strategies.sam: unknown setting 'radius'"),
        (
            {"models": [{"detectors": ["mel-lcnn"], "training_sets": ["codec"], "strategies": ["csam"]}]},
            "csam mixes domains, but training set 'codec' has one; give it another domain, or use sam",
        ),
        ({"license": "free"}, "license: unknown value 'free'; choose from any, permissive"),
        (
            {"domains__codec__split": {"by": "listed", "dev_speakers": ["p1"]}},
            "dev_speakers and eval_speakers need",
        ),
        (
            {"domains__codec__split": {"by": "speaker", "dev_speakers": ["p1"], "eval_speakers": ["p2"]}},
            "dev_speakers and eval_speakers need",
        ),
        ({"codecs__encodec__wrapper": "opus"}, "codecs.encodec.wrapper: unknown codec 'opus'; choose from passthrough"),
        ({"corpora__english__shards": 0}, "corpora.english.shards: 0 is out of range; it must be at least 1"),
        ({"corpora__english__options": {"mic": 1}}, "corpora.english.options: unknown setting 'mic'"),
        ({"codecs__encodec__sources__F04": {}}, "codecs.encodec.sources.F04: give exactly one of quantizers, same_as"),
        ({"codecs__encodec__sources__F01": {"quantizers": 2}}, "'F01' is already a source of soundstream"),
        ({"codecs__encodec__sources__F00": {"quantizers": 2}}, "'F00' is already the recordings themselves"),
        (
            {"codecs__encodec__sources__native": {"quantizers": 2}},
            "'native' is already the recordings at their own rate",
        ),
        (
            {"domains__eval": {"corpora": ["english"], "split": {"by": "speaker"}}},
            "'eval' is a folder of other protocols",
        ),
        ({"domains__exports": {"corpora": ["english"], "split": {"by": "speaker"}}}, "'exports' is a folder of other"),
        (
            {"conditions__pooled": {"bonafide": {"domain": "codec"}, "spoof": {"domain": "codec", "source": "F01"}}},
            "conditions.pooled: 'pooled' is a column of tables across conditions",
        ),
        ({"corpora__num_seeds": {"layout": "vctk"}}, "corpora.num_seeds: 'num_seeds' is a column of tables across"),
        ({"codecs__funcodec__sources__C3-3": {"same_as": "F04"}}, "'F04' is not a source that funcodec generates"),
        ({"codec_training": None}, "weights: trained, but the experiment has no codec_training section"),
        ({"codecs__dac__weights": "none"}, "codecs.dac.weights: none, but dac cannot work without weights"),
        ({"codecs__dac__wrapper": "passthrough"}, "passthrough has no weights; write `weights: none`"),
        ({"codecs__dac__wrapper": "lyra", "codecs__dac__weights": "trained"}, "lyra cannot be trained here"),
        (
            {"domains__codec__corpora": ["english", "french"]},
            "domains.codec.corpora: unknown corpus 'french'; choose from english",
        ),
        (
            {"domains__codec__sources": ["F01", "F08"]},
            "domains.codec.sources: unknown source 'F08'; did you mean 'F07'? Choose from F01",
        ),
        ({"domains__codec__split": {"by": "speaker", "dev": 0.5, "eval": 0.5}}, "nothing is left to train on"),
        (
            {"conditions__C1__spoof": {"domain": "codex", "source": "F01"}},
            "conditions.C1.spoof.domain: unknown domain 'codex'; did you mean 'codec'? Choose",
        ),
        ({"conditions__C1__spoof": {"source": "F01"}}, "give exactly one of domain, corpus"),
        ({"conditions__C1__bonafide": {"domain": "codec", "source": "F02"}}, "bona fide speech is F00"),
        ({"averages__C1-C6": ["C1", "C9"]}, "averages.C1-C6: unknown condition 'C9'; choose from C1"),
        (
            {"training_sets__codec__domains": ["speech"]},
            "training_sets.codec.domains: unknown domain 'speech'; choose from codec, vocoder",
        ),
        (
            {"models": [{"detectors": ["cnn"], "training_sets": ["codec"]}]},
            "models.0.detectors: unknown detector 'cnn'; choose from mel-lcnn",
        ),
        (
            {
                "domains__F07": {"corpora": ["english"], "split": {"by": "speaker"}, "sources": ["F07"]},
                "training_sets__codec__domains": ["codec", "vocoder", "F07"],
            },
            "training_sets.codec.domains: codec and F07 have the same recordings from english; make one domain with",
        ),
    ],
)
def test_a_fault_in_an_experiment_is_named_with_its_remedy(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(tmp_path, changed(**changes))
    assert message in str(error.value)


def test_broken_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "experiment.yaml").write_text("title: [\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="experiment.yaml:2: not valid YAML"):
        reading.load(tmp_path / "experiment.yaml")


def roots(tmp_path: Path, *names: str) -> dict[str, str | None]:
    for name in names:
        (tmp_path / name).mkdir()
    return {name: str(tmp_path / name) for name in names}


def test_the_full_plan_is_valid_with_the_roots_of_four_corpora(tmp_path: Path) -> None:
    here = site.read({"experiment": "xie2025", "corpora": roots(tmp_path, *FOUR_CORPORA)}, ROOT)
    assert list(here.experiment.corpora) == [*FOUR_CORPORA, "valle", "vallex"]  # the latter are generated
    assert set(here.experiment.not_run) == {"A3", "ITW"}
    assert here.experiment.not_run["ITW"] == "corpus itw has no root in config.yaml"


def test_a_corpus_that_an_experiment_needs_and_does_not_find_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"corpora: no root for aishell3; add its folder.*layout: aishell3"):
        site.read({"experiment": "xie2025", "corpora": roots(tmp_path, "vctk", "libritts", "19la")}, ROOT)


def test_a_root_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    folders = {**roots(tmp_path, "aishell3", "libritts", "19la"), "vctk": str(tmp_path / "nowhere")}
    with pytest.raises(ConfigurationError, match=r"corpora.vctk: .*nowhere is not a folder"):
        site.read({"experiment": "xie2025", "corpora": folders}, ROOT)


def test_roots_of_other_layouts_are_errors_before_the_first_job_all_at_once_with_the_folders_to_name(
    tmp_path: Path,
) -> None:
    folders = roots(tmp_path, *FOUR_CORPORA)
    (tmp_path / "vctk/VCTK-Corpus-0.92/wav48_silence_trimmed").mkdir(parents=True)
    (tmp_path / "aishell3/data").mkdir()
    (tmp_path / "libritts/.DS_Store").touch()  # as good as empty: its corpus may still come
    with pytest.raises(ConfigurationError) as error:
        site.read({"experiment": "xie2025", "corpora": folders}, ROOT)
    first, second = str(error.value).splitlines()
    assert "corpora.vctk: " in first
    assert first.endswith(f"set the corpus's root to {tmp_path / 'vctk/VCTK-Corpus-0.92'}")
    assert "corpora.aishell3: " in second
    assert "none of train/wav, test/wav exists" in second


def test_weights_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    values = changed(codecs__audiodec__weights={"local": "audiodec.safetensors"})
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match=r"codecs.audiodec.weights: .*dec.safetensors does not exist; put the weigh"
    ):
        site.read({"experiment": str(path), "weights": str(tmp_path)}, ROOT)


def layered(tmp_path: Path, **files: dict[str, Any]) -> dict[str, Any]:
    for name, values in files.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return reading.read(tmp_path / "top.yaml")


def test_an_experiment_says_only_what_differs_from_the_one_it_is_based_on(tmp_path: Path) -> None:
    base = {"title": "base", "seed": 1, "codecs": {"dac": {"weights": "trained", "gain": "rms"}}, "notes": ["a", "b"]}
    top = {"based_on": "base", "title": "top", "codecs": {"dac": {"weights": "none", "gain": None}}, "notes": ["c"]}
    assert layered(tmp_path, base=base, top=top) == {
        "title": "top",
        "seed": 1,
        "codecs": {"dac": {"weights": "none"}},
        "notes": ["c"],
    }


def test_experiments_based_on_each_other_in_a_circle_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"based_on is circular: it leads back to .*top.yaml"):
        layered(tmp_path, base={"based_on": "top"}, top={"based_on": "base"})


def test_published_weights_take_the_place_of_training_in_the_plan_that_is_based_on_the_full_one() -> None:
    trained = reading.load(ROOT / "experiments/xie2025.yaml")
    official = reading.load(ROOT / "experiments/xie2025-official.yaml")
    of_generators = {"valle_librilight_6k", "vallex", "audiogen_medium", "encodec_24khz"}
    assert set(trained.checkpoints_run()) == of_generators
    assert len(official.codecs_run()) == 7
    assert {official.codecs[codec].weights.label for codec in official.codecs_run()} | of_generators == set(
        official.checkpoints_run()
    )
    assert not any(official.is_trained(codec) for codec in official.codecs_run())
    assert official.conditions == trained.conditions


def test_an_unknown_experiment_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"unknown experiment 'dmeo'; did you mean 'demo'\? Choose from codecs2026, crossdata, demo",
    ):
        site.read({"experiment": "dmeo"}, ROOT)


def test_an_unknown_key_of_the_site_is_an_error() -> None:
    with pytest.raises(
        ConfigurationError, match="config.yaml: unknown setting 'gpus'; known settings: check_disk, container, corpora"
    ):
        site.read({"experiment": "demo", "gpus": 2}, ROOT)


def test_results_of_one_experiment_are_not_overwritten_by_another(tmp_path: Path) -> None:
    site.claim_run_directory("one", tmp_path / "results")
    site.check_run_directory("one", tmp_path / "results")
    with pytest.raises(ConfigurationError, match=r"holds the results of another experiment \(one\)"):
        site.check_run_directory("two", tmp_path / "results")


@pytest.mark.parametrize("name", ["{1}", "a}b"])
def test_a_run_directory_with_braces_in_its_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"braces in the path of a run directory .*--directory runs/NAME"):
        site.check_run_directory("one", tmp_path / name / "results")


def test_a_condition_without_its_optional_corpus_is_left_out_and_named(tmp_path: Path) -> None:
    values = changed(corpora__itw={"layout": "in_the_wild", "optional": True})
    values["conditions"]["ITW"] = {"bonafide": {"corpus": "itw"}, "spoof": {"corpus": "itw"}}
    experiment = load(tmp_path, values)
    assert "ITW" not in with_roots(experiment, {}).conditions
    assert "ITW" in with_roots(experiment, {"itw": "/data/itw"}).conditions


def test_an_alias_shares_the_audio_of_its_source() -> None:
    experiment = reading.load(ROOT / "experiments/demo.yaml")
    assert experiment.aliases() == {"C3-4": "F03"}
    assert experiment.audio_of_condition("C3-4") == experiment.audio_of_condition("C3")
    assert ("english", "C3-4") not in experiment.all_audio()


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "experiments").glob("*.yaml")))
def test_every_step_understands_the_settings_that_a_shipped_experiment_gives_it(name: str) -> None:
    experiment = reading.load(ROOT / f"experiments/{name}.yaml")
    for model in released.trained_names(experiment):
        detector, training_set, strategy, seed = model.split("/")
        settings = experiment.train_settings(detector, training_set, strategy, int(seed.removeprefix("seed")))
        assert build(TrainSettings, settings).complete()["detector"]["front_end"]["name"] in FRONT_ENDS
    assert build(DemoSettings, experiment.demo).seed == 1
    for codec in experiment.codecs.values():
        assert codec.wrapper in codec_wrappers.names()
    for codec in filter(experiment.is_trained, experiment.codecs):
        assert build(CodecTrainingSettings, experiment.codec_training_settings(codec)).codec == codec
