"""The network of VALL-E (Wang et al. 2023) as in the two open implementations, with their names of tensors.

Two pre-norm transformers over text and codes. The autoregressive one (`ar_`) predicts the first codebook; the other
(`nar_`) predicts the codebooks 1 to 7 one after the other, each for all frames at once.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NUM_CODEBOOKS = 8
NUM_CODES = 1024
END, BEGIN = NUM_CODES, NUM_CODES + 1
NUM_LANGUAGES = 3
LONGEST_PERIOD = 10_000.0  # of the position encoding

Norm = Callable[[int], nn.Module]  # the layer norm of a dimension


@dataclass(frozen=True)
class Text:
    """Ids `[S]` of the whole text, and the language of each, if the network has languages."""

    ids: Tensor
    languages: Tensor | None = None


class Cache:
    """Keys and values `[B, heads, L, D]` of the autoregressive transformer by layer, and the length of each row."""

    def __init__(self, rows: Sequence[list[tuple[Tensor, Tensor]]]) -> None:
        """`rows`: of each row alone, keys and values `[heads, L, D]` by layer."""
        self.lengths = torch.tensor([row[0][0].shape[1] for row in rows], device=rows[0][0][0].device)
        longest = int(self.lengths.max())
        self.layers = [
            tuple(torch.stack([_lengthened(row[layer][part], longest) for row in rows]) for part in (0, 1))
            for layer in range(len(rows[0]))
        ]
        self.longest = longest

    def start_step(self) -> Tensor:
        """Make room for one more position in each row; returns which positions each row sees, `[B, 1, 1, L]`."""
        if self.longest == self.layers[0][0].shape[2]:
            more = max(256, self.longest // 2)
            self.layers = [tuple(_lengthened(part, self.longest + more) for part in parts) for parts in self.layers]
        self.longest += 1
        places = torch.arange(self.longest, device=self.lengths.device)
        return (places <= self.lengths[:, None])[:, None, None]

    def add(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store `[B, heads, 1, D]` at the end of each row; returns all keys and values up to the longest row's end."""
        rows = torch.arange(len(self.lengths), device=self.lengths.device)
        for part, new in zip(self.layers[layer], (key, value), strict=True):
            part[rows, :, self.lengths] = new[:, :, 0]
        keys, values = self.layers[layer]
        return keys[:, :, : self.longest], values[:, :, : self.longest]

    def end_step(self) -> None:
        self.lengths = self.lengths + 1

    def keep(self, rows: list[int]) -> None:
        """Drop all other rows."""
        places = torch.tensor(rows, device=self.lengths.device)
        self.lengths = self.lengths[places]
        self.layers = [tuple(part[places] for part in parts) for parts in self.layers]
        self.longest = int(self.lengths.max())


def _lengthened(part: Tensor, length: int) -> Tensor:
    return F.pad(part, (0, 0, 0, length - part.shape[-2]))


class TokenEmbedding(nn.Module):
    def __init__(self, number: int, dimension: int) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(number, dimension)

    def forward(self, ids: Tensor) -> Tensor:
        return self.word_embeddings(ids)


class SinePosition(nn.Module):
    """Adds alpha · PE, with sine and cosine interleaved (Vaswani et al. 2017, section 3.5)."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1))

    def forward(self, embeddings: Tensor, places: Tensor) -> Tensor:
        """Of embeddings `[..., D]` at places `[...]`."""
        half = torch.arange(embeddings.shape[-1] // 2, dtype=torch.float64, device=places.device)
        rates = torch.exp(-2 * half * math.log(LONGEST_PERIOD) / embeddings.shape[-1])
        # in float32, as both implementations compute the angles: places reach thousands
        angles = places[..., None].float() * rates.float()
        waves = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
        return embeddings + self.alpha * waves.to(embeddings.dtype)


class AdaptiveNorm(nn.Module):
    """A layer norm whose output is scaled and shifted by a function of the stage."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.project_layer = nn.Linear(dimension, 2 * dimension)
        self.norm = nn.LayerNorm(dimension)

    def forward(self, signal: Tensor, stage: Tensor) -> Tensor:
        weight, bias = self.project_layer(stage).chunk(2, dim=-1)
        return weight * self.norm(signal) + bias


def _normed(norm: nn.Module, signal: Tensor, stage: Tensor | None) -> Tensor:
    return norm(signal) if stage is None else norm(signal, stage)


class Attention(nn.Module):
    def __init__(self, dimension: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dimension, dimension))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dimension))
        self.out_proj = nn.Linear(dimension, dimension)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def project(self, signal: Tensor) -> list[Tensor]:
        """Query, key and value `[B, heads, L, D / heads]` of `[B, L, D]`."""
        parts = F.linear(signal, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        return [part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in parts]

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        outputs = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out_proj(outputs.transpose(1, 2).flatten(-2))


class Layer(nn.Module):
    def __init__(self, dimension: int, num_heads: int, norm: Norm) -> None:
        super().__init__()
        self.self_attn = Attention(dimension, num_heads)
        self.linear1 = nn.Linear(dimension, 4 * dimension)
        self.linear2 = nn.Linear(4 * dimension, dimension)
        self.norm1, self.norm2 = norm(dimension), norm(dimension)

    def feed_forward(self, signal: Tensor, stage: Tensor | None) -> Tensor:
        return signal + self.linear2(F.relu(self.linear1(_normed(self.norm2, signal, stage))))


class Transformer(nn.Module):
    def __init__(self, num_layers: int, dimension: int, num_heads: int, norm: Norm) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(dimension, num_heads, norm) for _ in range(num_layers))
        self.norm = norm(dimension)

    def forward(
        self, signal: Tensor, mask: Tensor | None, stage: Tensor | None = None
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Of `[B, L, D]`, and the keys and values of each layer."""
        memory = []
        for layer in self._layers():
            query, key, value = layer.self_attn.project(_normed(layer.norm1, signal, stage))
            memory.append((key, value))
            signal = layer.feed_forward(signal + layer.self_attn.attend(query, key, value, mask), stage)
        return _normed(self.norm, signal, stage), memory

    def step(self, signal: Tensor, cache: Cache) -> Tensor:
        """Of the next position `[B, 1, D]` of each row, which sees all earlier ones; the cache grows."""
        mask = cache.start_step()
        for index, layer in enumerate(self._layers()):
            query, key, value = layer.self_attn.project(layer.norm1(signal))
            attended = layer.self_attn.attend(query, *cache.add(index, key, value), mask)
            signal = layer.feed_forward(signal + attended, None)
        cache.end_step()
        return self.norm(signal)

    def _layers(self) -> Iterator[Layer]:
        for layer in self.layers:
            assert isinstance(layer, Layer)
            yield layer


class ValleNetwork(nn.Module):
    def __init__(
        self,
        dimension: int,
        num_heads: int,
        num_layers: int,
        text_vocabulary: int,
        begin_token: bool,
        languages: bool,
    ) -> None:
        super().__init__()
        self.begin_token = begin_token
        self.ar_text_embedding = TokenEmbedding(text_vocabulary, dimension)
        self.nar_text_embedding = TokenEmbedding(text_vocabulary, dimension)
        self.ar_audio_embedding = TokenEmbedding(NUM_CODES + 1 + begin_token, dimension)
        self.ar_text_position, self.ar_audio_position = SinePosition(), SinePosition()
        self.ar_decoder = Transformer(num_layers, dimension, num_heads, nn.LayerNorm)
        self.ar_predict_layer = nn.Linear(dimension, NUM_CODES + 1, bias=False)
        # the first table has a row for the end, which training used for padding
        sizes = [NUM_CODES + 1] + [NUM_CODES] * (NUM_CODEBOOKS - 1)
        self.nar_audio_embeddings = nn.ModuleList(TokenEmbedding(size, dimension) for size in sizes)
        self.nar_text_position, self.nar_audio_position = SinePosition(), SinePosition()
        self.nar_decoder = Transformer(num_layers, dimension, num_heads, AdaptiveNorm)
        self.nar_predict_layers = nn.ModuleList(
            nn.Linear(dimension, NUM_CODES, bias=False) for _ in range(NUM_CODEBOOKS - 1)
        )
        self.nar_stage_embeddings = nn.ModuleList(TokenEmbedding(1, dimension) for _ in range(NUM_CODEBOOKS - 1))
        self.ar_language_embedding = TokenEmbedding(NUM_LANGUAGES, dimension) if languages else None
        self.nar_language_embedding = TokenEmbedding(NUM_LANGUAGES, dimension) if languages else None
        for name, source in self.tied_names().items():
            index = int(name.split(".")[1])
            self.nar_predict_layers[index].weight = self.get_parameter(source)

    @staticmethod
    def tied_names() -> dict[str, str]:
        """Names of output layers, and of the embeddings that are the same tensors."""
        return {
            f"nar_predict_layers.{index}.weight": f"nar_audio_embeddings.{index + 2}.word_embeddings.weight"
            for index in range(NUM_CODEBOOKS - 2)
        }

    def start(self, text: Text, codes: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """The autoregressive transformer's output `[S + P, D]` for one text and codes `[P]`, with keys and values.

        The text sees the text alone; a code sees the text and the codes up to itself.
        """
        words = self._text("ar", text)
        sounds = self.ar_audio_position(self.ar_audio_embedding(codes), _places(codes))
        total, start = len(words) + len(sounds), len(words)
        mask = torch.ones(total, total, dtype=torch.bool, device=words.device).tril()
        mask[:start, :start] = True
        hidden, memory = self.ar_decoder(torch.cat([words, sounds])[None], mask)
        return hidden[0], [(key[0], value[0]) for key, value in memory]

    def step(self, codes: Tensor, places: Tensor, cache: Cache) -> Tensor:
        """Logits `[B, 1025]` after the codes `[B]` at places `[B]`."""
        sounds = self.ar_audio_position(self.ar_audio_embedding(codes), places)
        return self.ar_predict_layer(self.ar_decoder.step(sounds[:, None], cache)[:, 0])

    def stage(self, text: Text, prompt: Tensor, codes: Tensor) -> Tensor:
        """Logits `[T, 1024]` of codebook s after a prompt `[P, 8]`; the first s codebooks are `[T, s]`."""
        stage = codes.shape[1]
        frames = torch.cat([self._sum(prompt), self._sum(codes)])
        sounds = self.nar_audio_position(frames, _places(frames))
        condition = self.nar_stage_embeddings[stage - 1](torch.zeros(1, dtype=torch.int64, device=codes.device))
        signal = torch.cat([self._text("nar", text), sounds])
        hidden, _ = self.nar_decoder(signal[None], None, condition)
        return self.nar_predict_layers[stage - 1](hidden[0, len(text.ids) + len(prompt) :])

    def _text(self, part: str, text: Text) -> Tensor:
        words = self.get_submodule(f"{part}_text_embedding")(text.ids)
        table = self.ar_language_embedding if part == "ar" else self.nar_language_embedding
        if table is not None:
            words = words + table(text.languages)
        return self.get_submodule(f"{part}_text_position")(words, _places(text.ids))

    def _sum(self, codes: Tensor) -> Tensor:
        """The sum of the embeddings `[T, D]` of codes `[T, s]`."""
        return torch.stack([self.nar_audio_embeddings[book](codes[:, book]) for book in range(codes.shape[1])]).sum(0)


def _places(sequence: Tensor) -> Tensor:
    return torch.arange(len(sequence), device=sequence.device)
