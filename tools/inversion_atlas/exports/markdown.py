"""A Markdown table whose cells hold text and nothing that Markdown would act on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import short_authors, web_address
from inversion_atlas.exports.pieces import Pieces, Shape
from inversion_atlas.exports.tex import one_line
from inversion_atlas.records.paper import Paper

_SPECIAL = re.compile(r"[\\`*_\[\]{}|~$#!]")
# GitHub turns bare addresses and names into links.
_AUTOLINK = re.compile(
    r"(?i)(?:(?<=http)|(?<=https)|(?<=ftp))(?=://)|(?<=www)(?=\.)|(?<=@)(?=\w)|(?:(?<=mailto)|(?<=xmpp))(?=:)"
)
# A number of an issue, an advisory and a commit become links on GitHub, even amid text.
_REFERENCE = re.compile(r"(?i)#(?=[0-9])|gh(?=-[0-9])|ghsa(?=-)")
_COMMIT = re.compile(r"(?i)(?<![0-9a-z])[0-9a-f]{7,}(?![0-9a-z])")
_HEADER = ("Title", "Authors", "Year", "Venue", "Kind", "Methods", "Code")


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return a header, a rule and one row per paper."""
    return pieces(catalogue).render(papers).file([paper.id for paper in papers])


def pieces(catalogue: Catalogue) -> Pieces:
    """Return the header with its rule, and the row of a paper."""
    head = _row(_HEADER) + _row(("---",) * len(_HEADER))
    return Pieces((Shape(head=head),), lambda paper: _row(_cells(catalogue, paper)))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def escape(text: str) -> str:
    """Return `text` as Markdown that shows it as it reads, on one line."""
    return _AUTOLINK.sub("<!-- -->", escape_label(text))


def for_github(text: str) -> str:
    """Return `text` as Markdown of which GitHub makes no link to an issue, an advisory or a commit either."""
    broken = _REFERENCE.sub(r"\g<0><!-- -->", escape(text))
    return _COMMIT.sub(lambda commit: re.sub("(.{6})(?=.)", r"\1<!-- -->", commit[0]), broken)


def escape_label(text: str) -> str:
    """Return `text` as the label of a link, in which no bare address becomes a link of its own."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)


def link(text: str, url: str) -> str:
    """Return a link, or the text alone if there is no address."""
    return f"[{escape_label(text)}]({target(url)})" if url else escape(text)


def target(url: str) -> str:
    """Return an address so that no character of it ends a link."""
    return url.replace("(", "%28").replace(")", "%29")


def _cells(catalogue: Catalogue, paper: Paper) -> Iterator[str]:
    venue = catalogue.venues.get(paper.venue or "")
    title = link(paper.title, web_address(paper))
    yield title if not paper.status else f"{title} ({paper.status.state})"
    yield escape(short_authors(paper))
    yield str(paper.year)
    yield escape(venue.short) if venue else ""
    yield str(paper.kind)
    yield escape(", ".join(paper.methods))
    yield ", ".join(link("code" if at == 0 else str(at + 1), url) for at, url in enumerate(paper.links.code))
