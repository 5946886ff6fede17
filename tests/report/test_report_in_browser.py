"""The report in a real browser: every picture is drawn, every excerpt plays, and nothing errs or overflows."""

from pathlib import Path

import browser
import numpy as np
import pytest
from imitation_run import ImitationRun

from codecfake.report.page import write_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.skipif(browser.find() is None, reason=f"needs a browser: one of {', '.join(browser.NAMES)} on PATH"),
]
DESKTOP, PHONE = 1280, 390
PAPER = 1047  # pixels of A4 across, without its margins


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(ImitationRun(folder / "results").write(), folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def wide_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many conditions as the papers have."""
    folder = tmp_path_factory.mktemp("wide")
    names = ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C3-1", "C3-2", "C3-3", "C4-1", "C4-2", "C4-3", "A1", "A2", "A3"]
    conditions = {name: ("F07" if name == "C7" else "F01") for name in names} | {"19LA": "A07"}
    run = ImitationRun(folder / "results", conditions=conditions, num_trials=12)
    write_report(run.write(), folder / "report.html")
    return folder / "report.html"


def colors(page: browser.Shown, place: list[float]) -> int:
    """How many colors a part of the picture has."""
    x, y, width, height = (round(number) for number in place)
    return len(np.unique(page.picture[y : y + height, x : x + width].reshape(-1, 3), axis=0))


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (PHONE, True)])
def test_every_picture_is_drawn_every_excerpt_plays_and_nothing_errs(
    report: Path, tmp_path: Path, width: int, dark: bool
) -> None:
    page = browser.show(report, tmp_path, width, dark)

    assert page.console == []
    assert page.measures["width"] == width  # wider tables scroll in themselves
    # 2 corpora with a recording and 2 codecs each, of a second
    assert len(page.measures["images"]) == 6
    assert min(page.measures["images"]) > 50
    assert page.measures["seconds"] == pytest.approx([1.0] * 6)
    # a DET curve, distributions and losses of each of 4 models, a reliability plot, and a codec's training
    assert len(page.measures["figures"]) == 14
    assert min(min(place[2:]) for place in page.measures["figures"]) > 100
    assert min(colors(page, place) for place in page.measures["figures"]) > 10
    assert page.measures["background"] == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")
    assert tuple(page.picture[-1, -1]) == ((20, 23, 27) if dark else (255, 255, 255))


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_nothing_is_wider_than_its_frame_and_wide_tables_scroll_on_a_phone(
    wide_report: Path, tmp_path: Path, width: int
) -> None:
    measures, _ = browser.measure(wide_report, tmp_path, width)

    assert measures["cut"] == []
    assert measures["width"] == width
    scrolling = [name for name in measures["scrolling"] if "matrix" in name or "scroll" in name]
    assert scrolling or width != PHONE


def test_on_paper_nothing_scrolls(wide_report: Path, tmp_path: Path) -> None:
    path = tmp_path / "paper.html"
    html = wide_report.read_text(encoding="utf-8")
    assert html.count("@media print") == 1
    path.write_text(html.replace("@media print", "@media all"), encoding="utf-8")

    measures, _ = browser.measure(path, tmp_path, PAPER)

    assert (measures["cut"], measures["scrolling"]) == ([], [])
    assert measures["width"] == PAPER


def test_what_is_broken_is_seen(report: Path, tmp_path: Path) -> None:
    html = report.read_text(encoding="utf-8")
    image, sound = html.index("data:image/png;base64,") + 30, html.index("data:audio/flac;base64,") + 31
    for place in (sound, image):
        html = f"{html[:place]}AAAAAAAAAAAA{html[place + 12 :]}"
    html = html.replace("</body>", "<script>console.error('an error')</script></body>")
    html = html.replace('<svg class="figure"', '<svg class="figure" style="visibility:hidden"', 1)
    html = html.replace("<h2>Data</h2>", "<h2 style='width:1500px'>Data</h2>")
    html = html.replace('<div class="scroll">', '<div class="scroll" style="overflow:hidden;width:100px">', 1)
    path = tmp_path / "broken.html"
    path.write_text(html, encoding="utf-8")

    page = browser.show(path, tmp_path, PHONE)

    assert len(page.console) == 1
    assert page.measures["width"] > PHONE
    assert any(name.startswith("H2") for name in page.measures["cut"])
    assert any(name.startswith("DIV scroll") for name in page.measures["cut"])
    assert min(page.measures["images"]) == 0
    assert min(page.measures["seconds"]) == 0
    assert min(colors(page, place) for place in page.measures["figures"]) == 1
