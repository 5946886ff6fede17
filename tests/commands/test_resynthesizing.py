"""`codecfake resynthesize`: files of one's own through a codec, as the workflow would take them."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

import codec_wrappers
from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codec_wrappers.resynthesis.shard import resynthesize_shard
from codec_wrappers.weights.loading import save
from codecfake.__main__ import main
from codecfake.audio.shards import AudioStore
from codecfake.base import files, utterances

CPU = torch.device("cpu")
SMALL = codec_wrappers.entry("encodec").small
ON_CPU = ("--device", "cpu", "--threads", "1")


def write_speech(path: Path, rate: int = 22_050, num_samples: int = 20_001, channels: int = 1) -> Path:
    rng = np.random.default_rng(1)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * rng.standard_normal((num_samples, channels)), rate)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small EnCodec, in a folder as a run trains them."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    codec = codec_wrappers.build("encodec", SMALL)
    assert codec.network is not None
    save(codec.network, folder / "weights.safetensors")
    files.write_json(folder / "settings.json", {"codec": "encodec", "model": SMALL})
    return folder


def samples(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="int16")[0]


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_the_control_gives_back_every_sample(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    speech = write_speech(tmp_path / "speech.wav")
    main(["resynthesize", str(speech), str(tmp_path / f"fake{suffix}"), "--codec", "passthrough", *ON_CPU])
    np.testing.assert_array_equal(samples(tmp_path / f"fake{suffix}"), samples(speech))
    assert soundfile.info(tmp_path / f"fake{suffix}").samplerate == 22_050
    assert capsys.readouterr().out == f"1 file written to {tmp_path / f'fake{suffix}'}\n"


def test_a_file_comes_out_as_from_a_shard_of_the_workflow(tmp_path: Path, weights: Path) -> None:
    speech = write_speech(tmp_path / "corpus/speech.wav")
    row = {
        "utterance_id": "u1", "path": "speech.wav", "sha256": files.sha256(speech), "num_samples": 20_001,
        "sample_rate": 22_050, "key": "bonafide", "duration": 20_001 / 22_050,
    }  # fmt: skip
    others = dict.fromkeys(set(utterances.COLUMNS) - set(row), "")
    pd.DataFrame([{**others, **row}]).to_parquet(tmp_path / "utterances.parquet")
    settings = ResynthesisSettings("encodec", "encodec", {"F01": 2}, 1, SMALL)
    resynthesize_shard(
        settings, tmp_path / "utterances.parquet", speech.parent, weights, 0, tmp_path / "audio/tones", CPU
    )
    of_shard, rate = AudioStore(tmp_path / "audio", [("tones", "F01")]).read("tones", "F01", "u1")

    fake = tmp_path / "fake.flac"
    options = ["--weights", str(weights), "--quantizers", "2", "--sample-rate", str(rate)]
    main(["resynthesize", str(speech), str(fake), "--codec", "encodec", *options, *ON_CPU])
    np.testing.assert_array_equal(samples(fake), of_shard)


def test_a_folder_keeps_its_tree_and_leaves_out_what_is_not_audio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_speech(tmp_path / "in/a/one.wav", channels=2)
    write_speech(tmp_path / "in/two.flac", rate=16_000)
    (tmp_path / "in/notes.txt").write_text("not audio")
    main(["resynthesize", str(tmp_path / "in"), str(tmp_path / "out"), "--codec", "passthrough", *ON_CPU])
    paths = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert paths == {"a/one.flac", "two.flac"}
    assert soundfile.info(tmp_path / "out/a/one.flac").channels == 1
    assert capsys.readouterr().out.startswith("2 files written to")


def test_the_rest_of_a_folder_is_written_and_every_bad_file_is_named_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.wav", "sub/z.wav"):
        write_speech(tmp_path / "in" / name)
    bad = {"b\nc.wav": b"", "empty.wav": b"", "text.wav": b"a text", ("x" * 240 + ".wav"): b"RIFF"}
    for name, data in bad.items():
        (tmp_path / "in" / name).write_bytes(data)
    soundfile.write(tmp_path / "in/loud.wav", np.linspace(-2, 2, 20_000), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "in/silent.wav", np.zeros(20_000), 16_000)
    os.mkfifo(tmp_path / "in/pipe.wav")
    with pytest.raises(SystemExit) as exit_:
        main(["resynthesize", str(tmp_path / "in"), str(tmp_path / "out"), "--codec", "passthrough", *ON_CPU])
    assert sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file()) == ["a.flac", "z.flac"]
    first, *lines = str(exit_.value.code).splitlines()
    assert first == "ResynthesisError: these could not be resynthesized; all others were:"
    assert [Path(line.strip()).name.partition(": ")[::2] for line in lines] == [
        ("b\\nc.wav", "the file is empty"),
        ("empty.wav", "the file is empty"),
        ("loud.wav", "float samples exceed ±1 (peak 2), which 16 bit would clip; rescale the file"),
        ("silent.wav", "digital silence: every sample is 0"),
        ("text.wav", "cannot be decoded (Format not recognised.)"),
        ("x" * 240 + ".wav", "truncated: the file ends within its header"),
    ]
    assert capsys.readouterr().out.startswith(f"2 files written to {tmp_path / 'out'}\nSkipped links that lead nowhere")


def test_no_recording_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speech = write_speech(tmp_path / "in/speech.flac")
    content = speech.read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    for target in ("in", "in/fakes", "link", "."):
        source = "in" if target != "." else "."
        with pytest.raises(SystemExit, match=r"is within .*, the folder of the recordings; choose a folder beside it"):
            main(["resynthesize", source, target, "--codec", "passthrough", *ON_CPU])
    with pytest.raises(SystemExit, match="the recording itself, which would be overwritten"):
        main(["resynthesize", "in/speech.flac", "link/speech.flac", "--codec", "passthrough", *ON_CPU])
    assert speech.read_bytes() == content
    assert list((tmp_path / "in").iterdir()) == [speech]


def test_a_codec_of_one_s_own_is_taken_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODECFAKE_PLUGINS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "silent.py").write_text(
        "import torch\n"
        "from codec_wrappers.codec import Codec\n"
        "class Silent(Codec):\n"
        "    sample_rate, hop_length, num_quantizers, bits_per_code = 8000, 80, 1, 1.0\n"
        "    def encode(self, wav): return torch.zeros(len(wav), 1, wav.shape[1] // 80, dtype=torch.int64)\n"
        "    def decode(self, codes): return torch.zeros(len(codes), codes.shape[2] * 80)\n"
        "def build(settings): return Silent()\n"
    )
    write_speech(tmp_path / "speech.wav")
    main(["resynthesize", "speech.wav", "fake.wav", "--codec", "silent.py:build", *ON_CPU])
    fake = samples(tmp_path / "fake.wav")
    assert len(fake) == 20_001
    assert not fake.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fake.wav", "--codec", "encodec"], r"WeightsError: encodec needs weights: .*official:encodec_24khz"),
        (["fake.wav", "--codec", "encodec", "--weights", "nowhere"], "WeightsError: nowhere: no such file or folder"),
        (["fake.wav", "--codec", "encodec", "--weights", "official:encodc"], "unknown checkpoint 'encodc'"),
        (["fake.wav", "--codec", "encodc"], r"unknown codec 'encodc'; did you mean 'encodec'\?"),
        (["fake.wav", "--codec", "passthrough", "--quantizers", "2"], "quantizers is 2; choose from 1 to 1"),
        (["fake.wav", "--codec", "passthrough", "--model", "channels"], "--model channels: write KEY=VALUE"),
        (["fake.mp3", "--codec", "passthrough"], r"unknown format '.mp3'; choose from .flac, .wav"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    write_speech(tmp_path / "speech.wav")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=message):
        main(["resynthesize", "speech.wav", *arguments, *ON_CPU])
    assert not Path(arguments[0]).exists()
