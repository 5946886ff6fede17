"""The parts of a codec's training, built from its settings: codec, helpers, optimizers."""

import torch
from torch import nn

from codec_wrappers import build
from codec_wrappers.codec import Gain, TrainableCodec
from codec_wrappers.resynthesis.shard import with_gain
from codec_wrappers.training.averaging import WeightsAverage
from codec_wrappers.training.checkpoint import Learners
from codec_wrappers.training.objective import Objective
from codec_wrappers.training.recipe import Recipe
from codec_wrappers.training.settings import CodecTrainingError, CodecTrainingSettings
from codec_wrappers.training.updates import Updates
from codecfake.base.portions import Portion


def build_codec(settings: CodecTrainingSettings, portion: Portion) -> TrainableCodec:
    """A fresh codec, which trains on these rows of each batch.

    Raises CodecTrainingError if it cannot be trained as the settings ask.
    """
    codec = with_gain(build(settings.wrapper, settings.model), settings.gain)
    if not isinstance(codec, TrainableCodec):
        raise CodecTrainingError(
            f"{settings.codec}: {settings.wrapper} is not a TrainableCodec, so it cannot be trained; "
            f"use its published weights, or `weights: none`"
        )
    if settings.quantizers is not None and not 1 <= settings.quantizers <= codec.num_quantizers:
        raise CodecTrainingError(
            f"{settings.codec}: validation with {settings.quantizers} quantizers is impossible: the codec has "
            f"{codec.num_quantizers}; change `quantizers`, or the codec's `model`"
        )
    if portion.team.size > 1 and not codec.takes_portions:
        raise CodecTrainingError(
            f"{settings.codec}: {settings.wrapper} cannot train on {portion.team.size} GPUs: its class has no "
            f"`takes_portions`; give this job one GPU"
        )
    return codec


def dtype(name: str) -> torch.dtype:
    """torch's type of that name."""
    kind = getattr(torch, name)
    assert isinstance(kind, torch.dtype)
    return kind


def with_helpers(codec: TrainableCodec, recipe: Recipe) -> nn.Module:
    """The codec's network, with every decoder that a stage uses."""
    for stage in recipe.stages:
        codec.use_decoder(stage.decoder)
    codec.use_decoder(None)
    return codec.network


def level(codec: TrainableCodec, recipe: Recipe) -> Gain:
    """The level of the training utterances: the codec's own, or else the recipe's."""
    return Gain(recipe.level) if codec.gain is Gain.NONE else codec.gain


def updates(recipe: Recipe, network: nn.Module, objective: Objective) -> tuple[Updates, Updates | None]:
    """The updates of the generator and, if a stage is adversarial, of the discriminators."""
    generator = Updates(recipe.generator, network.parameters(), 0, recipe.steps)
    adversarial = [stage.from_step for stage in recipe.stages if stage.adversarial]
    if recipe.discriminator is None or not adversarial:
        return generator, None
    parameters = objective.discriminators.parameters()
    return generator, Updates(recipe.discriminator, parameters, adversarial[0], recipe.steps)


def learners(
    network: nn.Module,
    average: WeightsAverage,
    objective: Objective,
    generator: Updates,
    discriminator: Updates | None,
) -> Learners:
    """All that a checkpoint keeps of a training beside its progress."""
    modules = {"codec": network, "objective": objective}
    if list(average.buffers()):
        modules["average"] = average
    optimizers = {"generator": generator.optimizer}
    if discriminator is not None:
        optimizers["discriminator"] = discriminator.optimizer
    return Learners(modules, optimizers)
