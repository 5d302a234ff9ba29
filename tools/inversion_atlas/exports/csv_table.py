"""CSV (RFC 4180) that a spreadsheet may open: no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.pieces import Pieces, Shape
from inversion_atlas.exports.table import Cell, columns, row
from inversion_atlas.exports.tex import one_line
from inversion_atlas.records.paper import Paper

SEPARATOR = "; "
# What Excel, LibreOffice or Google Sheets may start a formula with, full-width forms included. Tabs and line ends,
# which may as well, are gone by then.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return a header and one line per paper, in UTF-8 without byte order mark."""
    return pieces(catalogue).render(papers).file([paper.id for paper in papers])


def pieces(catalogue: Catalogue) -> Pieces:
    """Return the header and the line of a paper."""
    names = columns(catalogue)

    def text(paper: Paper) -> str:
        found = row(catalogue, paper)
        return _line(cell(found[name]) for name in names)

    return Pieces((Shape(head=_line(names)),), text)


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()


def cell(value: Cell) -> str:
    """Return a value as one line; several are joined, and an apostrophe goes before what looks like a formula."""
    if isinstance(value, tuple):
        value = SEPARATOR.join(value)
    text = "" if value is None else one_line(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
