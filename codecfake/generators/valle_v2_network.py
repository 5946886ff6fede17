"""The network of VALL-E (Wang et al. 2023) as in the second version of Amphion: two Llamas over phones and codes.

The autoregressive one is that of transformers. The other sees everything, and the codebook to predict is in its norms.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codecfake.generators.valle_network import NUM_CODEBOOKS, NUM_CODES

NUM_PHONES = 300  # of the autoregressive part; the ids of phones follow those of codes
NUM_IDS = NUM_CODES + NUM_PHONES + 10
PAD, BEGIN_CODES, END_CODES, BEGIN_PHONES, END_PHONES = range(NUM_CODES + NUM_PHONES, NUM_CODES + NUM_PHONES + 5)
EPSILON, LONGEST_PERIOD = 1e-6, 10_000.0  # of the norms, of the rotary positions


class AdaptiveRmsNorm(nn.Module):
    """A root-mean-square norm (Zhang and Sennrich 2019) whose gain is a function of the codebook."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.to_weight = nn.Linear(dimension, dimension)

    def forward(self, signal: Tensor, condition: Tensor) -> Tensor:
        return self.to_weight(condition) * F.rms_norm(signal, signal.shape[-1:], eps=EPSILON)


class Attention(nn.Module):
    def __init__(self, dimension: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (
            nn.Linear(dimension, dimension, bias=False) for _ in range(4)
        )

    def forward(self, signal: Tensor, angles: Tensor) -> Tensor:
        """Of `[L, D]`; every place sees all places."""
        query, key, value = (
            part(signal).unflatten(-1, (self.num_heads, -1)).transpose(0, 1)
            for part in (self.q_proj, self.k_proj, self.v_proj)
        )
        outputs = F.scaled_dot_product_attention(rotated(query, angles)[None], rotated(key, angles)[None], value[None])
        return self.o_proj(outputs[0].transpose(0, 1).flatten(-2))


class GatedFeedForward(nn.Module):
    """SwiGLU (Shazeer 2020, equation 6)."""

    def __init__(self, dimension: int, inner: int) -> None:
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(dimension, inner, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(inner, dimension, bias=False)

    def forward(self, signal: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(signal)) * self.up_proj(signal))


class Layer(nn.Module):
    def __init__(self, dimension: int, inner: int, num_heads: int) -> None:
        super().__init__()
        self.self_attn = Attention(dimension, num_heads)
        self.mlp = GatedFeedForward(dimension, inner)
        self.input_layernorm, self.post_attention_layernorm = (AdaptiveRmsNorm(dimension) for _ in range(2))

    def forward(self, signal: Tensor, condition: Tensor, angles: Tensor) -> Tensor:
        signal = signal + self.self_attn(self.input_layernorm(signal, condition), angles)
        return signal + self.mlp(self.post_attention_layernorm(signal, condition))


class OtherCodebooks(nn.Module):
    """The part that predicts the codebooks 1 to 7, each for all frames at once."""

    def __init__(self, dimension: int, inner: int, num_layers: int, num_heads: int) -> None:
        super().__init__()
        self.head_dimension = dimension // num_heads
        self.phone_embedder = nn.Embedding(NUM_PHONES + 10, dimension)
        self.prompt_embedder = nn.ModuleList(nn.Embedding(NUM_CODES, dimension) for _ in range(NUM_CODEBOOKS))
        self.embed_cond = nn.Embedding(NUM_CODEBOOKS, dimension)
        self.layers = nn.ModuleList(Layer(dimension, inner, num_heads) for _ in range(num_layers))
        self.norm = AdaptiveRmsNorm(dimension)
        self.lm_head = nn.ModuleList(nn.Linear(dimension, NUM_IDS, bias=False) for _ in range(NUM_CODEBOOKS - 1))

    def forward(self, phones: Tensor, prompt: Tensor, codes: Tensor) -> Tensor:
        """Logits `[T, 1334]` of codebook q after a prompt `[P, 8]`; the first q codebooks are `[T, q]`."""
        book = codes.shape[1]
        condition = self.embed_cond(torch.full((1,), book, device=codes.device))
        signal = torch.cat([self.phone_embedder(phones), self._sum(prompt), self._sum(codes)])
        angles = rotary_angles(len(signal), self.head_dimension, signal.device)
        for layer in self.layers:
            signal = layer(signal, condition, angles)
        return self.lm_head[book - 1](self.norm(signal, condition)[len(phones) + len(prompt) :])

    def _sum(self, codes: Tensor) -> Tensor:
        """The sum of the embeddings `[T, D]` of codes `[T, q]`."""
        return torch.stack([self.prompt_embedder[book](codes[:, book]) for book in range(codes.shape[1])]).sum(0)


class ValleV2Network(nn.Module):
    def __init__(self, dimension: int, feed_forward: int, num_layers: int, num_heads: int) -> None:
        super().__init__()
        self.ar = _llama(dimension, feed_forward, num_layers, num_heads)
        self.nar = OtherCodebooks(dimension, feed_forward, num_layers, num_heads)

    def use_precision(self) -> "ValleV2Network":
        """The same network, whose autoregressive part computes in float64."""
        self.ar.double()
        return self

    def step(self, ids: Tensor, seen: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """Logits `[B, 1334]` after ids `[B, S]`, and the memory for the next.

        seen: 1 for ids and 0 for padding at the start of a row, `[B, L]`, of all ids up to these.
        """
        places = (seen.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        outputs = self.ar(
            input_ids=ids,
            attention_mask=seen,
            position_ids=places,
            past_key_values=memory,
            use_cache=True,
            logits_to_keep=1,
        )
        return outputs.logits[:, -1], outputs.past_key_values

    def stage(self, phones: Tensor, prompt: Tensor, codes: Tensor) -> Tensor:
        """Logits `[T, 1024]` of the next codebook; see `OtherCodebooks`. Its classes that are no codes are left out."""
        return self.nar(phones, prompt, codes)[:, :NUM_CODES]


def first_ids(phones: Sequence[int] | Tensor, codes: Tensor) -> Tensor:
    """The ids of phones `[S]` and of the prompt's first codebook `[P]`, as the autoregressive part reads them."""
    words = torch.as_tensor(phones, device=codes.device) + NUM_CODES
    begin, end, codes_begin = codes.new_tensor([[BEGIN_PHONES], [END_PHONES], [BEGIN_CODES]])
    return torch.cat([begin, words, end, codes_begin, codes])


def rotary_angles(length: int, dimension: int, device: torch.device) -> Tensor:
    """Angles `[L, D]` of rotary positions (Su et al. 2021, equation 34), each for two dimensions, half of D apart."""
    speeds = LONGEST_PERIOD ** -(torch.arange(0, dimension, 2, device=device).float() / dimension)
    angles = torch.arange(length, device=device).float()[:, None] * speeds
    return torch.cat([angles, angles], dim=-1)


def rotated(signal: Tensor, angles: Tensor) -> Tensor:
    """`[..., L, D]` turned by its angles."""
    first, second = signal.chunk(2, dim=-1)
    return signal * angles.cos() + torch.cat([-second, first], dim=-1) * angles.sin()


def _llama(dimension: int, feed_forward: int, num_layers: int, num_heads: int) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    network = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=NUM_IDS,
            hidden_size=dimension,
            intermediate_size=feed_forward,
            num_hidden_layers=num_layers,
            num_attention_heads=num_heads,
            num_key_value_heads=num_heads,
            rms_norm_eps=EPSILON,
            rope_parameters={"rope_type": "default", "rope_theta": LONGEST_PERIOD},
            pad_token_id=PAD,
            bos_token_id=BEGIN_CODES,
            eos_token_id=END_CODES,
            tie_word_embeddings=False,
        )
    )
    # its own norms round to float32
    for layer in network.model.layers:
        layer.input_layernorm = nn.RMSNorm(dimension, EPSILON)
        layer.post_attention_layernorm = nn.RMSNorm(dimension, EPSILON)
    network.model.norm = nn.RMSNorm(dimension, EPSILON)
    return network
