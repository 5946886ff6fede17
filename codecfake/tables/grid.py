"""A small table of text as LaTeX (booktabs) and as an HTML page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from markupsafe import Markup, escape

from codecfake.base import files

LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "±": r"$\pm$", "–": "--",
}  # fmt: skip
STYLE = (
    "body{font:15px/1.4 system-ui,sans-serif;margin:2em}table{border-collapse:collapse;font-variant-numeric:"
    "tabular-nums}caption{text-align:left;font-weight:600;padding:.4em 0}th,td{padding:.15em .6em;text-align:right;"
    "white-space:nowrap}th{font-weight:500}tbody th{text-align:left}thead{border-bottom:1px solid}tbody{border-bottom:"
    "1px solid #8886}p{max-width:60em}"
)


@dataclass(frozen=True)
class Line:
    labels: tuple[str, ...]  # one for each of the grid's
    cells: list[str]  # "" if unknown


@dataclass(frozen=True)
class Grid:
    """A table of lines; lines that differ only by their last label form a block, which repeats no label."""

    caption: str
    labels: list[str]  # headings of the labels
    columns: list[str]
    lines: list[Line]
    notes: list[str] = field(default_factory=list)

    def blocks(self) -> Iterator[list[Line]]:
        """The blocks of lines; labels that repeat those of the line above are empty."""
        for _, group in groupby(self.lines, key=lambda line: line.labels[:-1]):
            first, *others = group
            blank = ("",) * (len(self.labels) - 1)
            yield [first, *(Line((*blank, line.labels[-1]), line.cells) for line in others)]


def write(grid: Grid, path: Path) -> None:
    """Write `{path}.tex` and `{path}.html`."""
    files.write_text(path.with_name(f"{path.name}.tex"), latex(grid))
    files.write_text(path.with_name(f"{path.name}.html"), html(grid))


def latex(grid: Grid) -> str:
    """A `table` for a document that loads booktabs; notes are comments above it."""
    blocks = [
        "\n".join(rf"{' & '.join(map(_tex, [*line.labels, *line.cells]))} \\" for line in block)
        for block in grid.blocks()
    ]
    lines = [
        *(f"% {note}" for note in grid.notes),
        r"\begin{table}",
        rf"\caption{{{_tex(grid.caption)}}}",
        rf"\begin{{tabular}}{{{'l' * len(grid.labels)}{'r' * len(grid.columns)}}}",
        r"\toprule",
        rf"{' & '.join(map(_tex, [*grid.labels, *grid.columns]))} \\",
        r"\midrule",
        "\n\\addlinespace\n".join(blocks),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def html(grid: Grid) -> str:
    """A page that needs no other file."""
    head = Markup("").join(Markup("<th>{}</th>").format(name) for name in [*grid.labels, *grid.columns])
    body = Markup("\n").join(Markup("<tbody>{}</tbody>").format(_rows(block)) for block in grid.blocks())
    notes = Markup("\n").join(Markup("<p>{}</p>").format(note) for note in grid.notes)
    page = Markup(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{caption}</title><style>{style}</style>'
        "</head><body>\n<table><caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n{body}\n</table>\n{notes}\n"
        "</body></html>\n"
    )
    return str(page.format(caption=grid.caption, style=Markup(STYLE), head=head, body=body, notes=notes))


def _rows(block: list[Line]) -> Markup:
    return Markup("\n").join(
        Markup("<tr>{}{}</tr>").format(
            Markup("").join(Markup("<th>{}</th>").format(label) for label in line.labels),
            Markup("").join(Markup("<td>{}</td>").format(escape(cell)) for cell in line.cells),
        )
        for line in block
    )


def _tex(text: str) -> str:
    # LaTeX would read a bracket as an argument of the \\ at the end of the line above
    escaped = re.sub(r"[\\&%$#_{}~^−±–]", lambda match: LATEX_SPECIAL[match.group()], text)
    return f"{{{escaped}}}" if escaped.startswith("[") else escaped
