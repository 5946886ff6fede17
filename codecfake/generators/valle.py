"""VALL-E as in Amphion, first version: English text through eSpeak NG, EnCodec's codes and EnCodec's decoder."""

import zlib
from collections.abc import Sequence
from functools import partial

import torch

from codecfake.generators import registry, weights_folder
from codecfake.generators.codec_language_model import CodecLanguageModel
from codecfake.generators.espeak_text import BEGIN, END, FIRST, SymbolTable, phones, read_symbols
from codecfake.generators.generator import GeneratorError
from codecfake.generators.settings import GeneratorSettings
from codecfake.generators.valle_decoding import generate, load_network


def build(settings: GeneratorSettings, device: torch.device) -> CodecLanguageModel:
    """See `codecfake.generators.build`."""
    model = weights_folder.model_of(settings)
    network = load_network(settings, model, begin_token=model.begin_token, languages=False).to(device)
    codec = weights_folder.codec_of(settings, model.codec_model, device)
    return CodecLanguageModel(
        network,
        AmphionText(model.language, _symbols(settings, model.text_vocabulary)),
        codec,
        lambda codes: codec.decode(codes[None])[0],
        registry.sampling_of(settings.generator, settings.sampling),
        settings.batch_size,
        device,
        partial(generate, network, end_at_argmax=True),
    )


class AmphionText:
    """Both texts as one; where one ends and the other begins is not kept."""

    def __init__(self, voice: str, symbols: "SymbolTable | RandomSymbols") -> None:
        self.voice, self.symbols = voice, symbols

    def fault(self, text: str, prompt: str, language: str) -> str | None:
        """Why it cannot read the two texts."""
        if language not in self.voice.split("-"):
            return f"the language is {language!r}; this generator speaks {self.voice!r}"
        unknown = self.symbols.unknown(self._phones(text, prompt))
        if unknown:
            return f"the checkpoint has no symbol for {', '.join(map(repr, unknown))}"
        return None

    def ids(self, text: str, prompt: str, language: str) -> tuple[list[int], None]:
        """Ids of both texts."""
        return self.symbols.ids(self._phones(text, prompt)), None

    def _phones(self, text: str, prompt: str) -> list[str]:
        return phones(f"{prompt} {text}", self.voice)


class RandomSymbols:
    """An id for any phone, for a network with random weights."""

    def __init__(self, vocabulary: int) -> None:
        self._vocabulary = vocabulary

    def unknown(self, phones: Sequence[str]) -> list[str]:
        """None is unknown."""
        return []

    def ids(self, phones: Sequence[str]) -> list[int]:
        """Ids with begin and end."""
        return [BEGIN, *(FIRST + zlib.crc32(phone.encode()) % (self._vocabulary - FIRST) for phone in phones), END]


def _symbols(settings: GeneratorSettings, vocabulary: int) -> SymbolTable | RandomSymbols:
    if settings.weights is None:
        return RandomSymbols(vocabulary)
    path = settings.weights / weights_folder.SYMBOLS
    table = read_symbols(path)
    if len(table) > vocabulary:
        raise GeneratorError(
            f"{path}: {len(table)} ids for {vocabulary} rows of text embeddings; {weights_folder.REMEDY}"
        )
    return table
