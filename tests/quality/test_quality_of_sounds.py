"""Quality on sounds: measures of speech have a reason in place of a value, and sounds have a table of their own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files
from codecfake.quality.measures import NAMES, NO_SPEECH, SPEECH_ALONE, measure_sound
from codecfake.quality.step import COLUMNS, QualitySettings, SummarySettings, measure_codec, write_summary

RATE = 16000


def noise(seed: int, duration: float = 1.0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(duration * RATE)).clip(-4, 4)


def test_a_sound_has_no_measure_of_speech_and_all_others() -> None:
    values = measure_sound(noise(0), noise(0) + 0.1 * noise(1))
    assert list(values) and set(values) == set(NAMES)
    assert {name for name, value in values.items() if value == NO_SPEECH} == set(SPEECH_ALONE)
    assert values["si_sdr_db"] == pytest.approx(20, abs=0.2)  # noise at a tenth of the amplitude


def row(corpus: str, name: str, value: float, note: str = "") -> dict[str, object]:
    place = {"corpus": corpus, "utterance_id": name, "speaker_id": name, "codec": "lyra", "quantizers": 4}
    numbers = {metric: "" if note and metric in SPEECH_ALONE else str(value) for metric in NAMES}
    return {**place, "bitrate_kbps": "3.2", **numbers, "note": note}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    note = "; ".join(f"{name}: {NO_SPEECH}" for name in SPEECH_ALONE)
    speech, sounds = [row("vctk", "a", 1), row("vctk", "b", 3)], [row("fsd50k", "c", 10, note)]
    for source, rows in {"F01": speech + sounds, "F02": sounds, "F03": speech}.items():
        table = pd.DataFrame(rows, columns=COLUMNS).assign(source=source)
        files.write_tsv(tmp_path / "quality" / f"{source}.tsv", table)
    settings = SummarySettings(["F01", "F02", "F03"], ["F01", "F02", "F03"], sounds=["fsd50k"])
    write_summary(settings, tmp_path / "quality", tmp_path / "tables")
    return tmp_path / "tables"


def mean(path: Path, source: str, metric: str) -> tuple[object, object, object]:
    table = pd.read_csv(path, keep_default_na=False).set_index(["source", "metric"])
    return tuple(table.loc[(source, metric), ["n", "mean", "why_missing"]])


def test_means_of_speech_and_of_sounds_are_in_two_tables(tables: Path) -> None:
    assert mean(tables / "quality.csv", "F01", "mel_distance") == (2, "2", "")
    assert mean(tables / "quality_sounds.csv", "F01", "mel_distance") == (1, "10", "")
    assert mean(tables / "quality_sounds.csv", "F01", "pesq") == (0, "", f"{NO_SPEECH} (1)")


def test_a_source_without_speech_is_in_both_and_one_without_sounds_in_one(tables: Path) -> None:
    assert mean(tables / "quality.csv", "F02", "mel_distance") == (1, "10", "")
    assert set(pd.read_csv(tables / "quality_sounds.csv")["source"]) == {"F01", "F02"}


def test_the_file_of_a_source_has_the_reason_for_sounds_alone(tmp_path: Path) -> None:
    trials = []
    for corpus in ("speech", "sounds"):
        for source, seed in (("F00", 0), ("F01", 1)):
            made_by = Provenance("none" if source == "F00" else "lyra", 4, 3.2, "", "0.1.0")
            with ShardWriter(tmp_path / "audio" / corpus / source / "0000.tar", f"{source}_", made_by) as shard:
                shard.add("u", noise(0) + 0.1 * seed * noise(1), RATE)
        trials.append({"trial_id": f"{corpus}_u", "utterance_id": "u", "source": "F00", "corpus": corpus,
                       "speaker_id": "s", "key": "bonafide", "language": "en", "attack": "-"})  # fmt: skip
    files.write_tsv(tmp_path / "C1.tsv", pd.DataFrame(trials))
    settings = QualitySettings({"F01": ["speech", "sounds"]}, utterances=2, sounds=["sounds"])
    measure_codec(settings, [tmp_path / "C1.tsv"], tmp_path / "audio", tmp_path / "F01.tsv")
    table = files.read_tsv(tmp_path / "F01.tsv").set_index("corpus")
    assert NO_SPEECH in table.loc["sounds", "note"] and table.loc["sounds", "voicing_error"] == ""
    assert NO_SPEECH not in table.loc["speech", "note"] and table.loc["speech", "voicing_error"] != ""
