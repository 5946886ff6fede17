"""Losses of generators and discriminators.

Logits are high for wavs that a discriminator takes for recordings. Every function returns one loss per discriminator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from codec_wrappers.training.discriminators import Judgment


@dataclass(frozen=True)
class Gan:
    """Losses of logits: `real` and `fake` train a discriminator, on real and generated wavs; `generator` a codec."""

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


GAN_LOSSES = {
    # Lim & Ye 2017; the generator's loss is that of Zeghidour et al. 2021, section III-E
    "hinge": Gan(
        real=lambda logits: F.relu(1 - logits).mean(),
        fake=lambda logits: F.relu(1 + logits).mean(),
        generator=lambda logits: F.relu(1 - logits).mean(),
    ),
    # Mao et al. 2017
    "least_squares": Gan(
        real=lambda logits: (1 - logits).square().mean(),
        fake=lambda logits: logits.square().mean(),
        generator=lambda logits: (1 - logits).square().mean(),
    ),
}


def discriminator_losses(gan: str, real: Sequence[Judgment], fake: Sequence[Judgment]) -> list[Tensor]:
    losses = GAN_LOSSES[gan]
    return [losses.real(of_real) + losses.fake(of_fake) for (of_real, _), (of_fake, _) in zip(real, fake, strict=True)]


def generator_losses(gan: str, fake: Sequence[Judgment]) -> list[Tensor]:
    return [GAN_LOSSES[gan].generator(logits) for logits, _ in fake]


def feature_distances(
    kind: str, real: Sequence[Judgment], fake: Sequence[Judgment], over_batch: Callable[[Tensor], Tensor] = torch.detach
) -> list[Tensor]:
    """Mean absolute differences of feature maps, one for each map of each discriminator.

    `kind` "relative" divides them by the mean absolute value of the real map (Défossez et al. 2022, section 3.4), over
    the batch: `over_batch` makes it from the means `[M]` over the rows here.
    """
    pairs = [
        pair
        for (_, of_real), (_, of_fake) in zip(real, fake, strict=True)
        for pair in zip(of_real, of_fake, strict=True)
    ]
    distances = [F.l1_loss(of_fake, of_real.detach()) for of_real, of_fake in pairs]
    if kind == "absolute":
        return distances
    sizes = over_batch(torch.stack([of_real.detach().abs().mean() for of_real, _ in pairs]))
    return [distance / size.clamp(min=1e-8) for distance, size in zip(distances, sizes, strict=True)]


def combine_losses(over_discriminators: str, losses: Sequence[Tensor]) -> Tensor:
    """The "mean" or the "sum" of losses."""
    stacked = torch.stack(list(losses))
    return stacked.mean() if over_discriminators == "mean" else stacked.sum()
