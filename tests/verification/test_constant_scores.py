"""Scores of a key that are all equal show no direction: the EER is said to be one of ties."""

from pathlib import Path

import pytest

from codecfake.verification.error_rates import error_rate
from codecfake.verification.ledger import verify
from codecfake.verification.single import EerSettings, answer
from codecfake.verification.verdicts import DIFFERENT, judge

import numpy as np  # isort: skip


def write(path: Path, bonafide: list[float], spoof: list[float]) -> Path:
    path.parent.mkdir(exist_ok=True)
    rows = [(f"b{place}", score, "bonafide") for place, score in enumerate(bonafide)]
    rows += [(f"s{place}", score, "spoof") for place, score in enumerate(spoof)]
    path.write_text("".join(f"{name} {score} {key}\n" for name, score, key in rows))
    return path


SPREAD = [float(place) for place in range(20)]


@pytest.mark.parametrize(
    ("bonafide", "spoof", "percent", "text"),
    [
        ([0.5] * 20, [0.5] * 40, 100, "all 60 trials score exactly 0.5: the EER comes from how ties are counted"),
        ([-1.0] * 20, SPREAD, 100, "all 20 bona fide trials score exactly -1; nothing is ranked"),
        (SPREAD, [99.0] * 30, 100, "all 30 spoof trials score exactly 99; nothing is ranked"),
        ([99.0] * 20, SPREAD, 0, "all 20 bona fide trials score exactly 99"),
        ([0.5] * 20, [0.5] * 19 + [0.6], 100, "all 20 bona fide trials score exactly 0.5"),
    ],
)
def test_no_direction_is_claimed(
    tmp_path: Path, bonafide: list[float], spoof: list[float], percent: float, text: str
) -> None:
    path = write(tmp_path / "scores" / "C1.txt", bonafide, spoof)
    result = answer(path, settings=EerSettings(resamples=0))
    assert result.rate.percent == percent
    assert text in str(result)
    ledger = verify(path.parent)
    assert not ledger.holds
    for output in (str(result), str(ledger.findings)):
        assert "outscore" not in output
        assert "negate" not in output
        assert "chance" not in output


def test_a_number_printed_of_constant_scores_is_not_called_flipped() -> None:
    rate = error_rate(np.full(20, 0.5), np.full(40, 0.5))
    assert not rate.has_direction
    assert judge("0.000", rate).name == DIFFERENT


def test_one_deviating_score_gives_a_direction_again() -> None:
    assert error_rate(np.array([0.5] * 19 + [0.6]), np.array([0.5] * 39 + [0.4])).has_direction
