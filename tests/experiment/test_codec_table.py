"""The list of codec configurations says what is true: rates, aliases, alternatives, licenses."""

from pathlib import Path

import pytest

from codec_wrappers.__main__ import main
from codecfake.experiment import codec_table
from codecfake.experiment.codec_table import Row, path_of

XIE = ("F01", "F02", "F03", "C3-1", "C3-2", "C3-3", "C3-4", "F04", "C4-1", "C4-2", "C4-3", "F05", "F06", "F07")
WU = ("A", "B1", "B2", "B3", "C", "D1", "D2", "D3", "E", "F1", "F2", "F3", "F4", "F5", "F6")
# facts of each row by hand: sample rate, hop, quantizers, kbit/s
TRUE = {
    "F01": (16000, 320, 8, 4.0), "F02": (16000, 320, 8, 4.0), "F03": (16000, 640, 32, 8.0),
    "C3-1": (16000, 640, 12, 3.0), "C3-2": (16000, 640, 24, 6.0), "C3-3": (16000, 640, 32, 8.0),
    "C3-4": (16000, 640, 32, 8.0), "F04": (24000, 320, 8, 6.0), "C4-1": (24000, 320, 4, 3.0),
    "C4-2": (24000, 320, 16, 12.0), "C4-3": (24000, 320, 32, 24.0), "F05": (24000, 300, 8, 6.4),
    "F06": (24000, 320, 4, 3.0), "F07": (44100, 512, 9, 7.752), "F03-ds320": (16000, 320, 32, 16.0),
    "F01-lyra": (16000, 320, 20, 4.0),
    "A": (16000, 320, 8, 4.0), "B1": (16000, 320, 4, 2.0), "B2": (16000, 320, 4, 2.0), "B3": (24000, 320, 4, 3.0),
    "C": (24000, 300, 8, 6.4), "D1": (16000, 320, 12, 6.0), "D2": (24000, 320, 32, 24.0), "D3": (44100, 512, 9, 7.752),
    "E": (24000, 320, 2, 1.5), "E-8": (24000, 320, 8, 6.0), "F1": (16000, 320, 32, 16.0), "F2": (16000, 320, 32, 16.0),
    "F3": (16000, 320, 32, 16.0), "F4": (16000, 640, 32, 8.0), "F5": (16000, 320, 32, 16.0),
    "F6": (16000, 640, 32, 8.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return {row.id: row for name in ("xie2025", "wu2024") for row in codec_table.rows(path_of(name))}


def test_every_row_of_both_papers_is_listed(rows: dict[str, Row]) -> None:
    assert {*XIE, *WU} <= set(rows)


@pytest.mark.parametrize("source", TRUE)
def test_a_row_has_its_true_rate_hop_quantizers_and_bit_rate(rows: dict[str, Row], source: str) -> None:
    row = rows[source]
    assert (row.sample_rate, row.hop_length, row.quantizers, row.true_kbps) == TRUE[source]


def test_an_alternative_reading_follows_what_it_is_an_alternative_to() -> None:
    order = [row.id for row in codec_table.rows(path_of("xie2025"))]
    assert order[order.index("F01") :][:3] == ["F01", "F01-academicodec", "F01-lyra"]
    assert order[order.index("F03") + 1] == "F03-ds320"


def test_a_printed_rate_that_is_not_the_true_one_has_a_note(rows: dict[str, Row]) -> None:
    for row in rows.values():
        if row.printed_kbps is not None and row.printed_kbps != row.true_kbps:
            assert row.note, f"{row.id}: {row.printed_kbps} printed, {row.true_kbps} true, and no word about it"


def test_licenses_of_code_and_weights_are_said(rows: dict[str, Row]) -> None:
    assert rows["F05"].license == "Apache-2.0"  # trained here, by our own code
    assert rows["C"].license == "CC-BY-NC-4.0"
    assert rows["E"].license == "code MIT, weights unstated"
    assert rows["F01-lyra"].license == "Apache-2.0"


def test_the_command_prints_the_experiments_that_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", "demo", "--form", "tsv"])
    lines = capsys.readouterr().out.strip().split("\n")
    assert lines[0].split("\t")[0].strip() == "id"
    assert len(lines) == 1 + 14


def test_an_experiment_may_be_given_as_a_path(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").touch()
    assert path_of(f"{tmp_path}/own.yaml") == tmp_path / "own.yaml"
