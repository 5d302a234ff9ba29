"""Matrices of counts as pictures: a cell per pair of values, empty ones outlined, each leading to Explore."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup, escape

from inversion_atlas.addresses import explore_address, quoted
from inversion_atlas.website import svg
from inversion_atlas.website.crossings import Counts, Crossings, Line

# The least count of each shade; the script that switches between kinds reads the same steps from the page.
STEPS = (1, 2, 5, 10, 25)
_CELL, _GAP, _HEIGHT = 34, 2, 28
_WIDEST_CELL, _ROOM = 92, 1100
# Between the columns of two fields that stand beside each other.
_APART = 18
_SIZE, _SMALL = 14.0, 12.5
_TURN = -40.0
_GROUP = 30


@dataclass(frozen=True, slots=True)
class Matrix:
    """Lines crossed with lines. `kept` is a further condition on every cell, as a query."""

    id: str
    title: str
    about: str
    rows: Sequence[Line]
    columns: Sequence[Line]
    kept: str = ""


def shade(count: int) -> str:
    """Return the class of a cell: n0 for none, up to n5."""
    return f"n{bisect_right(STEPS, count)}"


def counted(counts: Counts, kept: str) -> int:
    """Return what a cell shows of its counts."""
    return counts.attacks if kept == "kind=attack" else counts.works


def picture(matrix: Matrix, crossings: Crossings, root: str, groups: dict[str, str] | None = None) -> Markup:
    """Return a matrix as a drawing. `groups` names fields whose lines stand together, under headings."""
    names = groups or {}
    indent = max((svg.text_width(row.label, _SIZE) + 14 * row.depth for row in matrix.rows), default=0)
    left = max(math.ceil(indent) + 52, 150)
    widest = max((svg.text_width(column.label, _SIZE) for column in matrix.columns), default=0)
    turned = widest + 8 > min(_WIDEST_CELL, (_ROOM - left) // max(1, len(matrix.columns)))
    rise = math.sin(math.radians(-_TURN)) if turned else 0
    # How far the label of the last column reaches beyond it.
    last = svg.text_width(matrix.columns[-1].label, _SIZE) if matrix.columns else 0
    lead = math.cos(math.radians(-_TURN)) * last if turned else 0
    apart = _APART * (len({column.field for column in matrix.columns}) - 1)
    room = _ROOM - left - lead - apart
    pitch = max(_CELL, min(_WIDEST_CELL, int(room / max(1, len(matrix.columns)))))
    top = math.ceil(widest * rise) + 26 + (_GROUP - 8 if names else 0)
    marks: list[str] = []
    starts: list[float] = [left + at * pitch for at in range(len(matrix.columns))]
    if names:
        starts, across = _grouped(matrix.columns, left, pitch)
        marks += [svg.label(x, 16, names[field], "group") for field, x in across]
    marks += (
        _column_label(column, x + (pitch - _GAP) / 2, top - 10, root, turned)
        for column, x in zip(matrix.columns, starts, strict=True)
    )
    columns = _columns(matrix, starts, pitch, crossings)
    y: float = top
    for field, rows in groupby(matrix.rows, key=lambda row: row.field):
        if names:
            marks.append(svg.label(0, y + _GROUP - 10, names[field], "group"))
            y += _GROUP
        for row in rows:
            marks.append(_row_label(row, left, y, crossings, root, matrix.kept))
            marks += _cells(row, matrix, columns, y, pitch, crossings, root)
            y += _HEIGHT
    right = (starts[-1] + pitch if starts else left) + max(0, lead - pitch / 2)
    return svg.drawing(matrix.id, math.ceil(right) + 4, y + 4, matrix.title, matrix.about, marks)


def _grouped(columns: Sequence[Line], left: float, pitch: float) -> tuple[list[float], list[tuple[str, float]]]:
    """Return where columns start when fields stand apart, and where each field does."""
    starts: list[float] = []
    across: list[tuple[str, float]] = []
    x: float = left
    for field, found in groupby(columns, key=lambda column: column.field):
        across.append((field, x))
        for _ in found:
            starts.append(x)
            x += pitch
        x += _APART
    return starts, across


def _column_label(column: Line, x: float, y: float, root: str, turned: bool) -> str:
    kind = "column" if column.depth == 0 else "column narrow"
    text = svg.label(x, y, column.label, kind if turned else f"{kind} middle", _TURN if turned else 0)
    return svg.link(root + column.address, column.label, text)


def _row_label(row: Line, left: float, y: float, crossings: Crossings, root: str, kept: str) -> str:
    total = counted(crossings.count(crossings.held(row)), kept)
    text = svg.label(14 * row.depth, y + _HEIGHT / 2 + 4, row.label, "row" if row.depth == 0 else "row narrow")
    linked = svg.link(root + row.address, row.label, text)
    return linked + svg.label(left - 12, y + _HEIGHT / 2 + 4, f"{total:,}", "total")


@dataclass(frozen=True, slots=True)
class _Column:
    """What the cells of a column share, written once: thousands of cells are drawn in every build."""

    held: int
    label: str
    query: str
    x: str
    middle: str


def _columns(matrix: Matrix, starts: Sequence[float], pitch: float, crossings: Crossings) -> list[_Column]:
    rest = f" {matrix.kept}" if matrix.kept else ""
    half = (pitch - _GAP) / 2
    return [
        _Column(
            crossings.held(line),
            str(escape(line.label)),
            quoted(line.query + rest),
            svg.number(x),
            svg.number(x + half),
        )
        for line, x in zip(matrix.columns, starts, strict=True)
    ]


def _cells(
    row: Line, matrix: Matrix, columns: Sequence[_Column], y: float, pitch: float, crossings: Crossings, root: str
) -> Iterator[str]:
    size = f'width="{svg.number(pitch - _GAP)}" height="{svg.number(_HEIGHT - _GAP)}" rx="2"'
    base, top = svg.number(y + _HEIGHT / 2 + 4), svg.number(y)
    label = str(escape(row.label))
    # An address is quoted letter by letter, so its two halves can be.
    href = root + explore_address(f"{row.query} ")
    held = crossings.held(row)
    for column in columns:
        counts = crossings.count(held & column.held)
        count = counted(counts, matrix.kept)
        told = not matrix.kept and count
        all_counts = f' data-n="{counts.works} {counts.attacks} {counts.defenses}"' if told else ""
        yield (
            f'<a href="{href}{column.query}" class="cell {shade(count)}"{all_counts}>'
            f"<title>{label} × {column.label}: {count:,}</title>"
            f'<rect x="{column.x}" y="{top}" {size}/>'
            f'<text x="{column.middle}" y="{base}">{count:,}</text></a>'
        )


def table(matrix: Matrix, crossings: Crossings, corner: str) -> Markup:
    """Return the numbers of a matrix as a table; where it counts all works, attacks and defenses stand beside."""
    head = "".join(f'<th scope="col">{escape(column.label)}</th>' for column in matrix.columns)
    lines = [f'<table class="numbers"><thead><tr><th scope="col">{escape(corner)}</th>{head}</tr></thead><tbody>']
    columns = [crossings.held(column) for column in matrix.columns]
    for row in matrix.rows:
        held = crossings.held(row)
        cells = "".join(
            [f'<td class="number">{_written(crossings.count(held & column), matrix.kept)}</td>' for column in columns]
        )
        deep = f' class="deep{row.depth}"' if row.depth else ""
        lines.append(f'<tr><th scope="row"{deep}>{escape(row.label)}</th>{cells}</tr>')
    return Markup("\n".join([*lines, "</tbody></table>"]))


def _written(counts: Counts, kept: str) -> str:
    if kept:
        return f"{counted(counts, kept):,}"
    return f"{counts.works:,} ({counts.attacks:,}, {counts.defenses:,})" if counts.works else "0"
