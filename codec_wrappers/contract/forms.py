"""The published forms of the codecs (`codecs.yaml`), built for the tests of the contract."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from codec_wrappers import CodecError, Form, build, entry, names
from codec_wrappers.codec import Codec, TrainableCodec
from codec_wrappers.contract.signals import speech_like
from codec_wrappers.resynthesis.shard import load_codec
from codecfake.base.plugins import is_outside
from codecfake.base.suggestions import unknown

START_DURATION = 1.0  # seconds of the signal from which fresh codebooks start
START_BATCH = 2


FORMS: Mapping[str, Form] = {key: form for name in names() for key, form in entry(name).forms.items()}


def form_of(name: str) -> Form:
    """A published form by its name, or the form of an outside codec. Raises CodecError for an unknown name."""
    if name in FORMS:
        return FORMS[name]
    if not is_outside(name):
        raise CodecError(unknown("form", name, FORMS))
    return Form("not described", "the same as for every codec", small=entry(name).small, wrapper=name)


def needs_weights(form: Form) -> bool:
    """Whether the form cannot be built without weights."""
    return not entry(form.wrapper).has_fresh_form


def fresh(form: Form, small: bool, device: torch.device, seed: int) -> Codec:
    """The codec with random weights and with codebooks from encoder outputs, so that all codes are used."""
    with _random_seed(seed):
        codec = build(form.wrapper, form.small if small else form.model)
        if isinstance(codec, TrainableCodec):
            num_samples = int(START_DURATION * codec.sample_rate) // codec.hop_length * codec.hop_length
            with torch.no_grad():
                codec.reconstruct(speech_like(codec.sample_rate, START_BATCH, num_samples, seed))
    if codec.network is not None:
        codec.network.eval().to(device)
    return codec


def with_weights(form: Form, weights: Path | None, device: torch.device) -> Codec:
    """The codec of the published size with the weights of a file or folder."""
    return load_codec(form.wrapper, form.model, weights, device)


@contextmanager
def _random_seed(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):  # fresh weights are drawn on the CPU
        torch.manual_seed(seed)
        yield
