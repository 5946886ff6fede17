"""Small figures as inline SVG with the colors of the page, for its light and dark themes.

Every figure is drawn in placeholder colors, and these are then replaced by CSS: `currentColor` for text and axes,
`var(--series-N)` for data. Text stays text. The bytes depend only on the data and the figure's name.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK = "#000001"
NUM_SERIES = 8
DASHES = ("-", "--", ":", "-.", (0, (1, 1)), (0, (6, 1, 1, 1, 1, 1)))
WIDTH, HEIGHT = 3.6, 3.0  # inches at 72 px: about one column of a phone

_STYLE = {
    "svg.fonttype": "none",
    "font.family": ["sans-serif"],
    "font.size": 9.5,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.14,
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.5,
    "path.simplify": False,
}


@dataclass(frozen=True)
class LineStyle:
    """How one line is drawn: the number of a color of the page, and a dash pattern."""

    series: int
    dash_index: int

    @property
    def color(self) -> str:
        return series_color(self.series)

    @property
    def dash(self) -> object:
        return DASHES[self.dash_index]

    def swatch(self) -> Markup:
        """A short line of this style, for a legend."""
        dash_array = ("", "5 3", "2 2", "6 2 2 2", "1 1", "7 2 1 2 1 2")[self.dash_index]
        return Markup(
            '<svg class="swatch" viewBox="0 0 28 8" aria-hidden="true"><path d="M0 4H28" fill="none" stroke-width="2.5"'
            ' stroke="var(--series-{})" stroke-dasharray="{}"/></svg>'
        ).format(self.series, dash_array)


def series_color(series: int) -> str:
    """The placeholder that becomes `var(--series-{series})`."""
    return f"#0000{0x10 + series:02x}"


def line_styles(names: list[str]) -> dict[str, LineStyle]:
    """A style for every name: a color for the part before the first hyphen, a dash pattern for each variant.

    C3, C3-1 and C3-2 share a color; after the last color, the colors repeat with other dashes.
    """
    roots = list(dict.fromkeys(name.split("-")[0] for name in names))
    count_of: dict[int, int] = {}
    styles = {}
    for name in sorted(names, key=lambda name: (roots.index(name.split("-")[0]), names.index(name))):
        series = roots.index(name.split("-")[0]) % NUM_SERIES
        styles[name] = LineStyle(series, count_of.get(series, 0) % len(DASHES))
        count_of[series] = count_of.get(series, 0) + 1
    return {name: styles[name] for name in names}


@dataclass
class Drawing:
    """A figure under construction; `svg` holds its markup once the `drawing` block has ended."""

    figure: Figure
    svg: Markup = Markup("")

    def axes(self, rows: int = 1) -> list[Axes]:
        """Vertically stacked axes with a common x axis."""
        return list(self.figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0])


@contextmanager
def drawing(name: str, description: str, width: float = WIDTH, height: float = HEIGHT) -> Iterator[Drawing]:
    """A figure to draw on inside the block. `name` must be unique on the page; `description` is read out."""
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        draft = Drawing(Figure(figsize=(width, height), layout="constrained"))
        yield draft
        buffer = io.StringIO()
        draft.figure.patch.set_visible(False)
        for axes in draft.figure.axes:
            axes.patch.set_visible(False)
        FigureCanvasSVG(draft.figure).print_svg(buffer, metadata={"Date": None})
        draft.svg = Markup(_for_page(buffer.getvalue(), name, description))


def _for_page(svg: str, name: str, description: str) -> str:
    """Only the `<svg>` element, with the page's colors, and with ids that no other figure has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    svg = re.sub(r' d="[^"]*"', _round_coordinates, svg)
    svg = re.sub(r"#0000([0-9a-f]{2})\b", _page_color, svg)
    svg = re.sub(r'(\bid="|xlink:href="#|url\(#)', partial(_prefix, f"{_slug(name)}-"), svg)
    label = str(Markup.escape(description))
    svg = svg.replace("<svg", f'<svg class="figure" role="img" aria-label="{label}"', 1)
    return re.sub(r"\n\s*", "\n", svg)


def _round_coordinates(path: re.Match[str]) -> str:
    """The coordinates of a path to a tenth of a pixel; six decimals would be most of the page."""
    return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number.group()):.1f}".removesuffix(".0"), path.group())


def _page_color(match: re.Match[str]) -> str:
    value = int(match.group(1), 16)
    return "currentColor" if value == 1 else f"var(--series-{value - 0x10})"


def _prefix(prefix: str, match: re.Match[str]) -> str:
    return match.group(1) + prefix


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name)
