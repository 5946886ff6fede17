"""The plan of a run: counts that the lists will have, closed forms of hours and bytes, and a disk that is too small."""

import json
import math
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from places import PUBLISHED, ROOT
from safetensors.torch import load_file

from benchmarks import rehearsal  # noqa: E402
from codec_wrappers import CodecError, Rate
from codecfake.__main__ import main  # noqa: E402
from codecfake.base import plugins
from codecfake.base.settings import SettingsError
from codecfake.corpora.sizes import published  # noqa: E402
from codecfake.demo.settings import DemoSettings
from codecfake.detectors import shipped_front_ends
from codecfake.experiment import reading
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.papers import Papers
from codecfake.experiment.schema import Corpus, Experiment
from codecfake.experiment.weights import NoWeights
from codecfake.protocols import lists as protocols
from codecfake.running.planning import disk, rates, rendering, run_plan
from codecfake.running.planning.costs import Costs
from codecfake.running.planning.counts import CorpusCounts
from codecfake.running.planning.feature_costs import relative_size, weight_bytes
from codecfake.running.planning.operations import counted, gpu
from codecfake.running.planning.rates import RateTable
from codecfake.running.planning.run_plan import RunPlan
from codecfake.running.planning.steps import AMOUNTS, Amount, Room, Step, amount
from codecfake.tables.published import Published


def load(name: str) -> Experiment:
    return reading.load(ROOT / "experiments" / f"{name}.yaml")


def in_small(experiment: Experiment) -> Experiment:
    """The same experiment with corpora of a few dozen utterances."""
    sizes = {
        "vctk": {"bonafide": 60, "hours": 0.05, "sample_rate": 48000},
        "aishell3": {"bonafide": 40, "hours": 0.04, "sample_rate": 44100},
    }
    small = {name: replace(experiment.corpora[name], size=size, shards=2) for name, size in sizes.items()}
    return replace(experiment, corpora={**experiment.corpora, **small})


@pytest.fixture
def ingested(tmp_path: Path) -> tuple[Experiment, Path]:
    """The codec fakes of xie2025-official with small corpora, and a run directory that has their utterance tables."""
    experiment = in_small(load("xie2025-official"))
    own = {"codec", "codec-english", "codec-chinese"}
    experiment = replace(
        experiment,
        corpora={name: experiment.corpora[name] for name in ("vctk", "aishell3")},
        domains={name: item for name, item in experiment.domains.items() if name in own},
        conditions={
            name: item
            for name, item in experiment.conditions.items()
            if {item.bonafide.domain, item.spoof.domain} <= own
        },
        models=[replace(experiment.models[0], training_sets=["codec"])],
    )
    rehearsal.write_tables(experiment, tmp_path / "results", wu2024=False)
    return experiment, tmp_path


def tables(experiment: Experiment, root: Path) -> dict[str, pd.DataFrame]:
    paths = {name: root / f"results/corpora/{name}/utterances.parquet" for name in experiment.corpora}
    return {name: pd.read_parquet(path) for name, path in paths.items()}


def planned(experiment: Experiment, root: Path, device: str = "gpu", **own: float) -> dict[str, Step]:
    known = rates.load(single=[f"{name.replace('__', '.')}={value}" for name, value in own.items()])
    return {step.rule: step for step in run_plan.plan(experiment, root, known, device).steps}


def counts_of(experiment: Experiment, root: Path) -> CorpusCounts:
    return CorpusCounts(experiment.corpora, root, DemoSettings(), {})


def costs(experiment: Experiment, root: Path) -> Costs:
    jobs = Jobs(experiment, Papers(experiment, Published(PUBLISHED)), {})
    return Costs(experiment, jobs, counts_of(experiment, root), rates.load(), "gpu")


# what the lists will hold


def test_before_ingest_the_published_sizes_give_the_published_split(tmp_path: Path) -> None:
    experiment = load("xie2025")
    lists = costs(experiment, tmp_path)
    train, dev = (lists.trials_of_domain("codec", split)["utterances"].sum() for split in ("train", "dev"))
    assert train == pytest.approx(740_747, abs=5)
    assert dev == pytest.approx(92_596, abs=5)
    assert lists.trials_of_condition("C7")["utterances"].sum() == pytest.approx(145_505, abs=1)
    assert lists.trials_of_domain("vocoder", "train")["utterances"].sum() == 25_380


def test_after_ingest_the_plan_counts_the_very_trials_of_the_protocols(ingested: tuple[Experiment, Path]) -> None:
    experiment, root = ingested
    lists = costs(experiment, root)
    for domain in ("codec", "codec-english", "codec-chinese"):
        for split in ("train", "dev"):
            made = protocols.partition(experiment.partition_settings(domain), tables(experiment, root), split)
            assert lists.trials_of_domain(domain, split)["utterances"].sum() == len(made)
    for condition in ("C1", "C7", "C3-4", "C1-english", "C7-chinese"):
        made = protocols.condition(experiment.condition_settings(condition), tables(experiment, root))
        assert lists.trials_of_condition(condition)["utterances"].sum() == len(made)


def test_a_recording_of_several_conditions_is_scored_once(ingested: tuple[Experiment, Path]) -> None:
    experiment, root = ingested
    chosen = {name: experiment.conditions[name] for name in ("C1", "C2", "C7", "C3-4", "C1-english", "C7-english")}
    experiment = replace(experiment, conditions=chosen)
    settings = (experiment.condition_settings(name) for name in chosen)
    trials = pd.concat([protocols.condition(one, tables(experiment, root)) for one in settings])
    lists = costs(experiment, root)
    assert lists.evaluation[1].least == len(trials.drop_duplicates(["corpus", "source", "utterance_id"]))


def test_speakers_who_are_listed_take_their_share_of_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    experiment = load("wu2024")
    lists = costs(experiment, tmp_path)
    dev = lists.trials_of_domain("A", "dev")["utterances"].sum()
    assert dev == pytest.approx(2 * 44_242 * 2 / 109)  # recordings and one source, two of 109 speakers


# sizes of corpora


def test_a_corpus_with_fewer_files_than_are_published_is_planned_as_small_as_it_is(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.flac").touch()
    (tmp_path / "notes.txt").touch()
    counts = CorpusCounts({"vctk": Corpus("vctk")}, tmp_path, DemoSettings(), {"vctk": tmp_path})
    assert counts.pool(["vctk"], None)["utterances"].sum() == 10
    assert counts.pool(["vctk"], None)["seconds"].sum() == pytest.approx(44 * 3600 * 10 / 44_242)


def test_a_listed_corpus_is_planned_by_the_number_of_its_files(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.WAV").touch()
    corpus = Corpus("listed", options={"key": "spoof"})
    counts = CorpusCounts({"mine": corpus}, tmp_path, DemoSettings(), {"mine": tmp_path}).pool(["mine"], None)
    assert counts[["key", "utterances", "seconds"]].to_numpy().tolist() == [["spoof", 3, 12.0]]


def test_a_size_without_utterances_is_refused() -> None:
    with pytest.raises(SettingsError, match="give hours, and the number of bonafide or spoof utterances"):
        published("listed", {"hours": 1.0})


# hours and bytes


@pytest.mark.long
def test_hours_of_a_codec_are_its_audio_over_its_rate_and_a_share_for_each_further_source(
    ingested: tuple[Experiment, Path],
) -> None:
    steps = planned(*ingested, resynthesis__encodec__gpu=100, resynthesis__further_source=0.5)
    step = steps["resynthesize_encodec"]
    assert step.audio_hours_in.least == pytest.approx(0.09, abs=1e-4)
    assert step.audio_hours_out.least == pytest.approx(4 * 0.09, abs=1e-4)
    assert step.gpu_hours.least == pytest.approx(0.09 * 2.5 / 100, rel=1e-3)
    assert step.cpu_hours == Amount()
    assert len(step.jobs) == 4
    assert step.files == 4 * 4 * 2


def test_a_codec_takes_as_long_as_at_the_precision_of_its_decoder(ingested: tuple[Experiment, Path]) -> None:
    experiment, root = ingested
    dac = replace(experiment.codecs["dac"], decoder_precision="tf32")
    faster = replace(experiment, codecs={**experiment.codecs, "dac": dac})
    hours = costs(faster, root).resynthesize("dac", "vctk").gpu_hours.least
    assert hours == pytest.approx(0.05 / gpu("H200").speed(counted()["resynthesis.dac"], "tf32"), rel=5e-3)
    assert hours < 0.7 * costs(experiment, root).resynthesize("dac", "vctk").gpu_hours.least


def test_without_a_gpu_the_hours_are_a_processors(ingested: tuple[Experiment, Path]) -> None:
    steps = planned(*ingested, device="cpu", resynthesis__dac__cpu=0.5)
    assert steps["resynthesize_dac"].cpu_hours.least == pytest.approx(0.09 / 0.5, rel=1e-3)
    assert all(step.gpu_hours == Amount() for step in steps.values())


def test_bytes_of_a_source_are_those_of_its_samples_and_of_its_utterances(ingested: tuple[Experiment, Path]) -> None:
    steps = planned(*ingested, bytes__shard__sample=1.5, bytes__shard__utterance=1000)
    expected = 0.09 * 3600 * 16_000 * 1.5 + 100 * 1000
    assert steps["resynthesize_dac"].bytes_out.least == pytest.approx(expected, rel=1e-4)
    assert steps["resynthesize_funcodec"].bytes_out.least == pytest.approx(3 * expected, rel=1e-4)


@pytest.mark.long
def test_native_rates_take_as_many_samples_as_the_codec_and_the_corpora_have(ingested: tuple[Experiment, Path]) -> None:
    experiment, root = ingested
    native = replace(experiment, audio=replace(experiment.audio, sample_rate="native"))
    steps = planned(native, root, bytes__shard__sample=1, bytes__shard__utterance=1e-9)
    assert steps["resynthesize_dac"].bytes_out.least == pytest.approx(0.09 * 3600 * 44_100, rel=1e-4)
    assert steps["record"].bytes_out.least == pytest.approx(3600 * (0.05 * 48_000 + 0.04 * 44_100), rel=1e-4)


@pytest.mark.long
def test_training_takes_every_clip_of_every_epoch_twice_where_a_strategy_looks_twice(tmp_path: Path) -> None:
    experiment = load("wu2024")
    grid = replace(experiment.models[0], detectors=["aasist-l"], training_sets=["A"], seeds=[1])
    own = {"features__sinc__gpu": 1000.0, "train__sinc-aasist__gpu": 100.0}
    hours = {}
    for strategy in ("erm", "sam"):
        one = replace(experiment, models=[replace(grid, strategies=[strategy])])
        step = planned(one, tmp_path, **own)["train_detector"]
        hours[strategy] = step.gpu_hours.least * 3600
    train, dev = (2 * 44_242 * share for share in (105 / 109, 2 / 109))
    features, dev_pass = 5 * (train + dev) / 1000, 5 * dev / 300
    assert hours["erm"] == pytest.approx(features + 5 * train / 100 + dev_pass)
    assert hours["sam"] == pytest.approx(features + 5 * train / 50 + dev_pass)


def test_small_codecs_of_ones_own_are_not_planned_as_the_published_ones(tmp_path: Path) -> None:
    steps = planned(load("demo-from-scratch"), tmp_path, device="cpu", weights_mb__own=6, resynthesis__own__cpu=20)
    assert steps["train_codec"].bytes_out.least == 7 * 6e6
    dac = steps["resynthesize_dac"]
    assert dac.cpu_hours.least == pytest.approx(dac.audio_hours_in.least / 20)


@pytest.mark.long
def test_codec_training_takes_the_segments_of_its_recipe(tmp_path: Path) -> None:
    step = planned(load("xie2025"), tmp_path)["train_codec"]
    encodec, soundstream = 400_000 * 64 * 1.0, 133_800 * 32 * 2.016875
    assert step.audio_hours_in.least * 3600 > encodec + soundstream
    whole = load("xie2025")
    only = replace(
        whole,
        conditions={"C4": whole.conditions["C4"]},
        domains={"codec": replace(whole.domains["codec"], sources=["F04"])},
        models=[replace(whole.models[0], training_sets=["codec"])],
    )
    assert planned(only, tmp_path)["train_codec"].audio_hours_in.least * 3600 == encodec


@pytest.mark.long
def test_features_are_on_the_disk_only_where_an_experiment_keeps_them(ingested: tuple[Experiment, Path]) -> None:
    experiment, root = ingested
    grid = replace(experiment.models[0], detectors=["w2v2-aasist"], training_sets=["codec"], seeds=[1, 2])
    experiment = replace(experiment, models=[grid])
    streamed = replace(experiment, training={**experiment.training, "cache_features": "none"})
    assert "extract_features" not in planned(streamed, root)
    kept = replace(experiment, training={**experiment.training, "cache_features": "disk"})
    # 80 train and 10 dev recordings with 6 sources each, once for both seeds, in a job per corpus and source
    features = planned(kept, root)["extract_features"]
    assert features.bytes_out.least == 90 * 7 * 411_708
    assert len(features.jobs) == 2 * 7
    quick = replace(kept, models=[replace(grid, detectors=["mel-lcnn"])])  # which are computed as fast as they are read
    assert "extract_features" not in planned(quick, root)


def test_stored_features_have_the_size_of_their_layers_and_dimensions() -> None:
    xls_r = {"name": "wav2vec2", "weights": "facebook/wav2vec2-xls-r-300m", "layer": 24}
    assert relative_size(xls_r) == 1
    assert relative_size({**xls_r, "layers": "all"}) == 25
    assert relative_size({"name": "wavlm", "weights": "random", "config": {"hidden_size": 768}}) == 0.75
    assert relative_size({"name": "wav2vec2", "weights": "shipped:wav2vec2-small", "layer": 2}) == 64 / 1024


def test_a_fine_tuned_front_end_of_the_package_has_its_own_size(tmp_path: Path) -> None:
    small = {"name": "wav2vec2", "weights": "shipped:wav2vec2-small", "layer": 2}
    tensors = load_file(shipped_front_ends.folder(small["weights"]) / "model.safetensors").values()
    counted = 4 * sum(tensor.numel() for tensor in tensors)  # in float32
    assert weight_bytes(small) == pytest.approx(counted, rel=0.05)
    assert weight_bytes({**small, "weights": "facebook/wav2vec2-xls-r-300m"}) is None
    trained = planned(load("demo"), tmp_path)["train_detector"]
    assert trained.bytes_out.least < 8 * 20e6  # no XLS-R, whose 1.3 GB a laptop may not have for six models


# what nothing is known of


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for an experiment, with a codec beside it that says nothing about itself."""
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mimi.py").write_text("def build(model): ...\n", encoding="utf-8")
    (tmp_path / "nets.py").write_text("def build(shape, settings): ...\n", encoding="utf-8")
    return tmp_path


def with_unknown(folder: Path, name: str = "mimi") -> Experiment:
    """The demo with a codec and a back-end from outside the package, and a corpus that is not there."""
    experiment = load("demo")
    plugins.look_beside(folder / "mine.yaml")
    mimi = replace(experiment.codecs["dac"], wrapper="mimi.py:build", weights=NoWeights(), model={})
    codecs = {codec: settings for codec, settings in experiment.codecs.items() if codec != "dac"}
    lcnn = {**experiment.detectors["mel-lcnn"], "back_end": {"name": "nets.py:build"}}
    return replace(
        experiment,
        corpora={**experiment.corpora, "mine": Corpus("listed")},
        codecs={**codecs, name: mimi},
        detectors={**experiment.detectors, "mel-lcnn": lcnn},
    )


def plan_of_unknown(folder: Path, single: tuple[str, ...] = (), name: str = "mimi") -> RunPlan:
    return run_plan.plan(with_unknown(folder, name), folder, rates.load(single=single), "cpu")


def test_each_unknown_thing_is_named_with_the_setting_that_would_tell_it(outside: Path) -> None:
    warnings = "\n".join(plan_of_unknown(outside).warnings())
    assert "the size of corpus mine" in warnings
    assert "its `size: {hours: …, bonafide: …}` in the experiment" in warnings
    for rate in ("resynthesis.mimi.cpu", "train.mel-mel-lcnn.cpu", "weights_mb.mel-lcnn"):
        assert f"give `codecfake plan --rate {rate}=NUMBER`" in warnings, rate


@pytest.mark.long
def test_what_is_unknown_is_missing_from_sums_of_all_that_is_known(outside: Path) -> None:
    known = {step.rule: step for step in run_plan.plan(load("demo"), outside, rates.load(), "cpu").steps}
    lacking = {step.rule: step for step in plan_of_unknown(outside).steps}
    assert lacking["resynthesize_mimi"].cpu_hours == Amount(0.0, is_complete=False)
    assert lacking["resynthesize_mimi"].bytes_out.least == known["resynthesize_dac"].bytes_out.least
    assert lacking["resynthesize_encodec"] == known["resynthesize_encodec"]
    assert lacking["ingest_corpus"].audio_hours_in == replace(known["ingest_corpus"].audio_hours_in, is_complete=False)
    assert plan_of_unknown(outside).to_write(outside).num_bytes.least > 0


def test_a_rate_of_a_part_from_outside_can_be_given(outside: Path) -> None:
    plan = plan_of_unknown(outside, ("resynthesis.mimi.cpu=2",))
    step = next(step for step in plan.steps if step.rule == "resynthesize_mimi")
    assert step.cpu_hours.least == pytest.approx(step.audio_hours_in.least / 2)
    assert "resynthesis.mimi.cpu" not in plan.unknown


def test_a_codec_from_outside_does_not_get_the_rates_of_the_one_whose_name_it_has(outside: Path) -> None:
    assert "resynthesis.mimi.py:build.cpu" in plan_of_unknown(outside, name="dac").unknown


def test_a_codec_of_ones_own_may_bring_its_rates_along(outside: Path) -> None:
    rate = "{'value': 3, 'basis': 'measured', 'source': 'its authors'}"
    code = f"ENTRY = {{'rates': {{'resynthesis.cpu': {rate}}}}}\ndef build(model): ...\n"
    (outside / "mimi.py").write_text(code, encoding="utf-8")
    plan = plan_of_unknown(outside)
    step = next(step for step in plan.steps if step.rule == "resynthesize_mimi")
    assert step.cpu_hours.least == pytest.approx(step.audio_hours_in.least / 3)
    assert plan.rate_of["resynthesis.mimi.cpu"].source == "its authors"


def test_a_rate_with_an_unknown_basis_is_a_fault_of_the_codec_that_brings_it(outside: Path) -> None:
    code = (
        "ENTRY = {'rates': {'resynthesis.cpu': {'value': 3, 'basis': 'hope', 'source': ''}}}\ndef build(model): ...\n"
    )
    (outside / "mimi.py").write_text(code, encoding="utf-8")
    with pytest.raises(CodecError, match="rates.resynthesis.cpu.basis"):
        plan_of_unknown(outside)


@pytest.mark.long
def test_a_run_with_unknown_things_starts_with_warnings_and_a_true_shortage_still_stops_it(
    outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment, outputs = with_unknown(outside), ["results/audio/english/F07/0000.tar"]
    disk_of(monkeypatch, 10**15, 10**9)
    assert len(disk.check_run(experiment, outputs, "cpu", {}, outside)) >= 4
    disk_of(monkeypatch, 512, 10**9)
    with pytest.raises(disk.DiskError, match="bytes are needed, but 512 are available"):
        disk.check_run(experiment, outputs, "cpu", {}, outside)
    disk_of(monkeypatch, 10**15, 1)
    with pytest.raises(disk.DiskError, match="files are needed, but 1 are available"):
        disk.check_run(experiment, outputs, "cpu", {}, outside)


def test_a_plan_in_which_nothing_is_known_of_a_corpus_can_be_printed(outside: Path) -> None:
    experiment = load("wu2024")
    unknown = replace(experiment, corpora={**experiment.corpora, "vctk": Corpus("listed")})
    plan = run_plan.plan(unknown, outside, rates.load(), "gpu")
    room = plan.to_write(outside)
    text = rendering.as_text(plan, room, outside, 10**12)
    assert re.search(r"resynthesize_encodec .*\?", text)
    assert "Unknown: the size of corpus vctk; give its `size: {hours: …" in text
    values = json.loads(json.dumps(rendering.as_json(plan, room, outside, 10**12), allow_nan=False))
    assert next(step for step in values["steps"] if step["rule"] == "resynthesize_encodec")["gpu_hours"] is None
    assert "the size of corpus vctk" in values["unknown"]


def cells(text: str, row: str) -> list[str]:
    """A row of the table: jobs, hours of audio, hours, gigabytes and files; cells without a number are left out."""
    return next(line for line in text.splitlines() if line.strip().startswith(f"{row} ")).split()[1:]


def test_a_number_that_lacks_an_unknown_part_is_marked_in_its_own_cell(outside: Path) -> None:
    plan = plan_of_unknown(outside)
    text = rendering.as_text(plan, plan.to_write(outside), outside, 10**12)
    jobs, audio_in, cpu, reads, writes, files = cells(text, "ingest_corpus")
    assert [cell.endswith("+?") for cell in (jobs, audio_in, cpu, reads, writes, files)] == [False, *[True] * 4, False]
    assert [cell.endswith("?") for cell in cells(text, "resynthesize_mimi")] == [*[False] * 3, True, *[False] * 3]
    assert not any("?" in cell for cell in cells(text, "resynthesize_encodec"))
    assert re.search(r"Disk, estimated: at least [\d.]+ GB at the peak", text)
    assert re.search(r"Still to be written in .*: at least [\d.]+ GB in", text)


def test_a_plan_in_which_everything_is_known_has_no_mark_but_for_minutes(tmp_path: Path) -> None:
    plan = run_plan.plan(load("demo"), tmp_path, rates.load(), "cpu")
    text = rendering.as_text(plan, plan.to_write(tmp_path), tmp_path, 10**12)
    assert "at least" not in text.split("Disk, ")[1]
    complete = {step.rule for step in plan.steps if all(getattr(step, name).is_complete for name in AMOUNTS)}
    minutes = {"write_sources", "quality_summary", "audit", "audit_verdict", "tabulate", "report"}
    assert {step.rule for step in plan.steps} - complete == minutes


def test_amounts_keep_what_is_known_and_remember_what_is_not() -> None:
    some = amount(2.0, math.nan, 3.0)
    assert some == Amount(5.0, is_complete=False)
    assert some + amount(1.0) == Amount(6.0, is_complete=False)
    assert some * 2 / 5 == Amount(2.0, is_complete=False)
    assert amount(4.0) * math.nan == amount(4.0) / math.nan == amount(math.nan) == Amount(0.0, is_complete=False)
    assert (some.value, amount(math.nan).value, amount().value) == (5.0, None, 0.0)


# the shipped experiments

FIELDS = ("jobs", "files", "audio_hours_in", "audio_hours_out", "gpu_hours", "cpu_hours", "bytes_in", "bytes_out",
          "passing_bytes")  # fmt: skip
PLANS = json.loads(Path(__file__).with_name("plans.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name.startswith("demo") else [pytest.mark.long]) for name in PLANS]
)
def test_the_plans_of_shipped_experiments_have_the_numbers_that_were_recorded(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_of(monkeypatch, 10**15, 10**9)
    experiment, *options, device = name.split()
    plan("--experiment", experiment, "--device", device, "--json", "--run", str(tmp_path), *options)
    steps = {step["rule"]: step for step in json.loads(capsys.readouterr().out)["steps"]}
    assert list(steps) == list(PLANS[name])
    for rule, numbers in PLANS[name].items():
        ours, recorded = (
            [-1 if n is None else n for n in each] for each in ([steps[rule][f] for f in FIELDS], numbers)
        )
        assert ours == pytest.approx(recorded, rel=1e-9), rule


# rates


def test_every_rate_says_what_it_rests_on_and_none_of_a_gpu_is_called_measured() -> None:
    known = rates.load()
    for name, rate in known.shipped.items():
        assert rate.source
        if ".gpu" in name:
            assert rate.basis in ("counted", "estimate"), name


def test_rates_of_the_user_win(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("ingest.cpu: 11\nrecord.cpu: {value: 12}\n", encoding="utf-8")
    known = rates.load(file, ["record.cpu=13"])
    assert (known["ingest.cpu"], known["record.cpu"]) == (11, 13)
    assert known.used["record.cpu"].basis == "yours"


@pytest.mark.parametrize(
    ("single", "message"),
    [
        ("recrod.cpu=1", "--rate: unknown rate 'recrod.cpu'; did you mean 'record.cpu'"),
        ("resynthesis.mimi.cpu=1", "did you mean 'resynthesis.own.cpu'"),
        ("record.cpu", "NAME=NUMBER"),
        ("record.cpu=0", "positive number"),
    ],
)
def test_a_rate_that_is_impossible_is_refused(tmp_path: Path, single: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        run_plan.plan(load("demo"), tmp_path, rates.load(single=[single]), "cpu")


def test_a_plan_names_the_rates_that_it_used_and_no_others() -> None:
    known = RateTable({"a": Rate(1.0, "goal", "s"), "b": Rate(2.0, "goal", "s")})
    assert known["a"] == 1.0
    assert list(known.used) == ["a"]


# the disk


def test_what_is_there_need_not_be_written(tmp_path: Path) -> None:
    step = Step(stage="s", rule="r", jobs=(("a", "b"), ("c", "d")), bytes_out=amount(100), other_files=2)
    assert step.to_write(tmp_path) == Room(amount(100.0), 6)
    for name in "ab":
        (tmp_path / name).touch()
    assert step.to_write(tmp_path) == Room(amount(50.0), 3)


def test_jobs_that_are_not_asked_for_need_no_room_and_files_to_be_replaced_give_theirs(tmp_path: Path) -> None:
    step = Step(stage="s", rule="r", jobs=(("a", "b"), ("c", "d")), bytes_out=amount(100))
    (tmp_path / "a").write_bytes(b"0123456789")
    assert step.to_write(tmp_path, frozenset({"b"})) == Room(amount(40.0), 2)
    assert step.to_write(tmp_path, frozenset()) == Room(amount(0.0), 0)


def disk_of(monkeypatch: pytest.MonkeyPatch, num_bytes: int, files: int) -> None:
    disk = SimpleNamespace(f_bavail=num_bytes // 512, f_frsize=512, f_files=2 * files, f_favail=files)
    monkeypatch.setattr(os, "statvfs", lambda _: disk)


def test_a_disk_that_is_too_small_is_refused_with_both_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk_of(monkeypatch, 1_024_000, 10)
    disk.require_room(Room(amount(1_024_000.0), 10), tmp_path)
    with pytest.raises(disk.DiskError, match=r"1,024,001 bytes are needed, but 1,024,000 are available.*check_disk"):
        disk.require_room(Room(amount(1_024_001.0), 10), tmp_path)
    with pytest.raises(disk.DiskError, match="11 files are needed, but 10 are available"):
        disk.require_room(Room(amount(1.0), 11), tmp_path)


def test_a_disk_that_does_not_count_its_files_holds_any_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk_of(monkeypatch, 1_024_000, 0)
    disk.require_room(Room(amount(1.0), 1_000_000), tmp_path)


# the command


def plan(*arguments: str) -> None:
    main(["plan", "--config", str(ROOT / "config.yaml"), *arguments])


def test_plan_prints_a_table_and_what_it_rests_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_of(monkeypatch, 10**15, 10**9)
    plan("--experiment", "xie2025-official", "--run", str(tmp_path / "not yet there"))
    text = capsys.readouterr().out
    assert "resynthesize_funcodec" in text
    assert "counted operations and launches, at an assumed utilization: resynthesis.soundstream.gpu 2360" in text
    assert re.search(r"On 1 GPU: [\d.]+ days, decided by train_detector \S+ .*\nOn 8 GPUs: ", text)
    assert "Not ingested yet" in text
    assert "Not planned: ITW" in text
    assert "1,000,000.00 GB" in text
    assert "Unknown" not in text


def test_plan_for_programs_has_the_same_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_of(monkeypatch, 10**15, 10**9)
    gpus = ("--gpus", "2", "4", "--gpu-model", "A100")
    plan("--experiment", "wu2024", "--device", "cuda", "--run", str(tmp_path), "--json", "--optional", *gpus)
    values = json.loads(capsys.readouterr().out)
    hours = sum(step["gpu_hours"] for step in values["steps"])
    two, four = values["wall_times"]
    assert (two["gpus"], four["gpus"]) == (2, 4)
    assert hours / 2 <= two["hours"] <= hours
    assert values["longest_jobs"]["train_detector"]["hours"] <= four["hours"] < two["hours"]
    assert "A100's 19.5 TFLOP/s in float32" in values["rates"]["resynthesis.dac.gpu"]["source"]
    assert values["fits"]
    assert values["jobs"] == sum(step["jobs"] for step in values["steps"])
    assert {step["rule"] for step in values["steps"] if step["rule"].startswith("resynthesize_")} == {
        f"resynthesize_{codec}" for codec in load("wu2024").codecs_run()
    }


def test_plan_refuses_a_disk_that_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk_of(monkeypatch, 10**9, 10**9)
    with pytest.raises(SystemExit, match=r"DiskError: .* bytes are needed, but 1,000,000,000 are available"):
        plan("--experiment", "xie2025", "--run", str(tmp_path))
