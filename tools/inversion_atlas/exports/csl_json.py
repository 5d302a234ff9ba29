"""CSL-JSON, which pandoc, Zotero and every citeproc read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import Citation, Form, Name, cite
from inversion_atlas.exports.pieces import Pieces, Shape
from inversion_atlas.exports.tex import one_line
from inversion_atlas.records.paper import Paper

_TYPES = {
    Form.ARTICLE: "article-journal",
    Form.PROCEEDINGS: "paper-conference",
    Form.CHAPTER: "chapter",
    Form.BOOK: "book",
    Form.THESIS: "thesis",
    Form.REPORT: "report",
    Form.PREPRINT: "article",
    Form.OTHER: "document",
}
_CONTAINED = (Form.ARTICLE, Form.PROCEEDINGS, Form.CHAPTER)


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return a JSON array of items."""
    return pieces(catalogue).render(papers).file([paper.id for paper in papers]) if papers else b"[]\n"


def pieces(catalogue: Catalogue) -> Pieces:
    """Return the parts of a JSON array of items."""
    return Pieces((Shape(head="[\n", between=",\n", foot="\n]\n"),), lambda paper: _text(item(catalogue, paper)))


def item(catalogue: Catalogue, paper: Paper) -> dict[str, Any]:
    """Return a paper as a CSL item; what is not known is left out."""
    fact = cite(catalogue, paper)
    fields: dict[str, Any] = {
        "id": fact.id,
        "citation-key": fact.id,
        "type": _TYPES[fact.form],
        "title": one_line(fact.title),
        "author": [_name(name) for name in fact.names],
        "issued": {"date-parts": [[fact.year]]},
        **_container(fact),
        "volume": fact.volume,
        "issue": fact.issue,
        "page": fact.pages.replace("–", "-"),
        "DOI": fact.doi,
        "URL": fact.url,
        "keyword": ", ".join(fact.keywords),
        "status": fact.note,
        "note": fact.note,
    }
    return {key: value for key, value in fields.items() if value}


def _text(fields: dict[str, Any]) -> str:
    # Line ends inside strings are escaped, so every one left is of the layout.
    return "  " + json.dumps(fields, ensure_ascii=False, indent=2).replace("\n", "\n  ")


def _name(name: Name) -> dict[str, str]:
    if name.whole:
        return {"literal": name.family}
    parts = {
        "family": name.family,
        "given": name.given,
        "non-dropping-particle": name.particle,
        "suffix": name.suffix,
    }
    return {key: value for key, value in parts.items() if value}


def _container(fact: Citation) -> dict[str, str]:
    if fact.form in _CONTAINED:
        return {
            "container-title": fact.container,
            "container-title-short": fact.short_container,
            "publisher": fact.publisher,
            **({"archive": "arXiv", "archive_location": fact.arxiv} if fact.arxiv else {}),
        }
    if fact.arxiv:
        return {
            "publisher": "arXiv",
            "archive": "arXiv",
            "archive_location": fact.arxiv,
            "number": f"arXiv:{fact.arxiv}",
        }
    return {"publisher": fact.publisher or fact.container}
