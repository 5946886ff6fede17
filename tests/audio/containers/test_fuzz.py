"""Damaged audio files: each is decoded or refused, in bounded time, and none loses samples that are there."""

import time

import numpy as np
import pytest
from odd_audio import COMPRESSED, EXACT, LOSSY, encoded, mp3

from codecfake.audio.containers import AudioError
from codecfake.audio.decoding import decode

NUM_FRAMES = 3000
CHANGES = 1000  # of each form
SECONDS = 2.0  # of the processor, for one file
FORMS = [*EXACT, *LOSSY, *COMPRESSED, ("MP3", "without a count")]


def whole_file(form: tuple[str, str]) -> bytes:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, NUM_FRAMES)
    return b"".join(mp3(samples)[1:]) if form[1] == "without a count" else encoded(samples, *form)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, removed or put in, more of them in the header."""
    content = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        place = int(rng.integers(min(len(content), 200 if rng.random() < 0.7 else len(content))))
        size = int(rng.integers(1, 9))
        kind = rng.integers(4)
        if kind == 0:
            content[place : place + size] = rng.bytes(min(size, len(content) - place))
        elif kind == 1:
            content[place : place + size] = rng.choice([b"\0", b"\xff", b"\x7f"]) * min(size, len(content) - place)
        elif kind == 2:
            del content[place : place + size]
        else:
            content[place:place] = rng.bytes(size)
    return bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(form))
def test_a_damaged_file_is_decoded_or_refused_in_bounded_time(form: tuple[str, str]) -> None:
    whole = whole_file(form)
    rng = np.random.default_rng(len(whole))
    for _ in range(CHANGES):
        data = damaged(whole, rng)
        start = time.process_time()
        try:
            recording = decode(data)
            assert recording.samples.ndim == 2
            assert 1000 <= recording.sample_rate <= 768_000
        except AudioError as error:
            assert str(error)
        assert time.process_time() - start < SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("form", [*EXACT, *LOSSY], ids=lambda form: "-".join(form))
def test_no_change_of_the_samples_alone_makes_a_file_shorter(form: tuple[str, str]) -> None:
    whole = whole_file(form)
    rng = np.random.default_rng(len(whole))
    for _ in range(CHANGES):
        place = int(rng.integers(len(whole) // 2, len(whole) - 8))
        try:
            assert len(decode(whole[:place] + rng.bytes(4) + whole[place + 4 :]).samples) == NUM_FRAMES
        except AudioError as error:
            assert str(error)
