"""VALL-E X by Plachtaa: English and Mandarin, EnCodec's codes, and Vocos or EnCodec's decoder."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from codec_wrappers.codec import Codec
from codecfake.generators import mandarin_ipa, registry, vallex_text, vocoder, weights_folder
from codecfake.generators.codec_language_model import CodecLanguageModel
from codecfake.generators.model_settings import RANDOM, VallexSettings
from codecfake.generators.settings import GeneratorSettings
from codecfake.generators.valle_decoding import generate, load_network
from codecfake.generators.valle_network import NUM_CODEBOOKS


def build(settings: GeneratorSettings, device: torch.device) -> CodecLanguageModel:
    """See `codecfake.generators.build`."""
    model = weights_folder.model_of(settings)
    network = load_network(settings, model, begin_token=True, languages=True).to(device)
    codec = weights_folder.codec_of(settings, model.codec_model, device)
    return CodecLanguageModel(
        network,
        VallexText(),
        codec,
        _decoder(model, codec, device),
        registry.sampling_of(settings.generator, settings.sampling),
        settings.batch_size,
        device,
        partial(generate, network, end_at_argmax=False),
    )


class VallexText:
    """The ids of the prompt's text, then those of the text to speak, and the language of each."""

    def fault(self, text: str, prompt: str, language: str) -> str | None:
        """Why it cannot read the two texts."""
        if language not in vallex_text.EMBEDDINGS:
            return f"the language is {language!r}; this generator speaks {', '.join(vallex_text.EMBEDDINGS)}"
        return self._mandarin_fault(text + prompt) if language == "zh" else None

    def ids(self, text: str, prompt: str, language: str) -> tuple[list[int], list[int]]:
        """Ids of both texts, and their languages."""
        ids = vallex_text.ids(prompt, language) + vallex_text.ids(text, language)
        return ids, [vallex_text.EMBEDDINGS[language]] * len(ids)

    def _mandarin_fault(self, text: str) -> str | None:
        unknown = mandarin_ipa.unspeakable(text)
        if unknown:
            return f"it cannot pronounce {', '.join(map(repr, unknown))} in Mandarin"
        try:
            mandarin_ipa.ipa(text)
        except mandarin_ipa.SyllableError as error:
            return str(error)
        return None


def _decoder(model: VallexSettings, codec: Codec, device: torch.device) -> Callable[[Tensor], Tensor]:
    if model.decoder == "codec":
        return lambda codes: codec.decode(codes[None])[0]
    if model.vocos == RANDOM:
        return weights_folder.with_fixed_seed(lambda: vocoder.random_vocoder(NUM_CODEBOOKS)).to(device)
    return vocoder.load(model.vocos).to(device)
