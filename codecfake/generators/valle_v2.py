"""VALL-E as in Amphion, second version: phones of a dictionary, SpeechTokenizer's codes and its decoder."""

import zlib
from functools import partial

import torch

from codecfake.base.home import expanded
from codecfake.generators import lexicon_text, registry, weights_folder
from codecfake.generators.codec_language_model import CodecLanguageModel, FrontEnd
from codecfake.generators.model_settings import RANDOM
from codecfake.generators.settings import GeneratorSettings
from codecfake.generators.valle_v2_decoding import generate
from codecfake.generators.valle_v2_network import NUM_PHONES, ValleV2Network


def build(settings: GeneratorSettings, device: torch.device) -> CodecLanguageModel:
    """See `codecfake.generators.build`."""
    model = weights_folder.model_of(settings)
    sampling = registry.sampling_of(settings.generator, settings.sampling)
    front_end = _front_end(model.tables)
    network = weights_folder.load_or_random(
        lambda: ValleV2Network(model.dimension, model.feed_forward, model.num_layers, model.num_heads),
        settings.weights,
    )
    network.use_precision().to(device)
    codec = weights_folder.codec_of(settings, model.codec_model, device)
    return CodecLanguageModel(
        network,
        front_end,
        codec,
        lambda codes: codec.decode(codes[None])[0],
        sampling,
        settings.batch_size,
        device,
        partial(generate, network, most_positions=sampling.most_positions),
    )


class RandomPhones:
    """A phone for each letter, for a network with random weights."""

    def fault(self, text: str, prompt: str, language: str) -> str | None:
        """Why it cannot read the two texts."""
        return lexicon_text.Lexicon({}).fault("", "", language)

    def ids(self, text: str, prompt: str, language: str) -> tuple[list[int], None]:
        """Ids of both texts."""
        return [zlib.crc32(letter.encode()) % NUM_PHONES for letter in f"{prompt} {text}"], None


def _front_end(tables: str) -> FrontEnd:
    if tables == RANDOM:
        return RandomPhones()
    return lexicon_text.read(expanded(tables), NUM_PHONES)
