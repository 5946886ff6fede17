"""Duration, level and silence of generated fakes, on signals whose values are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files
from codecfake.base.utterances import COLUMNS
from codecfake.quality.generated import measure, measure_generated, silent_share, write_generated_summary

RATE = 16_000


def sine(seconds: float, amplitude: float) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * 200 * np.arange(round(seconds * RATE)) / RATE)


def test_a_sine_has_the_level_of_its_amplitude() -> None:
    values = measure(sine(2.0, 0.5), RATE, "ten letters")
    assert values["seconds"] == 2.0 and values["characters_per_second"] == 5.5
    assert values["peak_db"] == pytest.approx(-6.02, abs=0.01)
    assert values["rms_db"] == pytest.approx(-9.03, abs=0.01)
    assert values["silent_share"] == 0


def test_half_of_the_frames_can_be_silent() -> None:
    assert silent_share(np.concatenate([sine(1.0, 0.5), np.zeros(RATE)]), RATE) == 0.5


def test_silence_has_the_level_of_half_a_step() -> None:
    assert measure(np.zeros(RATE), RATE, "x")["peak_db"] == pytest.approx(-96.3, abs=0.05)


def test_a_waveform_shorter_than_a_frame_is_one_frame() -> None:
    assert silent_share(sine(0.01, 0.5), RATE) == 0


def test_the_summary_has_the_extremes_of_all_fakes(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "audio/valle/F00/0000.tar", "", Provenance("none", 0, 0.0, "", "test")) as writer:
        for name, seconds in (("a", 1.0), ("b", 3.0)):
            writer.add(name, sine(seconds, 0.5), RATE)
    rows = [{**dict.fromkeys(COLUMNS, ""), "utterance_id": n, "text": "hello", "attack": "VALL-E"} for n in ("a", "b")]
    files.write_parquet(tmp_path / "utterances.parquet", pd.DataFrame(rows))
    measure_generated("valle", tmp_path / "utterances.parquet", tmp_path / "audio", tmp_path / "valle.tsv")
    write_generated_summary([tmp_path / "valle.tsv"], tmp_path / "generated.csv")
    table = pd.read_csv(tmp_path / "generated.csv").set_index("measure")
    assert list(table.loc["seconds", ["n", "mean", "least", "median", "most"]]) == [2, 2.0, 1.0, 2.0, 3.0]
    assert (table["attack"] == "VALL-E").all() and (table["corpus"] == "valle").all()
