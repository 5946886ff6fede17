"""Codec training: what learns and what does not, on which recordings, and that a killed run ends as any other."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from places import ROOT
from safetensors.torch import load_file
from small_codecs import SMALL
from small_recipes import DISCRIMINATORS, small, two_stages
from small_trainings import CPU, run, settings, voices
from torch import Tensor

import codec_wrappers
from codec_wrappers.__main__ import main
from codec_wrappers.codec import Gain
from codec_wrappers.training import checkpoint, loop, segments
from codec_wrappers.training.checkpoint import Learners, Progress
from codec_wrappers.training.curves import spectrogram
from codec_wrappers.training.loop import CodecTrainingError, train
from codec_wrappers.training.objective import Objective
from codec_wrappers.training.recipe import Optimizer, Stage
from codec_wrappers.training.segments import Recording, Segments, Sizes, list_recordings, split_off
from codec_wrappers.training.updates import Updates
from codec_wrappers.training.validation import use_of_codes
from codecfake.audio import waveforms
from codecfake.audio.shards import ShardError
from codecfake.base import files
from codecfake.base.settings import SettingsError

CODECS = sorted(DISCRIMINATORS)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return voices(tmp_path_factory.mktemp("audio"))


@pytest.fixture(scope="module")
def encodec(recordings: Path, few_segments: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with the settings below, undisturbed."""
    folder = tmp_path_factory.mktemp("encodec")
    run(recordings, folder, settings())
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


# What learns


SLOW_TO_LEARN = ("academicodec", "audiodec")  # with several discriminators


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in SLOW_TO_LEARN else []) for name in CODECS]
)
def test_every_codec_learns_by_its_published_recipe(name: str, recordings: Path, tmp_path: Path) -> None:
    weights = run(recordings, tmp_path, settings(name))
    torch.manual_seed(1)
    fresh = codec_wrappers.build(name, SMALL[name]).network.state_dict()
    moved = {key for key in weights if not torch.equal(weights[key], fresh[key])}
    assert {key for key in weights if "encoder" in key} & moved
    assert {key for key in weights if "quantizer" in key} & moved
    assert {key for key in weights if "decoder" in key or "generator" in key or "vocoder" in key} & moved
    history = pd.read_csv(tmp_path / "history.tsv", sep="\t")
    assert history["step"].tolist() == [2, 4]
    for loss in ("loss", "adversarial", "feature", "quantizer", "discriminator", "si_sdr_db", "codebook_use"):
        assert np.isfinite(history[loss]).all(), loss
    codec_wrappers.load(name, SMALL[name], tmp_path / "weights.safetensors")


class Watched(Objective):
    """Remembers, for every step, the discriminators' weights, whether it was adversarial, and a codec's output."""

    steps: list[tuple[bool, Tensor, Tensor]]

    def backward(self, output: Any, target: Tensor, stage: Stage) -> dict[str, float]:
        weights = torch.cat([weight.detach().flatten().clone() for weight in self.discriminators.parameters()])
        Watched.steps.append((stage.adversarial, weights, output.wav.detach().clone()))
        return super().backward(output, target, stage)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, Tensor, Tensor]]:
    Watched.steps = []
    monkeypatch.setattr(loop, "Objective", Watched)
    return Watched.steps


@pytest.mark.long
def test_generator_and_discriminators_take_turns(
    recordings: Path, tmp_path: Path, watched: list[tuple[bool, Tensor, Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Segments, "__getitem__", lambda self, step: self.draw(7, 2))  # the same batch at each step
    run(recordings, tmp_path, settings("dac"))
    assert len(watched) == 4
    for (_, before, output_before), (_, after, output_after) in zip(watched, watched[1:], strict=False):
        assert not torch.equal(before, after)
        assert not torch.equal(output_before, output_after)


@pytest.mark.long
def test_discriminators_join_in_at_their_stage(
    recordings: Path, tmp_path: Path, watched: list[tuple[bool, Tensor, Tensor]]
) -> None:
    run(recordings, tmp_path, settings("audiodec", changes=small("audiodec", steps=5, stages=two_stages(3))))
    assert [adversarial for adversarial, _, _ in watched] == [False, False, False, True, True]
    weights = [weights for _, weights, _ in watched]
    assert all(torch.equal(weights[0], later) for later in weights[1:4])
    assert not torch.equal(weights[3], weights[4])
    history = pd.read_csv(tmp_path / "history.tsv", sep="\t")
    assert history["step"].tolist() == [3, 5]
    assert np.isnan(history["discriminator"][0]) and history["discriminator"][1] > 0


@pytest.mark.long
@pytest.mark.parametrize("decoder", ["symmetric", "vocoder"])
def test_what_is_frozen_ends_as_it_was_when_it_was_frozen(decoder: str, recordings: Path, tmp_path: Path) -> None:
    model = {**SMALL["audiodec"], "decoder": decoder}
    alone = [{"from_step": 0, "adversarial": False, "decoder": "symmetric"}]
    first = run(recordings, tmp_path / "first", settings("audiodec", model, changes=small("audiodec", 2, stages=alone)))
    both = small("audiodec", 4, stages=two_stages(2))
    second = run(recordings, tmp_path / "second", settings("audiodec", model, changes=both))
    assert set(first) == set(second)
    frozen = {key for key in first if ".encoder." in key or ".projector." in key or ".quantizer." in key}
    for key in frozen:
        assert torch.equal(first[key], second[key]), key
    learned = set(first) - frozen
    assert any(key.startswith("vocoder" if decoder == "vocoder" else "autoencoder.decoder") for key in learned)
    # a bias before the last activation may stand still; most weights may not
    assert sum(not torch.equal(first[key], second[key]) for key in learned) > 0.9 * len(learned)


@pytest.mark.long
def test_a_vocoder_takes_the_statistics_of_its_codes_and_its_helper_is_not_kept(
    recordings: Path, tmp_path: Path
) -> None:
    weights = run(recordings, tmp_path, settings("audiodec"))
    assert not [key for key in weights if key.startswith("autoencoder.decoder")]
    assert weights["vocoder.mean"].abs().max() > 0
    assert (weights["vocoder.scale"] != 1).any() and (weights["vocoder.scale"] > 0).all()


def test_statistics_make_a_vocoders_input_standard() -> None:
    vocoder = codec_wrappers.build("audiodec", SMALL["audiodec"]).network.vocoder
    latents = torch.randn(3, 16, 50) * torch.arange(16)[:, None] + 5
    vocoder.take_statistics(latents)
    standard = (latents - vocoder.mean[:, None]) / vocoder.scale[:, None]
    torch.testing.assert_close(standard.mean(dim=(0, 2)), torch.zeros(16), atol=1e-4, rtol=0)
    torch.testing.assert_close(standard[:, 1:].square().mean(dim=(0, 2)), torch.ones(15), atol=1e-4, rtol=0)
    assert vocoder.scale[0] == 1  # of a channel that never changes


@pytest.mark.parametrize("name", CODECS)
def test_a_frozen_quantizer_keeps_its_codebooks_and_passes_gradients(name: str) -> None:
    codec = codec_wrappers.build(name, SMALL[name])
    wav = 0.1 * torch.randn(4, 24 * codec.hop_length)
    codec.reconstruct(wav)
    codec.freeze(["quantizer"])
    before = {key: tensor.clone() for key, tensor in codec.parts()["quantizer"].named_buffers()}
    before |= {key: tensor.detach().clone() for key, tensor in codec.parts()["quantizer"].named_parameters()}
    codec.reconstruct(wav).wav.square().mean().backward()
    after = dict(codec.parts()["quantizer"].named_buffers()) | dict(codec.parts()["quantizer"].named_parameters())
    for key, tensor in before.items():
        assert torch.equal(after[key], tensor), key
    assert all(parameter.grad is None for parameter in codec.parts()["quantizer"].parameters())
    assert any(parameter.grad.abs().sum() > 0 for parameter in codec.parts()["encoder"].parameters())
    codec.freeze([])
    assert all(parameter.requires_grad for parameter in codec.parts()["encoder"].parameters())


def test_a_part_or_a_decoder_that_a_codec_does_not_have_is_refused() -> None:
    codec = codec_wrappers.build("encodec", SMALL["encodec"])
    with pytest.raises(ValueError, match="Encodec has no part 'lstm' to freeze; it has encoder, quantizer, decoder"):
        codec.freeze(["lstm"])
    with pytest.raises(ValueError, match="Encodec has no decoder 'symmetric' besides its own"):
        codec.use_decoder("symmetric")


def test_what_a_teacher_is_compared_with_comes_from_the_first_codebook_and_reaches_the_encoder() -> None:
    model = {**SMALL["speechtokenizer"], "semantic_dimension": 24}
    codec = codec_wrappers.build("speechtokenizer", model)
    wav = 0.1 * torch.randn(2, 10 * codec.hop_length)
    codec.reconstruct(wav)
    codec.freeze(["quantizer"])
    semantic = codec.reconstruct(wav).semantic
    assert semantic is not None and semantic.shape == (2, 10, 24)
    latent = codec.network.quantizer.decode(codec.network.encode(wav[:, None], n_q=1))
    torch.testing.assert_close(semantic, codec.network.transform(latent.transpose(1, 2)), atol=1e-5, rtol=0)
    semantic.sum().backward()
    assert all(parameter.grad is not None for parameter in codec.network.encoder.parameters())


@pytest.mark.parametrize(("dropout", "expected"), [(0.0, {None}), (1.0, {1, 2, 3, 4})])
def test_soundstream_learns_with_any_number_of_codebooks(dropout: float, expected: set[int | None]) -> None:
    codec = codec_wrappers.build("soundstream", {**SMALL["soundstream"], "quantizer_dropout": dropout})
    assert {codec.stages_in_step() for _ in range(20)} == {None}  # new codebooks start from one batch together
    codec.reconstruct(torch.randn(4, 24 * codec.hop_length))
    assert {codec.stages_in_step() for _ in range(100)} == expected


@pytest.mark.parametrize("name", CODECS)
def test_codes_are_found_in_float32_when_networks_run_in_bfloat16(name: str) -> None:
    codec = codec_wrappers.build(name, SMALL[name])
    wav = 0.1 * torch.randn(4, 24 * codec.hop_length)
    with torch.autocast("cpu", torch.bfloat16):
        output = codec.reconstruct(wav)
    assert output.quantizer_loss.dtype == torch.float32
    (output.wav.float().square().mean() + output.quantizer_loss).backward()
    assert all(tensor.isfinite().all() for tensor in codec.network.state_dict().values())
    assert any(parameter.grad.abs().sum() > 0 for parameter in codec.parts()["encoder"].parameters())


@pytest.mark.long
def test_mixed_precision_trains_nearly_the_same_codec(recordings: Path, tmp_path: Path) -> None:
    whole = run(recordings, tmp_path / "32", settings("soundstream", model={**SMALL["soundstream"]}))
    mixed = run(recordings, tmp_path / "16", settings("soundstream", precision="bfloat16"))
    assert not all(torch.equal(whole[key], mixed[key]) for key in whole)
    full = pd.read_csv(tmp_path / "32/history.tsv", sep="\t")["spectrum"]
    assert np.allclose(pd.read_csv(tmp_path / "16/history.tsv", sep="\t")["spectrum"], full, rtol=0.1)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CODECS)
def test_every_codec_learns_on_a_gpu(name: str, precision: str, recordings: Path, tmp_path: Path) -> None:
    train(settings(name, precision=precision), recordings, "native", tmp_path, torch.device("cuda"), workers=2)
    assert np.isfinite(pd.read_csv(tmp_path / "history.tsv", sep="\t")["loss"]).all()
    codec_wrappers.load(name, SMALL[name], tmp_path / "weights.safetensors")


# On which recordings


def test_batches_are_the_same_for_any_number_of_workers(recordings: Path) -> None:
    data = small_segments(recordings, Gain.PEAK_095)
    batches = [torch.stack(list(data.batches(range(3, 9), workers, CPU))) for workers in (0, 1, 2)]
    assert batches[0].shape == (6, 3, 1600)
    assert torch.equal(batches[0], batches[1]) and torch.equal(batches[0], batches[2])
    assert torch.equal(batches[0][2], data[5])
    assert not torch.equal(batches[0][0], batches[0][1])


def small_segments(recordings: Path, gain: Gain = Gain.NONE, seed: int = 1) -> Segments:
    utterances = list_recordings(recordings, "native", ["voices"])
    return Segments(recordings, "native", utterances, Sizes(16_000, 1600, 3, gain), seed)


def test_held_out_utterances_are_never_drawn_and_all_others_are(recordings: Path) -> None:
    validation, others = split_off(list_recordings(recordings, "native", ["voices"]), 3, seed=5)
    data = Segments(recordings, "native", others, Sizes(16_000, 160, 8, Gain.NONE), seed=5)
    names = {name for step in range(1, 60) for name in data.names(step)}
    assert names == {one.name for one in others}
    assert not names & {one.name for one in validation}
    assert len(validation) == 3


def test_the_utterances_held_out_depend_on_their_names_and_the_seed_alone(recordings: Path) -> None:
    utterances = list_recordings(recordings, "native", ["voices"])
    validation, _ = split_off(utterances, 3, seed=5)
    assert split_off(utterances[::-1], 3, seed=5)[0] == validation
    assert {tuple(split_off(utterances, 3, seed)[0]) for seed in range(10)} != {tuple(validation)}
    without = [one for one in utterances if one != validation[2]]
    assert split_off(without, 3, seed=5)[0][:2] == validation[:2]


def test_what_is_drawn_depends_on_the_seed(recordings: Path) -> None:
    assert not torch.equal(small_segments(recordings, seed=1)[1], small_segments(recordings, seed=2)[1])


def test_recordings_are_listed_by_name_over_all_shards(recordings: Path) -> None:
    assert [one.name for one in list_recordings(recordings, "native", ["voices"])] == [f"voices/u{n}" for n in range(9)]


@pytest.mark.parametrize(("from_rate", "to_rate"), [(24_000, 16_000), (16_000, 24_000), (44_100, 16_000), (8000, 8000)])
@pytest.mark.parametrize("place", [0.4, *(pytest.param(place, marks=pytest.mark.long) for place in (0.0, 0.9999))])
def test_a_segment_is_a_part_of_the_whole_recording_resampled(from_rate: int, to_rate: int, place: float) -> None:
    samples = np.random.default_rng(0).integers(-9000, 9000, from_rate, dtype=np.int16)
    segment = segments.cut(flac(samples, from_rate), recording(samples, from_rate), place, to_rate, to_rate // 4)
    resampled = waveforms.resample(samples / waveforms.FULL_SCALE, from_rate, to_rate).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(resampled, to_rate // 4)
    error = np.abs(windows - segment).max(axis=1)
    assert error.min() < 2e-4  # what the resampler's filter would find beyond the edges read
    assert abs(error.argmin() - place * (len(windows) - 1)) <= to_rate // 100


def test_a_segment_is_the_recording_itself_at_its_own_rate() -> None:
    samples = np.arange(1, 1001, dtype=np.int16)
    data, whole = flac(samples, 8000), recording(samples, 8000)
    starts = {
        int(segments.cut(data, whole, place / 2000, 8000, 990)[0] * waveforms.FULL_SCALE) for place in range(2000)
    }
    assert starts == set(range(1, 12))  # every start, the first and the last too


@pytest.mark.parametrize("num_samples", [1, 99, 100, 101])
def test_a_recording_shorter_than_a_segment_is_followed_by_zeros(num_samples: int) -> None:
    samples = np.full(num_samples, 1000, dtype=np.int16)
    segment = segments.cut(flac(samples, 8000), recording(samples, 8000), 0.999, 8000, 100)
    assert segment.tolist() == [1000 / 32768] * min(100, num_samples) + [0] * max(0, 100 - num_samples)


def flac(samples: np.ndarray, rate: int) -> bytes:
    return waveforms.encode_flac(samples, rate)


def recording(samples: np.ndarray, rate: int) -> Recording:
    return Recording("voices", "u", len(samples), rate, "")


def test_the_level_of_a_segment_is_that_of_its_whole_utterance(recordings: Path) -> None:
    plain, scaled = small_segments(recordings), small_segments(recordings, Gain.PEAK_095)
    for step in range(1, 4):
        for name, before, after in zip(plain.names(step), plain[step], scaled[step], strict=True):
            loudness = (int(name[-1]) + 1) / 10 * 0.9 / 0.95  # as the fixture made it
            torch.testing.assert_close(after, before / loudness, rtol=1e-3, atol=1e-4)


def test_segments_are_whole_frames_and_at_least_one() -> None:
    codec = codec_wrappers.build("encodec", SMALL["encodec"])
    lengths = [Sizes.of(codec, duration, 1, Gain.NONE).num_samples for duration in (0.0001, 0.0133, 0.03, 0.16)]
    assert lengths == [320, 320, 640, 3840]


# How a run goes on


class KilledError(Exception):
    """Stands for a kill signal."""


@pytest.mark.parametrize(
    ("name", "changes", "kill_after"),
    [
        # averaged codebooks, random numbers of them, a balancer
        ("encodec", small("encodec", 4), (1, 3)),
        # counts of codes that are not among the weights
        pytest.param("academicodec", small("academicodec", 6), (2, 5), marks=pytest.mark.slow),
        # codebooks that start from the first batch
        pytest.param("dac", small("dac", 6), (1, 2), marks=pytest.mark.slow),
        # they start later
        pytest.param("soundstream", small("soundstream", 6, warm_up_steps=2), (1, 2), marks=pytest.mark.slow),
        # another decoder, its statistics
        pytest.param("audiodec", small("audiodec", 4, stages=two_stages(2)), (2, 3), marks=pytest.mark.long),
        # no discriminators
        pytest.param("encodec", small("plain", 6, warm_up_steps=1), (1, 6), marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_ends_in_the_same_bytes_as_an_undisturbed_one(
    name: str,
    changes: dict[str, Any],
    kill_after: tuple[int, ...],
    recordings: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = "plain" if "discriminators" not in changes else None
    training = settings(name, changes=changes, recipe=recipe, checkpoint_every=1, validations=2)
    run(recordings, tmp_path / "undisturbed", training)
    for step in kill_after:
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, "save", killing_after(step))
            with pytest.raises(KilledError):
                run(recordings, tmp_path / "killed", training)
    run(recordings, tmp_path / "killed", training)
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")


def killing_after(step: int) -> Any:
    whole = checkpoint.save

    def save(path: Path, progress: Progress, *others: Any) -> None:
        whole(path, progress, *others)
        if progress.step == step:
            raise KilledError

    return save


def test_a_checkpoint_holds_what_published_weights_have_no_place_for(tmp_path: Path) -> None:
    network = codec_wrappers.build("academicodec", SMALL["academicodec"]).network
    learners = Learners({"codec": network}, {})
    counts = network.quantizer.stages()[0][0].counts
    counts.copy_(torch.arange(len(counts)))
    checkpoint.save(tmp_path / "checkpoint.pt", Progress(step=3), learners, "this run")
    counts.zero_()
    assert checkpoint.restore(tmp_path / "checkpoint.pt", learners, "this run") == Progress(step=3)
    assert counts.tolist() == list(range(len(counts)))


@pytest.mark.long
def test_a_run_killed_between_checkpoints_goes_back_to_the_last(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = settings(changes=small("encodec", 4), checkpoint_every=2, validations=1)
    run(recordings, tmp_path / "undisturbed", training)
    steps: list[int] = []
    whole = Updates.apply

    def apply(self: Updates, steps_done: int) -> None:
        steps.append(steps_done + 1)
        if steps[-1] == 4:
            raise KilledError
        whole(self, steps_done)

    with monkeypatch.context() as patch:
        patch.setattr(Updates, "apply", apply)
        with pytest.raises(KilledError):
            run(recordings, tmp_path / "killed", training)
        steps.clear()
        with pytest.raises(KilledError):
            run(recordings, tmp_path / "killed", training)
        assert steps[0] == 3  # after the checkpoint of step 2
    run(recordings, tmp_path / "killed", training)
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")


KILL_AT = """
import os, signal, sys
from pathlib import Path
from codec_wrappers.training import checkpoint, loop
from codec_wrappers.__main__ import main

loop.CODEBOOK_SEGMENTS = 8
at, step = int(sys.argv[1]), 0
whole_save, whole_write = checkpoint.save, Path.write_bytes

def save(path, progress, learners, run):
    global step
    step = progress.step
    whole_save(path, progress, learners, run)

def write_bytes(path, content):
    if path.name == f".{loop.CHECKPOINT}.part" and step == at:
        whole_write(path, content[:100])
        os.kill(os.getpid(), signal.SIGKILL)
    return whole_write(path, content)

checkpoint.save, Path.write_bytes = save, write_bytes
main(sys.argv[2:])
"""


@pytest.mark.parametrize(
    "steps", [pytest.param((3,), marks=pytest.mark.long), pytest.param((1, 2, 4, 5, 6), marks=pytest.mark.slow)]
)
def test_sigkill_while_a_checkpoint_is_written_changes_no_byte(
    steps: tuple[int, ...], recordings: Path, tmp_path: Path
) -> None:
    training = {
        "codec": "small",
        "wrapper": "academicodec",
        "corpora": ["voices"],
        "model": SMALL["academicodec"],
        "changes": small("academicodec", 6),
        "validation_utterances": 2,
        "checkpoint_every": 1,
        "tensorboard": False,
    }
    command = ["train", "--settings", json.dumps(training), "--audio", str(recordings), "--device", "cpu"]
    main([*command, "--output", str(tmp_path / "undisturbed")])
    for step in steps:
        arguments = [sys.executable, "-c", KILL_AT, str(step), *command, "--output", str(tmp_path / "killed")]
        killed = subprocess.run(arguments, cwd=ROOT, capture_output=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert (tmp_path / "killed/.checkpoint.pt.part").exists()
    main([*command, "--output", str(tmp_path / "killed")])
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")


@pytest.mark.long
def test_a_checkpoint_of_other_settings_is_not_used(
    recordings: Path, encodec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", killing_after(2))
        with pytest.raises(KilledError):
            run(recordings, tmp_path / "codec", settings(seed=9))
    run(recordings, tmp_path / "codec", settings())
    assert "from a run with other settings or other data; training starts from the beginning" in caplog.text
    assert contents(tmp_path / "codec") == contents(encodec)


@pytest.mark.long
def test_the_same_seed_trains_the_same_codec_with_any_number_of_workers(
    recordings: Path, encodec: Path, tmp_path: Path
) -> None:
    run(recordings, tmp_path, settings(), workers=2)
    assert contents(tmp_path) == contents(encodec)


@pytest.mark.long
def test_another_seed_trains_another_codec(recordings: Path, encodec: Path, tmp_path: Path) -> None:
    other = run(recordings, tmp_path, settings(seed=2))
    same = load_file(encodec / "weights.safetensors")
    assert not all(torch.equal(same[key], other[key]) for key in same)


# What is written


def test_the_folder_of_a_trained_codec_says_how_it_was_trained(encodec: Path) -> None:
    results = ("weights.safetensors", "history.tsv", "quality.tsv", "settings.json")
    assert set(contents(encodec)) == {f"{name}{seal}" for name in results for seal in ("", ".sha256")}
    record = json.loads((encodec / "settings.json").read_text())
    assert record["recipe"] == "encodec"
    assert record["resolved_recipe"]["batch_size"] == 2
    assert record["resolved_recipe"]["balancer"] == {"decay": 0.999, "total_norm": 1.0}
    quality = files.read_tsv(encodec / "quality.tsv")
    assert quality["state"].tolist() == ["untrained", "trained"]
    assert quality["num_utterances"].tolist() == ["2", "2"]
    history = files.read_tsv(encodec / "history.tsv")
    assert history.columns[:2].tolist() == ["step", "loss"]
    assert float(history["mel_distance"].iloc[-1]) == pytest.approx(float(quality["mel_distance"][1]), abs=1e-4)


def test_a_row_of_the_history_is_the_mean_over_the_steps_since_the_last() -> None:
    progress = Progress()
    for loss in ({"loss": 1.0}, {"loss": 2.0, "adversarial": 5.0}):
        progress.add(loss)
    assert progress.take_means() == {"loss": 1.5, "adversarial": 5.0}
    progress.add({"loss": 7.0})
    assert progress.take_means() == {"loss": 7.0}


@pytest.mark.long
def test_tensorboard_gets_curves_sound_and_pictures(recordings: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(recordings, tmp_path, settings(tensorboard=True, changes=small("encodec", 10)))
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    tags = events.Tags()
    expected = {"loss/loss", "loss/mel", "loss/discriminator", "learning rate/generator", "learning rate/discriminator"}
    expected |= {"gradient norm/generator", "validation/si_sdr_db", "validation/codebook_perplexity"}
    assert expected <= set(tags["scalars"])
    assert [event.step for event in events.Scalars("validation/mel_distance")] == [0, 5, 10]
    assert set(tags["images"]) == set(tags["audio"]) == {"1 coded", "2 coded", "1 recorded", "2 recorded"}


def test_the_picture_of_a_tone_is_white_at_its_frequency() -> None:
    tone = torch.sin(2 * torch.pi * 2000 * torch.arange(16_000) / 16_000)[None]
    picture = spectrogram(tone)
    assert picture.shape[:2] == (1, 513) and picture.min() >= 0 and picture.max() == 1
    assert picture[0].mean(dim=1).argmax() == 512 - round(2000 / 16_000 * 1024)
    assert spectrogram(torch.zeros(1, 10)).isfinite().all()


def test_use_of_codes_counts_what_is_used_and_how_evenly() -> None:
    assert use_of_codes(torch.tensor([[5.0, 5.0, 5.0, 5.0]])) == pytest.approx((1.0, 4.0))
    assert use_of_codes(torch.tensor([[7.0, 0.0, 0.0, 0.0], [3.0, 3.0, 0.0, 0.0]])) == pytest.approx((0.375, 1.5))


# Learning rates


def test_learning_rates_fall_with_the_step_from_the_first_that_learns() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    halved = Updates(Optimizer("adam", 0.4, (0.9, 0.99), schedule="halve", schedule_argument=10), [weight], 100, 200)
    assert [halved.learning_rate(step) for step in (100, 109, 110, 130)] == [0.4, 0.4, 0.2, 0.05]
    cosine = Updates(Optimizer("adamw", 0.4, (0.9, 0.99), schedule="cosine"), [weight], 0, 8)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(torch.optim.Adam([weight], 0.4), 8)
    for step in range(8):
        assert cosine.learning_rate(step) == pytest.approx(reference.get_last_lr()[0])
        reference.optimizer.step()
        reference.step()


def test_gradients_are_scaled_down_to_the_recipes_norm() -> None:
    weight = torch.nn.Parameter(torch.zeros(2))
    for limit, expected in ((1.0, [0.6, 0.8]), (10.0, [3.0, 4.0]), (None, [3.0, 4.0])):
        weight.grad = torch.tensor([3.0, 4.0])
        assert Updates(Optimizer("adam", 0.1, (0.9, 0.99), clip_norm=limit), [weight], 0, 1).clip() == 5.0
        torch.testing.assert_close(weight.grad, torch.tensor(expected), atol=1e-5, rtol=0)


# What is refused


def test_a_loss_that_is_not_finite_stops_before_the_update_and_names_the_utterances(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    updated: list[int] = []
    whole_apply, whole_batch = Updates.apply, Segments.__getitem__
    spoiled = lambda self, step: whole_batch(self, step) * (float("nan") if step == 2 else 1.0)  # noqa: E731
    monkeypatch.setattr(Segments, "__getitem__", spoiled)
    monkeypatch.setattr(Updates, "apply", lambda self, step: (updated.append(step + 1), whole_apply(self, step)))
    expected = r"small encodec: not finite at step 2: .*loss nan.*discriminator nan.*nothing was updated.*voices/u\d"
    with pytest.raises(CodecTrainingError, match=expected):
        run(recordings, tmp_path, settings())
    assert set(updated) == {1}
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_gradient_that_is_not_finite_stops_before_the_update(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Updates, "clip", lambda self: float("inf"))
    with pytest.raises(CodecTrainingError, match="not finite at step 1: gradient of the generator inf"):
        run(recordings, tmp_path, settings())


def test_too_little_speech_is_refused(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(CodecTrainingError, match="9 utterances are too few: 9 of them are for validation; add corpora"):
        run(recordings, tmp_path, settings(validation_utterances=9))
    run(recordings, tmp_path, settings(validation_utterances=8, changes=small("encodec", 1)))


def test_a_corpus_without_shards_is_refused(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"strangers/native: no shards to train on; .*sample_rate native"):
        run(recordings, tmp_path, settings(corpora=["strangers", "voices"]))


def test_a_codec_that_is_not_trainable_is_refused(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(CodecTrainingError, match="passthrough is not a TrainableCodec"):
        run(recordings, tmp_path, settings("passthrough", recipe="plain"))


@pytest.mark.parametrize("quantizers", [0, 5])
def test_more_quantizers_than_there_are_is_refused(quantizers: int, recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(CodecTrainingError, match=f"with {quantizers} quantizers is impossible: the codec has 4"):
        run(recordings, tmp_path, settings(quantizers=quantizers))


def test_an_unknown_recipe_or_setting_is_refused(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="unknown recipe 'vqgan'; choose from plain"):
        run(recordings, tmp_path, settings(recipe="vqgan"))
    with pytest.raises(SettingsError, match="unknown setting 'step'"):
        run(recordings, tmp_path, settings(changes={"step": 3}))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("precision", "float16", "unknown precision 'float16'; did you mean 'bfloat16'"),
        ("corpora", [], "corpora: the list is empty"),
        ("validations", 0, "validations: 0 is out of range; it must be at least 1"),
        ("checkpoint_every", 0, "checkpoint_every: 0 is out of range"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings(**{name: value})
