"""What arXiv's Atom API says of ids, and what a search there finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from inversion_atlas.intake import identifiers, names
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.latex import to_unicode
from inversion_atlas.network.polite import Page

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"


@dataclass(frozen=True, slots=True)
class Feed:
    """One page of answers: its works, and how many the whole answer has."""

    entries: tuple[Entry, ...]
    total: int


def read(page: Page) -> Entry | None:
    """Return the first work of a feed, or nothing where there is none or the API reports an error as an entry."""
    entry = parse_xml(page.body).find(f"{_ATOM}entry")
    return _work(entry) if entry is not None and not _is_error(entry) else None


def read_feed(page: Page) -> Feed:
    """Return the works of a feed; raises ValueError where it is no feed or reports an error."""
    root = parse_xml(page.body)
    if root.tag != f"{_ATOM}feed":
        raise ValueError("this is no Atom feed")
    nodes = root.findall(f"{_ATOM}entry")
    if error := next(filter(_is_error, nodes), None):
        raise ValueError(f"arXiv says: {_text(error, f'{_ATOM}summary')[:200]}")
    total = _text(root, f"{_SEARCH}totalResults")
    return Feed(tuple(map(_work, nodes)), int(total) if total.isdecimal() else len(nodes))


def _is_error(entry: ElementTree.Element) -> bool:
    return "/api/errors" in _text(entry, f"{_ATOM}id")


def _work(entry: ElementTree.Element) -> Entry:
    people = [_text(person, f"{_ATOM}name") for person in entry.findall(f"{_ATOM}author")]
    authors, cut_off, problems = names.read_list(filter(None, people))
    doi = identifiers.read_doi(_text(entry, f"{_ARXIV}doi"))
    id = identifiers.read_arxiv(_text(entry, f"{_ATOM}id"))
    return Entry(
        # Titles and abstracts hold the LaTeX that their authors typed.
        title=to_unicode(_text(entry, f"{_ATOM}title")),
        authors=authors,
        year=identifiers.read_year(_text(entry, f"{_ATOM}published")),
        venue="arXiv",
        doi="" if identifiers.arxiv_of_doi(doi) else doi,
        arxiv=id,
        abstract=to_unicode(_text(entry, f"{_ATOM}summary")),
        journal_ref=to_unicode(_text(entry, f"{_ARXIV}journal_ref")),
        problems=tuple(problems),
        cut_off=cut_off,
        preprint=True,
    )


def parse_xml(body: bytes) -> ElementTree.Element:
    """Return the tree of an XML answer; raises ValueError for what is not XML or declares entities of its own."""
    # Without NULs, so that UTF-16 hides nothing.
    if b"<!ENTITY" in body.replace(b"\0", b"").upper():
        raise ValueError("XML with entities of its own is not read")
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ValueError(f"this is not XML: {error}") from error


def _text(node: ElementTree.Element, name: str) -> str:
    found = node.find(name)
    return re.sub(r"\s+", " ", found.text or "").strip() if found is not None else ""
