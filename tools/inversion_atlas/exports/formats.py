"""Every format that papers can be exported to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import (
    bibtex,
    csl_json,
    csv_table,
    html_page,
    json_file,
    latex_table,
    markdown,
    parquet,
    ris,
    sqlite_database,
)
from inversion_atlas.exports.pieces import Pieces
from inversion_atlas.records.paper import Paper


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how its files are named and served, and the function that writes one."""

    name: str
    extension: str
    media_type: str
    describe: str
    write: Callable[[Catalogue, Sequence[Paper]], bytes]
    binary: bool = False
    # How the file of a selection is joined from texts of single papers, if the format allows that.
    pieces: Callable[[Catalogue], Pieces] | None = None


FORMATS = {
    format.name: format
    for format in (
        Format("bibtex", "bib", "application/x-bibtex", "BibTeX, all ASCII", bibtex.write, False, bibtex.pieces),
        Format(
            "biblatex",
            "bib",
            "application/x-bibtex",
            "for biblatex and biber, Unicode",
            bibtex.write_biblatex,
            False,
            bibtex.biblatex_pieces,
        ),
        Format(
            "csl-json",
            "csl.json",
            "application/vnd.citationstyles.csl+json",
            "for pandoc and Zotero",
            csl_json.write,
            False,
            csl_json.pieces,
        ),
        Format(
            "ris", "ris", "application/x-research-info-systems", "for reference managers", ris.write, False, ris.pieces
        ),
        Format(
            "csv",
            "csv",
            "text/csv; charset=utf-8",
            "a table, safe to open in a spreadsheet",
            csv_table.write,
            False,
            csv_table.pieces,
        ),
        Format("json", "json", "application/json", "records in full, with what they name", json_file.write),
        Format(
            "latex",
            "tex",
            "application/x-tex",
            "a booktabs table that cites each paper",
            latex_table.write,
            False,
            latex_table.pieces,
        ),
        Format("markdown", "md", "text/markdown; charset=utf-8", "a table", markdown.write, False, markdown.pieces),
        Format("html", "html", "text/html; charset=utf-8", "a page that stands alone", html_page.write),
        Format(
            "sqlite",
            "sqlite",
            "application/vnd.sqlite3",
            "a database with full-text search",
            sqlite_database.write,
            True,
        ),
        Format(
            "parquet",
            "parquet",
            "application/vnd.apache.parquet",
            "a table for pandas (extra: tables)",
            parquet.write,
            True,
        ),
    )
}
