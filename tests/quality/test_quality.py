"""Quality of codecs: every measure on sounds whose answer is known, then the drawing, the files and the tables."""

import logging
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.signal import firwin, lfilter

from codec_wrappers.training.losses import MelDistance
from codec_wrappers.training.losses import si_sdr_db as si_sdr_of_training
from codecfake.audio.shards import Provenance, ShardError, ShardWriter
from codecfake.base import files
from codecfake.quality import measures
from codecfake.quality.measures import (
    FLOOR,
    HIGHER,
    LOWER,
    METRICS,
    NAMES,
    NEITHER,
    NUM_MELS,
    SAMPLE_RATE,
    WINDOW,
    bandwidth_hz,
    f0,
    measure,
    pesq_mos,
    si_sdr_db,
)
from codecfake.quality.step import (
    COLUMNS,
    QualityError,
    QualitySettings,
    SummarySettings,
    draw,
    measure_codec,
    read,
    statistics,
    write_summary,
)

BETTER = {metric.name: metric.better for metric in METRICS}


def voice(duration: float, hertz: float = 140.0, pauses: bool = True) -> np.ndarray:
    """Syllables of a gliding voice: harmonics up to 5 kHz under a moving formant, over a soft noise."""
    time = np.arange(round(duration * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = hertz * 2 ** (0.15 * np.sin(2 * np.pi * 0.7 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    formant = 900 + 500 * np.sin(2 * np.pi * 1.3 * time)
    wav = sum(np.sin(k * phase) / (1 + ((k * pitch - formant) / 400) ** 2) for k in range(1, int(5000 / hertz)))
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * time), 0, 1) ** 2
    return 0.1 * wav * (syllables if pauses else 1) + 1e-4 * np.random.default_rng(1).standard_normal(len(time))


def noisy(wav: np.ndarray, snr_db: float) -> np.ndarray:
    noise = np.random.default_rng(2).standard_normal(len(wav))
    return wav + noise * np.sqrt(np.mean(wav**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return voice(2.0)


@pytest.fixture
def pesq() -> None:
    pytest.importorskip("pesq", reason="pesq is optional: it is built from C source")


# what each measure says of sounds with a known answer


@pytest.mark.usefixtures("pesq")
def test_the_same_waveform_is_perfect_by_every_measure(speech: np.ndarray) -> None:
    values = measure(speech, speech)

    # 4.644 is where ITU-T P.862.2 maps the best raw score, 4.5: 0.999 + 4 / (1 + exp(-1.3669 · 4.5 + 3.8224))
    assert values["pesq"] == pytest.approx(0.999 + 4 / (1 + np.exp(-1.3669 * 4.5 + 3.8224)), abs=1e-4)
    assert values["stoi"] == pytest.approx(1)
    assert values["estoi"] == pytest.approx(1)
    assert values["si_sdr_db"] == np.inf
    assert [values[name] for name in NAMES if BETTER[name] == LOWER] == [0] * 5
    assert values["bandwidth_hz"] == values["bonafide_bandwidth_hz"]


@pytest.mark.parametrize("name", [name for name in NAMES if BETTER[name] != NEITHER and name != "f0_error_cents"])
def test_more_noise_is_worse_by_every_measure(name: str, with_noise: list[dict[str, float]]) -> None:
    if name == "pesq":
        pytest.importorskip("pesq")
    at_30_db, at_20_db, at_10_db = (BETTER[name] * values[name] for values in with_noise)

    if name == "bandwidth_error_hz":  # the least noise reaches half the rate already
        assert 0 > at_30_db >= at_20_db >= at_10_db
    else:
        assert at_30_db > at_20_db > at_10_db


@pytest.fixture(scope="module")
def with_noise(speech: np.ndarray) -> list[dict[str, float]]:
    """Measures of speech with noise 30, 20 and 10 dB below it."""
    values = (measure(speech, noisy(speech, snr_db)) for snr_db in (30, 20, 10))
    return [{name: value for name, value in each.items() if isinstance(value, float)} for each in values]


def test_more_noise_is_a_larger_error_of_f0_as_long_as_every_frame_stays_voiced() -> None:
    glide = voice(1.0, pauses=False)
    values = [measure(glide, noisy(glide, snr)) for snr in (np.inf, 30, 20, 10)]

    assert [each["voicing_error"] for each in values] == [0, 0, 0, 0]
    errors = [float(each["f0_error_cents"]) for each in values]
    assert 0 == errors[0] < errors[1] < errors[2] < errors[3] < 10


def test_si_sdr_of_added_noise_is_the_ratio_it_was_added_at(speech: np.ndarray) -> None:
    noise = np.random.default_rng(3).standard_normal(len(speech))
    noise -= noise.mean() + (noise - noise.mean()) @ speech / (speech @ speech) * speech  # nothing of the speech in it
    noise *= np.sqrt(np.sum((speech - speech.mean()) ** 2) / np.sum(noise**2)) / 10

    assert si_sdr_db(speech, 0.5 * (speech + noise)) == pytest.approx(20, abs=0.01)


def test_si_sdr_is_that_of_torchmetrics_and_of_the_training_of_codecs(speech: np.ndarray) -> None:
    fake = noisy(np.roll(speech, 3), 12) + 0.01
    theirs = si_sdr_of_training(torch.from_numpy(fake)[None], torch.from_numpy(speech)[None])

    assert si_sdr_db(speech, fake) == pytest.approx(theirs, abs=1e-6)


def test_a_quieter_copy_has_no_distortion(speech: np.ndarray) -> None:
    assert si_sdr_db(speech, 0.3 * speech) == np.inf


def test_mel_distance_is_that_of_the_training_of_codecs(speech: np.ndarray) -> None:
    fake = noisy(speech, 15)
    distance = MelDistance(SAMPLE_RATE, WINDOW, NUM_MELS).double()
    theirs = float(distance(torch.from_numpy(fake)[None], torch.from_numpy(speech)[None]))

    assert measure(speech, fake)["mel_distance"] == pytest.approx(theirs, rel=1e-4)


def test_ten_times_the_amplitude_is_20_db_in_every_band() -> None:
    loud = np.random.default_rng(4).standard_normal(SAMPLE_RATE)
    values = measure(0.1 * loud, loud)

    assert values["log_spectral_distance_db"] == pytest.approx(20, abs=1e-3)
    assert values["mel_distance"] == pytest.approx(1, abs=1e-4)


def test_what_lies_under_the_noise_of_16_bit_is_no_difference(speech: np.ndarray) -> None:
    silent, softest = np.zeros(SAMPLE_RATE), np.full(SAMPLE_RATE, FLOOR / 100)
    values = measure(silent, softest)

    assert values["log_spectral_distance_db"] == 0
    assert values["mel_distance"] == 0


def tone(hertz: float, duration: float = 1.0) -> np.ndarray:
    time = np.arange(round(duration * SAMPLE_RATE)) / SAMPLE_RATE
    return sum(0.1 / k * np.sin(2 * np.pi * k * hertz * time) for k in range(1, 9))


def test_a_voice_a_semitone_higher_is_100_cents_off() -> None:
    values = measure(tone(200), tone(200 * 2 ** (1 / 12)))

    assert values["f0_error_cents"] == pytest.approx(100, abs=1)
    assert values["voicing_error"] < 0.05


@pytest.mark.parametrize("hertz", [80, 120, 233, 380])
def test_f0_of_a_tone_is_its_own(hertz: float) -> None:
    values, voiced = f0(tone(hertz))

    assert voiced[3:-3].all()
    np.testing.assert_allclose(1200 * np.log2(values[3:-3] / hertz), 0, atol=5)


def test_a_voice_that_becomes_noise_is_unvoiced_in_every_frame_that_was_voiced(speech: np.ndarray) -> None:
    whisper = 0.05 * np.random.default_rng(5).standard_normal(len(speech))
    values = measure(speech, whisper)
    share_voiced = f0(speech)[1].mean()

    assert values["f0_error_cents"] == "no frame is voiced in both"
    assert values["voicing_error"] == pytest.approx(share_voiced)
    assert share_voiced > 0.3


@pytest.mark.parametrize("edge", [2000, 3000, 4000])
def test_bandwidth_ends_where_a_low_pass_does(edge: float) -> None:
    noise = np.random.default_rng(6).standard_normal(2 * SAMPLE_RATE)
    low = lfilter(firwin(2001, edge, fs=SAMPLE_RATE, window=("kaiser", 10)), 1, noise)

    assert bandwidth_hz(noise) == SAMPLE_RATE / 2
    assert edge - 50 < bandwidth_hz(low) < edge + 100  # the slope of the filter, and of a Hann window over 60 dB
    values = measure(noise, low)
    assert values["bandwidth_hz"] == bandwidth_hz(low)
    assert values["bandwidth_error_hz"] == SAMPLE_RATE / 2 - bandwidth_hz(low)


# sounds that are hard to measure


@pytest.mark.usefixtures("pesq")
@pytest.mark.parametrize("delay", [1, 37, 1600])
def test_a_delay_is_measured_like_any_other_difference(delay: int, speech: np.ndarray) -> None:
    late = np.concatenate([1e-4 * np.random.default_rng(7).standard_normal(delay), speech[:-delay]])
    values = measure(speech, late)

    assert all(np.isfinite(float(value)) for value in values.values())
    assert values["pesq"] > 3.5  # it aligns what it compares
    assert values["si_sdr_db"] < 30


@pytest.mark.usefixtures("pesq")
@pytest.mark.parametrize("seconds", [0.001, 0.1, 0.2, 0.3])
def test_a_very_short_utterance_has_a_reason_in_place_of_what_needs_more(seconds: float) -> None:
    short = voice(0.3)[: round(seconds * SAMPLE_RATE)]
    values = measure(short, 0.5 * short + 1e-5)

    assert values["stoi"] == values["estoi"] == "less than 0.4 s of speech"
    assert (values["pesq"] == "shorter than 0.25 s") == (seconds < 0.25)
    assert np.isfinite(float(values["mel_distance"]))
    assert np.isfinite(float(values["voicing_error"]))
    assert float(values["si_sdr_db"]) > 20


def test_little_speech_in_a_long_pause_is_too_short_for_stoi(speech: np.ndarray) -> None:
    click = np.zeros(2 * SAMPLE_RATE)
    click[5000:6000] = speech[2000:3000]

    assert measure(click, click)["stoi"] == "less than 0.4 s of speech"


@pytest.mark.parametrize("level", [0.0, 0.25])
def test_silence_has_a_reason_in_place_of_a_number(level: float, speech: np.ndarray) -> None:
    silent = np.full_like(speech, level)
    with_silent_fake, with_silent_recording = measure(speech, silent), measure(silent, speech)

    for name in ("pesq", "stoi", "estoi", "si_sdr_db", "bandwidth_hz"):
        assert with_silent_fake[name] == "the fake is silent"
        assert with_silent_recording[name] == "the recording is silent"
    assert with_silent_fake["voicing_error"] == f0(speech)[1].mean()


@pytest.mark.usefixtures("pesq")
def test_pesq_finds_no_speech_where_there_is_too_little() -> None:
    part = voice(0.5)[1600:5700]

    assert measure(part, part)["pesq"] == "no speech found"


@pytest.mark.usefixtures("pesq")
def test_more_than_20_s_are_kept_from_pesq_which_crashes_on_many_phrases() -> None:
    time = np.arange(20 * SAMPLE_RATE + 1) / SAMPLE_RATE
    phrases = 0.1 * np.sin(2 * np.pi * 440 * time) * (time % 0.4 < 0.21)

    assert pesq_mos(phrases, phrases) == "longer than 20 s"
    assert float(pesq_mos(phrases[1:], phrases[1:])) > 4.6


def test_waveforms_of_two_lengths_are_refused(speech: np.ndarray) -> None:
    with pytest.raises(ValueError, match="the recording has 32000 samples and the fake 31999"):
        measure(speech, speech[:-1])


def test_the_same_pair_gives_the_same_numbers_even_where_bands_are_empty(speech: np.ndarray) -> None:
    gated = np.where(np.abs(speech) > 0.02, speech, 0)
    once = measure(speech, gated)
    np.random.standard_normal(1000)  # noqa: NPY002

    assert measure(speech, gated) == once


# which utterances are measured


def utterances(**numbers: int) -> pd.DataFrame:
    rows = [(corpus, f"{corpus}_{k:02d}", f"s{k % 3}") for corpus, number in numbers.items() for k in range(number)]
    return pd.DataFrame(rows, columns=["corpus", "utterance_id", "speaker_id"])


def test_as_many_utterances_are_drawn_of_every_corpus() -> None:
    assert draw(utterances(a=30, b=9), 12, 1)["corpus"].value_counts().to_dict() == {"a": 6, "b": 6}
    assert draw(utterances(a=30, b=9), 13, 1)["corpus"].value_counts().to_dict() == {"a": 7, "b": 6}


def test_a_corpus_with_few_utterances_gives_all_it_has(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        rows = draw(utterances(a=30, b=4), 20, 1)

    assert rows["corpus"].value_counts().to_dict() == {"a": 10, "b": 4}
    assert "corpus b: all of its 4 held-out utterances are drawn, not 10" in caplog.text


def test_the_draw_depends_on_ids_and_seed_and_on_nothing_else() -> None:
    table = utterances(a=30, b=30)
    rows = draw(table, 10, 1)

    pd.testing.assert_frame_equal(draw(table.sample(frac=1, random_state=0), 10, 1), rows)
    assert not draw(table, 10, 2)["utterance_id"].equals(rows["utterance_id"])
    # one more utterance can take the place of one drawn, and of no more
    more = pd.concat([table, utterances(a=31).tail(1)])
    assert len(set(rows["utterance_id"]) - set(draw(more, 10, 1)["utterance_id"])) <= 1


# from shards to files


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """Two corpora of four utterances, as recorded and from a codec with 4 and 8 quantizers; one is very short."""
    for corpus, hertz in (("a", 120), ("b", 210)):
        for source, quantizers, snr in (("F00", 0, None), ("F01", 4, 10), ("F01-8", 8, 20)):
            made_by = Provenance("none" if snr is None else "encodec", quantizers, quantizers / 2, "", "0.1.0")
            with ShardWriter(tmp_path / "audio" / corpus / source / "0000.tar", f"{source}_", made_by) as shard:
                for number in range(4):
                    wav = voice(0.1 if number == 0 else 0.8, hertz + 9 * number)
                    shard.add(f"{corpus}{number}", wav if snr is None else noisy(wav, snr), SAMPLE_RATE)
    rows = [
        {"corpus": corpus, "utterance_id": f"{corpus}{number}", "speaker_id": f"s{number % 2}", "key": key}
        for corpus in "ab"
        for number in range(4)
        for key in ("bonafide", "spoof")
    ]
    files.write_tsv(tmp_path / "C1.tsv", pd.DataFrame(rows))
    return tmp_path / "audio"


def measure_utterances(audio: Path, source: str, corpora: list[str] | None = None, number: int = 8) -> pd.DataFrame:
    output = audio.parent / "quality" / f"{source}.tsv"
    settings = QualitySettings({source: corpora or ["a", "b"]}, number)
    measure_codec(settings, [audio.parent / "C1.tsv"], audio, output)
    return files.read_tsv(output)


def test_a_codec_has_the_rows_of_its_sources_one_after_the_other(audio: Path) -> None:
    alone = pd.concat([measure_utterances(audio, "F01"), measure_utterances(audio, "F01-8", ["b"])])
    settings = QualitySettings({"F01": ["a", "b"], "F01-8": ["b"]}, 8)
    measure_codec(settings, [audio.parent / "C1.tsv"], audio, audio.parent / "both.tsv")

    both = files.read_tsv(audio.parent / "both.tsv")
    assert list(both["source"]) == ["F01"] * 8 + ["F01-8"] * 4
    pd.testing.assert_frame_equal(both, alone.reset_index(drop=True))


def test_the_f0_of_a_recording_is_computed_once_for_all_of_its_fakes(
    audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[int] = []

    def counted(wav: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        computed.append(len(wav))
        return f0(wav)

    monkeypatch.setattr(measures, "f0", counted)
    settings = QualitySettings({"F01": ["b"], "F01-8": ["b"]}, 4)
    measure_codec(settings, [audio.parent / "C1.tsv"], audio, audio.parent / "quality.tsv")

    assert len(computed) == 2 * (1 + 2)  # two recordings of "b", each with two fakes


def test_a_file_has_a_row_for_every_utterance_and_says_what_made_it(audio: Path) -> None:
    table = measure_utterances(audio, "F01")

    assert list(table.columns) == COLUMNS
    assert list(table["utterance_id"]) == ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3"]
    assert set(table["codec"]) == {"encodec"}
    assert set(table["quantizers"]) == {"4"}
    assert set(table["bitrate_kbps"]) == {"2"}
    assert list(table["speaker_id"]) == ["s0", "s1"] * 4


@pytest.mark.long
def test_numbers_have_six_digits_and_come_out_the_same_again(audio: Path) -> None:
    first = measure_utterances(audio, "F01")

    digits = first["si_sdr_db"].str.replace(r"[-.]", "", regex=True).str.lstrip("0").str.len()
    assert digits.max() == 6
    pd.testing.assert_frame_equal(measure_utterances(audio, "F01"), first)


@pytest.mark.usefixtures("pesq")
def test_what_has_no_value_is_empty_and_its_reason_is_in_the_note(audio: Path) -> None:
    shortest = measure_utterances(audio, "F01").set_index("utterance_id").loc["a0"]

    assert shortest["pesq"] == shortest["stoi"] == ""
    assert shortest["note"].startswith("pesq: shorter than 0.25 s; stoi: less than 0.4 s of speech; estoi: ")
    assert shortest["mel_distance"] != ""


def test_sources_of_fewer_corpora_are_measured_on_the_same_utterances(audio: Path) -> None:
    both = measure_utterances(audio, "F01", number=4)
    one = measure_utterances(audio, "F01", ["b"], number=4)

    assert list(one["utterance_id"]) == list(both.loc[both["corpus"] == "b", "utterance_id"])
    assert len(one) == 2


def test_a_source_of_no_corpus_that_is_judged_is_refused(audio: Path) -> None:
    with pytest.raises(QualityError, match="source F01: no bona fide trial of .*C1.tsv is from corpus c"):
        measure_utterances(audio, "F01", ["c"])


def test_a_drawn_utterance_without_audio_is_named(audio: Path) -> None:
    index = audio / "a/F01/0000.parquet"
    files.write_parquet(index, pd.read_parquet(index).query("utterance_id != 'a2'"))

    with pytest.raises(ShardError, match="no utterance a2 in its shards"):
        measure_utterances(audio, "F01")


def test_a_source_made_in_two_ways_is_refused(audio: Path) -> None:
    index = audio / "a/F01/0000.parquet"
    files.write_parquet(index, pd.read_parquet(index).assign(quantizers=6))

    with pytest.raises(QualityError, match="source F01: its shards under .* were made with 2 settings"):
        measure_utterances(audio, "F01")


def test_a_fake_that_is_shorter_than_its_recording_is_refused(audio: Path) -> None:
    with ShardWriter(audio / "a/F01/0000.tar", "F01_", Provenance("encodec", 4, 2.0, "", "0.1.0")) as shard:
        for number in range(4):
            shard.add(f"a{number}", voice(0.09), SAMPLE_RATE)

    with pytest.raises(QualityError, match="a0 of a: F01 has 1440 samples at 16000 Hz and the recording has 1600"):
        measure_utterances(audio, "F01")


def test_fakes_at_another_rate_are_measured_at_16_khz(audio: Path) -> None:
    with ShardWriter(audio / "a/F01/0000.tar", "F01_", Provenance("encodec", 4, 2.0, "", "0.1.0")) as shard:
        for number in range(4):
            wav = voice(0.1 if number == 0 else 0.8, 120 + 9 * number)
            shard.add(f"a{number}", np.interp(np.arange(3 * len(wav)) / 3, np.arange(len(wav)), wav), 3 * SAMPLE_RATE)
    table = measure_utterances(audio, "F01", ["a"])

    assert (pd.to_numeric(table["si_sdr_db"]) > 15).all()


def test_no_utterance_at_all_is_refused() -> None:
    with pytest.raises(QualityError, match="utterances is 0; at least 1 is needed"):
        QualitySettings({"F01": ["a"]}, 0)


@pytest.mark.long
def test_without_the_package_pesq_is_empty_and_nothing_else_is(audio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = measure_utterances(audio, "F01")
    monkeypatch.setitem(sys.modules, "pesq", None)
    without = measure_utterances(audio, "F01")

    assert set(without["pesq"]) == {""}
    assert without["note"].str.contains("pesq: not installed").all()
    columns = [name for name in COLUMNS if name not in ("pesq", "note")]
    pd.testing.assert_frame_equal(without[columns], with_it[columns])


# the tables


def row(utterance: str, made_by: tuple[str, int], note: str = "", **values: float) -> dict[str, str]:
    codec, quantizers = made_by
    row = {"corpus": "a", "utterance_id": utterance, "speaker_id": "s", "codec": codec, "note": note}
    row |= {"quantizers": str(quantizers), "bitrate_kbps": str(quantizers / 2)}
    numbers = dict.fromkeys(NAMES, "1") | {name: "" if np.isnan(v) else str(v) for name, v in values.items()}
    return row | numbers


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Four sources of two codecs with made-up numbers; L8 is worse than L4 by PESQ, and better by SI-SDR."""
    lost = "pesq: no speech found; stoi: less than 0.4 s of speech"
    sources = {
        "L4": [row("u1", ("lyra", 4), pesq=2.0, si_sdr_db=1), row("u2", ("lyra", 4), pesq=3.0, si_sdr_db=2),
               row("u3", ("lyra", 4), pesq=4.0, si_sdr_db=3)],
        "L8": [row("u1", ("lyra", 8), pesq=1.5, si_sdr_db=2), row("u2", ("lyra", 8), pesq=2.6, si_sdr_db=4),
               row("u3", ("lyra", 8), lost, pesq=np.nan, stoi=np.nan, si_sdr_db=6)],
        "P00": [row("u1", ("through", 1), si_sdr_db=np.inf), row("u2", ("through", 1), si_sdr_db=np.inf)],
        "X1": [row("u1", ("alone", 1), "pesq: not installed", pesq=np.nan)],
    }  # fmt: skip
    for source, rows in sources.items():
        files.write_tsv(
            tmp_path / "quality" / f"{source}.tsv", pd.DataFrame(rows, columns=COLUMNS).assign(source=source)
        )
    write_summary(SummarySettings(list(sources), list(sources)), tmp_path / "quality", tmp_path / "tables")
    return tmp_path / "tables"


def means(tables: Path) -> pd.DataFrame:
    return pd.read_csv(tables / "quality.csv", keep_default_na=False).set_index(["source", "metric"])


def test_a_mean_has_its_standard_error_and_the_number_of_utterances(tables: Path) -> None:
    pesq = means(tables).loc[("L4", "pesq")]

    assert pesq["n"] == 3
    assert pesq["missing"] == 0
    assert float(pesq["mean"]) == 3
    assert float(pesq["standard_error"]) == pytest.approx(1 / np.sqrt(3), rel=1e-5)  # deviations -1, 0, 1; n - 1 is 2


def test_what_was_not_measured_is_counted_with_its_reasons(tables: Path) -> None:
    table = means(tables)

    assert table.loc[("L8", "pesq"), ["n", "missing", "why_missing"]].tolist() == [2, 1, "no speech found (1)"]
    assert table.loc[("X1", "pesq"), ["n", "mean", "why_missing"]].tolist() == [0, "", "not installed (1)"]
    assert table.loc[("X1", "stoi"), ["n", "mean", "standard_error"]].tolist() == [1, "1", ""]


def test_a_perfect_copy_has_an_infinite_mean_and_no_standard_error(tables: Path) -> None:
    assert means(tables).loc[("P00", "si_sdr_db"), ["mean", "standard_error"]].tolist() == ["inf", ""]


def test_more_bits_are_compared_on_the_utterances_that_both_have(tables: Path) -> None:
    order = pd.read_csv(tables / "quality_order.csv").set_index("metric")

    assert set(zip(order["fewer"], order["more"], strict=True)) == {("L4", "L8")}
    assert list(order.index) == [metric.name for metric in METRICS if metric.better != NEITHER]
    # by PESQ 1.5 - 2 and 2.6 - 3: mean -0.45, deviations ±0.05, standard error 0.0707 / √2 = 0.05
    assert order.loc["pesq", ["n", "gain", "standard_error", "worse"]].tolist() == [2, -0.45, 0.05, "yes"]
    # by SI-SDR 1, 2 and 3 dB more
    assert order.loc["si_sdr_db", ["n", "gain", "worse"]].tolist() == [3, 2, "no"]
    assert order.loc["estoi", ["gain", "standard_error", "worse"]].tolist() == [0, 0, "no"]


def test_worse_with_more_bits_is_said_aloud_and_stops_nothing(tables: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_summary(SummarySettings(["L8", "L4"], ["L4", "L8"]), tables.parent / "quality", tables)

    assert "more bits are worse in 1 of 9 comparisons: pesq from L4 to L8; quality_order.csv says" in caplog.text


def test_a_distance_that_grows_is_worse(tmp_path: Path) -> None:
    for source, quantizers, distance in (("L4", 4, 0.2), ("L8", 8, 0.3)):
        rows = [row(name, ("lyra", quantizers), mel_distance=distance) for name in ("u1", "u2")]
        files.write_tsv(tmp_path / f"{source}.tsv", pd.DataFrame(rows, columns=COLUMNS).assign(source=source))
    write_summary(SummarySettings(["L4", "L8"], ["L4", "L8"]), tmp_path, tmp_path)
    order = pd.read_csv(tmp_path / "quality_order.csv").set_index("metric")

    assert order.loc["mel_distance", "gain"] == pytest.approx(-0.1)
    assert list(order.index[order["worse"] == "yes"]) == ["mel_distance"]


def test_less_than_a_standard_error_is_no_finding(tmp_path: Path) -> None:
    for source, quantizers, values in (("L4", 4, (1.0, 2.0)), ("L8", 8, (1.5, 1.4))):
        rows = [row(f"u{k}", ("lyra", quantizers), pesq=value) for k, value in enumerate(values)]
        files.write_tsv(tmp_path / f"{source}.tsv", pd.DataFrame(rows, columns=COLUMNS).assign(source=source))
    write_summary(SummarySettings(["L4", "L8"], ["L4", "L8"]), tmp_path, tmp_path)
    pesq = pd.read_csv(tmp_path / "quality_order.csv").set_index("metric").loc["pesq"]

    assert pesq["gain"] == pytest.approx(-0.05)  # +0.5 and -0.6
    assert pesq["standard_error"] == pytest.approx(0.55)
    assert pesq["worse"] == "no"


def test_a_file_of_an_older_version_is_refused_with_the_remedy(tables: Path) -> None:
    path = tables.parent / "quality/L4.tsv"
    files.write_tsv(path, files.read_tsv(path).drop(columns="estoi"))

    with pytest.raises(QualityError, match="L4.tsv: no column 'estoi'; delete it and measure again"):
        read(path)


def test_a_source_that_no_file_has_is_named_with_the_remedy(tables: Path) -> None:
    with pytest.raises(QualityError, match="no file has rows of source L9; delete that of its codec and measure again"):
        write_summary(SummarySettings(["L4", "L9"], ["L4"]), tables.parent / "quality", tables)


def test_statistics_of_nothing_of_one_and_of_two() -> None:
    nothing, one, two = statistics(np.array([np.nan])), statistics(np.array([3.0])), statistics(np.array([3.0, 5.0]))

    assert (nothing.n, one.n, two.n) == (0, 1, 2)
    assert np.isnan(nothing.mean)
    assert (one.mean, two.mean, two.standard_error) == (3, 4, 1)  # √2 / √2
    assert np.isnan(one.standard_error)


def test_every_measure_has_one_direction() -> None:
    assert {name for name, better in BETTER.items() if better == HIGHER} == {"pesq", "stoi", "estoi", "si_sdr_db"}
    assert {name for name, better in BETTER.items() if better == NEITHER} == {"bandwidth_hz", "bonafide_bandwidth_hz"}
    assert list(measure(np.zeros(2000), np.zeros(2000))) == NAMES
