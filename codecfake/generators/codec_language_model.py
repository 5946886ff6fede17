"""A generator of the family of VALL-E: text and a prompt to codes, and codes to a waveform."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codec_wrappers.codec import Codec
from codecfake.generators.generator import Item, Prompt
from codecfake.generators.model_settings import TokenSampling
from codecfake.generators.valle_decoding import Request, sampler
from codecfake.generators.valle_network import NUM_CODEBOOKS, Text


class FrontEnd(Protocol):
    """Text to ids."""

    def fault(self, text: str, prompt: str, language: str) -> str | None:
        """Why it cannot read the two texts."""

    def ids(self, text: str, prompt: str, language: str) -> tuple[list[int], list[int] | None]:
        """Ids of both texts, and the languages of the ids, if the network has languages."""


@dataclass
class CodecLanguageModel:
    network: nn.Module
    front_end: FrontEnd
    codec: Codec
    decode: Callable[[Tensor], Tensor]  # codes [8, T] to a waveform
    sampling: TokenSampling
    batch_size: int
    device: torch.device
    codes_of: Callable[[Sequence[Request]], list[Tensor]]  # [T, 8] each, by the network
    needs_prompt: bool = True

    @property
    def sample_rate(self) -> int:
        assert self.codec.sample_rate is not None
        return self.codec.sample_rate

    def check(self, item: Item) -> str | None:
        """See Generator."""
        if not item.text.strip():
            return "the text is empty"
        if item.prompt is None:
            return "it has no prompt"
        if not item.prompt.text.strip():
            return "the text of the prompt is empty"
        if len(item.prompt.waveform) < self.codec.hop_length:
            return f"the prompt has {len(item.prompt.waveform)} samples; it needs at least {self.codec.hop_length}"
        return self.front_end.fault(item.text, item.prompt.text, item.language)

    def generate(self, items: Sequence[Item]) -> list[NDArray[np.float32]]:
        """See Generator. A waveform without samples: the network ended at once."""
        requests = [self._request(item) for item in items]
        # items of similar length together: a batch takes as long as its longest
        order = sorted(range(len(items)), key=lambda place: len(requests[place].text.ids))
        waveforms: dict[int, NDArray[np.float32]] = {}
        for start in range(0, len(order), self.batch_size):
            places = order[start : start + self.batch_size]
            codes = self.codes_of([requests[place] for place in places])
            waveforms |= {place: self._waveform(each) for place, each in zip(places, codes, strict=True)}
        return [waveforms[place] for place in range(len(items))]

    def _request(self, item: Item) -> Request:
        if item.prompt is None:
            raise ValueError(f"{item.trial}: it has no prompt; call `check` first")
        ids, languages = self.front_end.ids(item.text, item.prompt.text, item.language)
        text = Text(self._tensor(ids), None if languages is None else self._tensor(languages))
        return Request(text, self._codes(item.prompt), sampler(item.seed, self.sampling))

    def _tensor(self, ids: list[int]) -> Tensor:
        return torch.tensor(ids, device=self.device)

    @torch.inference_mode()
    def _codes(self, prompt: Prompt) -> Tensor:
        wav = torch.from_numpy(np.ascontiguousarray(prompt.waveform, dtype=np.float32)).to(self.device)
        return self.codec.encode_first(wav[None], NUM_CODEBOOKS)[0].T

    @torch.inference_mode()
    def _waveform(self, codes: Tensor) -> NDArray[np.float32]:
        if not len(codes):
            return np.zeros(0, dtype=np.float32)
        return self.decode(codes.T.contiguous()).float().cpu().numpy()
