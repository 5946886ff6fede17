"""Captions to states of a T5 encoder, one caption at a time: its states depend on nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codecfake.base import hub_models
from codecfake.base.home import expanded
from codecfake.generators.hub import absent

PURPOSE = "the text encoder (`text_encoder`)"
RANDOM_VOCABULARY = 258  # bytes, padding and the end
RANDOM_END = 1


class CaptionEncoder(nn.Module):
    def __init__(self, network: Any, tokenize: Callable[[str], list[int]]) -> None:
        super().__init__()
        self.network, self.tokenize = network, tokenize

    @property
    def dimension(self) -> int:
        """Of its states."""
        return self.network.config.d_model

    @torch.inference_mode()
    def forward(self, caption: str) -> Tensor:
        """States `[N, dimension]`, the last of them of the end token."""
        ids = torch.tensor([self.tokenize(caption)], device=self.network.device)
        return self.network(input_ids=ids).last_hidden_state[0]


def load(place: str) -> CaptionEncoder:
    """The T5 in a folder or of a hub id. Raises GeneratorError if it is not available."""
    import transformers

    folder = hub_models.fetched(place) or Path(expanded(place))
    transformers.logging.set_verbosity_error()  # it reports the decoder's tensors as unexpected
    transformers.logging.disable_progress_bar()
    try:
        source = {"pretrained_model_name_or_path": str(folder) if folder.is_dir() else place}
        tokenizer = transformers.AutoTokenizer.from_pretrained(**source)
        network = transformers.T5EncoderModel.from_pretrained(**source, dtype=torch.float32, weights_only=True)
    except Exception as error:  # damaged files can raise anything
        raise absent(place, PURPOSE, error) from error
    return CaptionEncoder(network.eval().requires_grad_(False), lambda caption: tokenizer(caption)["input_ids"])


def random_encoder() -> CaptionEncoder:
    """A tiny T5 with random weights that reads bytes, for tests."""
    import transformers

    config = transformers.T5Config(
        vocab_size=RANDOM_VOCABULARY, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, dropout_rate=0.0
    )
    network = transformers.T5EncoderModel(config).eval().requires_grad_(False)
    return CaptionEncoder(network, lambda caption: [*(byte + 2 for byte in caption.encode()), RANDOM_END])
