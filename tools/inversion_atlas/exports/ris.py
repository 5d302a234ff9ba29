"""RIS, the tagged format of reference managers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import Form, Name, cite
from inversion_atlas.exports.pieces import Pieces, Shape
from inversion_atlas.exports.tex import one_line
from inversion_atlas.records.paper import Paper

_TYPES = {
    Form.ARTICLE: "JOUR",
    Form.PROCEEDINGS: "CONF",
    Form.CHAPTER: "CHAP",
    Form.BOOK: "BOOK",
    Form.THESIS: "THES",
    Form.REPORT: "RPRT",
    Form.PREPRINT: "UNPB",
    Form.OTHER: "GEN",
}


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return one RIS entry per paper, with the line ends the format asks for."""
    return pieces(catalogue).render(papers).file([paper.id for paper in papers])


def pieces(catalogue: Catalogue) -> Pieces:
    """Return the parts of a RIS file: entries and nothing around them."""
    return Pieces((Shape(),), lambda paper: "".join(f"{line}\r\n" for line in entry(catalogue, paper)))


def entry(catalogue: Catalogue, paper: Paper) -> Iterator[str]:
    """Yield the lines of a paper's entry, the empty line after it included."""
    for tag, value in _tags(catalogue, paper):
        if text := one_line(value):
            yield f"{tag}  - {text}"
    yield "ER  - "
    yield ""


def _tags(catalogue: Catalogue, paper: Paper) -> Iterator[tuple[str, str]]:
    fact = cite(catalogue, paper)
    first, _, last = fact.pages.partition("–") if fact.pages.count("–") == 1 else (fact.pages, "", "")
    yield "TY", _TYPES[fact.form]
    yield "ID", fact.id
    for name in fact.names:
        yield "AU", _name(name)
    yield "TI", fact.title
    yield "T2", fact.container if fact.form in (Form.ARTICLE, Form.PROCEEDINGS, Form.CHAPTER) else ""
    yield "PY", str(fact.year)
    yield from (("VL", fact.volume), ("IS", fact.issue), ("SP", first), ("EP", last))
    yield "PB", fact.publisher or (fact.container if fact.form in (Form.BOOK, Form.THESIS, Form.REPORT) else "")
    yield from (("DO", fact.doi), ("UR", fact.url), ("L1", paper.links.pdf or ""))
    yield "AN", f"arXiv:{fact.arxiv}" if fact.arxiv else ""
    for keyword in fact.keywords:
        yield "KW", keyword
    yield "N1", fact.note


def _name(name: Name) -> str:
    return ", ".join(part for part in (name.surname, name.given, name.suffix) if part)
