"""Training recipes of codecs: the published ones as data (`recipes.yaml`), with a user's changes."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml

from codec_wrappers.training import discriminator_settings
from codec_wrappers.training.stopping import ValidationSchedule
from codecfake.base import settings
from codecfake.base.settings import Range, SettingsError, below, fault
from codecfake.base.suggestions import unknown

OPTIMIZERS = ("adam", "adamw")
SCHEDULES = ("constant", "exponential", "halve", "cosine")
GANS = ("hinge", "least_squares")
PARTS = ("encoder", "quantizer", "decoder")
WAVEFORM_DISTANCES = ("absolute", "relative", "snr")
LEVELS = ("none", "rms", "peak", "lufs")  # of `codec_wrappers.codec.Gain`
AVERAGE, LAYER = "average", re.compile(r"layer ([1-9]\d*)")  # outputs of a teacher
LATER = ("teacher_output", "validation", "weights_average")
GENERATOR_LOSSES = ("adversarial", "feature", "waveform", "quantizer", "distillation")  # and those of `spectra`


@dataclass(frozen=True)
class Optimizer:
    kind: str
    learning_rate: float
    betas: tuple[float, float]
    weight_decay: float = 0.0
    schedule: str = "constant"
    schedule_argument: float | None = None  # exponential: factor per step; halve: steps per halving
    clip_norm: float | None = None  # of the gradient of all parameters together

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, OPTIMIZERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        if len(self.betas) != 2:
            raise fault(f"expected two numbers, found {list(self.betas)}", "betas")
        if (self.schedule in ("exponential", "halve")) != (self.schedule_argument is not None):
            raise fault(
                f"{self.schedule_argument!r} with the schedule {self.schedule!r}; "
                f"exponential needs the factor per step, halve the steps per halving, and the others take none",
                "schedule_argument",
            )

    def factor(self, step: int, steps: int) -> float:
        """The learning rate after `step` of `steps` steps, relative to the first."""
        if self.schedule == "cosine":
            return (1 + math.cos(math.pi * min(step, steps) / steps)) / 2
        if self.schedule_argument is None:
            return 1.0
        if self.schedule == "halve":
            return 0.5 ** (step // self.schedule_argument)
        return self.schedule_argument**step


@dataclass(frozen=True)
class Stage:
    from_step: int  # number of steps before it begins
    adversarial: bool
    frozen: tuple[str, ...] = ()  # parts of the codec that are not trained
    decoder: str | None = None  # "symmetric": AudioDec's helper; None: the codec's own
    weights: dict[str, float] = field(default_factory=dict)  # of losses, instead of the recipe's

    def __post_init__(self) -> None:
        for part in self.frozen:
            _one_of("frozen", part, PARTS)


@dataclass(frozen=True)
class Balancer:
    """Défossez et al. 2022, section 3.4."""

    decay: float  # per step, of the moving averages of the gradients' norms
    total_norm: float  # average norm of the balanced gradient if all gradients have the same direction


@dataclass(frozen=True)
class Spectra:
    """Spectra with windows of several lengths, and the distance between those of two wavs.

    The distance is a sum over windows of weighted means over frames and bands. The last three fields are the weights,
    one for each window; an empty field drops its term.
    """

    windows: tuple[int, ...] = ()  # samples
    window_durations: tuple[float, ...] = ()  # seconds, instead of `windows`; rounded to powers of two in samples
    hops: tuple[int, ...] = ()  # samples; empty: a quarter of each window
    fft_size: int | None = None  # of all windows, which are padded with zeros; None: each window's own length
    centered: bool = True  # frames are centered on multiples of the hop; False: on the middles of hops, as in HiFi-GAN
    mels: tuple[int, ...] = ()  # number of bands for each window; empty: the bins of the FFT
    mel_scale: str = "slaney"
    mel_norm: str | None = "slaney"  # bands of equal area; None: of equal peak
    lowest_hz: float = 0.0
    highest_hz: float | None = None  # None: half the sample rate
    power: float = 1.0  # 1: amplitudes, 2: powers
    normalization: str = "none"  # divide by the window's "sum", or by the root of its "energy" or "length"
    logarithm: str = "log10"
    floor: float = 1e-5  # smaller values are raised to it before the logarithm
    linear_absolute: tuple[float, ...] = ()
    log_absolute: tuple[float, ...] = ()
    log_squared: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _one_of("mel_scale", self.mel_scale, ("slaney", "htk"))
        _one_of("mel_norm", self.mel_norm, ("slaney", None))
        _one_of("normalization", self.normalization, ("none", "sum", "energy", "length"))
        _one_of("logarithm", self.logarithm, ("log10", "ln"))
        if bool(self.windows) == bool(self.window_durations):
            raise fault("give either windows (samples) or window_durations (seconds)")
        for name in ("hops", "mels", "linear_absolute", "log_absolute", "log_squared"):
            number = len(getattr(self, name))
            if number not in (0, self.num_windows):
                raise fault(f"{number} values for {self.num_windows} windows; give one for each", name)

    @property
    def num_windows(self) -> int:
        return len(self.windows or self.window_durations)


@dataclass(frozen=True)
class Recipe:
    source: str  # paper and repository
    batch_size: int
    segment_duration: float  # seconds
    steps: int
    generator: Optimizer
    weights: dict[str, float]  # of the losses; zero turns a loss off
    spectra: dict[str, Spectra] = field(default_factory=dict)  # spectral distances, by their names in `weights`
    waveform: str = "absolute"  # mean |Δ|; "relative": divided by the mean of |target|; "snr": minus the SNR in bels
    discriminator: Optimizer | None = None
    discriminators: dict[str, dict[str, Any] | None] = field(default_factory=dict)  # settings by name; None: off
    gan: str | None = None
    over_discriminators: str = "mean"  # or "sum": how losses of discriminators, and of feature maps, are combined
    feature_matching: str = "absolute"  # mean |Δ|; "relative": divided by the mean of |target's feature|
    discriminator_rule: str = "always"
    balancer: Balancer | None = None  # of all losses of the waveform; None: the weighted sum
    stages: tuple[Stage, ...] = (Stage(0, adversarial=False),)
    level: str = "none"  # of training utterances
    warm_up_steps: int = 0  # at the start, in which the decoder gets the unquantized latent
    teacher: str | None = None  # of distillation: a HuBERT model, as a folder or by its name on the hub
    teacher_output: str = AVERAGE  # over all of its layers; or "layer N"
    # decay per step of a moving average of the codec's weights, which is validated and kept; None: no average
    weights_average: Annotated[float, Range(above=0, below=1)] | None = None
    validation: ValidationSchedule | None = None  # None: as often as `validations` says, and the last weights are kept

    def __post_init__(self) -> None:
        _one_of("waveform", self.waveform, WAVEFORM_DISTANCES)
        _one_of("gan", self.gan, (*GANS, None))
        _one_of("over_discriminators", self.over_discriminators, ("mean", "sum"))
        _one_of("feature_matching", self.feature_matching, ("absolute", "relative"))
        _one_of("discriminator_rule", self.discriminator_rule, ("always", "when_losing"))
        _one_of("level", self.level, LEVELS)
        if self.teacher_output != AVERAGE and not LAYER.fullmatch(self.teacher_output):
            raise fault(f"{self.teacher_output!r} is neither {AVERAGE!r} nor 'layer N'", "teacher_output")
        for name in self.weights:
            _one_of("weights", name, (*GENERATOR_LOSSES, *self.spectra))
        _check_stages(self)
        _check_stage_weights(self)
        _check_distillation(self)
        with below("discriminators"):
            discriminator_settings.read(self.discriminators)

    def record(self) -> dict[str, Any]:
        """All values, without those of `LATER` that are defaults: the records of older trainings lack them."""
        defaults = {each.name: each.default for each in fields(self)}
        return {name: value for name, value in asdict(self).items() if name not in LATER or value != defaults[name]}

    def weight(self, name: str, stage: Stage | None = None) -> float:
        """The weight of a loss in a stage; None: outside the stages."""
        weights = self.weights if stage is None else {**self.weights, **stage.weights}
        return weights.get(name, 0.0)

    def is_used(self, name: str) -> bool:
        """Whether a loss has a weight in some stage."""
        return any(self.weight(name, stage) for stage in self.stages)

    def stage(self, num_steps: int) -> Stage:
        """The stage of the step that follows `num_steps` steps."""
        return [stage for stage in self.stages if stage.from_step <= num_steps][-1]

    def discriminator_learns(self, loss: float, generator: Mapping[str, float], stage: Stage | None = None) -> bool:
        """Whether a step of `stage` updates the discriminators, given their loss and the `generator`'s losses by name.

        "when_losing", as in the package `funcodec`: only while the discriminators' loss exceeds the weighted sum of the
        generator's losses of the waveform.
        """
        if self.discriminator_rule == "always":
            return True
        names = [name for name in generator if self.is_used(name) and name not in ("quantizer", "distillation")]
        return loss > sum(self.weight(name, stage) * generator[name] for name in names)


def recipe(name: str, changes: Mapping[str, Any]) -> Recipe:
    """The published recipe of that name with `changes`, which may be nested.

    Raises SettingsError if the name or a setting in `changes` is unknown.
    """
    if name not in RECIPES:
        raise SettingsError(unknown("recipe", name, RECIPES))
    return settings.build(Recipe, _merge(_recipes()[name], changes))


@cache
def _recipes() -> dict[str, Any]:
    return yaml.safe_load(Path(__file__).with_name("recipes.yaml").read_text(encoding="utf-8"))


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for name, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(name), Mapping)
        result[name] = _merge(result[name], value) if both else value
    return result


def _check_stages(recipe: Recipe) -> None:
    starts = [stage.from_step for stage in recipe.stages]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)):
        raise fault(
            f"they begin at steps {starts}; the first must begin at 0, and each one after the previous",
            "stages",
        )
    if starts[-1] >= recipe.steps:
        raise fault(
            f"the last begins after step {starts[-1]}, but training ends with step {recipe.steps}; "
            f"if you change `steps`, change `stages` too",
            "stages",
        )
    is_adversarial = any(stage.adversarial for stage in recipe.stages)
    names = [name for name, values in recipe.discriminators.items() if values is not None]
    if is_adversarial and not (recipe.gan and recipe.discriminator and names):
        raise fault(
            "an adversarial stage needs gan, discriminator (its optimizer) and discriminators; "
            "add them, or set `adversarial: false` in all stages",
            "stages",
        )


def _check_stage_weights(recipe: Recipe) -> None:
    names = sorted({name for stage in recipe.stages for name in stage.weights})
    for name in names:
        _one_of("stages", name, (*GENERATOR_LOSSES, *recipe.spectra))
    if names and recipe.balancer is not None:
        raise fault(
            f"a stage changes the weight of {', '.join(names)}, but the balancer has one weight a loss for the whole "
            f"training; remove `weights` from the stages, or set `balancer: null`",
            "stages",
        )


def _check_distillation(recipe: Recipe) -> None:
    if not recipe.is_used("distillation"):
        return
    if recipe.teacher is None:
        raise fault(
            "distillation needs a HuBERT model; give its folder, or its name on the hub. Without one, "
            "set `weights: {distillation: 0}`: the first codebook then learns only to reconstruct, as the others do, "
            "and no longer represents the content of speech",
            "teacher",
        )
    if recipe.warm_up_steps:
        raise fault(
            "distillation needs the quantizer from the first step; set `warm_up_steps: 0`, "
            "or `weights: {distillation: 0}`",
            "warm_up_steps",
        )


def _one_of(key: str, value: Any, choices: tuple[Any, ...]) -> None:
    if value not in choices:
        raise fault(unknown("value", value, choices), key)


RECIPES = tuple(_recipes())
