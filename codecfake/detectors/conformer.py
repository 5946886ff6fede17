"""A conformer with a class token (Rosello et al. 2023) and temporal-channel modelling, TCM (Truong et al. 2024).

Attribute names are the key names of the published checkpoints, whose class order is ours: spoof 0, bona fide 1. Their
clips have 66,800 samples, 208 frames.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.back_end_settings import ConformerSettings
from codecfake.detectors.heads import head

EXPANSION = 4  # of the feed-forward layers, and of the convolutions before their gates
MOST_FRAMES = 10_000  # in the published table of positions
WAVELENGTH = 10_000  # of the slowest sine of a position, in frames over 2 pi
TOKEN_DEVIATION = 0.02  # of the first class and head tokens


class Conformer(nn.Module):
    """Features `[B, F, D]` -> logits `[B, 2]`."""

    def __init__(self, shape: FeatureShape, settings: ConformerSettings) -> None:
        super().__init__()
        if shape.num_frames > MOST_FRAMES:
            raise ValueError(f"conformer reads {MOST_FRAMES} frames, but a clip has {shape.num_frames}; shorten clips")
        self.LL = nn.Linear(shape.dimension, settings.dimension)
        self.first_bn = nn.BatchNorm2d(1)
        self.conformer = Encoder(settings, shape.num_classes)

    def forward(self, features: Tensor) -> Tensor:
        return self.conformer.fc5(self.embed(features))

    def embed(self, features: Tensor) -> Tensor:
        """The class token after the last block, `[B, C]`."""
        return self.conformer(F.selu(self.first_bn(self.LL(features).unsqueeze(1))).squeeze(1))


class Encoder(nn.Module):
    """Frames `[B, F, C]` -> class token `[B, C]`."""

    positional_emb: Tensor  # [1, 10000, C]; not trained, but published checkpoints contain it

    def __init__(self, settings: ConformerSettings, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("positional_emb", positions(MOST_FRAMES, settings.dimension).unsqueeze(0))
        self.class_token = _token(1, settings.dimension)
        self.encoder_blocks = nn.ModuleList(Block(settings) for _ in range(settings.blocks))
        self.fc5 = head(settings.head, settings.dimension, num_classes)

    def forward(self, frames: Tensor) -> Tensor:
        tokens = self.tokens(frames)
        for block in self.encoder_blocks:
            tokens = block(tokens)
        return tokens[:, 0]

    def tokens(self, frames: Tensor) -> Tensor:
        """The class token, which has no position, before the frames with theirs: `[B, 1 + F, C]`."""
        frames = frames + self.positional_emb[:, : frames.shape[1]]
        return torch.cat((self.class_token.expand(len(frames), 1, -1), frames), dim=1)


class Block(nn.Module):
    """A conformer block (Gulati et al. 2020) on `[B, N, C]`."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        size = settings.dimension
        attention = HeadTokenAttention if settings.tcm else Attention
        self.ff1 = Halved(Normalized(FeedForward(size)))
        self.attn = Normalized(attention(size, settings.heads))
        self.conv = Convolution(size, settings.kernel_size)
        self.ff2 = Halved(Normalized(FeedForward(size)))
        self.post_norm = nn.LayerNorm(size)

    def forward(self, tokens: Tensor) -> Tensor:
        for part in (self.ff1, self.attn, self.conv, self.ff2):
            tokens = tokens + part(tokens)
        return self.post_norm(tokens)


class Halved(nn.Module):
    """Half the output of a module."""

    def __init__(self, fn: nn.Module) -> None:
        super().__init__()
        self.fn = fn

    def forward(self, tokens: Tensor) -> Tensor:
        return 0.5 * self.fn(tokens)


class Normalized(nn.Module):
    """A module on its normalized input."""

    def __init__(self, fn: "FeedForward | Attention") -> None:
        super().__init__()
        self.fn = fn
        self.norm = nn.LayerNorm(fn.size)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.fn(self.norm(tokens))


class FeedForward(nn.Module):
    """Two layers on each token."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        # the identity has the place of the published dropout of 0, so that the last layer keeps its key
        self.net = nn.Sequential(
            nn.Linear(size, EXPANSION * size), nn.SiLU(), nn.Identity(), nn.Linear(EXPANSION * size, size)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        return self.net(tokens)


class Attention(nn.Module):
    """Self-attention of `[B, N, C]`."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.size, self.heads = size, heads
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.proj = nn.Linear(size, size)

    def forward(self, tokens: Tensor) -> Tensor:
        weights, values = self.attention(tokens)
        return self.proj((weights @ values).transpose(1, 2).flatten(2))

    def attention(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The attention `[B, H, N, N]` and the values `[B, H, N, C / H]`."""
        queries, keys, values = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.qkv(tokens).chunk(3, dim=2)
        )
        scale = (self.size // self.heads) ** -0.5
        return (queries * scale @ keys.transpose(2, 3)).softmax(dim=3), values


class HeadTokenAttention(Attention):
    """Attention with one more token for each group of channels; the class token then gathers their mean and that of the
    frames.
    """

    def __init__(self, size: int, heads: int) -> None:
        super().__init__(size, heads)
        self.ht_proj = nn.Linear(size // heads, size)
        self.ht_norm = nn.LayerNorm(size // heads)
        self.pos_embed = _token(1, heads, size)

    def forward(self, tokens: Tensor) -> Tensor:
        outputs = super().forward(self.with_head_tokens(tokens))
        num_tokens = tokens.shape[1]
        gathered = outputs[:, 1:num_tokens].mean(dim=1, keepdim=True) + outputs[:, num_tokens:].mean(1, keepdim=True)
        return torch.cat((outputs[:, :1] + gathered, outputs[:, 1:num_tokens]), dim=1)

    def with_head_tokens(self, tokens: Tensor) -> Tensor:
        """The tokens, and one for each group of channels after them: `[B, N + H, C]`."""
        groups = tokens.mean(dim=1).unflatten(1, (self.heads, -1))
        channels = self.ht_norm(self.ht_proj(groups).unflatten(2, (self.heads, -1)))
        return torch.cat((tokens, F.gelu(channels).flatten(2) + self.pos_embed), dim=1)


class Convolution(nn.Module):
    """Gated convolution over the tokens of `[B, N, C]`."""

    def __init__(self, size: int, kernel_size: int) -> None:
        super().__init__()
        inner = EXPANSION * size // 2
        self.net = nn.Sequential(
            nn.LayerNorm(size), Transposed(), nn.Conv1d(size, 2 * inner, 1), nn.GLU(dim=1),
            Depthwise(inner, kernel_size), nn.BatchNorm1d(inner), nn.SiLU(), nn.Conv1d(inner, size, 1), Transposed(),
        )  # fmt: skip

    def forward(self, tokens: Tensor) -> Tensor:
        return self.net(tokens)


class Transposed(nn.Module):
    def forward(self, tokens: Tensor) -> Tensor:
        return tokens.transpose(1, 2)


class Depthwise(nn.Module):
    """A convolution of each channel of `[B, C, N]` alone."""

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, kernel_size, padding=kernel_size // 2, groups=channels)

    def forward(self, image: Tensor) -> Tensor:
        return self.conv(image)


def positions(num_frames: int, size: int) -> Tensor:
    """Sines (even) and cosines (odd channels) of each position, `[F, C]`."""
    frequencies = WAVELENGTH ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    # the published table has angles in double and sines in single precision
    angles = (torch.arange(num_frames, dtype=torch.float64)[:, None] * frequencies).float()
    return torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)


def _token(*shape: int) -> nn.Parameter:
    return nn.Parameter(nn.init.normal_(torch.empty(shape), std=TOKEN_DEVIATION))
