"""CSV, Parquet, LaTeX, Markdown and HTML tables."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import csv_table, html_page, latex_table, markdown, parquet
from inversion_atlas.exports.missing import MissingPackageError
from inversion_atlas.records.paper import Paper

OnePaper = Callable[..., tuple[Catalogue, Paper]]


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_csv_reads_back(catalogue: Catalogue) -> None:
    papers = list(catalogue.papers.values())
    rows = read_csv(csv_table.write(catalogue, papers))
    for row, paper in zip(rows, papers, strict=True):
        assert row["id"] == paper.id
        assert row["title"].removeprefix("'") == paper.title
        assert row["authors"].split("; ") == list(paper.authors)
        assert row["year"] == str(paper.year)
        for facet in catalogue.facets:
            assert row[facet] == "; ".join(paper.taxonomy.get(facet, ()))


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "=cmd|' /C calc'!A0"])
def test_no_cell_of_a_csv_is_a_formula(one_paper: OnePaper, title: str) -> None:
    catalogue, paper = one_paper(title=title)
    (row,) = read_csv(csv_table.write(catalogue, [paper]))
    assert row["title"] == f"'{title}"


def test_a_formula_behind_spaces_or_tabs_is_defused() -> None:
    assert csv_table.cell(" \t=1") == "'=1"
    assert csv_table.cell(("=1", "b")) == "'=1; b"
    assert csv_table.cell(-1) == "'-1"


def test_parquet_reads_back_and_is_the_same_each_time(catalogue: Catalogue) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    papers = list(catalogue.papers.values())
    data = parquet.write(catalogue, papers)
    rows = pq.read_table(pa.BufferReader(data)).to_pylist()
    assert [row["id"] for row in rows] == list(catalogue.papers)
    assert rows[0]["authors"] == list(papers[0].authors)
    assert rows[0]["year"] == papers[0].year
    assert parquet.write(catalogue, papers) == data


def test_parquet_says_what_to_install(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match=r"pip install inversion-atlas\[tables\]"):
        parquet.write(catalogue, [])


def test_a_short_latex_table_floats_and_a_long_one_breaks(one_paper: OnePaper) -> None:
    catalogue, paper = one_paper(title="50 % & more")
    short = latex_table.write(catalogue, [paper]).decode()
    assert r"\begin{table*}" in short
    assert r"50 \% \& more~\cite{doe2020paper0}" in short
    assert r"\begin{longtable}" in latex_table.write(catalogue, [paper] * 30).decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("<script>", "&lt;script&gt;"),
        ("*a* _b_ `c`", r"\*a\* \_b\_ \`c\`"),
        ("see https://evil.example", "see https<!-- -->://evil.example"),
    ],
)
def test_markdown_shows_text_as_it_is_written(text: str, shown: str) -> None:
    assert markdown.escape(text) == shown


def test_a_markdown_row_has_as_many_cells_as_its_header(one_paper: OnePaper) -> None:
    catalogue, paper = one_paper(title=r"a|b\|c", links={"paper": "https://a.example/(x)"})
    header, _, row = markdown.write(catalogue, [paper]).decode().splitlines()
    assert row.replace(r"\\", "").replace(r"\|", "").count("|") == header.count("|")
    assert "(https://a.example/%28x%29)" in row


class Reader(HTMLParser):
    """Notes tags, attributes and text, so that a test can say what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_holds_no_tag_that_a_record_brought(one_paper: OnePaper) -> None:
    title = "</script><img src=x onerror=alert(1)> \"'><style>*{}</style>"
    catalogue, paper = one_paper(title=title, venue="hostile", links={"paper": "https://a.example/?a=1&b=2"})
    page = Reader()
    page.feed(html_page.write(catalogue, [paper]).decode())
    assert title in page.text
    assert not {"script", "img", "b"} & set(page.tags)
    assert page.tags.count("style") == 1
    assert ("href", "https://a.example/?a=1&b=2") in page.attributes
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
