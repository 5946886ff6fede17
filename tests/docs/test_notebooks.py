"""The notebooks run from the first cell to the last, as they are and on a reader's own data, and are stored plain."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
import soundfile
import tones
from places import ROOT

from codecfake.base import files

FOLDER = ROOT / "docs/notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
FIRST, SECOND = "mel-lcnn/vocoder/erm/seed1", "mel-lcnn/codec/erm/seed1"


@pytest.fixture
def sounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Runs in an empty folder; the number of samples of every sound that a notebook plays. Jupyter is not needed."""
    monkeypatch.chdir(tmp_path)
    played: list[int] = []

    def audio(data: np.ndarray, rate: int) -> None:
        assert data.ndim == 1 and np.abs(data).max() > 0 and rate > 0
        played.append(len(data))

    display = ModuleType("IPython.display")
    display.Audio, display.display = audio, lambda value: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return played


def run(name: str, **settings: str) -> dict[str, Any]:
    """The names that a notebook defines; `settings` replace the None of its first cell."""
    cells = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    first, *others = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for setting, value in settings.items():
        assert f"{setting} = None" in first
        first = first.replace(f"{setting} = None", f"{setting} = {value!r}")
    names: dict[str, Any] = {}
    for code in (first, *others):
        exec(code, names)
    return names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_valid_and_stored_without_outputs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    nbformat.validate(notebook)
    assert text == json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_every_notebook_is_run_by_a_test() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [path.stem for path in NOTEBOOKS if f'run("{path.stem}"' not in here] == []


@pytest.mark.long
def test_a_data_set_has_a_fake_of_each_codec_for_each_recording(sounds: list[int], tmp_path: Path) -> None:
    names = run("make-a-data-set")
    assert names["table"].groupby("label").size().to_dict() == {"bonafide": 10, "spoof": 40}
    assert (tmp_path / "ten-recordings.zip").is_file()
    assert len(sounds) == 5
    for path in names["table"].query("label == 'spoof'")["path"]:
        name = Path(path).name.partition("_")[2]
        fake, recording = (soundfile.info(tmp_path / "ten-recordings" / each) for each in (path, f"F00/{name}"))
        assert (fake.frames, fake.samplerate, fake.subtype) == (recording.frames, 16_000, recording.subtype)


@pytest.mark.long
def test_a_data_set_is_made_from_a_folder_of_the_reader(sounds: list[int], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    soundfile.write(tmp_path / "mine/anna_1.wav", 0.3 * np.sin(np.arange(24_000) / 20), 48_000)
    names = run("make-a-data-set", RECORDINGS="mine")
    assert set(names["table"]["speaker"]) == {"anna"}
    assert sounds == [8_000] * 5


@pytest.mark.long
def test_a_folder_is_judged_and_the_bad_file_has_a_reason(sounds: list[int]) -> None:
    with pytest.warns(UserWarning, match="Demonstration"):
        names = run("judge-a-folder")
    table = names["table"].set_index("path")
    assert len(table) == 9
    assert "truncated" in table.loc["to-judge/broken.wav", "reason"]
    assert set(table["verdict"].dropna()) == {"bona fide", "spoof"}


def test_two_detectors_are_compared(sounds: list[int]) -> None:
    comparison = run("compare-two-detectors")["comparison"]
    assert 0.05 < comparison.second < comparison.first < 0.25
    assert comparison.difference.low > 0 and comparison.p_value < 0.01


def test_two_detectors_of_a_run_are_compared(sounds: list[int], tmp_path: Path) -> None:
    path = tones.write_protocol(tmp_path / "run/results/protocols/eval/C1.tsv", range(40))
    protocol = files.read_tsv(path)
    files.write_tsv(path, protocol.assign(speaker_id=[f"s{number % 8}" for number in range(len(protocol))]))
    better = np.where(protocol["key"] == "bonafide", 1.0, -1.0) + np.random.default_rng(0).normal(0, 0.8, len(protocol))
    worse = better + np.random.default_rng(1).normal(0, 3, len(protocol))
    for model, scores in ((FIRST, worse), (SECOND, better[::-1])):
        trials = protocol["trial_id"] if model == FIRST else protocol["trial_id"][::-1]
        table = pd.DataFrame({"trial_id": trials.to_numpy(), "score": scores})
        files.write_tsv(tmp_path / "run/results/scores" / model / "C1.tsv", table)
    comparison = run("compare-two-detectors", RUN="run")["comparison"]
    assert comparison.second < comparison.first
