"""eSpeak NG through ctypes: text in, 16-bit samples or phonemes out, and always the same for the same text.

The library keeps state between utterances (noise generators, formant tracks), so the second of two equal calls
differs from the first by a few samples. It is therefore initialized once, and each utterance is synthesized in a forked
child process, which starts from the initial state. The child takes no lock that a thread of the parent could hold (a
progress bar has such a thread).
"""

import ctypes
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

import numpy as np

SAMPLE_RATE = 22050
MIN_PITCH, MAX_PITCH = 0, 99
MIN_SPEED, MAX_SPEED = 80, 450

# names and values of speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_VOLUME_PERCENT = 60  # at the default, 100, some voices clip inside eSpeak NG
_RAND_SEED = 1
_IPA_WITH_SEPARATOR = 0x02 | ord("_") << 8
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class SpeechError(RuntimeError):
    """eSpeak NG could not synthesize an utterance; the message says which and why."""


@dataclass(frozen=True)
class Manner:
    """How eSpeak NG speaks: one of its voices and three parameters."""

    voice: str  # language and variant, such as en-us+f2
    pitch: int  # 0 to 99; 50 is the voice's default
    pitch_range: int  # 0 (monotone) to 99; 50 is the voice's default
    speed: int  # words a minute, 80 to 450

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("pitch", self.pitch, MIN_PITCH, MAX_PITCH),
            ("pitch_range", self.pitch_range, MIN_PITCH, MAX_PITCH),
            ("speed", self.speed, MIN_SPEED, MAX_SPEED),
        ):
            if not low <= value <= high:
                raise ValueError(f"voice {self.voice}: {name} is {value}; eSpeak NG allows {low} to {high}")


def speak(text: str, manner: Manner) -> np.ndarray:
    """The int16 samples `[T]`, at `SAMPLE_RATE`, of `text` spoken in `manner`.

    Raises SpeechError if the voice does not exist, if nothing was spoken, or if the speaking child dies.
    """
    library = _library()
    answer = _answer_of_child(lambda: _samples(library, text, manner), manner.voice, text)
    return np.frombuffer(answer, dtype=np.int16)


def phonemes(text: str, voice: str) -> list[str]:
    """IPA of each clause of `text`: `_` after each phoneme but the last of a word, a blank between words.

    Raises SpeechError as `speak`.
    """
    library = _library()
    return _answer_of_child(lambda: _clauses(library, text, voice), voice, text).decode().splitlines()


def _answer_of_child(work: Callable[[], bytes], voice: str, text: str) -> bytes:
    """What `work` returns in a child process. Raises SpeechError if it fails or the child dies."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _work_and_exit(work, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        answer = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 0:
        return answer
    reason = f"died of {signal.Signals(-code).name}" if code < 0 else answer.decode()
    raise SpeechError(f"eSpeak NG, voice {voice}, text {text!r}: {reason}")


@cache
def _library() -> ctypes.CDLL:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
        ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    data = os.fsencode(espeakng_loader.get_data_path())
    sample_rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT)
    if sample_rate != SAMPLE_RATE:
        raise SpeechError(f"eSpeak NG did not start (it answered {sample_rate}); reinstall espeakng-loader")
    library.espeak_ng_SetRandSeed(_RAND_SEED)
    return library


def _work_and_exit(work: Callable[[], bytes], writer: int) -> NoReturn:
    """Everything that the child does: write its answer, or the error, into the pipe."""
    code = 1
    try:
        with os.fdopen(writer, "wb") as stream:
            try:
                stream.write(work())
                code = 0
            except Exception as error:
                stream.write(f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(code)  # always: a child that returned would run the rest of the parent's program


def _samples(library: ctypes.CDLL, text: str, manner: Manner) -> bytes:
    buffer = bytearray()

    @_CALLBACK
    def collect(wav: int | None, num_samples: int, _events: int | None) -> int:
        if wav is not None:
            buffer.extend(ctypes.string_at(wav, num_samples * 2))
        return 0

    library.espeak_SetSynthCallback(collect)
    _choose_voice(library, manner.voice)
    for knob, value in (
        (_VOLUME, _VOLUME_PERCENT), (_PITCH, manner.pitch), (_RANGE, manner.pitch_range), (_RATE, manner.speed),
    ):  # fmt: skip
        library.espeak_SetParameter(knob, value, 0)
    data = text.encode()
    status = library.espeak_Synth(data, len(data) + 1, 0, 0, 0, _CHARS_UTF8, None, None)
    if status != 0 or not buffer:
        raise SpeechError(f"nothing was spoken (status {status})")
    return bytes(buffer)


def _clauses(library: ctypes.CDLL, text: str, voice: str) -> bytes:
    _choose_voice(library, voice)
    data = ctypes.create_string_buffer(text.encode())
    rest = ctypes.c_void_p(ctypes.addressof(data))
    clauses = []
    # each call reads one clause, and moves the pointer behind it
    while rest.value is not None:
        clauses.append(library.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, _IPA_WITH_SEPARATOR))
    return b"\n".join(clauses)


def _choose_voice(library: ctypes.CDLL, voice: str) -> None:
    import espeakng_loader

    # the status reports an unknown language; an unknown variant is not reported, and another voice speaks
    variant = voice.partition("+")[2]
    if variant and not (Path(espeakng_loader.get_data_path()) / "voices" / "!v" / variant).is_file():
        raise SpeechError(f"no variant {variant!r} in espeakng-loader's voices/!v; choose one of its files")
    status = library.espeak_SetVoiceByName(voice.encode())
    if status != 0:
        raise SpeechError(f"no such voice (status {status}); choose a language of `espeak-ng --voices`")
