"""AudioGen: a caption through T5, the transformer, and its codec."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from codecfake.generators import audiogen_windows, registry, weights_folder
from codecfake.generators.audiogen_network import HOP_LENGTH, SAMPLE_RATE, AudiogenNetwork, Request, sampler
from codecfake.generators.caption_encoder import CaptionEncoder, load, random_encoder
from codecfake.generators.generator import Item
from codecfake.generators.model_settings import RANDOM, AudiogenSampling
from codecfake.generators.settings import GeneratorSettings

LANGUAGE = "en"


def build(settings: GeneratorSettings, device: torch.device) -> "Audiogen":
    """See `codecfake.generators.build`."""
    model = weights_folder.model_of(settings)
    place = model.text_encoder
    encoder = weights_folder.with_fixed_seed(random_encoder) if place == RANDOM else load(place)
    network = weights_folder.load_or_random(lambda: AudiogenNetwork(model, encoder.dimension), settings.weights)
    return Audiogen(
        network.use_precision().to(device),
        encoder.to(device),
        registry.sampling_of(settings.generator, settings.sampling),
        settings.batch_size,
    )


@dataclass
class Audiogen:
    network: AudiogenNetwork
    encoder: CaptionEncoder
    sampling: AudiogenSampling
    batch_size: int
    sample_rate: int = SAMPLE_RATE
    needs_prompt: bool = False

    def check(self, item: Item) -> str | None:
        """See Generator."""
        if not item.text.strip():
            return "the caption is empty"
        if item.language != LANGUAGE:
            return f"the language is {item.language!r}; captions are in {LANGUAGE!r}"
        return None

    def generate(self, items: Sequence[Item]) -> list[NDArray[np.float32]]:
        """See Generator."""
        frames = int(self.sampling.duration * SAMPLE_RATE / HOP_LENGTH)
        waveforms = []
        for start in range(0, len(items), self.batch_size):
            requests = [self._request(item) for item in items[start : start + self.batch_size]]
            for codes in audiogen_windows.generate(self.network, requests, frames, self.sampling.guidance):
                waveforms.append(self.network.decode(codes).float().cpu().numpy())
        return waveforms

    def _request(self, item: Item) -> Request:
        return Request(self.encoder(item.text), sampler(item.seed, self.sampling))
