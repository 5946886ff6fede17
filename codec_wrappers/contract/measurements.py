"""Measurements of a codec's behavior; `promises` decides whether they are good enough."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from codec_wrappers.codec import Codec, Gain
from codec_wrappers.contract.memory import peak_bytes
from codec_wrappers.contract.signals import ODD, silence, speech_like
from codec_wrappers.resynthesis.levels import level
from codec_wrappers.resynthesis.shard import resynthesize

QUIET = 0.1  # -20 dB
ANY_RATE = 16_000  # Hz, for a codec without a sample rate


@dataclass(frozen=True)
class Settings:
    """The extent of the tests; durations in seconds."""

    speech_duration: float = 1.0
    piece_duration: float = 0.0  # of the codec's pieces, if they are longer than frames
    odd_duration: float = 0.25
    batch: int = 3
    seed: int = 1


@dataclass(frozen=True)
class Trial:
    """A signal through a codec. `fault` describes what is wrong with the output, or is empty."""

    signal: str
    num_samples: int
    fault: str


@dataclass(frozen=True)
class Difference:
    """Between two runs on one signal: the share of frames with other codes, in [0, 1], and the outputs' SNR in dB."""

    frames: float
    snr_db: float

    @property
    def none(self) -> bool:
        """Whether every bit is the same."""
        return self.frames == 0 and self.snr_db == float("inf")


@dataclass(frozen=True)
class Consistency:
    """How much the result for one recording depends on its surroundings."""

    repeat: Difference  # the same recording again, after another one
    neighbors: Difference  # in a batch of the same size with other recordings
    batch: Difference  # in a batch, compared with alone
    threads: Difference  # with two threads, compared with one
    variants: Difference  # decoded together with fewer codebooks, compared with alone


@dataclass(frozen=True)
class Levels:
    """Effects on the level; dB refer to the RMS."""

    quiet_error_db: float  # output for input at -20 dB, relative to the output at 0 dB lowered by 20 dB
    silence_peak: float  # largest output sample for silence; full scale is 1


@dataclass(frozen=True)
class Long:
    """A recording in windows, compared with one piece: SNR in dB, and the peak memory of tensors in bytes."""

    duration: float
    piece_duration: float  # of the longest input of the codec: a window with its context
    snr_db: float
    bytes_in_windows: int
    bytes_in_one: int


@dataclass(frozen=True)
class Measurements:
    """All measurements of one codec. If a trial failed, the fields after `surplus` are not measured and None."""

    codec: str
    sample_rate: int | None
    hop_length: int
    gain: Gain
    is_trained: bool
    trials: tuple[Trial, ...]
    piece: int  # the fewest samples that the codec can decode: one frame or more
    surplus: tuple[int, int]  # decoded samples minus encoded ones: fewest and most
    consistency: Consistency | None = None
    levels: Levels | None = None
    bytes_per_second: float | None = None  # peak of tensors, for each additional second in one piece
    long: Long | None = None  # also None for a codec that works frame by frame and needs no windows
    reduced_snr_db: float | None = None  # of a bfloat16 decoder compared with float32; only measured on CUDA


def measure(
    name: str, codec: Codec, settings: Settings, device: torch.device, is_trained: bool = False
) -> Measurements:
    """Measure one codec, which is on `device` and in evaluation mode; `is_trained`: its weights are not random."""
    rate = codec.sample_rate or ANY_RATE
    piece = max(codec.hop_length, int(settings.piece_duration * rate))
    duration = max(settings.speech_duration, 1.5 * piece / rate)
    attempts = [_attempt(codec, *signal) for signal in _signals(codec, rate, duration, settings, device)]
    trials = tuple(trial for trial, _ in attempts)
    surplus = [samples for _, samples in attempts if samples is not None] or [0]
    result = Measurements(
        name, codec.sample_rate, codec.hop_length, codec.gain, is_trained, trials, piece, (min(surplus), max(surplus))
    )
    if any(trial.fault for trial in trials):
        return result
    frames = max(1, int(duration * rate / codec.hop_length))
    speech = speech_like(rate, 2 * settings.batch, frames * codec.hop_length, settings.seed).to(device)
    return replace(
        result,
        consistency=_consistency(codec, speech[: settings.batch], speech[settings.batch :]),
        levels=_levels(codec, speech[:1]),
        bytes_per_second=_bytes_per_second(codec, speech[:1], rate, device),
        long=_long(codec, rate, settings.seed, device),
        reduced_snr_db=reduced_snr_db(codec, speech[:1]) if device.type == "cuda" else None,
    )


def lengths(codec: Codec, rate: int) -> list[int]:
    """The tested numbers of samples: the smallest, those near whole frames, those near 0.1 s."""
    hop, tenth = codec.hop_length, rate // 10
    numbers = {1, 2, hop - 1, hop, hop + 1, 2 * hop - 1, 2 * hop, 2 * hop + 1, 7 * hop + 13, tenth, tenth + 1}
    return sorted(numbers - {0})


def _signals(
    codec: Codec, rate: int, duration: float, settings: Settings, device: torch.device
) -> Iterator[tuple[str, Tensor]]:
    for num_samples in [*lengths(codec, rate), int(duration * rate)]:
        yield speech_like.__name__, speech_like(rate, 1, num_samples, settings.seed).to(device)
    speech = speech_like(rate, 1, int(settings.odd_duration * rate), settings.seed)
    for make in ODD:
        yield make.__name__, make(speech).to(device)


def _attempt(codec: Codec, signal: str, wav: Tensor) -> tuple[Trial, int | None]:
    """The trial, and the number of decoded samples minus that of encoded ones (None after an error)."""
    num_samples = wav.shape[1]
    try:
        surplus = _surplus(codec, wav)
        (output,) = resynthesize(codec, wav, [codec.num_quantizers])
    except (RuntimeError, ValueError, IndexError, AssertionError) as error:  # tensors of wrong shapes raise these
        return Trial(signal, num_samples, f"{type(error).__name__}: {str(error).splitlines()[0]}"), None
    fault = "" if output.shape == wav.shape else f"{num_samples} samples came back as {output.shape[1]}"
    return Trial(signal, num_samples, fault), surplus


@torch.inference_mode()
def _surplus(codec: Codec, wav: Tensor) -> int:
    return codec.decode(_codes(codec, wav)).shape[1] - wav.shape[1]


def _codes(codec: Codec, wav: Tensor) -> Tensor:
    to_grid = 0 if codec.any_length else -wav.shape[1] % codec.hop_length
    return codec.encode(torch.nn.functional.pad(wav / level(codec.gain, wav, codec.sample_rate), (0, to_grid)))


@torch.inference_mode()
def _run(codec: Codec, wav: Tensor) -> tuple[Tensor, Tensor]:
    """Codes and output of the first row of a batch."""
    codes = _codes(codec, wav)
    (output,) = resynthesize(codec, wav, [codec.num_quantizers])
    return codes[0], output[0]


def _consistency(codec: Codec, speech: Tensor, others: Tensor) -> Consistency:
    with _threads(1):
        alone = _run(codec, speech[:1])
        in_batch = _run(codec, speech)
        among_others = _run(codec, torch.cat([speech[:1], others[1:]]))
        again = _run(codec, speech[:1])
        single, together = _variants(codec, speech[:1])
    with _threads(2):
        by_two = _run(codec, speech[:1])
    return Consistency(
        repeat=_difference(again, alone),
        neighbors=_difference(among_others, in_batch),
        batch=_difference(in_batch, alone),
        threads=_difference(by_two, alone),
        variants=_difference(together, single),
    )


@torch.inference_mode()
def _variants(codec: Codec, wav: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """All codebooks decoded alone, and in one call with the first half of them."""
    codes = _codes(codec, wav)
    few = max(1, codec.num_quantizers // 2)
    together = codec.decode_all(codes, [few, codec.num_quantizers])
    return (codes[0], codec.decode(codes)[0]), (codes[0], together[1][0])


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _levels(codec: Codec, speech: Tensor) -> Levels:
    (full,) = resynthesize(codec, speech, [codec.num_quantizers])
    (quiet,) = resynthesize(codec, QUIET * speech, [codec.num_quantizers])
    (silent,) = resynthesize(codec, silence(speech), [codec.num_quantizers])
    ratio = quiet.square().mean() / (QUIET * full).square().mean()
    return Levels(10 * ratio.log10().item(), silent.abs().max().item())


def _bytes_per_second(codec: Codec, speech: Tensor, rate: int, device: torch.device) -> float:
    """The difference between a recording and one of double length, so that the memory of weights cancels."""
    short, long = (
        peak_bytes(partial(resynthesize, codec, wav, [codec.num_quantizers]), device)[1]
        for wav in (speech, torch.cat([speech, speech], dim=1))
    )
    return (long - short) / (speech.shape[1] / rate)


def _long(codec: Codec, rate: int, seed: int, device: torch.device) -> Long | None:
    """Windows with as much context as output, and a recording of three windows."""
    if codec.context_duration is None:
        return None
    window = max(2 * codec.context_duration, 2 * codec.hop_length / rate)
    speech = speech_like(rate, 1, int(3 * window * rate), seed).to(device)
    through = partial(resynthesize, codec, speech, [codec.num_quantizers])
    (in_one,), bytes_in_one = peak_bytes(partial(through, 4 * window), device)
    (in_windows,), bytes_in_windows = peak_bytes(partial(through, window), device)
    return Long(3 * window, 2 * window, snr_db(in_windows, in_one), bytes_in_windows, bytes_in_one)


@torch.inference_mode()
def reduced_snr_db(codec: Codec, speech: Tensor) -> float:
    """SNR of a decoder in bfloat16 compared with float32, for the same codes."""
    codes = _codes(codec, speech)
    with torch.autocast(speech.device.type, torch.bfloat16):
        reduced = codec.decode(codes)
    return snr_db(reduced.float(), codec.decode(codes))


def _difference(result: tuple[Tensor, Tensor], reference: tuple[Tensor, Tensor]) -> Difference:
    (codes, output), (reference_codes, reference_output) = result, reference
    if codes.shape != reference_codes.shape:
        return Difference(1.0, float("-inf"))
    # latents have no choice that float noise could flip: their outputs alone are compared
    frames = 0.0 if codes.is_floating_point() else (codes != reference_codes).any(dim=0).float().mean().item()
    return Difference(frames, snr_db(output, reference_output))


def snr_db(wav: Tensor, reference: Tensor) -> float:
    """Power of `reference` over that of the difference, in dB; infinite if they are equal."""
    noise = (wav.double() - reference.double()).square().sum().item()
    signal = reference.double().square().sum().item()
    if noise == 0:
        return float("inf")
    return 10 * math.log10(signal / noise) if signal else float("-inf")
