"""CSV (RFC 4180) that a spreadsheet may open: no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.table import Cell, columns, row
from inversion_atlas.exports.tex import one_line
from inversion_atlas.records.paper import Paper

SEPARATOR = "; "
# What Excel, LibreOffice or Google Sheets may start a formula with, full-width forms included. Tabs and line ends,
# which may as well, are gone by then.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return a header and one line per paper, in UTF-8 without byte order mark."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns(catalogue), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: cell(value) for key, value in row(catalogue, paper).items()} for paper in papers)
    return buffer.getvalue().encode()


def cell(value: Cell) -> str:
    """Return a value as one line; several are joined, and an apostrophe goes before what looks like a formula."""
    if isinstance(value, tuple):
        value = SEPARATOR.join(value)
    text = "" if value is None else one_line(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
