"""The forms in which the codecs are published: settings, habits, and small settings of the same shape."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from codec_wrappers import wrapper
from codec_wrappers.codec import Codec
from codec_wrappers.contract.signals import speech_like
from codec_wrappers.resynthesis.shard import load_codec

START_DURATION = 1.0  # seconds of a signal that fresh codebooks start from
START_BATCH = 2


@dataclass(frozen=True)
class Form:
    """A codec as it is published, and as a small network of the same shape."""

    wrapper: str
    habit: str  # what it does to level, length and pieces of the signal by itself
    answer: str  # what the workflow does about that
    model: dict[str, Any] = field(default_factory=dict)
    small: dict[str, Any] = field(default_factory=dict)  # replaces settings of `model` where a quick check is enough
    needs_weights: bool = False
    piece_duration: float = 0.0  # seconds, if it works on pieces longer than frames


def fresh(form: Form, small: bool, device: torch.device, seed: int) -> Codec:
    """The codec with random weights; its codebooks hold vectors that its encoder gives, so that all codes get used."""
    model = {**form.model, **form.small} if small else form.model
    with _seeded(seed):
        codec = wrapper(form.wrapper).build(model)
        if codec.network is not None:
            rate = codec.sample_rate or 16_000
            num_samples = int(START_DURATION * rate) // codec.hop_length * codec.hop_length
            with torch.no_grad():
                codec.reconstruct(speech_like(rate, START_BATCH, num_samples, seed))
            codec.network.eval().to(device)
    return codec


def loaded(form: Form, weights: Path | None, device: torch.device) -> Codec:
    """The codec of the published size with the weights of a file or folder."""
    return load_codec(form.wrapper, form.model, weights, device)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


_BOOKS = {"num_quantizers": 4, "codebook_size": 16}
_SEANET = {"n_filters": 4, "dimension": 16, "lstm_layers": 1}
_FUNCODEC = {**_SEANET, **_BOOKS}
_AUDIODEC = {"channels": 4, "dimension": 16, "vocoder_channels": 16, **_BOOKS}
_HIFICODEC = {"channels": 32, "kernels": [3, 7], "dilations": [1, 3], "codebook_size": 16}
_SOUNDSTREAM = {"channels": 4, "dimension": 16, **_BOOKS}
_DAC = {"encoder_dim": 4, "decoder_dim": 48, "n_codebooks": 4, "codebook_size": 16}

_CUT = "the surplus at the end is cut"
_WHOLE_FRAMES = "gives back whole frames, up to one frame more than it got; level untouched"
_NORMALIZES = "brings every utterance to an RMS of 1 and, by some of its own scripts, leaves it there"
_RESTORED = "the workflow does that outside the codec and multiplies the result by the RMS again"

PUBLISHED: Mapping[str, Form] = {
    "passthrough": Form("passthrough", "none: it is the control", "nothing to undo"),
    "encodec": Form("encodec", _WHOLE_FRAMES, _CUT, small={**_SEANET, **_BOOKS}),
    "speechtokenizer": Form(
        "speechtokenizer",
        f"{_WHOLE_FRAMES}; an LSTM reads the whole utterance backwards too",
        f"{_CUT}; utterances of equal length only share a batch",
        small={**_SEANET, "semantic_dimension": 16, "n_q": 4, "codebook_size": 16},
    ),
    "funcodec_ds640": Form(
        "funcodec",
        f"{_NORMALIZES}; group norms see the whole utterance",
        f"{_RESTORED}; utterances of equal length only share a batch; {_CUT}",
        model={"architecture": "ds640"},
        small=_FUNCODEC,
    ),
    "funcodec_ds320": Form(
        "funcodec",
        "as funcodec_ds640",
        "as funcodec_ds640",
        model={"architecture": "ds320"},
        small=_FUNCODEC,
    ),
    "freqcodec_gr1": Form(
        "funcodec",
        f"{_NORMALIZES}; its inverse STFT leaves up to 159 samples of the end open; takes no fewer than 257 samples",
        f"{_RESTORED}; the open end is filled with zeros; shorter input is continued with zeros",
        model={"architecture": "freqcodec_gr1"},
        small=_FUNCODEC,
    ),
    "freqcodec_gr8": Form(
        "funcodec",
        "as freqcodec_gr1",
        "as freqcodec_gr1",
        model={"architecture": "freqcodec_gr8"},
        small={**_FUNCODEC, "n_filters": 32},
    ),
    "audiodec_vocoder": Form(
        "audiodec",
        f"{_WHOLE_FRAMES}; published programs stream and carry state from one file into the next",
        f"{_CUT}; whole utterances through the forward pass, without state",
        model={"decoder": "vocoder"},
        small=_AUDIODEC,
    ),
    "audiodec_symmetric": Form(
        "audiodec",
        "as audiodec_vocoder",
        "as audiodec_vocoder",
        model={"decoder": "symmetric"},
        small=_AUDIODEC,
    ),
    "hificodec_24k": Form(
        "academicodec",
        "drops a last frame that is not full; level untouched; group norms of the encoder see the whole utterance",
        "zeros fill the open end, unless `remainder: pad` has it coded; utterances of equal length only share a batch",
        model={"sample_rate": 24_000},
        small=_HIFICODEC,
    ),
    "hificodec_16k": Form(
        "academicodec",
        "as hificodec_24k",
        "as hificodec_24k",
        model={"sample_rate": 16_000},
        small=_HIFICODEC,
    ),
    "hificodec_16k_peak": Form(
        "academicodec",
        "as hificodec_24k, but Wu et al. (2024) ran it on utterances brought to a peak of 0.95, and left them there",
        "the workflow does that outside the codec and multiplies the result by the peak again, "
        "unless `keep_gain` is asked for, as in `wu2024`",
        model={"sample_rate": 16_000, "peak_normalize": True},
        small=_HIFICODEC,
    ),
    "soundstream_kaiidams": Form(
        "soundstream",
        "gives back 50 to 240 samples less than it got; level untouched; codebooks also learn while it encodes",
        "zeros fill the open end, unless `remainder: pad` has it coded; codebooks rest outside training",
        model={"form": "kaiidams"},
        small=_SOUNDSTREAM,
    ),
    "soundstream_academicodec": Form(
        "soundstream",
        _WHOLE_FRAMES,
        _CUT,
        model={"form": "academicodec"},
        small={**_SOUNDSTREAM, "num_codebooks": 4},
    ),
    "dac_44k": Form("dac", _WHOLE_FRAMES, _CUT, model={"sample_rate": 44_100}, small=_DAC),
    "dac_24k": Form(
        "dac",
        "gives back whole frames less 8 samples (an odd stride); level untouched",
        "the surplus at the end is cut, or what is missing there is filled with zeros",
        model={"sample_rate": 24_000},
        small=_DAC,
    ),
    "dac_16k": Form("dac", "as dac_24k", "as dac_24k", model={"sample_rate": 16_000}, small=_DAC),
    "dac_44k_chunked": Form(
        "dac",
        "encodes at -16 LUFS, and brings what it decodes to the loudness it got; cuts what is longer than 1 s",
        "the same, as Wu et al. (2024) ran it, with the loudness set and given back outside the codec",
        model={"sample_rate": 44_100, "mode": "chunked"},
        small=_DAC,
        piece_duration=1.0,
    ),
    "dac_24k_chunked": Form(
        "dac",
        "as dac_44k_chunked",
        "as dac_44k_chunked",
        model={"sample_rate": 24_000, "mode": "chunked"},
        small=_DAC,
        piece_duration=1.0,
    ),
    "dac_16k_chunked": Form(
        "dac",
        "as dac_44k_chunked",
        "as dac_44k_chunked",
        model={"sample_rate": 16_000, "mode": "chunked"},
        small=_DAC,
        piece_duration=1.0,
    ),
    "lyra": Form(
        "lyra",
        "drops a last frame that is not full; level untouched; keeps its state from one file into the next",
        "zeros fill the last frame and are cut afterwards; every utterance starts with a new state",
        needs_weights=True,
    ),
}
