"""The report shows released detectors beside trained ones, and says what is not known of them."""

from dataclasses import replace

import pytest
from imitation_run import ImitationRun

from codecfake.report.calibration import reliability_of
from codecfake.report.inputs import ReportInputs
from codecfake.report.page import write_report

NAME = "mel-lcnn/released/erm/seed0"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReportInputs, str]:
    folder = tmp_path_factory.mktemp("released")
    run = ImitationRun(
        folder / "results", ["mel-lcnn"], ["codec"], seeds=[1, 2], corpora=["english"], released={NAME: ""},
        papers={}, measured={"F01": ("soundstream", 8)}, num_trials=12,
    )  # fmt: skip
    inputs = run.write()
    write_report(inputs, folder / "report.html")
    return inputs, (folder / "report.html").read_text(encoding="utf-8")


def test_released_weights_have_their_own_tables_and_no_epochs(page: tuple[ReportInputs, str]) -> None:
    _, html = page
    assert "With released weights, erm</h3>" in html
    assert "These detectors have the weights that their authors released." in html
    assert f'<tr><th>{NAME}</th><td class="text">mel-lcnn</td><td class="text">A.pth</td>' in html
    assert "models 1, 2." in html


def test_their_training_is_not_guessed(page: tuple[ReportInputs, str]) -> None:
    _, html = page
    assert "Rows of released weights have no marks where their training data are not known here." in html
    released = html[html.index("With released weights, erm</h3>") :]
    assert "unseen" not in released[: released.index("</thead>")]


def test_a_model_without_a_dev_list_says_so(page: tuple[ReportInputs, str]) -> None:
    inputs, html = page
    assert "not calibrated" in html
    assert reliability_of(inputs, NAME).why_not.startswith(
        "its weights are released, and the experiment names no domain"
    )
    with_domain = replace(inputs, released={NAME: "codec"})
    assert reliability_of(with_domain, NAME).why_not.startswith("it has no calibration.json")


def test_they_are_compared_with_both_seeds(page: tuple[ReportInputs, str]) -> None:
    _, html = page
    for seed in (1, 2):
        assert f"released − codec<small>mel-lcnn, erm, seed {seed}</small>" in html
