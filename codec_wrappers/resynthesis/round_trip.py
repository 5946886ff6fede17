"""The way of a batch through a codec: windows, whole frames, precision, and rows of different lengths."""

from collections.abc import Sequence

import torch
from torch import Tensor

from codec_wrappers.codec import Codec, RowEnds
from codec_wrappers.resynthesis import windows
from codec_wrappers.resynthesis.reduced import decoding
from codec_wrappers.resynthesis.settings import DecoderPrecision


def round_trip(
    codec: Codec,
    wav: Tensor,
    quantizers: list[int],
    window_duration: float,
    decoder_precision: DecoderPrecision = "float32",
) -> list[Tensor]:
    """One `[B, T]` for each number of quantizers, of wav `[B, T]` at the codec's level and rate."""

    def one_window(part: Tensor) -> list[Tensor]:
        codes = codec.encode_first(_pad(codec, part), max(quantizers))
        with decoding(wav.device, decoder_precision):
            outputs = _decode(codec, codes, quantizers)
        return [fit(output.float(), part.shape[1]) for output in outputs]

    return windows.in_windows(one_window, wav, _windows(codec, wav.shape[1], window_duration))


def unleveled_round_trip(
    codec: Codec, wav: Tensor, quantizers: list[int], decoder_precision: DecoderPrecision = "float32"
) -> list[Tensor]:
    """As `round_trip`, of a codec that needs no windows, but not divided by its `own_level`, and with its length."""
    codes = codec.encode_first(_pad(codec, wav), max(quantizers))
    with decoding(wav.device, decoder_precision):
        return [output.float() for output in codec.decode_unleveled(codes, quantizers)]


def padded_round_trip(
    codec: Codec,
    ends: RowEnds,
    wav: Tensor,
    lengths: Sequence[int],
    quantizers: list[int],
    decoder_precision: DecoderPrecision = "float32",
) -> list[Tensor]:
    """As `round_trip`, of rows with these lengths, none of which needs windows; zeros follow the shorter ones."""
    hop = codec.hop_length
    rows = list(lengths) if codec.any_length else [length + -length % hop for length in lengths]
    padded = torch.nn.functional.pad(wav, (0, -wav.shape[1] % hop + ends.slack_frames * hop))
    with ends.rows(padded, rows):
        codes = codec.encode_first(padded, max(quantizers))
        with decoding(wav.device, decoder_precision):
            outputs = _decode(codec, codes, quantizers)
        return [fit(ends.cut(output.float()), wav.shape[1]) for output in outputs]


def fit(wav: Tensor, num_samples: int) -> Tensor:
    """wav `[B, T]`, cut or filled with zeros to `num_samples`."""
    return torch.nn.functional.pad(wav[:, :num_samples], (0, max(0, num_samples - wav.shape[1])))


def _decode(codec: Codec, codes: Tensor, quantizers: list[int]) -> list[Tensor]:
    if codes.is_cuda:
        return codec.decode_all(codes, quantizers)
    return [codec.decode(codes[:, :number]) for number in quantizers]  # several at once do not fit a CPU's cache


def _windows(codec: Codec, num_samples: int, window_duration: float) -> list[windows.Window]:
    if codec.context_duration is None or codec.sample_rate is None:
        return [windows.Window(0, num_samples, 0, num_samples)]
    longest, context = (round(seconds * codec.sample_rate) for seconds in (window_duration, codec.context_duration))
    return windows.cut(num_samples, longest, context, codec.hop_length)


def _pad(codec: Codec, wav: Tensor) -> Tensor:
    """Pad with zeros to a whole number of frames, unless the codec accepts any length."""
    if codec.any_length:
        return wav
    return torch.nn.functional.pad(wav, (0, -wav.shape[1] % codec.hop_length))
