"""Published recipes as data: what they say, how changes reach into them, and what is refused."""

import math
from dataclasses import replace

import pytest

from codec_wrappers.codec import Gain
from codec_wrappers.training.recipe import LEVELS, RECIPES, Optimizer, Recipe, Spectra, Stage, recipe
from codecfake.base.settings import SettingsError

WITHOUT_TEACHER = {"weights": {"distillation": 0}}


def published(name: str, **changes: object) -> Recipe:
    return recipe(name, {**(WITHOUT_TEACHER if name.startswith("speechtokenizer") else {}), **changes})


def test_there_is_a_recipe_for_every_codec_that_can_be_trained_and_one_of_ours() -> None:
    codecs = {"soundstream", "speechtokenizer", "funcodec", "encodec", "audiodec", "academicodec", "dac"}
    assert set(RECIPES) == codecs | {"plain", "speechtokenizer-paper"}


def test_the_recipes_of_speechtokenizer_differ_in_the_output_of_the_teacher() -> None:
    released, paper = (recipe(name, {"teacher": "folder"}) for name in ("speechtokenizer", "speechtokenizer-paper"))
    assert (released.teacher_output, paper.teacher_output) == ("average", "layer 9")
    assert replace(paper, teacher_output="average", source=released.source) == released
    assert "teacher_output" not in released.record()  # as in the records of older trainings
    assert paper.record()["teacher_output"] == "layer 9"


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_weights_every_distance_it_describes(name: str) -> None:
    assert all(published(name).weight(distance) > 0 for distance in published(name).spectra)


@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"plain"}))
def test_published_recipes_end_adversarially_and_know_no_warm_up(name: str) -> None:
    assert published(name).stages[-1].adversarial
    assert published(name).warm_up_steps == 0


def test_levels_are_those_that_codecs_know() -> None:
    # the last is of codecs that cannot be trained
    assert set(LEVELS) == {gain.value for gain in Gain} - {Gain.DBFS_25.value}


def test_the_published_weights_that_are_fractions_are_close_to_them() -> None:
    soundstream, funcodec = published("soundstream").spectra["spectrum"], published("funcodec")
    assert soundstream.log_squared == pytest.approx([math.sqrt(window / 2) / 6 for window in soundstream.windows])
    assert soundstream.linear_absolute == pytest.approx([1 / 6] * 6)
    assert funcodec.weights["feature"] == pytest.approx(100 / 9)
    assert funcodec.weights["adversarial"] == pytest.approx(1 / 9)


def test_the_decay_of_academicodec_is_98_percent_an_epoch_of_libritts() -> None:
    academicodec = published("academicodec")
    steps_an_epoch = 354_780 / academicodec.batch_size
    assert academicodec.generator.factor(round(steps_an_epoch), academicodec.steps) == pytest.approx(0.98, abs=1e-4)


def test_changes_reach_into_nested_settings_and_leave_their_neighbors() -> None:
    changed = recipe("encodec", {"weights": {"mel": 1}, "generator": {"learning_rate": 0.003}})
    assert changed.weights == published("encodec").weights | {"mel": 1.0}
    assert changed.generator == Optimizer("adam", 0.003, (0.5, 0.9))
    assert changed.discriminator == published("encodec").discriminator


def test_changes_to_one_training_do_not_reach_the_next() -> None:
    recipe("encodec", {"weights": {"mel": 7}, "discriminators": {"stft": {"filters": 1}}})
    assert published("encodec").weights["mel"] == 2
    assert published("encodec").discriminators["stft"]["filters"] == 32  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": 1}, "unknown setting 'step'; did you mean 'steps'"),
        ({"teacher_output": "layer 0"}, "teacher_output: 'layer 0' is neither 'average' nor 'layer N'"),
        ({"weights": {"mle": 1}}, "weights: unknown value 'mle'; did you mean 'mel'"),
        ({"generator": {"lr": 1}}, "unknown setting 'lr'; known settings: .*learning_rate"),
        ({"generator": {"kind": "sgd"}}, "generator.kind: unknown value 'sgd'; choose from adam, adamw"),
        ({"generator": {"schedule": "halve"}}, "halve the steps per halving"),
        ({"generator": {"betas": [0.9]}}, r"expected two numbers, found \[0.9\]"),
        ({"gan": "wasserstein"}, "unknown value 'wasserstein'; choose from hinge, least_squares"),
        ({"spectra": {"mel": {"mels": [1, 2]}}}, "spectra.mel.mels: 2 values for 5 windows; give one for each"),
        ({"spectra": {"mel": {"window_durations": [0.1]}}}, "give either windows .* or window_durations"),
        ({"stages": [{"from_step": 1, "adversarial": True}]}, r"begin at steps \[1\]; the first must begin at 0"),
        (
            {"stages": [{"from_step": 0, "adversarial": True, "frozen": ["head"]}]},
            "unknown value 'head'",
        ),
        ({"discriminators": {"stft": None}}, "an adversarial stage needs gan, discriminator"),
        ({"gan": None}, "an adversarial stage needs gan, discriminator"),
    ],
)
def test_what_no_recipe_can_mean_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        recipe("encodec", changes)


def test_an_unknown_recipe_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="unknown recipe 'mp3'; choose from plain, soundstream"):
        recipe("mp3", {})


def test_a_stage_beyond_the_last_step_is_refused() -> None:
    with pytest.raises(SettingsError, match="the last begins after step 500000, but training ends with step 500000"):
        published("audiodec", steps=500_000)
    assert published("audiodec", steps=500_001).stages[-1].adversarial


def test_distillation_without_a_teacher_is_refused_and_the_message_says_how_to_leave_it_out() -> None:
    with pytest.raises(SettingsError, match=r"needs a HuBERT model.*weights: \{distillation: 0\}"):
        recipe("speechtokenizer", {})
    assert recipe("speechtokenizer", {"teacher": "folder"}).weight("distillation") == 120
    with pytest.raises(SettingsError, match="warm_up_steps: 0"):
        recipe("speechtokenizer", {"teacher": "folder", "warm_up_steps": 1})


def test_a_stage_holds_from_its_first_step_to_the_next_stage() -> None:
    first, last = published("audiodec").stages
    assert first == Stage(0, adversarial=False, decoder="symmetric")
    assert last == Stage(500_000, adversarial=True, frozen=("encoder", "quantizer"))
    stages = [published("audiodec").stage(steps_done) for steps_done in (0, 499_999, 500_000, 999_999)]
    assert stages == [first, first, last, last]


@pytest.mark.parametrize(
    ("schedule", "argument", "step", "factor"),
    [
        ("constant", None, 70, 1.0),
        ("exponential", 0.9, 0, 1.0),
        ("exponential", 0.9, 2, 0.81),
        ("halve", 10, 9, 1.0),
        ("halve", 10, 10, 0.5),
        ("halve", 10, 39, 0.125),
        ("cosine", None, 0, 1.0),
        ("cosine", None, 50, 0.5),
        ("cosine", None, 100, 0.0),
    ],
)
def test_learning_rates_are_functions_of_the_step(schedule: str, argument: float, step: int, factor: float) -> None:
    optimizer = Optimizer("adam", 1.0, (0.9, 0.99), schedule=schedule, schedule_argument=argument)
    assert optimizer.factor(step, 100) == pytest.approx(factor, abs=1e-12)


def test_discriminators_always_learn_unless_a_recipe_lets_them_wait() -> None:
    assert published("encodec").discriminator_learns(0.0, {"adversarial": 9.0})


def test_funcodecs_discriminators_wait_while_they_lose_less_than_the_generator() -> None:
    losses = {"adversarial": 0.9, "waveform": 0.1, "quantizer": 50.0, "loss": 99.0}  # 0.9 / 9 + 0.1 = 0.2
    assert published("funcodec").discriminator_learns(0.21, losses)
    assert not published("funcodec").discriminator_learns(0.19, losses)


def test_windows_of_a_duration_are_one_for_each_duration() -> None:
    with pytest.raises(SettingsError, match="log_absolute: 1 values for 2 windows"):
        Spectra(window_durations=(0.01, 0.02), log_absolute=(1.0,))


def test_a_stage_has_its_own_weights_and_the_recipes_for_all_other_losses() -> None:
    stages = [{"from_step": 0, "adversarial": False, "weights": {"mel": 0.02}}, {"from_step": 9, "adversarial": False}]
    subject = recipe("plain", {"stages": stages})
    assert [subject.weight("mel", subject.stage(step)) for step in (0, 8, 9)] == [0.02, 0.02, 1]
    assert subject.weight("waveform", subject.stage(0)) == 1


def test_a_loss_that_only_a_stage_weights_is_used() -> None:
    stages = [{"from_step": 0, "adversarial": False, "weights": {"mel": 0.5}}]
    assert recipe("plain", {"weights": {"mel": 0}, "stages": stages}).is_used("mel")
    assert not recipe("plain", {"weights": {"mel": 0}}).is_used("mel")


def test_stages_weight_only_losses_that_exist_and_no_balanced_ones() -> None:
    stages = [{"from_step": 0, "adversarial": True, "weights": {"mle": 0.5}}]
    with pytest.raises(SettingsError, match="stages: unknown value 'mle'.*mel"):
        recipe("plain", {"stages": [stages[0] | {"adversarial": False}]})
    with pytest.raises(SettingsError, match="weight of mel, but the balancer has one weight"):
        recipe("encodec", {"stages": [stages[0] | {"weights": {"mel": 0.5}}]})
