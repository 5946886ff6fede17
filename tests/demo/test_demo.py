"""The demo's corpora: official layouts, distinct speakers, the same bytes every time."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from places import ROOT

from codecfake.audio.waveforms import Audio
from codecfake.base.settings import SettingsError
from codecfake.demo import aishell3, asvspoof2019, corpora, espeak, libritts, plan, recording, texts, vctk, voices
from codecfake.demo.attacks import KNOWN_ATTACKS, UNKNOWN_ATTACKS
from codecfake.demo.corpora import DemoError, synthesize
from codecfake.demo.espeak import Manner, SpeechError, speak
from codecfake.demo.settings import DemoSettings

TINY = DemoSettings(
    english_speakers=2,
    mandarin_speakers=2,
    codec_training_speakers=2,
    utterances_per_speaker=2,
    vocoder_speakers=3,
    bonafide_per_vocoder_speaker=2,
    spoofs_per_attack=1,
)
PROTOCOLS = "LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "corpora"
    synthesize(root, TINY)
    return root


def audio_files(root: Path) -> list[Path]:
    return sorted([*root.rglob("*.flac"), *root.rglob("*.wav")])


def names(root: Path, pattern: str) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.glob(pattern))


def protocol(root: Path, part: str) -> list[list[str]]:
    return [line.split(" ") for line in (root / f"{PROTOCOLS}.{part}.txt").read_text().splitlines()]


# layouts


def test_vctk_has_a_microphone_1_flac_and_a_transcript_of_each_utterance(demo):
    stems = ["p301/p301_001", "p301/p301_002", "p302/p302_001", "p302/p302_002"]
    audio = "VCTK/wav48_silence_trimmed"
    assert names(demo, "VCTK/wav48_silence_trimmed/*/*") == [f"{audio}/{stem}_mic1.flac" for stem in stems]
    assert names(demo, "VCTK/txt/*/*") == [f"VCTK/txt/{stem}.txt" for stem in stems]
    assert all((demo / name).read_text().strip() in texts.english() for name in names(demo, "VCTK/txt/*/*"))


def test_vctk_speaker_info_names_each_speaker_and_gender(demo):
    header, *rows = (demo / "VCTK/speaker-info.txt").read_text().splitlines()
    assert header.split() == ["ID", "AGE", "GENDER", "ACCENTS", "REGION", "COMMENTS"]
    assert [(row.split()[0], row.split()[2]) for row in rows] == [("p301", "F"), ("p302", "M")]


def test_aishell3_has_wav_files_of_different_speakers_in_train_and_test(demo):
    assert names(demo, "AISHELL3/*/wav/*/*") == [
        "AISHELL3/test/wav/SSB9002/SSB90020001.wav",
        "AISHELL3/test/wav/SSB9002/SSB90020002.wav",
        "AISHELL3/train/wav/SSB9001/SSB90010001.wav",
        "AISHELL3/train/wav/SSB9001/SSB90010002.wav",
    ]


@pytest.mark.parametrize("part", ["train", "test"])
def test_aishell3_content_gives_the_hanzi_at_every_other_token(demo, part):
    sentences = {sentence.hanzi for sentence in texts.mandarin()}
    lines = (demo / f"AISHELL3/{part}/content.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    for line in lines:
        name, content = line.split("\t")
        assert (demo / f"AISHELL3/{part}/wav/{name[:7]}/{name}").is_file()
        assert "".join(content.split(" ")[::2]) in sentences


def test_aishell3_speaker_info_has_four_columns_under_a_comment(demo):
    lines = (demo / "AISHELL3/spk-info.txt").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert [(len(row), row[0], row[2]) for row in rows] == [(4, "SSB9001", "female"), (4, "SSB9002", "male")]


def test_libritts_has_a_normalized_text_beside_each_wav(demo):
    folder = "LibriTTS/train-clean-100"
    stems = [f"{speaker}/1/{speaker}_1_00000{number}_000000" for speaker in (9101, 9102) for number in (1, 2)]
    assert names(demo, "LibriTTS/*/*/*/*.wav") == [f"{folder}/{stem}.wav" for stem in stems]
    assert all((demo / f"{folder}/{stem}.normalized.txt").read_text().strip() in texts.english() for stem in stems)


@pytest.mark.parametrize(("name", "part"), [("train", "train.trn"), ("dev", "dev.trl"), ("eval", "eval.trl")])
def test_the_la_protocol_lists_exactly_the_files_of_its_partition(demo, name, part):
    paths = sorted(f"LA/ASVspoof2019_LA_{name}/flac/{row[1]}.flac" for row in protocol(demo, part))
    assert paths == names(demo, f"LA/ASVspoof2019_LA_{name}/flac/*")
    assert len(paths) == TINY.bonafide_per_vocoder_speaker + 4 * TINY.spoofs_per_attack


def test_la_attacks_of_evaluation_are_not_those_of_training(demo):
    attacks = {part: sorted(row[3] for row in protocol(demo, part)) for part in ("train.trn", "dev.trl", "eval.trl")}
    assert attacks["train.trn"] == attacks["dev.trl"] == ["-", "-", *(attack.name for attack in KNOWN_ATTACKS)]
    assert attacks["eval.trl"] == ["-", "-", *(attack.name for attack in UNKNOWN_ATTACKS)]


def test_la_protocol_rows_have_an_attack_exactly_if_they_are_spoofs(demo):
    rows = [row for part in ("train.trn", "dev.trl", "eval.trl") for row in protocol(demo, part)]
    assert all(len(row) == 5 and row[2] == "-" for row in rows)
    assert all((row[3] == "-") == (row[4] == "bonafide") for row in rows)


@pytest.mark.parametrize(
    ("folder", "sample_rate"), [("VCTK", 48000), ("AISHELL3", 44100), ("LibriTTS", 24000), ("LA", 16000)]
)
def test_every_file_is_mono_16_bit_at_the_rate_of_its_corpus(demo, folder, sample_rate):
    formats = {
        (info.samplerate, info.channels, info.subtype) for info in map(soundfile.info, audio_files(demo / folder))
    }
    assert formats == {(sample_rate, 1, "PCM_16")}


# audio


def test_no_file_clips_is_silent_or_of_odd_length(demo):
    for path in audio_files(demo):
        wav, sample_rate = soundfile.read(path)
        assert 0.05 < np.abs(wav).max() < 0.95, path
        assert 1.5 < len(wav) / sample_rate < 4.5, path


def test_the_pause_before_the_speech_holds_noise_not_digital_silence(demo):
    for path in audio_files(demo):
        wav, sample_rate = soundfile.read(path)
        pause = wav[: int(0.04 * sample_rate)]
        assert -65 < 10 * np.log10(np.mean(pause**2)) < -45, path


def test_a_recording_has_the_noise_level_of_its_room_and_a_level_within_bounds(rng):
    speech = Audio(np.sin(np.arange(44100) * 0.1), 22050)
    flat = np.zeros(len(recording.EQUALIZER_HZ))
    wav = recording.record(speech, recording.Room(flat, noise_dbfs=-55, noise_slope=0), 16000, rng)
    pause = wav[: int(0.04 * 16000)]
    assert recording.SPEECH_DBFS[0] < 10 * np.log10(np.mean(wav**2)) < recording.SPEECH_DBFS[1] + 0.1
    assert 10 * np.log10(np.mean(pause**2)) == pytest.approx(-55, abs=1)


def test_the_equalizer_of_a_room_is_heard_at_its_frequencies(rng):
    """A tone at 250 Hz and one at 4 kHz, as loud as each other, come out 6 dB apart."""
    time = np.arange(2 * 16000) / 16000
    speech = Audio(np.sin(2 * np.pi * 250 * time) + np.sin(2 * np.pi * 4000 * time), 16000)
    place = recording.Room(np.array([0.0, 3.0, 0.0, -3.0, 0.0]), noise_dbfs=-90, noise_slope=0)
    spectrum = np.abs(np.fft.rfft(recording.record(speech, place, 16000, rng)[8000:24000])) ** 2
    low, high = (spectrum[hertz - 50 : hertz + 50].sum() for hertz in (250, 4000))
    assert 10 * np.log10(low / high) == pytest.approx(6, abs=0.2)


# the same bytes every time


def test_sha256sums_covers_every_other_file_in_sorted_order(demo):
    rows = [line.split("  ") for line in (demo / "SHA256SUMS").read_text().splitlines()]
    files = sorted(path.relative_to(demo).as_posix() for path in demo.rglob("*") if path.is_file())
    assert [name for _, name in rows] == [name for name in files if name != "SHA256SUMS"]
    assert all(hashlib.sha256((demo / name).read_bytes()).hexdigest() == digest for digest, name in rows)


@pytest.mark.long
def test_other_numbers_of_processes_and_threads_write_the_same_bytes(demo, tmp_path):
    code = (
        "from pathlib import Path; from codecfake.demo.corpora import synthesize;"
        f"from codecfake.demo.settings import DemoSettings; synthesize(Path({str(tmp_path / 'again')!r}), {TINY!r}, 3)"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment)
    assert (tmp_path / "again/SHA256SUMS").read_bytes() == (demo / "SHA256SUMS").read_bytes()


def test_speaking_twice_gives_the_same_samples():
    manner = voices.ENGLISH[0].manner
    first, _, again = (speak(text, manner) for text in ("Good morning.", "Something else.", "Good morning."))
    np.testing.assert_array_equal(first, again)


def test_another_seed_says_and_records_everything_differently():
    for layout in corpora.LAYOUTS:
        ours, other = layout.plan(DemoSettings(seed=1)), layout.plan(DemoSettings(seed=2))
        assert [take.sentence for take in ours.takes] != [take.sentence for take in other.takes]
    assert recording.room(1, "p301").noise_dbfs != recording.room(2, "p301").noise_dbfs


# plans


@pytest.mark.parametrize("layout", corpora.LAYOUTS, ids=lambda layout: layout.ROOT)
def test_no_utterance_is_planned_twice_and_no_speaker_repeats_a_sentence(layout):
    takes = layout.plan(DemoSettings()).takes
    assert len({take.path for take in takes}) == len({take.utterance_id for take in takes}) == len(takes)
    assert len({(take.voice.speaker_id, take.sentence) for take in takes}) == len(takes)


@pytest.mark.parametrize("num_speakers", range(3, len(voices.VOCODER) + 1))
def test_no_la_speaker_is_in_two_partitions_and_no_partition_is_empty(num_speakers):
    takes = asvspoof2019.plan(DemoSettings(vocoder_speakers=num_speakers)).takes
    partitions = {(take.voice.speaker_id, take.utterance_id[:4]) for take in takes}
    assert len(partitions) == num_speakers
    assert {prefix for _, prefix in partitions} == {"LA_T", "LA_D", "LA_E"}


def test_no_spoof_copies_a_sentence_that_its_speaker_says_as_bona_fide():
    takes = asvspoof2019.plan(DemoSettings()).takes
    bonafide = {(take.voice.speaker_id, take.sentence) for take in takes if take.attack is None}
    spoofed = {(take.voice.speaker_id, take.sentence) for take in takes if take.attack is not None}
    assert len(bonafide) == 120
    assert len(spoofed) == 240
    assert not bonafide & spoofed


def test_all_voices_can_be_used_at_once():
    settings = DemoSettings(english_speakers=40, mandarin_speakers=40, utterances_per_speaker=len(texts.mandarin()))
    takes = [take for layout in (vctk, aishell3, libritts) for take in layout.plan(settings).takes]
    assert len(takes) == (40 + 40 + 8) * len(texts.mandarin())


# errors


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"english_speakers": 41}, "english_speakers: 41 is out of range; it can be 1 to 40"),
        ({"mandarin_speakers": 1}, "mandarin_speakers: 1 is out of range; it can be 2 to 40"),
        ({"codec_training_speakers": 0}, "codec_training_speakers: 0 is out of range; it can be 1 to 8"),
        ({"utterances_per_speaker": 1000}, "utterances_per_speaker: 1000 is out of range; it can be 1 to"),
        ({"vocoder_speakers": 2}, "vocoder_speakers: 2 is out of range; it can be 3 to 20"),
        (
            {"bonafide_per_vocoder_speaker": 32, "spoofs_per_attack": 9},
            "spoofs_per_attack: 9 is out of range",
        ),
    ],
)
def test_a_size_that_the_tables_cannot_fill_is_refused(values, message):
    with pytest.raises(SettingsError, match=message):
        DemoSettings(**values)


def test_an_unknown_language_is_refused():
    with pytest.raises(SpeechError, match=r"voice tlh, text 'Hello\.': SpeechError: no such voice"):
        speak("Hello.", Manner("tlh", 50, 50, 170))


def test_an_unknown_variant_is_refused_though_espeak_would_speak():
    with pytest.raises(SpeechError, match="no variant 'nobody'"):
        speak("Hello.", Manner("en-us+nobody", 50, 50, 170))


def test_a_pitch_beyond_espeaks_is_refused():
    with pytest.raises(ValueError, match="pitch is 100; eSpeak NG allows 0 to 99"):
        Manner("en-us", 100, 50, 170)


def test_a_child_that_dies_names_its_utterance(monkeypatch, tmp_path):
    monkeypatch.setattr(espeak, "_samples", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(DemoError, match=r"utterance p301_001: .*voice en-gb-x-rp\+f1.*died of SIGKILL"):
        synthesize(tmp_path / "demo", TINY)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_demo_is_replaced_whole_or_not_at_all(monkeypatch, tmp_path):
    root = tmp_path / "demo"
    root.mkdir()
    (root / "README.txt").write_text(f"{corpora.TITLE}\n")

    with monkeypatch.context() as patch, pytest.raises(DemoError):
        patch.setattr(espeak, "_samples", lambda *_: b"no text".decode("no such codec"))
        synthesize(root, TINY)
    assert [path.name for path in tmp_path.rglob("*")] == ["demo", "README.txt"]

    monkeypatch.setattr(corpora, "LAYOUTS", (libritts,))
    synthesize(root, TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert sorted(path.name for path in root.iterdir()) == ["LibriTTS", "README.txt", "SHA256SUMS"]


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("five years of work")
    with pytest.raises(DemoError, match="this folder has content other than an earlier demo"):
        synthesize(tmp_path, TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_may_be_there_already(monkeypatch, tmp_path):
    monkeypatch.setattr(corpora, "LAYOUTS", ())
    (tmp_path / "demo").mkdir()
    synthesize(tmp_path / "demo", TINY)
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["README.txt", "SHA256SUMS"]


def test_a_recording_that_cannot_be_written_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpora, "_perform", lambda *_: np.zeros(100, np.int16))
    (tmp_path / "a.wav").mkdir()
    take = plan.Take("a", voice=None, sentence="", path="a.wav", sample_rate=16_000)  # type: ignore[arg-type]
    with pytest.raises(DemoError, match=f"{tmp_path}/a.wav: cannot be written .*ulimit -f unlimited"):
        corpora._write(tmp_path, 0, take)
