"""Augmentation: what each one promises of its output, and that nothing but seed, epoch and recording decides it."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import tones
from golden_vectors import Vector

from codecfake.audio.waveforms import AudioError
from codecfake.base.settings import SettingsError
from codecfake.features.augmentation import compression, rawboost_algorithms
from codecfake.features.augmentation.augmentation import Augmentation, at_snr
from codecfake.features.augmentation.band_limit import BandLimit, BandLimitSettings
from codecfake.features.augmentation.chain import Chain
from codecfake.features.augmentation.compression import Compression, CompressionSettings
from codecfake.features.augmentation.fir import band_stop, convolve, high_pass, low_pass, peak_gain
from codecfake.features.augmentation.folders import Folder, random_segment
from codecfake.features.augmentation.noise import Noise, NoiseSettings
from codecfake.features.augmentation.rawboost import (
    Convolutive,
    ConvolutiveSettings,
    Impulsive,
    ImpulsiveSettings,
    NotchSettings,
    Stationary,
    StationarySettings,
    notches,
)
from codecfake.features.augmentation.rawboost_algorithms import ALGORITHMS, RawBoost, RawBoostSettings
from codecfake.features.augmentation.reverberation import Reverberation, ReverberationSettings
from codecfake.features.augmentation.settings import AUGMENTATIONS, AugmentationError
from codecfake.features.augmentation.speed import Speed, SpeedSettings
from codecfake.features.clips import Clips
from codecfake.protocols import trials

RATE = 16_000
CROP = 4_000


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noises at two rates, one shorter than any clip and one in stereo, and rooms that echo after 10 ms."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(5)
    for name, rate, shape in (("long", RATE, 40_000), ("short", RATE, 900), ("stereo", 24_000, (30_000, 2))):
        path = folder / "noise" / name / f"{name}.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, 0.1 * rng.standard_normal(shape), rate)
    room = np.zeros((400, 2))
    room[20], room[180] = 1.0, -0.5
    (folder / "rooms").mkdir()
    soundfile.write(folder / "rooms" / "room.flac", 0.9 * room, RATE)
    return folder


def every_augmentation(sounds: Path) -> list[dict[str, Any]]:
    folders = {"noise": "noise", "reverberation": "rooms"}
    return [
        {"name": name, "settings": {"folder": str(sounds / folders[name])} if name in folders else {}}
        for name in AUGMENTATIONS
    ]


def speech(num_samples: int = 16_000) -> np.ndarray:
    time = np.arange(num_samples) / RATE
    return sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20)) * 0.2 * (1.2 + np.sin(8 * time))


def decibels(ratio: float) -> float:
    return 10 * np.log10(ratio)


def power_in(wav: np.ndarray, low_hz: float, high_hz: float) -> float:
    spectrum, frequencies = np.abs(np.fft.rfft(wav * np.hanning(len(wav)))) ** 2, np.fft.rfftfreq(len(wav), 1 / RATE)
    return float(spectrum[(low_hz <= frequencies) & (frequencies < high_hz)].sum())


# laws of all


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("length", [1, 2, 100, 16_000])
def test_the_output_is_finite_and_as_long_as_the_input(name: str, length: int, sounds: Path) -> None:
    (link,) = [link for link in every_augmentation(sounds) if link["name"] == name]
    if name == "speed":
        link["settings"] = {"min_factor": 1.0, "max_factor": 1.0}
    augmented = Chain([link])(speech(length), np.random.default_rng(1))
    assert augmented.shape == (length,)
    assert np.isfinite(augmented).all()


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_silence_stays_finite(name: str, sounds: Path) -> None:
    (link,) = [link for link in every_augmentation(sounds) if link["name"] == name]
    assert np.isfinite(Chain([link])(np.zeros(4_000), np.random.default_rng(1))).all()


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_generator_gives_the_same_samples_and_the_input_is_left_alone(name: str, sounds: Path) -> None:
    (link,) = [link for link in every_augmentation(sounds) if link["name"] == name]
    wav = speech()
    chain = Chain([link])
    first, second = (chain(wav, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, wav)
    np.testing.assert_array_equal(wav, speech())


@pytest.mark.parametrize("name", sorted(set(AUGMENTATIONS) - {"reverberation"}))  # which has one room to draw from
def test_another_generator_gives_other_samples(name: str, sounds: Path) -> None:
    (link,) = [link for link in every_augmentation(sounds) if link["name"] == name]
    first, second = (Chain([link])(speech(), np.random.default_rng(seed)) for seed in (1, 2))
    assert not np.array_equal(first, second)


def test_every_name_has_its_class() -> None:
    assert all(issubclass(AUGMENTATIONS.part(name).load(), Augmentation) for name in AUGMENTATIONS)


# the chain


def test_a_chain_of_nothing_is_false_and_gives_the_very_samples(rng: np.random.Generator) -> None:
    wav = speech()
    assert not Chain()
    np.testing.assert_array_equal(Chain()(wav, rng), wav)
    np.testing.assert_array_equal(Chain([{"name": "speed", "probability": 0.0}])(wav, rng), wav)


def test_links_are_done_as_often_as_they_are_probable() -> None:
    chain = Chain([{"name": "rawboost_impulsive", "probability": 0.25}])
    wav = speech(500)
    count = sum(not np.array_equal(chain(wav, np.random.default_rng(seed)), wav) for seed in range(1000))
    assert 200 < count < 300  # 3.6 standard deviations


def test_a_link_draws_the_same_whatever_stands_beside_it() -> None:
    link = {"name": "rawboost_stationary"}
    alone = Chain([link])(speech(), np.random.default_rng(4))
    beside = Chain([link, {"name": "rawboost_impulsive", "probability": 0.0}])(speech(), np.random.default_rng(4))
    np.testing.assert_array_equal(alone, beside)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ({"name": "echo"}, "0: unknown augmentation 'echo'; choose from rawboost_convolutive, .*band_limit"),
        ({"name": "speed", "probability": 1.5}, r"probability of speed is 1.5; it must be in \[0, 1\]"),
        ({"name": "speed", "settings": {"max_factor": 0.5}}, "factor is from 0.9 to 0.5; the first must not exceed"),
        ({"name": "compression", "settings": {"formats": ["aac"]}}, "formats are .'aac'.; give some of mp3, opus"),
        ({"name": "band_limit", "settings": {"max_low_hz": 4000.0}}, "high_hz is from 3400 to 8000"),
        ({"name": "rawboost_convolutive", "settings": {"order": 0}}, "order is 0; it must be at least 1"),
        ({"name": "rawboost", "settings": {"algorithm": 10}}, "algorithm: 10 is not an algorithm of RawBoost; choose"),
    ],
)
def test_links_that_cannot_be_done_are_refused(link: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Chain([link])


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match="0.settings: unknown setting 'faktor'; did you mean 'min_factor'"):
        Chain([{"name": "speed", "settings": {"faktor": 2}}])


# noise and rooms


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.5, 40.0])
def test_noise_has_the_ratio_that_was_asked_for(snr_db: float, sounds: Path) -> None:
    wav = speech()
    noisy = [
        Noise(NoiseSettings(str(sounds / "noise"), min_snr_db=snr_db, max_snr_db=snr_db)),
        Stationary(StationarySettings(min_snr_db=snr_db, max_snr_db=snr_db)),
    ]
    for augmentation in noisy:
        for seed in range(5):
            added = augmentation(wav, np.random.default_rng(seed)) - wav
            assert decibels(np.mean(wav**2) / np.mean(added**2)) == pytest.approx(snr_db, abs=0.1)


def test_silence_takes_no_noise_and_silent_noise_adds_nothing() -> None:
    np.testing.assert_array_equal(at_snr(np.zeros(9), np.ones(9), 3.0), np.zeros(9))
    np.testing.assert_array_equal(at_snr(np.ones(9), np.zeros(9), 3.0), np.ones(9))


def test_files_are_drawn_from_a_sorted_list(tmp_path: Path) -> None:
    for name in ("b/2.wav", "b/1.FLAC", "a/3.flac", "c.txt", "a/notes.wav.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    paths = {Folder(str(tmp_path), "*").draw(np.random.default_rng(seed)) for seed in range(40)}
    assert paths == {tmp_path / "a/3.flac", tmp_path / "b/1.FLAC", tmp_path / "b/2.wav"}
    assert Folder(str(tmp_path), "*")._paths == ["a/3.flac", "b/1.FLAC", "b/2.wav"]
    assert Folder(str(tmp_path), "3*").record["files"] == 1


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AugmentationError, match=r"no .wav or .flac file named \*rir\* below it; give the folder"):
        Reverberation(ReverberationSettings(str(tmp_path), "*rir*"))


def test_a_recording_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    for name, message in (("bad", "bad.wav: cannot be decoded"), ("empty", "empty.wav: has no samples")):
        with pytest.raises(AudioError, match=message):
            Noise(NoiseSettings(str(tmp_path), pattern=f"{name}*"))(speech(), np.random.default_rng(0))


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_noise_and_rooms_are_read_from_regular_files_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "endless.wav"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    for augmentation in (Noise(NoiseSettings(str(tmp_path))), Reverberation(ReverberationSettings(str(tmp_path), "*"))):
        with pytest.raises(AudioError, match=rf"endless.wav: cannot be read \(it is a .*{kind}"):
            augmentation(speech(), np.random.default_rng(0))


def test_noise_of_another_rate_keeps_its_pitch(tmp_path: Path) -> None:
    time = np.arange(48_000) / 24_000
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 3_000 * time), 24_000)
    wav = random_segment(tmp_path / "tone.wav", 16_000, np.random.default_rng(3))
    assert np.abs(np.fft.rfft(wav)).argmax() == pytest.approx(3_000, abs=1)


def test_reverberation_is_speech_and_its_echo_where_the_speech_was(sounds: Path) -> None:
    wav = np.zeros(1_000)
    wav[100], wav[950] = 1.0, 0.5
    wet = Reverberation(ReverberationSettings(str(sounds / "rooms")))(wav, np.random.default_rng(0))
    expected = np.zeros(1_000)
    expected[100], expected[260], expected[950] = 1.0, -0.5, 0.5  # the echo of the last one comes after the end
    np.testing.assert_allclose(wet, expected * np.sqrt(np.mean(wav**2) / np.mean(expected**2)), atol=1e-4)


def test_a_room_of_zeros_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "room.wav", np.zeros(100), RATE)
    with pytest.raises(AudioError, match=r"room.wav: the room impulse response is all zeros"):
        Reverberation(ReverberationSettings(str(tmp_path)))(speech(), np.random.default_rng(0))


# filters


def test_convolution_is_that_of_the_textbook(rng: np.random.Generator) -> None:
    wav, taps = rng.standard_normal(300), rng.standard_normal(41)
    np.testing.assert_allclose(convolve(wav, taps, 20), np.convolve(wav, taps)[20:320], atol=1e-12)
    np.testing.assert_allclose(convolve(wav[:1], taps, 0), wav[:1] * taps[0], atol=1e-12)


@pytest.mark.parametrize("cutoff_hz", [300.0, 3_400.0, 7_000.0])
def test_passes_have_gain_one_where_they_pass_and_half_at_the_cutoff(cutoff_hz: float) -> None:
    window = np.blackman(1023)
    for taps, passed_hz in ((low_pass(cutoff_hz, window), 0.0), (high_pass(cutoff_hz, window), 8_000.0)):
        assert gain(taps, passed_hz) == pytest.approx(1, abs=1e-3)
        assert gain(taps, cutoff_hz) == pytest.approx(0.5, abs=1e-3)


def test_a_band_stop_takes_its_band_away() -> None:
    taps = band_stop(2_000, 3_000, np.hamming(301))
    assert gain(taps, 0) == pytest.approx(1)
    assert gain(taps, 2_500) < 0.01
    assert gain(taps, 5_000) == pytest.approx(1, abs=0.01)


def gain(taps: np.ndarray, frequency: float) -> float:
    return float(np.abs(np.sum(taps * np.exp(-2j * np.pi * frequency / RATE * np.arange(len(taps))))))


@pytest.mark.parametrize(("low_hz", "high_hz"), [(300.0, 3_400.0), (0.0, 4_000.0), (1_000.0, 8_000.0)])
def test_a_limited_band_is_40_db_down_outside_and_untouched_inside(low_hz: float, high_hz: float) -> None:
    wav = np.random.default_rng(2).standard_normal(32_000)
    limited = BandLimit(BandLimitSettings(low_hz, low_hz, high_hz, high_hz))(wav, np.random.default_rng(0))
    inside = low_hz + 100, high_hz - 100
    assert decibels(power_in(limited, *inside) / power_in(wav, *inside)) == pytest.approx(0, abs=0.05)
    for band in ((0, low_hz - 100), (high_hz + 100, 8_000)):
        if band[0] < band[1]:
            assert decibels(power_in(limited, *band) / power_in(wav, *band)) < -40
    middle = slice(1_000, -1_000)
    aligned = np.correlate(limited[middle], wav[995:-995], "valid")
    assert aligned.argmax() == 5  # no delay


# speed and compression


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_speed_changes_duration_and_pitch(factor: float) -> None:
    wav = np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE)
    output = Speed(SpeedSettings(factor, factor))(wav, np.random.default_rng(0))
    assert len(output) == pytest.approx(RATE / factor, abs=1)
    peak = np.abs(np.fft.rfft(output)).argmax() * RATE / len(output)
    assert peak == pytest.approx(1_000 * factor, abs=2)


@pytest.mark.parametrize("name", compression.FORMATS)
def test_compression_loses_little_of_speech_and_does_not_move_it(name: str) -> None:
    wav = speech(RATE)
    levels = {
        level: Compression(CompressionSettings((name,), level, level))(wav, np.random.default_rng(0))
        for level in (0.0, 0.9)
    }
    errors = {level: np.mean((decoded - wav) ** 2) / np.mean(wav**2) for level, decoded in levels.items()}
    assert 0 < errors[0.0] < 0.02
    assert errors[0.0] < errors[0.9] < 0.2


def test_compression_does_not_clip_what_is_beyond_full_scale() -> None:
    wav = 3 * speech() / np.abs(speech()).max()
    assert np.abs(Compression(CompressionSettings(("vorbis",)))(wav, np.random.default_rng(0))).max() > 2.5


def test_a_format_that_libsndfile_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"OGG": "Ogg"})
    with pytest.raises(AugmentationError, match=r"mp3: libsndfile .* cannot write it; leave it out of `formats`"):
        Chain([{"name": "compression"}])
    Chain([{"name": "compression", "settings": {"formats": ["opus"]}}])


# RawBoost


def test_notches_have_no_gain_above_one() -> None:
    for seed in range(20):
        taps = notches(NotchSettings(), np.random.default_rng(seed))
        assert peak_gain(taps) == pytest.approx(1)
        assert len(taps) % 2 == 1
        assert len(taps) <= 5 * 100 + 1


def test_of_the_first_order_convolutive_noise_is_linear() -> None:
    augmentation = Convolutive(ConvolutiveSettings(order=1))
    wav = speech() / 20
    one, two = (augmentation(gain_ * wav, np.random.default_rng(7)) for gain_ in (1, 2))
    np.testing.assert_allclose(two, 2 * one, atol=1e-12)


def test_higher_orders_put_harmonics_on_a_tone() -> None:
    wav = 0.8 * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE)
    settings = ConvolutiveSettings(order=3, num_notches=0)
    output = Convolutive(settings)(wav, np.random.default_rng(0))
    assert decibels(power_in(output, 2_900, 3_100) / power_in(wav, 2_900, 3_100)) > 40
    linear = Convolutive(ConvolutiveSettings(order=1, num_notches=0))(wav, np.random.default_rng(0))
    np.testing.assert_allclose(linear, wav, atol=1e-9)


def test_impulsive_noise_hits_at_most_its_share_of_samples_and_none_more_than_its_gain() -> None:
    wav = speech() / 10
    for seed in range(10):
        difference = Impulsive(ImpulsiveSettings(max_percent=5, gain=2))(wav, np.random.default_rng(seed)) - wav
        assert np.count_nonzero(difference) <= 0.05 * len(wav)
        assert (np.abs(difference) <= 2 * np.abs(wav) + 1e-12).all()


def test_rawboost_turns_down_what_is_beyond_full_scale() -> None:
    loud = 5 * speech()
    assert np.abs(Impulsive(ImpulsiveSettings())(loud, np.random.default_rng(0))).max() == pytest.approx(1)
    assert np.abs(Convolutive(ConvolutiveSettings())(loud, np.random.default_rng(0))).max() <= 1 + 1e-12


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_rawboost_gives_the_samples_of_the_published_code(golden_detectors: Path, algorithm: int) -> None:
    vector = Vector(golden_detectors, "rawboost")
    seed = vector.about["numpy_seed"][str(algorithm)]
    output = ALGORITHMS[algorithm](vector["wav"], np.random.RandomState(seed))
    np.testing.assert_allclose(output, vector[f"algo_{algorithm}"], rtol=0, atol=1e-9)


def test_rawboost_draws_the_notches_of_the_published_code(golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, "rawboost")
    taps = rawboost_algorithms.notches(np.random.RandomState(77 + vector.about["seed"]), (0, 0))
    np.testing.assert_allclose(taps, vector["notch_coefficients"], rtol=0, atol=1e-9)
    output = rawboost_algorithms.filtered(vector["wav"], taps)
    np.testing.assert_allclose(output, vector["filtered"], rtol=0, atol=1e-9)


def test_rawboost_seeds_the_published_generator_from_the_clip_s_own(rng: np.random.Generator) -> None:
    expected = ALGORITHMS[4](speech(), np.random.RandomState(int(np.random.default_rng(0).integers(2**32))))
    np.testing.assert_array_equal(RawBoost(RawBoostSettings(algorithm=4))(speech(), rng), expected)


# clips


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tones.write_audio(tmp_path_factory.mktemp("audio"), num_utterances=6)


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    return trials.read([tones.write_protocol(tmp_path / "all.tsv", range(6))])


def test_without_augmentation_clips_are_the_recordings_bit_for_bit(table: pd.DataFrame, audio: Path) -> None:
    plain, off = Clips(table, audio, CROP), Clips(table, audio, CROP, chain=Chain([]), seed=9)
    assert not off.vary
    for trial in range(len(plain)):
        assert plain[trial].equal(off[trial])
        assert plain[trial].equal(off[5 * len(off) + trial])


def test_a_clip_depends_on_seed_epoch_and_recording_and_not_on_list_or_key(
    table: pd.DataFrame, audio: Path, sounds: Path
) -> None:
    links = every_augmentation(sounds)
    clips = Clips(table, audio, CROP, chain=Chain(links), seed=1)
    swapped = table.assign(key=table["key"].map({"bonafide": "spoof", "spoof": "bonafide"})).iloc[::-1]
    other_list = Clips(swapped.iloc[:7], audio, CROP, chain=Chain(links), seed=1)
    last = len(table) - 1
    for epoch in (0, 3):
        assert clips[epoch * len(clips) + last].equal(other_list[epoch * len(other_list)])
    assert not clips[last].equal(clips[3 * len(clips) + last])
    assert not clips[last].equal(Clips(table, audio, CROP, chain=Chain(links), seed=2)[last])


def test_both_classes_are_augmented_as_often(audio: Path, table: pd.DataFrame) -> None:
    chain = Chain([{"name": "rawboost_impulsive", "probability": 0.5}])
    plain, clips = Clips(table, audio, 500), Clips(table, audio, 500, chain=chain, seed=1)
    changed = np.array(
        [[not plain[t].equal(clips[epoch * len(clips) + t]) for t in range(len(table))] for epoch in range(60)]
    )
    shares = [changed[:, (table["key"] == key).to_numpy()].mean() for key in ("bonafide", "spoof")]
    assert shares == [pytest.approx(0.5, abs=0.1)] * 2  # 3.8 standard deviations


def test_speed_comes_before_the_crop(audio: Path, table: pd.DataFrame) -> None:
    # 3,200 samples or more, played twice as fast, still fill a clip of 1,600 without a repetition.
    chain = Chain([{"name": "speed", "settings": {"min_factor": 2.0, "max_factor": 2.0}}])
    fast, plain = Clips(table, audio, 1_600, chain=chain)[0].numpy(), Clips(table, audio, 3_200)[0].numpy()
    peaks = [np.abs(np.fft.rfft(wav * np.hanning(len(wav)))).argmax() / len(wav) for wav in (fast, plain)]
    assert peaks[0] == pytest.approx(2 * peaks[1], rel=0.02)
    assert np.abs(fast[800:1_600] - fast[:800]).max() > 0.01


def test_what_was_mixed_in_is_on_record(sounds: Path) -> None:
    records = Chain(every_augmentation(sounds)).recordings()
    assert [(each["folder"], each["files"]) for each in records] == [
        (str(sounds / "noise"), 3),
        (str(sounds / "rooms"), 1),
    ]
