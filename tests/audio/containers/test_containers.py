"""What is written in an accepted form is read whole; what is cut, joined or of another form is refused by name."""

import re
import struct

import numpy as np
import odd_audio
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_audio import COMPRESSED, EXACT, FOREIGN, LOSSY, RATE, encoded, id3, mp3, pages, with_data_size

from codecfake.audio import containers
from codecfake.audio.containers import AudioError
from codecfake.audio.decoding import decode

FORMS = EXACT + LOSSY
IDS = [f"{form}-{coding}" for form, coding in FORMS]
TAG = b"TAG" + bytes(125)


def noise(num_frames: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(num_frames).uniform(-0.5, 0.5, (num_frames, channels))


WHOLE = {form: encoded(noise(5001), *form) for form in FORMS}


@pytest.mark.parametrize("form", EXACT, ids=IDS[: len(EXACT)])
@settings(max_examples=12, deadline=None)
@given(num_frames=st.integers(1, 9000), channels=st.integers(1, 3))
def test_what_is_written_is_read_back_whole(form: tuple[str, str], num_frames: int, channels: int) -> None:
    samples = noise(num_frames, channels)
    recording = decode(encoded(samples, *form))
    bits = {"PCM_U8": 7, "PCM_S8": 7, "ULAW": 4, "ALAW": 4}.get(form[1], 15)
    assert recording.sample_rate == RATE
    np.testing.assert_allclose(recording.samples, samples, atol=2.0**-bits)


@pytest.mark.parametrize("form", LOSSY, ids=IDS[len(EXACT) :])
@settings(max_examples=12, deadline=None)
@given(num_frames=st.integers(2000, 20_000), channels=st.integers(1, 2))
def test_what_is_compressed_with_loss_has_its_length(form: tuple[str, str], num_frames: int, channels: int) -> None:
    assert decode(encoded(noise(num_frames, channels), *form)).samples.shape == (num_frames, channels)


@pytest.mark.parametrize("form", FORMS, ids=IDS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_what_is_cut_anywhere_is_refused_unless_all_samples_are_there(
    form: tuple[str, str], data: st.DataObject
) -> None:
    end = data.draw(st.integers(0, len(WHOLE[form]) - 1))
    try:
        assert len(decode(WHOLE[form][:end]).samples) == 5001
    except AudioError as error:
        assert str(error)


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_half_a_file_and_a_file_without_its_last_sample_are_refused(form: tuple[str, str]) -> None:
    whole = WHOLE[form]
    end = len(whole.rstrip(b"\0")) if form[0] == "W64" else len(whole)
    for data in (whole[: len(whole) // 2], whole[: end - 9]):
        with pytest.raises(AudioError, match="truncated|cannot be decoded"):
            decode(data)


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_tags_before_and_behind_a_file_change_nothing(form: tuple[str, str]) -> None:
    alone = decode(WHOLE[form]).samples
    for data in (
        id3(1000) + WHOLE[form],
        id3(3) + id3(2001) + WHOLE[form],
        WHOLE[form] + TAG,
        WHOLE[form] + bytes(4096),
    ):
        np.testing.assert_array_equal(decode(data).samples, alone)


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_a_file_of_two_recordings_is_refused(form: tuple[str, str]) -> None:
    with pytest.raises(AudioError, match=r"another recording begins at byte \d+"):
        decode(WHOLE[form] + WHOLE[form])


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_bytes_behind_a_file_that_may_be_samples_are_refused_unless_a_digest_proves_that_they_are_not(
    form: tuple[str, str],
) -> None:
    data = WHOLE[form] + b"\xf3" * 1001
    if form[0] == "FLAC":
        assert len(decode(data).samples) == 5001
    else:
        with pytest.raises(AudioError, match="1001 bytes follow|no page of Ogg begins|no frame of MPEG audio follows"):
            decode(data)


@pytest.mark.parametrize(("form", "name"), COMPRESSED.items())
def test_samples_in_blocks_are_refused_by_the_name_of_their_coding(form: tuple[str, str], name: str) -> None:
    with pytest.raises(AudioError, match=rf"compressed as .?{re.escape(name)}.*convert it, e\.g\. `ffmpeg"):
        decode(encoded(noise(5000), *form))


@pytest.mark.parametrize("form", FOREIGN)
def test_other_forms_of_libsndfile_are_refused_by_name(form: str) -> None:
    coding = "ALAW" if form == "WVE" else "PCM_16"
    with pytest.raises(AudioError, match=r"its form, .*, is not accepted.*convert it.*WAV, W64, FLAC, AIFF"):
        decode(encoded(noise(5000), form, coding, 8000))


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (b"\0\0\0\x20ftypM4A ", "MP4"), (b"\x1a\x45\xdf\xa3", "WebM"), (b"#!AMR\n", "AMR"),
        (b"\x30\x26\xb2\x75", "WMA"), (b"\xff\xf1\x50\x80", "AAC"), (b"wvpk", "WavPack"),
        (b"version https://git-lfs.github.com", "git lfs pull"),
        (b"<!DOCTYPE html>", "web page"), (b"PK\3\4", "ZIP"),
    ],
)  # fmt: skip
def test_files_of_other_forms_are_refused_by_name(first: bytes, name: str) -> None:
    with pytest.raises(AudioError, match=name):
        decode(first + bytes(100))


def test_every_accepted_form_is_tested() -> None:
    tested = {form for form, _ in FORMS}
    assert tested == {name for form in containers.ACCEPTED for name in form.FORMATS}
    assert {name for name in soundfile.available_formats() if name not in tested} == {
        *FOREIGN,
        "RAW",
        "SD2",
        "SVX",
        "XI",
    }


# WAV


@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_the_length_of_a_streamed_wav_is_what_is_there(size: int) -> None:
    streamed = with_data_size(encoded(noise(5000)), size)
    assert len(decode(streamed).samples) == 5000
    assert len(decode(streamed[:-2001]).samples) == 3999  # the form cannot know that it was cut


def test_a_data_size_of_zero_is_named_where_samples_follow() -> None:
    wav = encoded(noise(5000))
    with pytest.raises(AudioError, match="promises 0 bytes of samples, but 10000 bytes follow.*sox --ignore-length"):
        decode(with_data_size(wav, 0))
    chunk = b"LIST" + struct.pack("<I", 4) + b"INFO"
    assert len(decode(with_data_size(wav, 0)[:44] + chunk).samples) == 0


def test_a_header_that_promises_less_than_there_is_is_refused() -> None:
    with pytest.raises(AudioError, match="after the 5000 bytes of samples .* 5000 bytes follow that are no tag"):
        decode(with_data_size(encoded(noise(5000)), 5000))


@pytest.mark.parametrize("odd", [b"LIST\5\0\0\0notes\0", b"LIST\5\0\0\0notes", b"junk\2\0\0\0ab", b"id3 \xff\0\0\0cut"])
def test_chunks_behind_the_samples_of_a_wav_are_no_samples(odd: bytes) -> None:
    assert len(decode(encoded(noise(5000)) + odd).samples) == 5000


CHUNK = st.tuples(st.sampled_from([b"LIST", b"bext", b"JUNK", b"cue ", b"abcd"]), st.binary(max_size=40))


@settings(max_examples=60, deadline=None)
@given(
    num_frames=st.integers(1, 500),
    before=st.lists(CHUNK, max_size=3),
    behind=st.lists(CHUNK, max_size=3),
    cut=st.data(),
)
def test_any_chunks_around_the_samples_of_a_wav_change_nothing(
    num_frames: int, before: list[tuple[bytes, bytes]], behind: list[tuple[bytes, bytes]], cut: st.DataObject
) -> None:
    samples = np.arange(num_frames).astype("u1")
    form = (b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, RATE, 1, 8))
    head = b"".join(odd_audio.chunk(*part) for part in (*before, form, *before))
    wav = b"RIFF\0\0\0\0WAVE" + head + odd_audio.chunk(b"data", samples.tobytes())
    whole = wav + b"".join(odd_audio.chunk(*part) for part in behind)
    np.testing.assert_array_equal(decode(whole).samples[:, 0] * 128 + 128, samples)
    with pytest.raises(AudioError, match="truncated"):
        decode(wav[: cut.draw(st.integers(12, len(wav) - 1 - num_frames % 2))])


def test_a_riff_file_without_sound_is_named() -> None:
    with pytest.raises(AudioError, match="kind b'AVI '"):
        decode(b"RIFF\x20\0\0\0AVI LIST" + bytes(100))


# AIFF, AU, CAF


@pytest.mark.parametrize("num_frames", [100, 101])
def test_the_byte_that_pads_a_chunk_of_aiff_is_no_sample(num_frames: int) -> None:
    samples = bytes(range(num_frames)) + bytes(num_frames % 2)
    common = struct.pack(">hIh", 1, num_frames, 8) + bytes.fromhex("400cfa00000000000000")
    body = b"AIFFCOMM" + struct.pack(">I", 18) + common + b"SSND" + struct.pack(">III", 8 + num_frames, 0, 0) + samples
    recording = decode(b"FORM" + struct.pack(">I", len(body)) + body)
    np.testing.assert_array_equal(recording.samples[:, 0], np.arange(num_frames) / 128)


def test_an_au_of_unknown_size_is_read_to_its_end() -> None:
    au = encoded(noise(5000), "AU")
    assert len(decode(au[:8] + b"\xff\xff\xff\xff" + au[12:]).samples) == 5000


def test_a_caf_of_unknown_size_is_read_to_its_end() -> None:
    caf = encoded(noise(5000), "CAF")
    place = caf.index(b"data") + 4
    assert len(decode(caf[:place] + b"\xff" * 8 + caf[place + 8 :]).samples) == 5000


def test_a_shortened_nist_file_names_its_converter() -> None:
    coding, shortened = b"sample_coding -s3 pcm", b"sample_coding -s26 pcm,embedded-shorten-v2.00"
    nist = encoded(noise(5000), "NIST").replace(coding, shortened, 1)
    with pytest.raises(AudioError, match="shorten.*sph2pipe"):
        decode(nist)


# FLAC


def test_a_flac_without_a_digest_that_promises_too_little_is_refused() -> None:
    flac = encoded(noise(5000), "FLAC")
    number = int.from_bytes(flac[18:26], "big") - 1000
    with pytest.raises(AudioError, match="promises 4000 samples, but there are more"):
        decode(flac[:18] + number.to_bytes(8, "big") + bytes(16) + flac[42:])


# Ogg


@pytest.fixture(scope="module", params=["VORBIS", "OPUS"])
def ogg(request: pytest.FixtureRequest) -> list[bytes]:
    parts = pages(encoded(noise(160_000), "OGG", request.param))
    assert len(parts) > 10
    return parts


def test_any_missing_page_of_ogg_is_noticed(ogg: list[bytes]) -> None:
    for place in range(len(ogg)):
        with pytest.raises(AudioError, match="truncated|pages are missing|cannot be decoded|no page of Ogg"):
            decode(b"".join(ogg[:place] + ogg[place + 1 :]))


def test_any_changed_byte_of_ogg_is_noticed(ogg: list[bytes], rng: np.random.Generator) -> None:
    whole = b"".join(ogg)
    for place in rng.integers(len(whole), size=50).tolist():
        with pytest.raises(AudioError):
            decode(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])


def test_two_kinds_of_streams_in_one_ogg_file_are_refused(ogg: list[bytes]) -> None:
    other = pages(encoded(noise(4000), "OGG", "VORBIS"))
    with pytest.raises(AudioError, match="more than one stream"):
        decode(b"".join([ogg[0], other[0], *ogg[1:]]))


# MP3


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("mode", ["CONSTANT", "AVERAGE", "VARIABLE"])
def test_an_mp3_without_a_count_of_its_frames_is_read_to_its_end(rate: int, mode: str) -> None:
    loud = noise(3 * rate) * np.linspace(1, 0.001, 3 * rate)[:, None] ** 2  # the first frames are the largest
    _, *frames = mp3(loud, rate, mode)
    samples_of_frame = 1152 if rate >= 32_000 else 576
    for number in (len(frames), 7):
        recording = decode(b"".join(frames[:number]))  # the form cannot know that it was cut between frames
        assert len(recording.samples) == number * samples_of_frame
    assert len(decode(b"".join(frames[3:])).samples) == (len(frames) - 3) * samples_of_frame


def test_the_samples_of_an_mp3_do_not_depend_on_the_count_of_its_frames() -> None:
    tag, *frames = mp3(noise(44_100))
    with_count, without = decode(b"".join([tag, *frames])).samples, decode(b"".join(frames)).samples
    place = int(np.argmax(np.correlate(without[:5000, 0], with_count[:2000, 0])))
    np.testing.assert_array_equal(without[place : place + len(with_count)], with_count)


def test_an_mp3_whose_count_is_wrong_is_refused() -> None:
    tag, *frames = mp3(noise(44_100))
    for others in (frames[:-1], frames + frames[:1]):
        with pytest.raises(AudioError, match=rf"promises {len(frames)} more frames, but {len(others)} follow"):
            decode(b"".join([tag, *others]))


def test_an_mp3_that_is_damaged_within_or_changes_its_rate_is_refused() -> None:
    _, *frames = mp3(noise(44_100))
    with pytest.raises(AudioError, match="no frame of MPEG audio follows"):
        decode(b"".join([*frames[:9], b"\xf3" * 99, *frames[9:]]))
    with pytest.raises(AudioError, match="sample rate or its MPEG layer changes"):
        decode(b"".join([*frames, *mp3(noise(44_100), 48_000)[1:]]))
    with pytest.raises(AudioError, match="truncated: its last frame lacks 9 bytes"):
        decode(b"".join(frames)[:-9])


def test_the_frame_that_holds_the_tag_of_fraunhofer_is_no_sound() -> None:
    tag, *frames = mp3(noise(44_100))
    vbri = b"VBRI" + struct.pack(">HHHIIHHHH", 1, 0, 75, 1000, len(frames), 0, 1, 2, 1)
    first = tag[:4] + bytes(32) + vbri + bytes(len(tag) - 36 - len(vbri))
    np.testing.assert_array_equal(decode(b"".join([first, *frames])).samples, decode(b"".join(frames)).samples)


def test_layer_two_is_measured_in_its_own_frames() -> None:
    frame = bytes.fromhex("fffd8400") + bytes(144 * 128_000 // 48_000 - 4)  # 128 kbit/s, without any sound
    assert decode(frame * 20).samples.shape == (20 * 1152, 2)


def test_the_support_writes_frames_and_pages_that_make_up_their_file() -> None:
    data = encoded(noise(44_100), "MP3", "MPEG_LAYER_III", 44_100, bitrate_mode="VARIABLE", compression_level=0.5)
    assert b"".join(odd_audio.mp3(noise(44_100))) == data
