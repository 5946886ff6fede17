"""What codecs minimize: closed forms of every loss, and where their gradients go."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from codec_wrappers.codec import Reconstruction
from codec_wrappers.training import recipe as recipes
from codec_wrappers.training.adversarial import (
    combine_losses,
    discriminator_losses,
    feature_distances,
    generator_losses,
)
from codec_wrappers.training.balancer import Balancer
from codec_wrappers.training.distillation import Teacher, distillation_loss
from codec_wrappers.training.losses import MelDistance, SpectralDistance
from codec_wrappers.training.objective import Objective
from codec_wrappers.training.recipe import RECIPES, Spectra, Stage, recipe
from codecfake.base.settings import SettingsError

RATE = 16_000
SMALL_DISCRIMINATORS: dict[str, dict[str, Any]] = {
    "periods": {"channels": 1},
    "scales": {"channels": 2},
    "waves": {"channels": 2, "most": 8},
    "spectrum": {"channels": 2},
    "bands": {"channels": 2},
    "stft": {"filters": 2},
    "pooled_stft": {"filters": 2},
}


def objective(name: str, **changes: Any) -> Objective:
    """The published objective with small discriminators and without a teacher."""
    torch.manual_seed(0)
    names = recipe(name, {"weights": {"distillation": 0}}).discriminators
    small = {"discriminators": {each: SMALL_DISCRIMINATORS[each] for each in names}}
    weights = {"distillation": 0} | changes.pop("weights", {})
    return Objective(recipe(name, small | {"weights": weights} | changes), RATE)


def noise(samples: int = 3200, seed: int = 1) -> Tensor:
    return 0.1 * torch.randn(2, samples, generator=torch.Generator().manual_seed(seed))


ADVERSARIAL, RECONSTRUCTING = Stage(0, adversarial=True), Stage(0, adversarial=False)
HUBERT: dict[str, Any] = {
    "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16, "conv_dim": (4,) * 7,
    "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip


class Toy(nn.Module):
    """The smallest generator that can learn: it scales what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))

    def forward(self, wav: Tensor) -> Reconstruction:
        return Reconstruction(self.gain * wav, self.gain.square())


def stage(name: str) -> Stage:
    return RECONSTRUCTING if name == "plain" else ADVERSARIAL


@pytest.mark.parametrize("name", RECIPES)
def test_a_step_teaches_the_generator_and_leaves_nothing_in_the_discriminators(name: str) -> None:
    subject, toy = objective(name), Toy()
    losses = subject.backward(toy(noise()), noise(seed=2), stage(name))
    assert toy.gain.grad is not None
    assert toy.gain.grad.isfinite()
    assert toy.gain.grad != 0
    assert all(parameter.grad is None and parameter.requires_grad for parameter in subject.discriminators.parameters())
    assert set(losses) == {each for each in subject.recipe.weights if subject.recipe.weight(each)} | {"loss"}


@pytest.mark.parametrize("name", RECIPES)
def test_the_loss_is_the_weighted_sum_of_the_losses(name: str) -> None:
    subject = objective(name)
    losses = subject.backward(Toy()(noise()), noise(seed=2), stage(name))
    total = sum(subject.recipe.weight(each) * loss for each, loss in losses.items() if each != "loss")
    assert losses["loss"] == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"plain"}))
def test_the_discriminators_loss_teaches_all_of_them_and_not_the_generator(name: str) -> None:
    subject, toy = objective(name), Toy()
    subject.discriminator_loss(toy(noise(8000)).wav, noise(8000, seed=2)).backward()
    assert toy.gain.grad is None
    for each in subject.discriminators.values():
        gradients = [parameter.grad for parameter in each.parameters()]
        assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
        assert any(gradient.any() for gradient in gradients if gradient is not None)


@pytest.mark.parametrize("name", RECIPES)
def test_a_codec_that_gives_back_its_input_loses_nothing_but_what_discriminators_and_quantizer_say(name: str) -> None:
    toy = Toy()
    with torch.no_grad():
        toy.gain.fill_(1.0)
    subject = objective(name)
    subject.eval()  # a spectral norm changes with every wav it is given in training
    losses = subject.backward(toy(noise()), noise(), stage(name))
    assert {each for each, loss in losses.items() if loss} <= {"adversarial", "quantizer", "loss"}


def test_before_the_adversarial_stage_nobody_asks_the_discriminators() -> None:
    subject = objective("encodec")
    losses = subject.backward(Toy()(noise()), noise(seed=2), RECONSTRUCTING)
    assert set(losses) == {"waveform", "mel", "quantizer", "loss"}


def test_a_loss_without_weight_is_not_computed() -> None:
    subject = objective("plain", weights={"waveform": 0})
    assert set(subject.backward(Toy()(noise()), noise(), RECONSTRUCTING)) == {"mel", "quantizer", "loss"}


def test_a_stage_computes_the_losses_that_it_weights_and_sums_them_by_its_weights() -> None:
    early = Stage(0, adversarial=False, weights={"mel": 0.5, "waveform": 0})
    losses = objective("plain").backward(Toy()(noise()), noise(seed=2), early)
    assert set(losses) == {"mel", "quantizer", "loss"}
    assert losses["loss"] == pytest.approx(0.5 * losses["mel"] + losses["quantizer"])


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_the_snr_is_in_bels_and_does_not_depend_on_the_level(scale: float) -> None:
    """An error of a tenth of the amplitude is 20 dB, or 2 bels, below the signal."""
    wav = scale * noise()
    output = Reconstruction((1.1 * wav).requires_grad_(), torch.zeros((), requires_grad=True))
    losses = objective("plain", waveform="snr").backward(output, wav, RECONSTRUCTING)
    assert losses["waveform"] == pytest.approx(-2.0, abs=0.05)


def test_a_pause_has_a_finite_snr() -> None:
    output = Reconstruction(noise().requires_grad_(), torch.zeros((), requires_grad=True))
    losses = objective("plain", waveform="snr").backward(output, torch.zeros(2, 3200), RECONSTRUCTING)
    assert 0 < losses["waveform"] < 5


@pytest.mark.parametrize(("longer", "shorter"), [(3300, 3200), (3200, 3100)])
def test_the_longer_of_output_and_target_is_cut(longer: int, shorter: int) -> None:
    wav, target = noise(longer), noise(longer, seed=2)
    whole = objective("encodec").backward(Toy()(wav[:, :shorter]), target[:, :shorter], ADVERSARIAL)
    assert objective("encodec").backward(Toy()(wav), target[:, :shorter], ADVERSARIAL) == whole
    assert objective("encodec").backward(Toy()(wav[:, :shorter]), target, ADVERSARIAL) == whole


def test_a_quantizer_that_does_not_learn_stops_nobody() -> None:
    toy = Toy()
    subject = objective("encodec")
    subject.backward(Reconstruction(toy(noise()).wav, torch.zeros(())), noise(seed=2), ADVERSARIAL)
    assert toy.gain.grad


def test_an_infinite_output_is_reported_and_not_raised() -> None:
    output = Toy()(noise().index_fill(1, torch.tensor([7]), math.inf))
    assert not math.isfinite(objective("plain").backward(output, noise(), RECONSTRUCTING)["loss"])


def test_discriminators_in_half_precision_give_about_the_same_losses() -> None:
    subject = objective("encodec")
    exact = subject.backward(Toy()(noise()), noise(seed=2), ADVERSARIAL)
    subject.precision = "bfloat16"
    rough = subject.backward(Toy()(noise()), noise(seed=2), ADVERSARIAL)
    assert rough["mel"] == exact["mel"]
    assert rough["adversarial"] != exact["adversarial"]
    assert rough["adversarial"] == pytest.approx(exact["adversarial"], rel=0.02)


def test_a_checkpoint_holds_discriminators_and_running_norms_and_goes_on_as_if_never_stopped() -> None:
    gradients = []
    for stopped in (False, True):
        subject, toy = objective("encodec"), Toy()
        subject.backward(toy(noise()), noise(seed=2), ADVERSARIAL)
        if stopped:
            state = subject.state_dict()
            subject = objective("encodec")
            subject.load_state_dict(state)
        toy.zero_grad()
        subject.backward(toy(noise(seed=3)), noise(seed=4), ADVERSARIAL)
        gradients.append(toy.gain.grad)
    assert gradients[0] == gradients[1]


# losses of logits and of features


def judgments(*logits: float) -> list[tuple[Tensor, list[Tensor]]]:
    return [(torch.tensor([each]), []) for each in logits]


@pytest.mark.parametrize(
    ("gan", "real", "fake", "discriminator", "generator"),
    [
        ("hinge", 0.5, -0.25, 0.5 + 0.75, 1.25),
        ("hinge", 2.0, -3.0, 0.0, 4.0),
        ("hinge", -1.0, 3.0, 2.0 + 4.0, 0.0),
        ("least_squares", 0.5, -0.25, 0.25 + 0.0625, 1.5625),
        ("least_squares", 1.0, 0.0, 0.0, 1.0),
        ("least_squares", 0.0, 1.0, 2.0, 0.0),
    ],
)
def test_losses_of_logits_by_hand(gan: str, real: float, fake: float, discriminator: float, generator: float) -> None:
    assert discriminator_losses(gan, judgments(real), judgments(fake)) == [torch.tensor(discriminator)]
    assert generator_losses(gan, judgments(fake)) == [torch.tensor(generator)]


def test_losses_of_discriminators_are_summed_or_averaged() -> None:
    losses = generator_losses("least_squares", judgments(0.0, 3.0))
    assert combine_losses("sum", losses) == 5
    assert combine_losses("mean", losses) == 2.5


def test_feature_distances_by_hand() -> None:
    real = [(torch.zeros(1), [torch.tensor([1.0, -3.0]), torch.tensor([4.0])])]
    fake = [(torch.zeros(1), [torch.tensor([2.0, -1.0]), torch.tensor([1.0])])]
    assert feature_distances("absolute", real, fake) == [torch.tensor(1.5), torch.tensor(3.0)]
    assert feature_distances("relative", real, fake) == [torch.tensor(0.75), torch.tensor(0.75)]


def test_relative_feature_distances_do_not_reward_a_discriminator_for_large_features() -> None:
    real, fake = ([(torch.zeros(1), [noise(seed=seed)])] for seed in (1, 2))
    louder = ([(logits, [8 * maps[0]]) for logits, maps in each] for each in (real, fake))
    torch.testing.assert_close(feature_distances("relative", *louder), feature_distances("relative", real, fake))


# distances of spectra


def distance(name: str, spectra: str = "mel", rate: int = RATE) -> SpectralDistance:
    plan = recipe(name, {"weights": {"distillation": 0}})
    return SpectralDistance(plan.spectra[spectra], rate)


def test_a_tenfold_amplitude_is_one_step_of_log10_in_every_band() -> None:
    spectra = Spectra(windows=(256, 512), mels=(20, 40), log_absolute=(1.0, 10.0), log_squared=(100.0, 0.0))
    assert SpectralDistance(spectra, RATE)(noise(), 10 * noise()) == pytest.approx(111, rel=1e-4)


def test_powers_and_natural_logarithms_of_a_tenfold_amplitude() -> None:
    spectra = Spectra(windows=(256,), power=2, logarithm="ln", log_absolute=(1.0,), floor=1e-12)
    assert SpectralDistance(spectra, RATE)(noise(), 10 * noise()) == pytest.approx(2 * math.log(10), rel=1e-4)


def test_a_linear_distance_of_silence_is_the_mean_spectrum() -> None:
    spectra = Spectra(windows=(64,), hops=(64,), normalization="sum", linear_absolute=(1.0,))
    constant = torch.ones(1, 6400)  # a Hann window gives it 1 at frequency 0 and 1/2 beside it, of 33 bins
    assert SpectralDistance(spectra, RATE)(constant, torch.zeros(1, 6400)) == pytest.approx(1.5 / 33, rel=1e-4)


def test_what_lies_under_the_floor_is_silence() -> None:
    spectra = Spectra(windows=(256,), log_absolute=(1.0,), normalization="sum", floor=1e-3)
    assert SpectralDistance(spectra, RATE)(1e-4 * noise(), 1e-5 * noise(seed=2)) == 0


def test_normalizations_divide_by_sum_root_energy_and_root_length_of_the_window() -> None:
    window = torch.hann_window(128)
    distances = {}
    for name in ("none", "sum", "energy", "length"):
        spectra = Spectra(windows=(128,), linear_absolute=(1.0,), normalization=name)
        distances[name] = float(SpectralDistance(spectra, RATE)(noise(), noise(seed=2)))
    assert distances["none"] / distances["sum"] == pytest.approx(float(window.sum()))
    assert distances["none"] / distances["energy"] == pytest.approx(float(window.square().sum().sqrt()))
    assert distances["none"] / distances["length"] == pytest.approx(math.sqrt(128))


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("samples", [1, 1600, 1601])
def test_segments_shorter_than_a_window_have_a_distance(name: str, samples: int) -> None:
    for spectra in recipe(name, {"weights": {"distillation": 0}}).spectra:
        estimate = noise(samples).requires_grad_()
        value = distance(name, spectra)(estimate, noise(samples, seed=2))
        assert value > 0
        assert torch.autograd.grad(value, estimate)[0].isfinite().all()


def test_digital_silence_has_finite_gradients() -> None:
    for name in RECIPES:
        estimate = torch.zeros(1, 1600, requires_grad=True)
        distance(name, next(iter(recipe(name, {"weights": {"distillation": 0}}).spectra)))(
            estimate, noise(1600)[:1]
        ).backward()
        assert estimate.grad is not None
        assert estimate.grad.isfinite().all()


@pytest.mark.parametrize(("rate", "windows"), [(16_000, [256, 512, 1024]), (24_000, [256, 512, 1024]),
                                               (44_100, [512, 1024, 2048])])  # fmt: skip
def test_plain_windows_are_the_powers_of_two_next_to_12_24_and_48_milliseconds(rate: int, windows: list[int]) -> None:
    assert [len(scale.window) for scale in distance("plain", rate=rate).scales] == windows


def test_the_plain_distance_is_the_mean_over_windows_of_absolute_and_squared_mel_distances() -> None:
    by_hand = 0.0
    for window, mels in ((256, 32), (512, 64), (1024, 80)):
        spectra = Spectra(windows=(window,), mels=(mels,), mel_scale="htk", mel_norm=None, normalization="sum",
                         log_absolute=(1.0,), log_squared=(1.0,))  # fmt: skip
        by_hand += float(SpectralDistance(spectra, RATE)(noise(), noise(seed=2))) / 3
    assert distance("plain")(noise(), noise(seed=2)) == pytest.approx(by_hand, rel=1e-5)


def test_a_mel_distance_of_a_tenth_is_two_decibels() -> None:
    assert MelDistance(RATE, 1024, 80)(noise(), 10**0.1 * noise()) == pytest.approx(0.1, rel=1e-3)


def test_the_distance_of_dac_is_its_packages() -> None:
    from audiotools import AudioSignal
    from dac.nn.loss import MelSpectrogramLoss

    windows = [32, 64, 128, 256, 512, 1024, 2048]
    theirs = MelSpectrogramLoss([5, 10, 20, 40, 80, 160, 320], windows, mag_weight=0.0, pow=1.0, mel_fmin=[0.0] * 7,
                                mel_fmax=[None] * 7)  # fmt: skip
    signals = [AudioSignal(noise(seed=seed)[:, None], RATE) for seed in (1, 2)]
    assert distance("dac")(noise(), noise(seed=2)) == pytest.approx(float(theirs(*signals)), rel=1e-5)


@pytest.mark.filterwarnings("ignore:At least one mel filterbank")
def test_the_distance_of_speechtokenizer_is_its_packages() -> None:
    from speechtokenizer.trainer import loss

    theirs, wavs = 0.0, [noise(seed=seed)[:, None] for seed in (1, 2)]
    for part, weight in ((1, 45), (2, 1), (4, 1), (8, 1)):
        loss.mel_basis.clear()  # kept by the highest frequency alone
        sizes = {"n_fft": 1024 // part, "hop_size": 240 // part, "win_size": 1024 // part, "num_mels": 80}
        loss.hann_window.clear()
        theirs += weight * float(loss.mel_loss(*wavs, sample_rate=RATE, fmin=0, fmax=None, **sizes))
    assert distance("speechtokenizer")(noise(), noise(seed=2)) == pytest.approx(theirs, rel=1e-5)


def test_the_distances_of_funcodec_are_the_means_over_windows_of_its_two() -> None:
    """As the model in the package `funcodec`, whose own code needs CUDA: windows within FFTs of 1024 points."""
    total = 0.0
    for window in (32, 64, 128, 256, 512, 1024):
        logs = [torch.log10(_powers(noise(seed=seed), window).clamp(min=1e-5)) for seed in (1, 2)]
        total += float((logs[0] - logs[1]).abs().mean() + (logs[0] - logs[1]).square().mean()) / 6
    assert distance("funcodec", "power")(noise(), noise(seed=2)) == pytest.approx(total, rel=1e-5)


def _powers(wav: Tensor, window: int) -> Tensor:
    side = (1024 - window // 4) // 2
    padded = torch.nn.functional.pad(wav, (side, side), "reflect")
    hann = torch.hann_window(window)
    spectrum = torch.stft(padded, 1024, window // 4, window, hann, center=False, return_complex=True)
    return spectrum.real.square() + spectrum.imag.square()


# shares of the gradient


def balanced(decay: float = 0.9) -> Balancer:
    return Balancer(recipes.Balancer(decay=decay, total_norm=2.0), {"mel": 1.0, "waveform": 3.0})


def halves(wav: Tensor) -> dict[str, Tensor]:
    """Losses of the two halves of a wav, of very different size."""
    first, second = wav.chunk(2, dim=1)
    return {"mel": 1000 * first.square().sum(), "waveform": 0.01 * second.square().sum()}


def test_the_gradient_that_reaches_the_output_has_the_stated_shares() -> None:
    wav = noise().requires_grad_()
    first, second = balanced().gradient(halves(wav), wav).chunk(2, dim=1)
    assert first.norm(dim=1).mean() == pytest.approx(2.0 * 1 / 4)
    assert second.norm(dim=1).mean() == pytest.approx(2.0 * 3 / 4)


def test_shares_are_of_the_losses_that_there_are() -> None:
    wav = noise().requires_grad_()
    gradient = balanced().gradient({"mel": halves(wav)["mel"]}, wav)
    assert gradient.norm(dim=1).mean() == pytest.approx(2.0)


def test_balanced_gradients_keep_their_directions() -> None:
    wav = noise().requires_grad_()
    first, _ = balanced().gradient(halves(wav), wav).chunk(2, dim=1)
    assert torch.cosine_similarity(first.flatten(), noise()[:, :1600].flatten(), dim=0) == pytest.approx(1.0)


def test_norms_are_averaged_over_steps() -> None:
    balancer, norms = balanced(decay=0.5), []
    for size in (1.0, 4.0):
        wav = noise().requires_grad_()
        gradient = balancer.gradient({"mel": size * halves(wav)["mel"]}, wav)
        norms.append(float(gradient.norm(dim=1).mean()))
    # the second step's norm is 4 times the first; the average with weights 1/2 and 1 is (1/2 + 4) / (3/2) = 3
    assert norms == pytest.approx([2.0, 2.0 * 4 / 3])


def test_losses_of_other_outputs_stand_beside_the_balance() -> None:
    gradients = {}
    for weight in (1, 10):
        toy = Toy()
        objective("encodec", weights={"quantizer": weight}).backward(toy(noise()), noise(seed=2), ADVERSARIAL)
        gradients[weight] = float(toy.gain.grad)  # type: ignore[arg-type]
    assert gradients[10] - gradients[1] == pytest.approx(9 * 2 * 0.5, rel=1e-4)  # of gain² at gain 0.5


# distillation


def test_distillation_of_equal_and_of_opposite_features_by_hand() -> None:
    features = noise(50)[:, :, None].expand(-1, -1, 3)
    assert distillation_loss(features, features) == pytest.approx(math.log(1 + math.exp(-1)))
    assert distillation_loss(features, -features) == pytest.approx(math.log(1 + math.exp(1)))


def test_cosines_of_distillation_are_taken_over_time_for_each_dimension() -> None:
    target = torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(0))
    scaled = target * torch.tensor([1.0, 10.0, 0.1])  # changes cosines over dimensions, none over time
    assert distillation_loss(scaled, target) == pytest.approx(math.log(1 + math.exp(-1)))


def test_distillation_compares_the_frames_that_both_have() -> None:
    features = noise(50)[:, :, None]
    assert distillation_loss(features, features[:, :49]) == pytest.approx(math.log(1 + math.exp(-1)))


@pytest.fixture(scope="module")
def hubert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("hubert")
    HubertModel(HubertConfig(**HUBERT)).save_pretrained(folder)
    return folder


@pytest.mark.long
def test_a_teacher_gives_50_frames_a_second_whatever_the_level(hubert: Path) -> None:
    teacher = Teacher(str(hubert), RATE)
    target = teacher(noise(RATE))
    assert target.shape == (2, 49, 8)
    assert not target.requires_grad
    torch.testing.assert_close(teacher(3 * noise(RATE)), target, rtol=1e-4, atol=1e-4)


def test_the_output_of_a_teacher_is_that_of_a_layer_or_the_average(hubert: Path) -> None:
    number = Teacher(str(hubert), RATE)._model.config.num_hidden_layers
    states: list[Tensor] = []
    first = Teacher(str(hubert), RATE, "layer 1")
    first._model.encoder.layers[0].register_forward_pre_hook(lambda module, inputs: states.append(inputs[0]))
    outputs = [first(noise(RATE))] + [
        Teacher(str(hubert), RATE, f"layer {n}")(noise(RATE)) for n in range(2, number + 1)
    ]
    average = Teacher(str(hubert), RATE)(noise(RATE))
    torch.testing.assert_close(torch.stack([*states, *outputs]).mean(dim=0), average)
    with pytest.raises(SettingsError, match=f"layer {number + 1}, but .* has {number} layers; choose one of them"):
        Teacher(str(hubert), RATE, f"layer {number + 1}")


def distilling(hubert: Path) -> Objective:
    small = {"discriminators": {name: SMALL_DISCRIMINATORS[name] for name in ("periods", "scales", "stft")}}
    return Objective(recipe("speechtokenizer", small | {"teacher": str(hubert)}), RATE)


def test_a_codec_learns_from_a_teacher_that_no_checkpoint_holds(hubert: Path) -> None:
    subject = distilling(hubert)
    semantic = torch.randn(2, 50, 8, requires_grad=True)
    losses = subject.backward(Reconstruction(*_output(), semantic=semantic), noise(RATE), ADVERSARIAL)
    assert 0 < losses["distillation"] < 1.4
    assert semantic.grad is not None
    assert semantic.grad.any()
    assert not [name for name in subject.state_dict() if "teacher" in name]


def test_a_codec_without_semantic_output_cannot_distil(hubert: Path) -> None:
    with pytest.raises(ValueError, match=r"has no semantic output.*weights: \{distillation: 0\}"):
        distilling(hubert).backward(Reconstruction(*_output()), noise(RATE), ADVERSARIAL)


def test_codec_and_teacher_must_agree_on_dimensions_and_rate(hubert: Path) -> None:
    with pytest.raises(SettingsError, match=r"has 8 dimensions.*16; set `semantic_dimension: 8`"):
        distillation_loss(torch.zeros(1, 50, 16), torch.zeros(1, 49, 8))
    with pytest.raises(SettingsError, match="takes 16000 Hz, but the codec has 24000 Hz"):
        Teacher(str(hubert), 24_000)


def test_a_model_that_is_no_hubert_cannot_teach(tmp_path: Path) -> None:
    from transformers import WavLMConfig, WavLMModel

    WavLMModel(WavLMConfig(**HUBERT)).save_pretrained(tmp_path)
    with pytest.raises(SettingsError, match="is a model of type wavlm .*; give a complete HuBERT model"):
        Teacher(str(tmp_path), RATE)
    with pytest.raises(SettingsError, match="cannot be loaded .*give the folder of a HuBERT model"):
        Teacher(str(tmp_path / "absent"), RATE)


def test_a_teacher_with_missing_weights_is_refused(tmp_path: Path, hubert: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(hubert / "model.safetensors")
    tensors.pop("feature_projection.projection.weight")
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    (tmp_path / "config.json").write_text((hubert / "config.json").read_text())
    with pytest.raises(SettingsError, match="of type hubert and lacks 1 tensors of HuBERT"):
        Teacher(str(tmp_path), RATE)


def _output() -> tuple[Tensor, Tensor]:
    output = Toy()(noise(RATE, seed=2))
    return output.wav, output.quantizer_loss
