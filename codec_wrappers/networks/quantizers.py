"""Residual vector quantization (Zeghidour et al. 2021, algorithm 1), with or without groups (Yang et al. 2023)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.networks.codebooks import Codebook, any_new
from codecfake.base import precision


@dataclass(frozen=True)
class Quantization:
    """`latent` `[B, D, F]`, with a straight-through gradient; `codes` `[B, Q, F]`; `loss`, a scalar.

    `coarse` `[B, D, F]` is the latent after the first stage alone, also with a straight-through gradient; None where
    nothing needs it.
    """

    latent: Tensor
    codes: Tensor
    loss: Tensor
    coarse: Tensor | None = None


class ResidualQuantizer(nn.Module, ABC):
    """Stages of codebooks: each quantizes the residual of those before it; the groups of a stage divide the channels.

    Codes are ordered by stage, then by group. Codebooks change only in `forward`, and only in training mode.
    """

    commitment = 1.0  # weight of the loss that pulls the latent toward its codes

    @abstractmethod
    def stages(self) -> list[list[Codebook]]:
        """The codebooks in use: one list per stage, with one codebook per group."""

    def forward(self, latent: Tensor, num_stages: int | None = None) -> Quantization:
        """Quantize latent `[B, D, F]` with the first stages (None: all); in training mode, update the codebooks.

        It computes in float32, even under autocast or with TF32, as small differences decide which code is nearest.
        """
        with precision.exact(latent.device.type):
            return self._forward(latent.float(), self.stages()[:num_stages])

    def _forward(self, latent: Tensor, stages: list[list[Codebook]]) -> Quantization:
        residual = rows = _to_rows(latent)
        codes, losses, left_over = [], [], []
        starts = self.training and any_new([book for stage in stages for book in stage])
        for stage in stages:
            parts = residual.chunk(len(stage), dim=1)
            results = [self._quantize(book, part, starts) for book, part in zip(stage, parts, strict=True)]
            codes += [indices for _, indices, _ in results]
            losses += [loss for _, _, loss in results]
            residual = residual - torch.cat([values for values, _, _ in results], dim=1).detach()
            left_over.append(residual.detach())
        # straight-through: for the gradient, quantizing adds a constant to the latent
        coarse, fine = (_from_rows(rows - left_over[stage], latent) for stage in (0, -1))
        return Quantization(fine, _stack(codes, latent), torch.stack(losses).mean(), coarse)

    def _quantize(self, book: Codebook, inputs: Tensor, starts: bool) -> tuple[Tensor, Tensor, Tensor]:
        if starts:
            book.start(inputs)
        codes = book.nearest(inputs)
        values = F.embedding(codes, book.vectors)
        if self.training:
            book.learn(inputs, codes)
        loss = self.commitment * F.mse_loss(inputs, values.detach())
        if book.by_gradient:
            loss = loss + F.mse_loss(values, inputs.detach())
        return values, codes, loss

    @torch.no_grad()
    def encode(self, latent: Tensor) -> Tensor:
        """Codes `[B, Q, F]` of latent `[B, D, F]`; does not learn in any mode."""
        residual, codes = _to_rows(latent), []
        for stage in self.stages():
            parts = residual.chunk(len(stage), dim=1)
            indices = [book.nearest(part) for book, part in zip(stage, parts, strict=True)]
            codes += indices
            residual = residual - _look_up(stage, indices)
        return _stack(codes, latent)

    def decode(self, codes: Tensor) -> Tensor:
        """Latent `[B, D, F]` of the codes `[B, Q, F]` of the first stages."""
        stages = self.stages()
        groups, number = len(stages[0]), codes.shape[1]
        if number % groups or not groups <= number <= groups * len(stages):
            raise ValueError(
                f"cannot decode {number} codebooks: there are {groups * len(stages)}, and each stage uses {groups}; "
                f"give the first {' or '.join(str(groups * n) for n in range(1, len(stages) + 1))}"
            )
        by_stage = codes.transpose(0, 1).flatten(1).split(groups)
        rows = torch.stack([_look_up(stage, list(rows)) for stage, rows in zip(stages, by_stage, strict=False)]).sum(0)
        return rows.unflatten(0, (len(codes), -1)).transpose(1, 2)


def _look_up(stage: list[Codebook], codes: list[Tensor]) -> Tensor:
    return torch.cat([F.embedding(indices, book.vectors) for book, indices in zip(stage, codes, strict=True)], dim=1)


def _to_rows(latent: Tensor) -> Tensor:
    return latent.transpose(1, 2).flatten(0, 1)  # [B, D, F] -> [B·F, D]


def _from_rows(rows: Tensor, like: Tensor) -> Tensor:
    return rows.unflatten(0, (like.shape[0], like.shape[2])).transpose(1, 2)


def _stack(codes: list[Tensor], like: Tensor) -> Tensor:
    return torch.stack([indices.unflatten(0, (like.shape[0], like.shape[2])) for indices in codes], dim=1)
