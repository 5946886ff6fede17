"""One file: whole and usable, or rejected with the reason."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecfake.audio.waveforms import AudioError
from codecfake.corpora.inspection import inspect

RATE = 16000


def encoded(samples: np.ndarray, format: str = "WAV", subtype: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format=format, subtype=subtype)
    return buffer.getvalue()


def inspect_bytes(folder: Path, data: bytes, min_duration: float = 0.1):  # type: ignore[no-untyped-def]
    path = folder / "u.bin"  # what a file holds is told by its bytes, not by its name
    path.write_bytes(data)
    return inspect(path, min_duration)


@pytest.fixture
def noise(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(-0.9, 0.9, RATE)


@pytest.mark.parametrize(
    ("format", "subtype"),
    [("WAV", "PCM_U8"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "DOUBLE")]
    + [("FLAC", "PCM_S8"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24")],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_sound_format_is_accepted(
    tmp_path: Path, rng: np.random.Generator, format: str, subtype: str, channels: int
) -> None:
    inspection = inspect_bytes(tmp_path, encoded(rng.uniform(-0.9, 0.9, (RATE, channels)), format, subtype))
    assert (inspection.sample_rate, inspection.channels, inspection.num_samples) == (RATE, channels, RATE)


def test_the_shortest_duration_is_accepted_and_one_sample_less_is_not(tmp_path: Path, noise: np.ndarray) -> None:
    assert inspect_bytes(tmp_path, encoded(noise[:1600])).num_samples == 1600
    with pytest.raises(AudioError, match=r"too short: 0\.0999 s, at least 0\.1 s"):
        inspect_bytes(tmp_path, encoded(noise[:1599]))


def test_no_samples_and_no_bytes_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="it holds no samples"):
        inspect_bytes(tmp_path, encoded(np.zeros(0)), min_duration=0)
    with pytest.raises(AudioError, match="the file is empty"):
        inspect_bytes(tmp_path, b"")


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"^cannot be read \(No such file or directory\)$"):
        inspect(tmp_path / "nowhere.wav", 0.1)


def test_samples_that_are_all_equal_are_digital_silence(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"digital silence: every sample is 0\.5"):
        inspect_bytes(tmp_path, encoded(np.full(RATE, 0.5)))


def test_channels_that_cancel_are_digital_silence(tmp_path: Path, noise: np.ndarray) -> None:
    with pytest.raises(AudioError, match="every sample of the mean of its 2 channels is 0"):
        inspect_bytes(tmp_path, encoded(np.stack([noise, -noise], axis=1), subtype="FLOAT"))


@pytest.mark.parametrize("form", ["FLAC", "WAV"])
def test_speech_below_half_a_step_of_16_bit_is_digital_silence(tmp_path: Path, noise: np.ndarray, form: str) -> None:
    quiet = noise / np.abs(noise).max() / 32768
    with pytest.raises(AudioError, match=r"once rounded to 16 bit: every sample is 0 \(peak 1\.5e-05.*raise its level"):
        inspect_bytes(tmp_path, encoded(0.49 * quiet, form, "PCM_24"))
    assert inspect_bytes(tmp_path, encoded(0.51 * quiet, form, "PCM_24")).num_samples == RATE


def test_channels_that_cancel_but_for_their_rounding_are_digital_silence(tmp_path: Path, noise: np.ndarray) -> None:
    channel = np.rint(noise * 32767).astype(np.int16)
    with pytest.raises(AudioError, match="every sample of the mean of its 2 channels is .* keep one of them"):
        inspect_bytes(tmp_path, encoded(np.stack([channel, -channel - (channel % 2)], axis=1)))


@pytest.mark.parametrize(("hertz", "is_heard"), [(12_000, False), (7_000, True)])
def test_sound_above_what_detectors_hear_is_digital_silence(tmp_path: Path, hertz: int, is_heard: bool) -> None:
    time = np.arange(48_000) / 48_000
    tone = 0.01 * np.hanning(48_000) * np.sin(2 * np.pi * hertz * time)
    data = io.BytesIO()
    soundfile.write(data, tone, 48_000, format="WAV")
    if is_heard:
        assert inspect_bytes(tmp_path, data.getvalue()).num_samples == 48_000
    else:
        with pytest.raises(AudioError, match="digital silence at 16000 Hz.* above 8000 Hz"):
            inspect_bytes(tmp_path, data.getvalue())


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_a_sample_rate_that_nobody_records_at_is_refused(tmp_path: Path, noise: np.ndarray, rate: int) -> None:
    data = io.BytesIO()
    soundfile.write(data, noise, rate, format="WAV")
    with pytest.raises(AudioError, match=f"its sample rate is {rate} Hz"):
        inspect_bytes(tmp_path, data.getvalue())


def test_samples_that_are_not_finite_are_counted(tmp_path: Path, noise: np.ndarray) -> None:
    noise[[3, 4, 5]] = [np.nan, np.inf, -np.inf]
    with pytest.raises(AudioError, match="3 of 16000 samples are not finite"):
        inspect_bytes(tmp_path, encoded(noise, subtype="FLOAT"))


def test_float_samples_may_reach_full_scale_and_not_pass_it(tmp_path: Path, noise: np.ndarray) -> None:
    noise[7] = -1
    inspect_bytes(tmp_path, encoded(noise, subtype="FLOAT"))
    noise[7] = -1.25
    with pytest.raises(AudioError, match=r"exceed ±1 \(peak 1\.25\), which 16 bit would clip; rescale"):
        inspect_bytes(tmp_path, encoded(noise, subtype="FLOAT"))


def with_data_size(wav: bytes, size: int) -> bytes:
    at = wav.index(b"data") + 4
    return wav[:at] + struct.pack("<I", size) + wav[at + 4 :]


def test_a_wav_that_lacks_one_byte_is_truncated(tmp_path: Path, noise: np.ndarray) -> None:
    with pytest.raises(AudioError, match="truncated: its header promises 32000 bytes of samples, of which 31999 are"):
        inspect_bytes(tmp_path, encoded(noise)[:-1])


def test_a_wav_with_chunks_before_and_after_its_samples_is_whole(tmp_path: Path, noise: np.ndarray) -> None:
    wav, odd = encoded(noise), b"LIST" + struct.pack("<I", 5) + b"notes\0"  # chunks are padded to an even size
    at = wav.index(b"data")
    assert inspect_bytes(tmp_path, wav[:at] + odd + wav[at:] + odd).num_samples == RATE
    with pytest.raises(AudioError, match="truncated"):
        inspect_bytes(tmp_path, (wav[:at] + odd + wav[at:])[:-2])


@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_the_sizes_that_streaming_programs_write_promise_nothing(tmp_path: Path, noise: np.ndarray, size: int) -> None:
    assert inspect_bytes(tmp_path, with_data_size(encoded(noise), size)).num_samples == RATE


TOTAL_SAMPLES = slice(18, 26)  # of a FLAC file; the lowest 36 of these 64 bits


def with_total_samples(flac: bytes, total: int) -> bytes:
    number = int.from_bytes(flac[TOTAL_SAMPLES], "big") >> 36 << 36 | total
    return flac[: TOTAL_SAMPLES.start] + number.to_bytes(8, "big") + flac[TOTAL_SAMPLES.stop :]


@pytest.mark.parametrize("total", [RATE - 1, RATE + 1, 2 * RATE, 2**36 - 1, 0])
def test_a_flac_header_with_another_number_of_samples_is_refused(tmp_path: Path, noise: np.ndarray, total: int) -> None:
    with pytest.raises(
        AudioError, match="cannot be decoded|MD5 in its FLAC|does not say how long|header promises|too long"
    ):
        inspect_bytes(tmp_path, with_total_samples(encoded(noise, "FLAC"), total))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.999])
def test_a_flac_that_was_cut_is_refused(tmp_path: Path, noise: np.ndarray, share: float) -> None:
    flac = encoded(noise, "FLAC")
    with pytest.raises(AudioError, match="cannot be decoded"):
        inspect_bytes(tmp_path, flac[: int(share * len(flac))])


def test_a_flac_without_a_checksum_is_accepted(tmp_path: Path, noise: np.ndarray) -> None:
    flac = encoded(noise, "FLAC")
    assert inspect_bytes(tmp_path, flac[:26] + bytes(16) + flac[42:]).num_samples == RATE


def test_a_compressed_file_whose_header_promises_more_than_there_is_is_refused(
    tmp_path: Path, noise: np.ndarray
) -> None:
    mp3 = encoded(noise, "MP3", "MPEG_LAYER_III")
    with pytest.raises(AudioError, match=r"^truncated: its last frame lacks \d+ bytes"):
        inspect_bytes(tmp_path, mp3[: len(mp3) // 2])
