"""What tables say of bit rates: a number, nothing for the control, and of latents that they have none."""

import math

import pytest

from codecfake.quality import step
from codecfake.report.materials import CodecRow
from codecfake.report.quality import QualityRow


def codec(kbps: float) -> CodecRow:
    return CodecRow("F01", "mimi", 1, kbps, None, "", 0, None)


@pytest.mark.parametrize(
    ("kbps", "label", "cell", "is_coded"),
    [
        (1.1, "mimi, 1.1 kbit/s", "1.10", True),
        (math.nan, "mimi, no bit rate", "no bit rate", True),
        (0.0, "mimi, 0 kbit/s", "0.00", False),
    ],
)
def test_a_codec_has_its_bit_rate_and_latents_have_none(kbps: float, label: str, cell: str, is_coded: bool) -> None:
    row = codec(kbps)
    assert (row.label, row.bitrate, row.is_coded) == (label, cell, is_coded)


@pytest.mark.parametrize(("kbps", "cell"), [(1.1, "1.10"), (math.nan, "no bit rate"), (0.0, "–")])
def test_the_table_of_quality_tells_latents_from_the_control(kbps: float, cell: str) -> None:
    row = QualityRow("F01", "", "mimi", 1, kbps, "–", 3, [])
    assert row.bitrate == cell
    assert row.is_control is (kbps == 0)


def test_the_files_of_quality_say_none_of_latents() -> None:
    assert [step._bitrate_text(kbps) for kbps in (1.1, 0.0, math.nan)] == ["1.1", "0", "none"]
