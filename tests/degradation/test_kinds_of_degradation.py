"""The kinds of degradations: laws of each, and what a ladder refuses."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from codecfake.base.settings import FaultsError
from codecfake.degradation.settings import CODEC, KINDS, MP3_KBPS, DegradationSettings, Ladder, Ladders

RATE = 16_000
WITHOUT_PACKAGE = {name for name, kind in KINDS.items() if kind.package and not find_spec(kind.package)}
EVERY = {"mp3": 160, "aac": 64, "opus": 128, "g711": "mulaw", "band": 7_900, "resample": 15_000, "noise": 80,
         "clipping": 99, "room": 50, "trim": 90, "speed": 101}  # fmt: skip
MILD = {kind: step for kind, step in EVERY.items() if kind not in WITHOUT_PACKAGE}
SAME_LENGTH = [kind for kind in MILD if kind not in ("trim", "speed")]


def speech(seconds: float = 1.0) -> np.ndarray:
    """A low voice under an envelope, with 0.1 s of silence at both ends."""
    time = np.arange(int(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 20))
    wav = 0.2 * voice * (1.2 + np.sin(2 * np.pi * 3 * time))
    wav[: RATE // 10] = wav[-RATE // 10 :] = 0
    return wav


def degraded(wav: np.ndarray, kind: str, value: int | str, recording: np.ndarray | None = None) -> np.ndarray:
    function = DegradationSettings("corpus", kind, value).load()
    return function(wav, wav if recording is None else recording, value, np.random.default_rng(7))


def energy_above(wav: np.ndarray, hertz: float) -> float:
    power = np.abs(np.fft.rfft(wav)) ** 2
    return float(power[np.fft.rfftfreq(len(wav), 1 / RATE) > hertz].sum() / power.sum())


def snr_db(wav: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(wav**2) / np.mean((other - wav) ** 2)))


def lag(wav: np.ndarray, other: np.ndarray) -> int:
    """The shift of `other` against `wav` in samples, where their correlation is largest."""
    size = 2 * len(wav)
    correlation = np.fft.irfft(np.conj(np.fft.rfft(wav, size)) * np.fft.rfft(other, size), size)
    place = int(correlation.argmax())
    return place if place < len(wav) else place - size


@pytest.mark.parametrize("kind", MILD)
def test_every_kind_is_known_by_its_mildest_step_and_gives_finite_samples(kind: str) -> None:
    wav = speech()
    output = degraded(wav, kind, MILD[kind])
    assert np.isfinite(output).all()
    assert not np.array_equal(output, wav)


@pytest.mark.parametrize("kind", SAME_LENGTH)
@pytest.mark.parametrize("num_samples", [1, 159, 8_001])
def test_a_kind_that_keeps_the_length_keeps_every_length(kind: str, num_samples: int) -> None:
    assert len(degraded(speech()[5_000 : 5_000 + num_samples], kind, MILD[kind])) == num_samples


@pytest.mark.parametrize("kbps", MP3_KBPS)
def test_mp3_does_not_shift_speech(kbps: int) -> None:
    assert lag(speech(), degraded(speech(), "mp3", kbps)) == 0


@pytest.mark.parametrize("kind", [kind for kind in SAME_LENGTH if kind not in ("mp3", "room")])
def test_other_kinds_do_not_shift_speech(kind: str) -> None:
    assert lag(speech(), degraded(speech(), kind, MILD[kind])) == 0


@pytest.mark.parametrize("kind", ["mp3", "opus"])
def test_fewer_bits_are_less_like_the_input(kind: str) -> None:
    errors = [snr_db(speech(), degraded(speech(), kind, kbps)) for kbps in (128, 64, 32)]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("law", ["alaw", "mulaw"])
def test_g711_has_no_frequencies_above_4_khz_and_about_38_db(law: str) -> None:
    narrow = degraded(speech(), "resample", 8_000)
    output = degraded(speech(), "g711", law)
    assert energy_above(output, 4_200) < 1e-6
    assert 33 < snr_db(narrow, output) < 43


@pytest.mark.parametrize(("kind", "value", "hertz"), [("band", 1_000, 1_100), ("resample", 4_000, 2_000)])
def test_a_band_ends_where_it_says(kind: str, value: int, hertz: int) -> None:
    assert energy_above(speech(), hertz) > 1e-3
    assert energy_above(degraded(speech(), kind, value), hertz) < 1e-6


@pytest.mark.parametrize("snr", [20, 0, -5])
def test_noise_has_its_signal_to_noise_ratio(snr: int) -> None:
    assert snr_db(speech(), degraded(speech(), "noise", snr)) == pytest.approx(snr, abs=1e-6)


def test_a_step_of_noise_changes_only_its_level() -> None:
    one, other = (degraded(speech(), "noise", snr) - speech() for snr in (20, 0))
    assert np.allclose(10 * one, other)


def test_clipping_keeps_what_is_below_the_limit() -> None:
    output, limit = degraded(speech(), "clipping", 30), 0.3 * np.abs(speech()).max()
    assert np.abs(output).max() == pytest.approx(limit)
    below = np.abs(speech()) <= limit
    assert np.array_equal(output[below], speech()[below])


def test_a_room_keeps_the_power_and_rings_longer_the_longer_its_time() -> None:
    click = np.zeros(RATE)
    click[100] = 1.0
    ends = []
    for milliseconds in (100, 400):
        output = degraded(click, "room", milliseconds)
        assert np.mean(output**2) == pytest.approx(np.mean(click**2))
        energy = np.cumsum(output[::-1] ** 2)[::-1]  # of the rest, as Schroeder measures the decay
        ends.append(int(np.argmax(energy < 1e-3 * energy[101])) - 100)
    # 30 dB take half of the reverberation time
    assert ends == pytest.approx([RATE * 0.05, RATE * 0.2], rel=0.1)


def test_trimming_removes_silence_and_nothing_else() -> None:
    wav = speech()
    output = degraded(wav, "trim", 40)
    assert len(output) == len(wav) - 2 * (RATE // 10)
    assert np.array_equal(output, wav[RATE // 10 : -RATE // 10])


def test_a_fake_is_trimmed_where_its_recording_is() -> None:
    wav = speech()
    fake = wav + 0.01
    assert np.array_equal(degraded(fake, "trim", 40, recording=wav), fake[RATE // 10 : -RATE // 10])


def test_digital_silence_is_not_trimmed() -> None:
    assert len(degraded(np.zeros(1_000), "trim", 40)) == 1_000


@pytest.mark.parametrize(("percent", "num_samples"), [(50, 2 * RATE), (125, RATE * 4 // 5), (200, RATE // 2)])
def test_speed_changes_the_length_in_proportion(percent: int, num_samples: int) -> None:
    assert len(degraded(speech(), "speed", percent)) == num_samples


def test_every_kind_has_its_laws_here_except_the_codecs_of_the_experiment() -> None:
    assert {CODEC, *EVERY} == set(KINDS)


def test_a_second_codec_is_named_and_other_kinds_have_none() -> None:
    assert Ladder("codec", [4, 8], codec="my_codec").labels == ["codec-my_codec_4", "codec-my_codec_8"]
    with pytest.raises(FaultsError, match="codec: it is missing; name a codec of the experiment"):
        Ladder("codec", [4])
    with pytest.raises(FaultsError, match="codec: noise has no codec; remove it"):
        Ladder("noise", [4], codec="dac")
    with pytest.raises(FaultsError, match="codec-dac has two ladders; list all of its steps in one"):
        Ladders.from_plain([{"kind": "codec", "codec": "dac", "steps": [number]} for number in (4, 8)])


def test_ladders_of_two_codecs_stand_side_by_side() -> None:
    ladders = Ladders.from_plain([{"kind": "codec", "codec": name, "steps": [1]} for name in ("a", "b_1")])
    assert ladders.labels == ["codec-a_1", "codec-b_1_1"]


def test_an_unknown_kind_is_refused_with_a_suggestion() -> None:
    with pytest.raises(FaultsError, match=r"kind: unknown degradation 'noize'.*noise"):
        Ladder("noize", [20])


@pytest.mark.skipif("aac" in WITHOUT_PACKAGE, reason="the package av of envs/aac.txt is not installed")
def test_aac_is_made_again_with_the_same_samples_and_more_bits_are_closer_to_the_input() -> None:
    outputs = [degraded(speech(), "aac", kbps) for kbps in (64, 32, 16)]
    assert np.array_equal(outputs[0], degraded(speech(), "aac", 64))
    assert snr_db(speech(), outputs[0]) > 20
    assert snr_db(speech(), outputs[0]) > max(snr_db(speech(), output) for output in outputs[1:])


def test_aac_without_its_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(RuntimeError, match=r"AAC needs the package av; run `pip install 'codecfake\[aac\]'`"):
        degraded(speech(), "aac", 64)


@pytest.mark.parametrize(
    ("kind", "steps", "message"),
    [
        ("noise", [20, 200], r"steps.1: 200 is not the signal-to-noise ratio .* from -20 to 80"),
        ("noise", ["loud"], r"steps.0: 'loud' is not the signal-to-noise ratio"),
        ("mp3", [100], r"steps.0: 100 is not the bit rate of MP3; choose from 32, 40"),
        ("g711", ["ulaw"], r"steps.0: 'ulaw' is not a law of G.711; choose from alaw, mulaw"),
        ("band", [4_000, 4_000], r"steps.1: 4000 is listed twice"),
        ("speed", [], r"steps: it is empty"),
    ],
)
def test_a_step_that_a_kind_does_not_have_is_refused(kind: str, steps: list[int | str], message: str) -> None:
    with pytest.raises(FaultsError, match=message):
        Ladder(kind, steps)


def test_a_condition_may_have_several_ladders_of_different_kinds() -> None:
    ladders = Ladders.from_plain([{"kind": "noise", "steps": [20, -5]}, {"kind": "g711", "steps": ["alaw"]}])
    assert ladders.labels == ["noise_20", "noise_-5", "g711_alaw"]
    with pytest.raises(FaultsError, match="noise has two ladders; list all of its steps in one"):
        Ladders.from_plain([{"kind": "noise", "steps": [20]}, {"kind": "noise", "steps": [10]}])
    with pytest.raises(FaultsError, match=r"1.steps: it is empty"):
        Ladders.from_plain([{"kind": "noise", "steps": [20]}, {"kind": "mp3", "steps": []}])
