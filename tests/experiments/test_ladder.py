"""Laundering ladders: the conditions of an experiment, their jobs, and the tables of the whole run."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from places import PUBLISHED, ROOT
from whole_runs import digests, rerun, snakemake

from codecfake.base.degraded_names import base_of, degradation_of
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import labels, ladders, reading, site
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.papers import Papers
from codecfake.experiment.schema import Experiment
from codecfake.tables.published import Published

SMALL = Path(__file__).with_name("tiny-ladder.yaml")
SMALLER = Path(__file__).with_name("small-ladder.yaml")


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return reading.load(SMALL)


def with_degrade(folder: Path, degrade: str, more: str = "") -> Path:
    path = folder / "own.yaml"
    lines = ["based_on: tiny", "title: Own", more, "conditions:", f"  C1: {{degrade: {degrade}}}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_step_is_a_condition_with_the_same_trials_of_degraded_sources(experiment: Experiment) -> None:
    plain, step = (experiment.condition_settings(name) for name in ("C1", "C1+noise_0"))
    assert (step.bonafide.source, step.spoof.source) == ("F00+noise_0", "F01+noise_0")
    assert replace(step.bonafide, source="F00") == plain.bonafide
    assert replace(step.spoof, source="F01") == plain.spoof


def test_an_exemption_can_be_for_one_step_which_must_exist(tmp_path: Path) -> None:
    audit = 'audit: {{exempt: {{"F01+noise_{}/lead_silence": why}}}}'
    loaded = reading.load(with_degrade(tmp_path, "{kind: noise, steps: [10]}", audit.format(10)))
    assert loaded.audit.reasons("F01+noise_10")["lead_silence"] == "why" != loaded.audit.reasons("F01")["lead_silence"]
    with pytest.raises(ConfigurationError, match=r"audit.exempt: unknown source 'F01\+noise_20'; did you mean"):
        reading.load(with_degrade(tmp_path, "{kind: noise, steps: [10]}", audit.format(20)))


def test_steps_come_after_all_plain_conditions(experiment: Experiment) -> None:
    names = list(experiment.conditions)
    assert names[:3] == experiment.plain_conditions() == ["C1", "P00", "LA"]
    assert names[3:5] == ["C1+noise_20", "C1+noise_0"]


def test_an_experiment_that_is_cut_to_this_machine_keeps_its_steps(experiment: Experiment) -> None:
    assert replace(experiment).conditions == experiment.conditions
    cut = replace(experiment, conditions={"P00": experiment.conditions["P00"]})
    assert list(cut.conditions) == ["P00", "P00+noise_0", "P00+trim_40", "P00+codec-encodec_4"]


def test_every_degraded_fake_has_its_degraded_recording(experiment: Experiment) -> None:
    audio = set(experiment.all_audio())
    for corpus, source in audio:
        partner = f"F00+{degradation_of(source)}" if degradation_of(source) else "F00"
        assert (corpus, partner) in audio


def test_audio_is_degraded_for_all_conditions_with_a_step(experiment: Experiment) -> None:
    assert ladders.conditions_with(experiment, "english", "noise_0") == ["C1+noise_0", "P00+noise_0"]
    assert ladders.conditions_with(experiment, "vocoder", "noise_20") == ["LA+noise_20"]


def test_means_and_quality_are_of_plain_conditions(experiment: Experiment) -> None:
    assert experiment.averages_run() == {"mean": ["C1", "P00", "LA"]}
    assert not [name for names in experiment.sources_by_corpus().values() for name in names if degradation_of(name)]


def test_a_fault_of_a_ladder_is_found_before_the_first_job_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"own.yaml:5.*degrade.kind: unknown degradation 'noyse'.*noise"):
        reading.load(with_degrade(tmp_path, "{kind: noyse, steps: [20]}"))
    with pytest.raises(ConfigurationError, match=r"own.yaml:5.*degrade.1.steps.0: 8 is not the bit rate of AAC"):
        reading.load(with_degrade(tmp_path, "[{kind: noise, steps: [20]}, {kind: aac, steps: [8]}]"))


def test_a_second_codec_is_a_codec_of_the_experiment_with_weights_and_these_quantizers(tmp_path: Path) -> None:
    for ladder, message in (
        ("{kind: codec, codec: encodek, steps: [2]}", r"degrade.codec: unknown codec 'encodek'.*encodec"),
        ("{kind: codec, codec: encodec, steps: [2, 5]}", r"degrade.steps.1: 5 quantizers, but encodec has 4"),
        ("[{kind: codec, codec: through, steps: [2]}]", r"degrade.0.steps.0: 2 quantizers, but through has 1"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            reading.load(with_degrade(tmp_path, ladder))


def test_a_second_codec_with_random_weights_is_refused(tmp_path: Path) -> None:
    codec = "codecs: {other: {wrapper: snac, weights: none, model: {seed: 1}, sources: {X: {quantizers: 1}}}}"
    with pytest.raises(ConfigurationError, match=r"degrade.codec: other has random weights"):
        reading.load(with_degrade(tmp_path, "{kind: codec, codec: other, steps: [1]}", codec))


def test_one_job_makes_all_steps_of_a_second_codec(experiment: Experiment) -> None:
    jobs = Jobs(experiment, Papers(experiment, Published(PUBLISHED)), {})
    names = [names for rule, names in jobs.of_degradation() if rule == "degrade_through"]
    assert ("encodec", "english", "F01") in names
    assert len(set(names)) == len(names)
    assert jobs.degrade_through("encodec", "english", "F01").settings.steps == {
        "codec-encodec_1": 1,
        "codec-encodec_4": 4,
    }


def test_a_codec_that_only_degrades_is_trained_for_the_run(tmp_path: Path) -> None:
    codec = "codecs: {other: {wrapper: encodec, weights: trained, sources: {X: {quantizers: 2}}}}"
    own = reading.load(with_degrade(tmp_path, "{kind: codec, codec: other, steps: [2]}", codec))
    jobs = list(Jobs(own, Papers(own, Published(PUBLISHED)), {}).walk())
    assert ("train_codec", ("other",)) in jobs
    assert not [names for rule, names in jobs if rule == "resynthesize" and names[0] == "other"]


def test_two_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    ladders = ", ".join(f"{{kind: noise, folder: /{name}/noise, steps: [20]}}" for name in "ab")
    path = with_degrade(tmp_path, f"[{ladders}]")
    with pytest.raises(ConfigurationError, match=r"noise-noise has two ladders"):
        reading.load(path)
    more = "  P00: {degrade: {kind: noise, folder: /b/noise, steps: [20]}}"
    path = with_degrade(tmp_path, "{kind: noise, folder: /a/noise, steps: [20]}")
    path.write_text(f"{path.read_text(encoding='utf-8')}{more}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"P00.degrade.folder: noise-noise is also the name of .* /a/noise"):
        reading.load(path)


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_without_recordings_is_refused_before_the_first_job(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "noise"
    if exists:
        folder.mkdir()
    path = with_degrade(tmp_path, f"{{kind: noise, folder: {folder}, steps: [20]}}")
    message = "no .wav or .flac file named" if exists else "noise is not a folder; correct the path"
    with pytest.raises(ConfigurationError, match=rf"own.yaml:5.*degrade.folder: .*{message}"):
        site.read({"experiment": str(path)}, ROOT)


def test_label_policies_are_compared_on_plain_conditions(tmp_path: Path) -> None:
    policies = "label_policies: {one: {coded_bonafide: spoof}, other: {coded_bonafide: bonafide}}"
    own = reading.load(with_degrade(tmp_path, "{kind: noise, steps: [20]}", policies))
    assert [sorted(policy["keys"]) for policy in labels.policies(own)] == [["F01", "F01-4", "P00"]] * 2


def test_audio_of_another_rate_cannot_have_a_ladder(tmp_path: Path) -> None:
    path = with_degrade(tmp_path, "{kind: noise, steps: [20]}", "audio: {sample_rate: 24000}")
    with pytest.raises(
        ConfigurationError, match=r"degradations work at 16000 Hz, but the audio has 24000; set `audio:"
    ):
        reading.load(path)


def test_an_average_of_steps_is_refused(tmp_path: Path) -> None:
    path = with_degrade(tmp_path, "{kind: noise, steps: [20]}", "averages: {noisy: [C1+noise_20]}")
    with pytest.raises(ConfigurationError, match=r"averages.noisy"):
        reading.load(path)


def test_the_small_form_is_planned(tmp_path: Path) -> None:
    jobs = rerun(tmp_path, SMALL)
    experiment = site.read_without_corpora({"experiment": str(SMALL)}, ROOT)
    of_codec = {names[:2] for names in ladders.degraded_audio(experiment) if names[2].startswith("codec-")}
    others = [names for names in ladders.degraded_audio(experiment) if not names[2].startswith("codec-")]
    assert jobs["degrade"] == sum(experiment.corpora[name].shards for name, *_ in others)
    assert jobs["degrade_through_encodec"] == sum(experiment.corpora[name].shards for name, _ in of_codec)
    assert jobs["write_condition"] == len(experiment.conditions)


@pytest.mark.parametrize(
    "path", [pytest.param(SMALLER, marks=pytest.mark.long), pytest.param(SMALL, marks=pytest.mark.slow)]
)
def test_the_small_form_ends_in_its_curves(path: Path, tmp_path: Path, quick_jobs: None) -> None:
    done = snakemake(tmp_path, path, "all")
    assert done.returncode == 0, done.stdout + done.stderr
    results = tmp_path / "results"
    _check_table(results)
    _check_passthrough(results)
    _check_partners(results)
    assert "Laundering ladders" in (results / "report.html").read_text(encoding="utf-8")
    before = digests(tmp_path, "audio/*/*+*/*")
    assert len(before) > 20
    assert rerun(tmp_path, path) == {}
    victim = results / "audio/english/F01+room_300/0000.tar"
    victim.unlink()
    assert snakemake(tmp_path, path, str(victim.relative_to(tmp_path))).returncode == 0
    assert digests(tmp_path, "audio/*/*+*/*") == before


@pytest.mark.long
def test_recorded_noise_and_rooms_are_listed_and_mixed_in_a_run(tmp_path: Path, quick_jobs: None) -> None:
    own, run = _with_folders(tmp_path), tmp_path / "run"
    run.mkdir()
    steps = ("noise-own_10", "room-own_0")
    targets = [f"results/audio/english/{source}+{step}/shards.tsv" for step in steps for source in ("F00", "P00")]
    done = snakemake(run, own, *targets)
    assert done.returncode == 0, done.stdout + done.stderr
    results = run / "results"
    table = pd.read_csv(results / "degradation/noise-own.tsv", sep="\t")
    assert list(table["file"]) == ["a.wav", "b.wav"]
    for step in steps:
        recordings, control = (
            pd.read_parquet(results / f"audio/english/{source}+{step}/0000.parquet") for source in ("F00", "P00")
        )
        assert list(recordings["sha256"]) == list(control["sha256"])
        assert set(recordings["degraded_with"]) <= {"a.wav", "b.wav"}
    assert rerun(run, own, *targets) == {}


@pytest.mark.long
def test_a_damaged_file_of_a_folder_stops_a_run_before_audio_is_made(tmp_path: Path, quick_jobs: None) -> None:
    own, run = _with_folders(tmp_path), tmp_path / "run"
    run.mkdir()
    (tmp_path / "own/a.wav").write_bytes(b"RIFF")
    done = snakemake(run, own, "results/audio/english/F00+noise-own_10/shards.tsv")
    assert done.returncode != 0
    assert "a.wav" in (run / "logs/list_folder/noise-own.log").read_text(encoding="utf-8")
    assert not (run / "results/audio").exists()


def _with_folders(folder: Path) -> Path:
    """An experiment with noise and rooms from a folder of two impulse responses."""
    (folder / "own").mkdir()
    for seed, name in enumerate(("a.wav", "b.wav")):
        taps = np.random.default_rng(seed).standard_normal(4_000) * np.exp(-np.arange(4_000) / 500)
        soundfile.write(folder / "own" / name, 0.5 * taps / np.abs(taps).max(), 16_000)
    path = folder / "own.yaml"
    ladders = [
        f"{{kind: {kind}, folder: {folder}/own, steps: [{step}]}}" for kind, step in (("noise", 10), ("room", 0))
    ]
    conditions = [f"  {name}: {{degrade: [{', '.join(ladders)}]}}" for name in ("C1", "P00")]
    path.write_text("\n".join(["based_on: tiny", "title: Own", "conditions:", *conditions]) + "\n", encoding="utf-8")
    return path


def _check_table(results: Path) -> None:
    """Step 0 is the plain condition; the other steps are rows of the table of all conditions."""
    table = pd.read_csv(results / "tables/ladder.csv", keep_default_na=False)
    eers = pd.read_csv(results / "tables/eer_seeds.csv").set_index(["training_set", "condition"])["eer_percent"]
    assert set(table["step"]) == {0, 1, 2}
    for row in table.itertuples():
        name = f"{row.condition}+{row.kind}_{row.value}" if row.step else row.condition
        assert float(row.eer_percent) == eers[row.training_set, name]
    plain = pd.read_csv(results / "tables/cross_conditions.csv")
    assert not [name for name in plain.columns if degradation_of(name)]


def _check_passthrough(results: Path) -> None:
    """A control is its recording at every step, byte by byte, so that every detector is at chance."""
    for corpus, step in product(("english", "mandarin"), ("noise_0", "trim_40", "codec-encodec_4")):
        sha256 = [
            pd.read_parquet(results / f"audio/{corpus}/{source}+{step}/0000.parquet")["sha256"]
            for source in ("F00", "P00")
        ]
        assert list(sha256[0]) == list(sha256[1])
    table = pd.read_csv(results / "tables/ladder.csv")
    assert (table.loc[table["condition"] == "P00", "eer_percent"] == 50).all()


def _check_partners(results: Path) -> None:
    twins = pd.read_csv(results / "audit/twins.csv")
    steps = twins[twins["source"].map(base_of) != twins["source"]]
    assert len(steps) > 5
    assert (steps["equally_long"] == steps["fakes"]).all()
    probes = pd.read_csv(results / "audit/shortcuts.csv").set_index("feature").loc["duration"]
    own = probes[probes["source"].map(degradation_of) != ""]
    assert {"F01+trim_40", "F01+speed_110", "P00+noise_0"} <= set(own["source"])
    made_here = own[own["differ"].notna()]
    assert (made_here["differ"] == 0).all()
    assert (made_here["auc"] == 0.5).all()
