"""A detector trained by the package on a few utterances of eSpeak NG becomes a shipped one by a card alone."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import tones
import torch

from codecfake.__main__ import main
from codecfake.audio import waveforms
from codecfake.audio.shards import ShardWriter
from codecfake.base import files
from codecfake.detectors import shipped_models
from codecfake.detectors.detector import DetectorSettings
from codecfake.training.loop import train
from codecfake.training.settings import TrainSettings

SETTINGS = TrainSettings(
    detector=DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125}),
    crop_samples=8_000, batch_size=8, epochs=4, learning_rate=2e-3, seed=1, tensorboard=False,
)  # fmt: skip
TEXTS = ("one small step", "a quiet morning", "the blue door", "seven green birds", "open the window", "late again",
         "under the bridge", "a cup of tea", "the last train", "nothing new")  # fmt: skip


def utterances() -> dict[str, np.ndarray]:
    """Speech `[T]` at 16 kHz, by source: eSpeak NG, and the same in 16 steps of amplitude, as a poor codec has."""
    pytest.importorskip("espeakng_loader")
    from codecfake.demo import espeak

    manner = espeak.Manner("en-us", 50, 50, 170)
    wavs = [espeak.speak(text, manner) / 32768 for text in TEXTS]
    speech = [waveforms.resample(wav, espeak.SAMPLE_RATE, tones.SAMPLE_RATE) for wav in wavs]
    return {tones.RECORDINGS: speech, tones.SOURCE: [np.round(16 * wav) / 16 for wav in speech]}  # type: ignore[dict-item]


@pytest.mark.long
def test_a_trained_model_with_a_card_is_a_shipped_detector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    by_source = utterances()
    for source, wavs in by_source.items():
        with ShardWriter(
            tmp_path / "audio" / tones.CORPUS / source / "0000.tar", f"{source}_", tones.PROVENANCE
        ) as out:
            for number, wav in enumerate(wavs):
                out.add(f"u{number:03d}", wav, tones.SAMPLE_RATE)
                soundfile.write(tmp_path / f"{source}_u{number:03d}.wav", wav, tones.SAMPLE_RATE)
    train_tsv = tones.write_protocol(tmp_path / "lists/train.tsv", range(6))
    dev_tsv = tones.write_protocol(tmp_path / "lists/dev.tsv", range(6, 10))
    model = tmp_path / "model"
    train([train_tsv], [dev_tsv], tmp_path / "audio", model, SETTINGS, torch.device("cpu"))

    folder = tmp_path / "shipped" / shipped_models.DEFAULT
    shutil.copytree(model, folder)
    (folder / shipped_models.CARD).write_text("# Of ten utterances\n", encoding="utf-8")
    monkeypatch.setattr(shipped_models, "SHIPPED", tmp_path / "shipped")
    output = tmp_path / "scores.tsv"
    main(["score", str(tmp_path), "--output", str(output), "--device", "cpu", "--threads", "1"])
    assert capsys.readouterr().out.count("(demonstration; score ") == 2 * len(TEXTS)
    names = files.read_tsv(output)["trial_id"]
    keys = pd.DataFrame({"trial_id": names, "key": np.where(names.str.startswith("F00"), "bonafide", "spoof")})
    files.write_tsv(tmp_path / "keys.tsv", keys)
    main(["eer", str(output), "--protocol", str(tmp_path / "keys.tsv"), "--resamples", "0"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert float(last.split()[-1].rstrip("%")) < 50, last
