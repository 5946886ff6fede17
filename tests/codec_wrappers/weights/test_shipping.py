"""Copying a run's codecs into the package."""

from pathlib import Path

import pandas as pd
import pytest

from codec_wrappers.weights.shipped import ShippedError
from codec_wrappers.weights.shipping import METRICS, ship
from codecfake.base import files

PESQ = ("", "1.5", "1.5")  # too short for a value, and two values
SETTINGS = {"wrapper": "encodec", "seed": 3, "stored": "float16", "resolved_recipe": {"steps": 70}}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with one codec and the quality of three of its utterances at two numbers of quantizers."""
    codec = tmp_path / "run/results/codecs/encodec"
    codec.mkdir(parents=True)
    files.write_bytes(codec / "weights.safetensors", b"weights")
    for name in ("history.tsv", "quality.tsv"):
        files.write_tsv(codec / name, pd.DataFrame({"step": [1]}))
    files.write_json(codec / "settings.json", SETTINGS)
    rows = []
    for source, quantizers, si_sdr in (("F04", 8, [1.0, 5.0, 2.0]), ("C4-1", 4, [0.0, -1.0, 1.0])):
        rows += [
            {"source": source, "codec": "encodec", "quantizers": quantizers,
             "bitrate_kbps": 0.6 * quantizers, "speaker_id": "p225", "utterance_id": f"u{number}",
             **dict.fromkeys(METRICS, 1.5), "si_sdr_db": value, "pesq": PESQ[number]}
            for number, value in enumerate(si_sdr)
        ]  # fmt: skip
    files.write_tsv(tmp_path / "run/results/quality/encodec.tsv", pd.DataFrame(rows))
    return tmp_path / "run"


def test_a_codec_is_copied_with_seals_and_a_card(run: Path, tmp_path: Path) -> None:
    assert ship(run, tmp_path / "shipped") == ["encodec-small"]
    folder = tmp_path / "shipped/encodec-small"
    assert (folder / "weights.safetensors").read_bytes() == b"weights"
    assert all(files.seal_of(folder / name).is_file() for name in ("weights.safetensors", "settings.json", "card.md"))
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert files.sha256(folder / "weights.safetensors") in card
    assert "Medians over 3 recordings of VCTK and AISHELL-3 by 1 speakers" in card
    assert "trained for 70 steps" in card


def test_the_card_has_the_medians_of_each_number_of_quantizers_in_order(run: Path, tmp_path: Path) -> None:
    ship(run, tmp_path / "shipped")
    rows = (tmp_path / "shipped/encodec-small/card.md").read_text(encoding="utf-8").splitlines()
    table = [row for row in rows if row.startswith("| 4") or row.startswith("| 8")]
    assert table == ["| 4 | 2.4 | 1.5 | 0 | 1.5 | 1.5 | 1.5 |", "| 8 | 4.8 | 1.5 | 2 | 1.5 | 1.5 | 1.5 |"]


def test_damaged_weights_are_not_copied(run: Path, tmp_path: Path) -> None:
    (run / "results/codecs/encodec/weights.safetensors").write_bytes(b"weighty")
    with pytest.raises(files.FileError, match="its sha256 is not the one in"):
        ship(run, tmp_path / "shipped")


def test_a_run_without_measures_is_refused(run: Path, tmp_path: Path) -> None:
    for path in (run / "results/quality").glob("*.tsv"):
        path.unlink()
    with pytest.raises(ShippedError, match="no trained codecs, or no results/quality; finish the run first"):
        ship(run, tmp_path / "shipped")


def test_the_card_of_a_continued_codec_names_the_weights_before_it(run: Path, tmp_path: Path) -> None:
    files.write_json(run / "results/codecs/encodec/settings.json", {**SETTINGS, "start_from": "4711"})
    ship(run, tmp_path / "shipped")
    card = (tmp_path / "shipped/encodec-small/card.md").read_text(encoding="utf-8")
    assert "70 steps by `experiments/demo-weights-continued.yaml`, from the weights 4711 of `demo-weights`" in card
