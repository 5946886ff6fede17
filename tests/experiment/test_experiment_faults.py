"""All that is wrong in an experiment is one message before the first job: file, line, key and remedy. No torch."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import EXPERIMENTS, ROOT

from codecfake.base.validation import ConfigurationError
from codecfake.experiment import reading, trainings

MEL, LCNN = {"name": "mel"}, {"name": "lcnn"}

# what an experiment based on the demo writes -> what is said of it
FAULTS: list[tuple[dict[str, Any], str]] = [
    # parts of detectors
    (
        {"detectors": {"d": {"front_end": MEL, "back_end": {"name": "lccn"}}}},
        "detectors.d.back_end.name: unknown back-end 'lccn'; did you mean 'lcnn'? Choose from lcnn, aasist",
    ),
    (
        {"detectors": {"d": {"front_end": {"name": "wavln"}, "back_end": LCNN}}},
        "detectors.d.front_end.name: unknown front-end 'wavln'; did you mean 'wavlm'?",
    ),
    (
        {"detectors": {"d": {"front_end": MEL, "back_end": {"name": "lcnn", "widht": 0.1}}}},
        "detectors.d.back_end: unknown setting 'widht'; did you mean 'width'? Known settings: head, width",
    ),
    (
        {"detectors": {"d": {"front_end": MEL, "back_end": {"name": "lcnn", "width": "wide"}}}},
        "detectors.d.back_end.width: expected a number, found 'wide'",
    ),
    ({"detectors": {"d": {"front_end": {}, "back_end": LCNN}}}, "detectors.d.front_end: setting 'name' is missing"),
    ({"detectors": {"d": {"front_end": MEL}}}, "detectors.d: setting 'back_end' is missing"),
    (
        {"detectors": {"d": {"front_end": {"name": "hubert", "weights": "included"}, "back_end": LCNN}}},
        "detectors.d.front_end.weights: 'included' is for model folders that contain their front-end; give a folder",
    ),
    (
        {"detectors": {"d": {"front_end": {"name": "hubert", "weights": "random", "layers": "all"}, "back_end": LCNN}}},
        "detectors.d.back_end: lcnn takes one layer, but the front-end gives several; set `aggregation`",
    ),
    # training
    (
        {"training": {"btach_size": 3}},
        "training: unknown setting 'btach_size'; did you mean 'batch_size'? Known settings: augmentation, batch_size",
    ),
    ({"training": {"epochs": 3}}, "training: unknown setting 'epochs'; known settings: augmentation"),
    ({"training": {"schedule": "cosin"}}, "training.schedule: unknown schedule 'cosin'; did you mean 'cosine'?"),
    ({"training": {"batch_size": 0}}, "training.batch_size: 0 is out of range; it must be at least 1"),
    (
        {"training": {"augmentation": [{"name": "spede"}]}},
        "training.augmentation.0: unknown augmentation 'spede'; did you mean 'speed'?",
    ),
    (
        {"training": {"augmentation": [{"name": "speed", "settings": {"min_faktor": 1}}]}},
        "training.augmentation.0.settings: unknown setting 'min_faktor'; did you mean 'min_factor'?",
    ),
    (
        {"training": {"augmentation": [{"name": "speed"}]}},
        "training.cache_features: memory, but train clips are cropped or augmented differently in every epoch",
    ),
    (
        {"training_sets": {"codec": {"settings": {"select": "dev_los"}}}},
        "training_sets.codec.settings.select: unknown select 'dev_los'; did you mean 'dev_loss'?",
    ),
    ({"training_sets": {"codec": {"epochs": 0}}}, "training_sets.codec.epochs: 0 is out of range"),
    # fine-tuning, and where a detector's training differs
    (
        {"training": {"fine_tuning": {"train": "top 3", "warm_up": 5}}},
        "training.fine_tuning: unknown setting 'warm_up'; did you mean 'warmup'?",
    ),
    (
        {"training": {"fine_tuning": {"train": "all"}}},
        "training.fine_tuning.train: 'all' of the front-end mel: it has no weights to train; use wav2vec2",
    ),
    (
        {"detector_training": {"wavlm-aasist": {"fine_tuning": {"train": "all"}, "cache_features": True}}},
        "cache_features: memory, but fine-tuning changes the front-end and so its features; set it to none",
    ),
    (
        {"detector_training": {"wavlm-aasist": {"fine_tuning": {"train": "top 9"}, "cache_features": False}}},
        "detector_training.wavlm-aasist.fine_tuning.train: 'top 9' of",
    ),
    ({"detector_training": {"mel-lcn": {"patience": 2}}}, "detector_training: unknown detector 'mel-lcn'; did you"),
    ({"detector_training": {"mel-lcnn": {"epochs": 2}}}, "detector_training.mel-lcnn: unknown setting 'epochs'"),
    ({"detector_training": {"mel-lcnn": {"patience": -2}}}, "detector_training.mel-lcnn.patience: -2 is out of range"),
    # samplers
    (
        {"strategies": {"mine": {"sampler": "weighted"}}},
        "strategies.mine.sampler_settings: setting 'weights' is missing; a value is needed",
    ),
    (
        {"strategies": {"mine": {"sampler": "shuffled", "sampler_settings": {"weights": {}}}}},
        "strategies.mine.sampler_settings: unknown setting 'weights'; known settings: none",
    ),
    (
        {"strategies": {"mine": {"sampler": "weighted", "sampler_settings": {"weights": {"codec": 0}}}}},
        "strategies.mine.sampler_settings.weights.codec: 0.0 is out of range; it must be more than 0",
    ),
    (
        {
            "strategies": {"mine": {"sampler": "weighted", "sampler_settings": {"weights": {"codecs": 1}}}},
            "models": [{"detectors": ["mel-lcnn"], "training_sets": ["codec"], "strategies": ["mine"]}],
        },
        "strategies.mine.sampler_settings.weights: unknown domain 'codecs'; did you mean 'codec'?",
    ),
    # strategies
    ({"strategies": {"sam": {"rhoo": 1}}}, "strategies.sam: unknown setting 'rhoo'; did you mean 'rho'?"),
    ({"strategies": {"sam": {"rho": -1}}}, "strategies.sam: rho is -1.0; it must be at least 0"),
    ({"strategies": {"sam": {"sampler": "balanced"}}}, "strategies.sam: sam is a strategy of the package"),
    ({"strategies": {"mine": {"sampler": "balanced", "rho": 1}}}, "strategies.mine: unknown setting 'rho'"),
    ({"strategies": {"mine": {"rho": 1}}}, "strategies: unknown strategy 'mine'; choose from erm, sam, asam"),
    ({"strategies": {"smam": {}}}, "strategies: unknown strategy 'smam'; did you mean 'sam'?"),
    (
        {"models": [{"detectors": ["mel-lcnn"], "training_sets": ["codec"], "strategies": ["erms"]}]},
        "models.0.strategies: unknown strategy 'erms'; did you mean 'erm'?",
    ),
    # corpora, the demo, quality, the audit
    ({"corpora": {"x": {"layout": "vctkk"}}}, "corpora.x.layout: unknown layout 'vctkk'; did you mean 'vctk'?"),
    (
        {"corpora": {"x": {"layout": "vctk", "options": {"microphone": "mic1"}}}},
        "corpora.x.options: unknown setting 'microphone'; did you mean 'microphones'?",
    ),
    (
        {"corpora": {"x": {"layout": "vctk", "options": {"microphones": "mic1"}}}},
        "corpora.x.options.microphones: expected a list, found 'mic1'; write it in brackets: ['mic1']",
    ),
    ({"corpora": {"x": {"layout": "vctk", "size": {"hours": 0}}}}, "corpora.x.size.hours: 0.0 is out of range"),
    ({"demo": {"english_speakers": 99}}, "demo.english_speakers: 99 is out of range; it can be 1 to 40"),
    ({"demo": {"english": 1}}, "demo: unknown setting 'english'"),
    ({"quality": {"utterances": 0}}, "quality.utterances: 0 is out of range; it must be at least 1"),
    ({"audit": {"exempt": {"rmss": "why"}}}, "audit.exempt: unknown feature 'rmss'; did you mean 'rms'?"),
    ({"audit": {"exempt": {"rms": " "}}}, "audit.exempt.rms: give a reason"),
    ({"audit": {"exempt": {"F1/rms": "why"}}}, "audit.exempt: unknown source 'F1'; did you mean 'F01'?"),
    ({"audit": {"exempt": {"F01+noise_20/rms": "why"}}}, "audit.exempt: unknown source 'F01+noise_20'"),
    ({"audit": {"max_shortcut_auc": 0.4}}, "audit.max_shortcut_auc: 0.4 is out of range; 0.5 (chance) to 1"),
    # the wrong type, with the right spelling
    ({"seed": "one"}, "seed: expected a whole number, found 'one'"),
    ({"seed": "1"}, "seed: expected a whole number, found '1'; write 1"),
    ({"corpora": {"english": {"shards": 2.0}}}, "corpora.english.shards: expected a whole number, found 2.0; write 2"),
    (
        {"corpora": {"english": {"optional": "yes please"}}},
        "corpora.english.optional: expected true or false, found 'yes please'; write true or false",
    ),
    ({"title": 2025}, 'title: expected text, found 2025; write it in quotes: "2025"'),
    ({"domains": {"codec": {"sources": []}}}, "domains.codec.sources: it is empty; give one or more"),
    ({"domains": {"codec": {"sources": ["F01", "F01"]}}}, "domains.codec.sources: 'F01' is listed twice"),
    ({"domains": {"codec": {"split": {"by": "speakers"}}}}, "split.by: unknown value 'speakers'; did you mean"),
    ({"conditions": {"C 1": {}}}, "conditions: 'C 1' is not a name: letters, digits, _ and -"),
    # empty sections, and lists where mappings belong
    ({"models": []}, "mine.yaml:2: models: it is empty; give one or more"),
    ({"models": None}, "mine.yaml:2: setting 'models' is missing; a value is needed"),
    ({"title": None}, "mine.yaml:2: setting 'title' is missing; a value is needed"),
    ({"title": ""}, "title: it is empty; give a text"),
    ({"codecs": ["encodec"]}, "codecs: expected a mapping, found ['encodec']; write `key: value` for each entry"),
    ({"models": {"detectors": ["a"]}}, "models: expected a list, found {'detectors': ['a']}; begin each item with"),
    (
        {"models": ["mel-lcnn"]},
        "models.0: expected a mapping of settings, found 'mel-lcnn'; known settings: detectors, training_sets",
    ),
    ({"detectors": {"d": {"front_end": "mel", "back_end": LCNN}}}, "detectors.d.front_end: expected a mapping, found"),
    ({"audio": 16000}, "audio: expected a mapping of settings, found 16000; known settings: sample_rate"),
    ({"audit": True}, "audit: expected a mapping of settings, found true; known settings: max_shortcut_auc"),
    ({"conditions": {"C1": ["a"]}}, "conditions.C1: expected a mapping of settings, found ['a']; known settings: bona"),
    ({"averages": {"A": []}}, "averages.A: it is empty; give one or more"),
    ({"strategies": ["sam"]}, "strategies: expected a mapping, found ['sam']"),
    ({"strategies": {"sam": 0.1}}, "strategies.sam: expected a mapping, found 0.1"),
    # numbers that no job could use
    ({"seed": -1}, "seed: -1 is out of range; it must be at least 0"),
    ({"audio": {"sample_rate": "16 kHz"}}, "audio.sample_rate: expected a whole number, found '16 kHz'"),
    # codecs
    ({"codecs": {"encodec": {"weights": "oficial"}}}, "codecs.encodec.weights: 'oficial' is not one of trained, none"),
    ({"codecs": {"encodec": {"gain": "loud"}}}, "codecs.encodec.gain: unknown value 'loud'; choose from none, rms"),
    ({"codecs": {"encodec": {"model": {"n_filters": -4}}}}, "codecs.encodec.model.n_filters: -4 is out of range"),
    ({"codec_training": {"settings": {"changes": 3}}}, "codec_training.settings.changes: expected a mapping, found 3"),
    (
        {"codec_training": {"settings": {"changes": {"stps": 1}}}},
        "codec_training.settings.changes: unknown setting 'stps'; did you mean 'steps'?",
    ),
    ({"codec_training": {"settings": {"recipe": "encodc"}}}, "codec_training.settings.recipe: unknown recipe 'encodc'"),
    # what it is based on
    ({"based_on": "nowhere.yaml"}, "mine.yaml:1: based_on: there is no file {folder}/nowhere.yaml; correct the path"),
    ({"based_on": ["demo"]}, "mine.yaml:1: based_on: expected the name of an experiment, found ['demo']"),
    (
        {"detectors": {"mel-lcnn": {"front_end": {"name": "sinc"}}}},
        "detectors.mel-lcnn.front_end: unknown setting 'log'; known settings: none; to leave it out, write `log: null`",
    ),
]  # fmt: skip


def said_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        reading.load(path)
    return str(error.value)


@pytest.mark.parametrize(("changes", "message"), FAULTS, ids=[message[:60] for _, message in FAULTS])
def test_a_fault_is_named_with_file_line_key_and_remedy(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    faults = said_of(tmp_path, yaml.safe_dump({"based_on": "demo", **changes}, sort_keys=False))
    assert message.replace("{folder}", str(tmp_path)) in faults
    files = (str(tmp_path / "mine.yaml"), str(EXPERIMENTS / "demo.yaml"))
    assert all(line.startswith(files) for line in faults.splitlines())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("title: 2024-01-01", 'title: expected text, found 2024-01-01; write it in quotes: "2024-01-01"'),
        ("title: NO", 'title: expected text, found false; write it in quotes: "NO"'),
        ("averages: {A: [on]}", 'averages.A.0: expected text, found true; write it in quotes: "on"'),
        ("averages: {A: [1.0e+3]}", 'averages.A.0: expected text, found 1000.0; write it in quotes: "1.0e+3"'),
        ("training: {learning_rate: 5e-4}", "training.learning_rate: expected a number, found '5e-4'; write 0.0005"),
        ("conditions: {NO: 1}", "YAML reads the key NO as false; write it in quotes: 'NO'"),
        ("seed: 1\nseed: 2", "mine.yaml:3: duplicate key 'seed' in lines 2 and 3"),
    ],
)
def test_what_yaml_reads_otherwise_is_explained(tmp_path: Path, line: str, message: str) -> None:
    assert message in said_of(tmp_path, f"based_on: demo\n{line}\n")


@pytest.mark.parametrize(
    "text",
    [
        "codecs: {encodec: {sources: {F04: 8}}}",
        "conditions: {C1: [a]}",
        "training_sets: {codec: []}",
        "domains: {codec: {split: speaker}}",
        "corpora: {english: vctk}",
        "codec_training: {settings: {changes: 3}}",
    ],
)
def test_a_fault_has_no_others_as_a_consequence(tmp_path: Path, text: str) -> None:
    assert len(said_of(tmp_path, f"based_on: demo\n{text}\n").splitlines()) == 1


def test_all_faults_are_listed_together_each_in_the_file_that_writes_it(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("based_on: demo\nseed: one\ndemo: {english_speakers: 99}\n", encoding="utf-8")
    text = "based_on: base\ntraining: {batch_sise: 1}\ndomains: {codec: {sources: [F08]}}\nspeed: 1\n"
    lines = said_of(tmp_path, text).splitlines()
    assert sorted(line.removeprefix(f"{tmp_path}/").split(": ")[0] for line in lines) == [
        "base.yaml:2", "base.yaml:3", "mine.yaml:2", "mine.yaml:3", "mine.yaml:4",
    ]  # fmt: skip


def test_faults_of_codecs_are_listed_beside_those_of_detectors(tmp_path: Path) -> None:
    codec = "codecs: {encodec: {model: {n_filtres: 4}}}"
    detector = "detectors: {mel-lcnn: {back_end: {name: lccn}}}"
    text = said_of(tmp_path, f"based_on: demo\n{codec}\n{detector}\n")
    assert "mine.yaml:2: codecs.encodec.model: " in text and "did you mean 'n_filters'?" in text
    assert "mine.yaml:3: detectors.mel-lcnn.back_end.name: unknown back-end 'lccn'" in text


def test_an_experiment_anywhere_is_based_on_one_that_is_shipped_unless_its_own_folder_has_the_name(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("based_on: demo\ntitle: Mine\n", encoding="utf-8")
    assert reading.load(path).title == "Mine"
    (tmp_path / "demo.yaml").write_text("based_on: tiny\nseed: 5\n", encoding="utf-8")
    assert reading.load(path).seed == 5
    assert "quality" in reading.read(path)


def test_a_base_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    assert "mine.yaml:1: based_on: unknown experiment 'xie20205'; did you mean 'xie2025'?" in said_of(
        tmp_path, "based_on: xie20205\n"
    )


def test_the_check_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("based_on: demo\nseed: one\n", encoding="utf-8")
    code = (
        "import sys\nfrom pathlib import Path\nfrom codecfake.experiment import reading\n"
        "try:\n    reading.load(Path(sys.argv[1]))\nexcept ValueError:\n    pass\nelse:\n    sys.exit('no fault')\n"
        "import codecfake.running.hooks\n"
        "sys.exit(str({'torch', 'transformers', 'matplotlib', 'librosa', 'scipy'} & set(sys.modules) or '') or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "mine.yaml")], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


def test_half_precision_of_fine_tuning_is_refused_before_the_first_job_where_all_run_on_a_cpu(tmp_path: Path) -> None:
    tuned = {"cache_features": "none", "fine_tuning": {"train": "all", "precision": "bfloat16"}}
    values = {"based_on": "demo", "title": "mine", "detector_training": {"wavlm-aasist": tuned}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(values))
    experiment = reading.load(tmp_path / "mine.yaml")
    (fault,) = trainings.device_faults(experiment, "cpu")
    assert str(fault).startswith("detector_training.wavlm-aasist.fine_tuning.precision: it needs CUDA, but config.yaml")
    assert list(trainings.device_faults(experiment, "auto")) == []


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"codec_training": {"settings": {"precision": "tf32"}}}, "codec_training.settings.precision"),
        ({"codecs": {"encodec": {"training": {"precision": "tf32"}}}}, "codecs.encodec.training.precision"),
    ],
)
def test_codec_training_in_tf32_is_refused_before_the_first_job_where_all_run_on_a_cpu(
    values: dict[str, Any], key: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"based_on": "demo-from-scratch", "title": "mine", **values}))
    experiment = reading.load(tmp_path / "mine.yaml")
    (fault,) = trainings.device_faults(experiment, "cpu")
    assert str(fault).startswith(f"{key}: tf32 needs CUDA, but config.yaml has `device: cpu`; set it to auto")
    assert list(trainings.device_faults(experiment, "auto")) == []
