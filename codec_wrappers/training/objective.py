"""The objective of a codec's training: a recipe's losses, and the discriminators that some of them need."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.codec import Reconstruction
from codec_wrappers.training import discriminators
from codec_wrappers.training.adversarial import (
    combine_losses,
    discriminator_losses,
    feature_distances,
    generator_losses,
)
from codec_wrappers.training.balancer import Balancer
from codec_wrappers.training.discriminators import Judgment
from codec_wrappers.training.distillation import Teacher, distillation_loss
from codec_wrappers.training.losses import SpectralDistance
from codec_wrappers.training.recipe import Recipe, Stage
from codecfake.base import precision
from codecfake.base.portions import WHOLE, Portion
from codecfake.base.precision_names import FLOAT32

UNBALANCED = ("quantizer", "distillation")  # their gradients do not pass through the codec's output
QUIETEST = 1e-5  # mean square; a pause has no signal-to-noise ratio


class Objective(nn.Module):
    """Losses of a codec and of its discriminators. Wavs are `[B, T]`; the longer of two is cut to the shorter."""

    precision = FLOAT32  # of the discriminators; losses are always float32

    def __init__(self, recipe: Recipe, sample_rate: int, portion: Portion = WHOLE) -> None:
        """`portion`: the rows of each batch that this process gets; the losses of all processes then add up."""
        super().__init__()
        self.recipe = recipe
        self._portion = portion
        self.discriminators = discriminators.build(recipe.discriminators)
        spectra = {name: settings for name, settings in recipe.spectra.items() if recipe.is_used(name)}
        self.spectra = nn.ModuleDict(
            {name: SpectralDistance(settings, sample_rate) for name, settings in spectra.items()}
        )
        self.balancer: Balancer | None = None
        if recipe.balancer:
            balanced = {name: weight for name, weight in recipe.weights.items() if weight and name not in UNBALANCED}
            self.balancer = Balancer(recipe.balancer, balanced, self._portion)
        self._teacher: Teacher | None = None
        if recipe.teacher and recipe.is_used("distillation"):
            self._teacher = Teacher(recipe.teacher, sample_rate, recipe.teacher_output)

    def discriminator_loss(self, estimate: Tensor, target: Tensor) -> Tensor:
        """The loss of the discriminators, of this process's rows; no gradient reaches `estimate`."""
        estimate, target = _cut_to_shorter(estimate.detach(), target)
        losses = discriminator_losses(self._gan, self._judge(target), self._judge(estimate))
        return self._portion.over_batch(combine_losses(self.recipe.over_discriminators, losses))

    def backward(self, output: Reconstruction, target: Tensor, stage: Stage) -> dict[str, float]:
        """Back-propagate the losses, weighted or balanced as in `stage`, into the codec, not into the discriminators.

        Returns every unweighted loss of the whole batch by name, and their weighted sum as "loss".
        """
        estimate, target = _cut_to_shorter(output.wav, target)
        with _freeze_parameters(self.discriminators):
            losses = self._losses(output, estimate, target, stage)
            total = self._weighted_sum(losses, stage)
            if self.balancer is None:
                total.backward()
            else:
                self._backward_balanced(self.balancer, losses, estimate, stage)
        values = losses | {"loss": total}
        of_batch = self._portion.total(torch.stack([loss.detach() for loss in values.values()]))
        return dict(zip(values, of_batch.tolist(), strict=True))

    def _losses(self, output: Reconstruction, estimate: Tensor, target: Tensor, stage: Stage) -> dict[str, Tensor]:
        weight, over_batch = partial(self.recipe.weight, stage=stage), self._portion.over_batch
        spectra = {name: distance for name, distance in self.spectra.items() if weight(name)}
        losses = {name: over_batch(distance(estimate, target)) for name, distance in spectra.items()}
        if weight("waveform"):
            losses["waveform"] = _waveform_distance(self.recipe.waveform, estimate, target, self._portion)
        if stage.adversarial:
            adversarial = self._adversarial_losses(estimate, target)
            losses |= {name: loss for name, loss in adversarial.items() if weight(name)}
        if weight("quantizer"):
            losses["quantizer"] = output.quantizer_loss
        if self._teacher is not None and weight("distillation"):
            losses["distillation"] = over_batch(_distillation_loss(self._teacher, output, target))
        return losses

    def _adversarial_losses(self, estimate: Tensor, target: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            real = self._judge(target)
        fake = self._judge(estimate)
        adversarial = generator_losses(self._gan, fake)
        features = feature_distances(self.recipe.feature_matching, real, fake, self._over_batch)
        losses = {"adversarial": adversarial, "feature": features}
        over = self.recipe.over_discriminators
        return {name: self._portion.over_batch(combine_losses(over, each)) for name, each in losses.items()}

    def _over_batch(self, means: Tensor) -> Tensor:
        """Means over the whole batch, given those over the rows of this process."""
        return self._portion.total(self._portion.over_batch(means))

    def _weighted_sum(self, losses: dict[str, Tensor], stage: Stage) -> Tensor:
        weighted = (self.recipe.weight(name, stage) * loss for name, loss in losses.items())
        return sum(weighted, torch.zeros(()))

    def _backward_balanced(self, balancer: Balancer, losses: dict[str, Tensor], estimate: Tensor, stage: Stage) -> None:
        balanced = {name: loss for name, loss in losses.items() if name not in UNBALANCED}
        gradient = balancer.gradient(balanced, estimate)
        rest = self._weighted_sum({name: loss for name, loss in losses.items() if name in UNBALANCED}, stage)
        roots = [estimate, rest] if rest.requires_grad else [estimate]
        torch.autograd.backward(roots, [gradient, None][: len(roots)])

    def _judge(self, wav: Tensor) -> list[Judgment]:
        with precision.networks(self.precision, wav.device.type):
            judgments = [judgment for each in self.discriminators.values() for judgment in each(wav)]
        return [(logits.float(), [features.float() for features in maps]) for logits, maps in judgments]

    @property
    def _gan(self) -> str:
        assert self.recipe.gan is not None  # a recipe with adversarial stages has one
        return self.recipe.gan


def _cut_to_shorter(estimate: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    length = min(estimate.shape[1], target.shape[1])
    return estimate[:, :length].float(), target[:, :length].float()


def _waveform_distance(kind: str, estimate: Tensor, target: Tensor, portion: Portion) -> Tensor:
    if kind == "absolute":
        return portion.over_batch(F.l1_loss(estimate, target))
    if kind == "relative":
        return (estimate - target).abs().sum() / portion.total(target.abs().sum()).clamp(min=1.0)
    noise, signal = (estimate - target).square().mean(dim=1), target.square().mean(dim=1)
    return portion.over_batch(((noise + QUIETEST) / (signal + QUIETEST)).log10().mean())


def _distillation_loss(teacher: Teacher, output: Reconstruction, target: Tensor) -> Tensor:
    if output.semantic is None:
        raise ValueError(
            "distillation: the codec has no semantic output; use SpeechTokenizer with `warm_up_steps: 0`, "
            "or set `weights: {distillation: 0}`"
        )
    return distillation_loss(output.semantic.float(), teacher(target))


@contextmanager
def _freeze_parameters(module: nn.Module) -> Iterator[None]:
    """Compute no gradients for the parameters of `module`."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)
