"""AudioGen (Kreuk et al. 2023): a transformer over the codes of four codebooks, and the codec of these codes.

Both are networks of transformers, under the names that its MusicGen model has. Codebook k of frame t stands at step
t + k + 1 (Copet et al. 2023, figure 1, delay pattern); other cells hold a special code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from codecfake.generators.model_settings import AudiogenSampling, AudiogenSettings
from codecfake.generators.sampling import draw, random_numbers

NUM_CODEBOOKS = 4
NUM_CODES = SPECIAL = 2048
SAMPLE_RATE, HOP_LENGTH = 16_000, 320
CODEC_RATIOS = (8, 5, 4, 2)
MOST_POSITIONS = 2048

Choice = Callable[[Tensor], Tensor]  # logits [4, 2048] to codes [4]


@dataclass(frozen=True)
class Request:
    """What one item gives the network."""

    states: Tensor  # of the text encoder, [N, D]
    choose: Choice


def sampler(seed: int, sampling: AudiogenSampling) -> Choice:
    """Draw the codes of each step from the item's own random numbers; cells outside the pattern use some too."""
    generator = random_numbers(seed)

    def choose(logits: Tensor) -> Tensor:
        probabilities = (logits.float() / sampling.temperature).softmax(-1)
        if sampling.top_k is not None:
            least = probabilities.topk(min(sampling.top_k, NUM_CODES)).values[..., -1:]
            probabilities = probabilities * (probabilities >= least)
            probabilities = probabilities / probabilities.sum(-1, keepdim=True)
        return draw(probabilities, generator)

    return choose


class AudiogenNetwork(nn.Module):
    def __init__(self, settings: AudiogenSettings, text_dimension: int) -> None:
        from transformers import EncodecModel, MusicgenForCausalLM

        super().__init__()
        self.decoder = MusicgenForCausalLM(_decoder_config(settings))
        self.enc_to_dec_proj = nn.Linear(text_dimension, settings.dimension)
        self.audio_encoder = EncodecModel(_codec_config(settings))

    def use_precision(self) -> "AudiogenNetwork":
        """The same network, whose transformer computes in float64.

        There, what a batch changes in the last digits of a logit does not reach a draw.
        """
        self.decoder.double()
        self.enc_to_dec_proj.double()
        return self

    @torch.inference_mode()
    def generate(
        self, requests: Sequence[Request], num_frames: int, guidance: float, prompts: Sequence[Tensor] = ()
    ) -> list[Tensor]:
        """Codes `[4, num_frames]` of each request, which begin with those of its prompt `[4, P]`.

        All prompts have the same P, below `num_frames`; without prompts, P is 0. A prompt uses no random numbers.
        """
        conditions = self.conditions([request.states for request in requests])
        rows = torch.full((len(requests), NUM_CODEBOOKS, num_frames + NUM_CODEBOOKS), SPECIAL)
        rows = rows.to(conditions[0].device)
        first = _place_prompts(rows, prompts) + 1
        logits, memory = self.step(rows[:, :, :first], conditions, guidance, None)
        for step in range(first, rows.shape[-1]):
            if step > first:
                logits, memory = self.step(rows[:, :, step - 1 : step], conditions, guidance, memory)
            books = _books_at(step, first - 1, num_frames)
            for row, request, values in zip(rows, requests, logits.cpu(), strict=True):
                row[books, step] = request.choose(values)[books].to(row.device)
        return [_aligned(row, num_frames) for row in rows]

    def step(
        self, codes: Tensor, conditions: tuple[Tensor, Tensor], guidance: float, memory: Any
    ) -> tuple[Tensor, Any]:
        """Logits `[B, 4, 2048]` after the codes `[B, 4, S]` of S more steps, and the memory for the next."""
        states, mask = conditions
        outputs = self.decoder(
            torch.cat([codes, codes]).flatten(0, 1),
            encoder_hidden_states=states,
            encoder_attention_mask=mask,
            past_key_values=memory,
            use_cache=True,
        )
        with_text, without = outputs.logits[:, -1].unflatten(0, (2, -1, NUM_CODEBOOKS))
        return without + guidance * (with_text - without), outputs.past_key_values

    def conditions(self, states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Projected states `[2 B, N, D]`, of the texts and then of no text, and which of them count, `[2 B, N]`."""
        longest = max(map(len, states))
        projected = [self.enc_to_dec_proj(each.to(self.enc_to_dec_proj.weight.dtype)) for each in states]
        padded = nn.utils.rnn.pad_sequence(projected, batch_first=True)
        lengths = torch.tensor([*map(len, states)], device=padded.device)
        mask = torch.arange(longest, device=padded.device) < lengths[:, None]
        # without text, attention is over zeros and gives zero, for any number of them
        return torch.cat([padded, torch.zeros_like(padded)]), torch.cat([mask, torch.ones_like(mask)]).long()

    @torch.inference_mode()
    def decode(self, codes: Tensor) -> Tensor:
        """Waveform `[320 · T]` of codes `[4, T]`."""
        return self.audio_encoder.decode(codes[None, None], [None]).audio_values[0, 0]


def _place_prompts(rows: Tensor, prompts: Sequence[Tensor]) -> int:
    """Write each prompt `[4, P]` into its row of cells `[4, T + 4]`; returns P."""
    if not prompts:
        return 0
    for row, prompt in zip(rows, prompts, strict=True):
        for book, codes in enumerate(prompt):
            row[book, book + 1 : book + 1 + len(codes)] = codes
    return prompts[0].shape[1]


def _books_at(step: int, prompt_frames: int, num_frames: int) -> Tensor:
    """The codebooks that have a frame after the prompt at a step."""
    return torch.tensor([book for book in range(NUM_CODEBOOKS) if prompt_frames <= step - 1 - book < num_frames])


def _aligned(row: Tensor, num_frames: int) -> Tensor:
    """Codes `[4, T]` of the cells `[4, T + 4]`."""
    return torch.stack([row[book, book + 1 : book + 1 + num_frames] for book in range(NUM_CODEBOOKS)])


def _decoder_config(settings: AudiogenSettings) -> Any:
    from transformers import MusicgenDecoderConfig

    return MusicgenDecoderConfig(
        vocab_size=NUM_CODES,
        pad_token_id=SPECIAL,
        bos_token_id=SPECIAL,
        eos_token_id=None,
        max_position_embeddings=MOST_POSITIONS,
        hidden_size=settings.dimension,
        num_hidden_layers=settings.num_layers,
        num_attention_heads=settings.num_heads,
        ffn_dim=4 * settings.dimension,
        num_codebooks=NUM_CODEBOOKS,
        activation_function="gelu",
        audio_channels=1,
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
    )


def _codec_config(settings: AudiogenSettings) -> Any:
    """Not causal, padded with zeros, with plain skips: other defaults than those of the published EnCodec."""
    from transformers import EncodecConfig

    return EncodecConfig(
        target_bandwidths=[2.2],  # kbit/s: four codebooks
        sampling_rate=SAMPLE_RATE,
        audio_channels=1,
        normalize=False,
        chunk_length_s=None,
        num_filters=settings.codec_filters,
        num_residual_layers=1,
        upsampling_ratios=list(CODEC_RATIOS),
        norm_type="weight_norm",
        use_causal_conv=False,
        use_conv_shortcut=False,
        pad_mode="constant",
        codebook_size=NUM_CODES,
        codebook_dim=128,
        hidden_size=128,
    )
