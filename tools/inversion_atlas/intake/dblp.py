"""What DBLP says of a record, and what a search there finds."""

from __future__ import annotations

import json
import re
from typing import Any

from inversion_atlas.intake import identifiers, names
from inversion_atlas.intake.arxiv import parse_xml
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.latex import clean
from inversion_atlas.network.polite import Page


def read(page: Page) -> Entry | None:
    """Return the work of an answer of `/rec/<key>.xml`."""
    body = re.sub(rb"<!DOCTYPE[^>\[]*>", b"", page.body)
    root = parse_xml(body)
    record = root[0] if root.tag == "dblp" and len(root) else root

    def every(tag: str) -> list[str]:
        return [clean("".join(node.itertext())) for node in record.findall(tag)]

    def first(tag: str) -> str:
        return next(iter(every(tag)), "")

    people = list(map(_name, every("author")))
    authors, cut_off, problems = names.read_list(people)
    links = every("ee")
    doi = next((identifiers.read_doi(link) for link in links if "doi.org/" in link), "")
    arxiv = next((id for link in (*links, first("volume")) if (id := identifiers.read_arxiv(link))), "")
    venue = first("booktitle") or first("journal")
    title = first("title")
    return Entry(
        title=title[:-1] if title.endswith(".") else title,
        authors=authors,
        year=identifiers.read_year(first("year")),
        venue=venue,
        volume="" if arxiv and venue == "CoRR" else first("volume"),
        issue=first("number"),
        pages=identifiers.read_pages(first("pages")),
        doi="" if identifiers.arxiv_of_doi(doi) else doi,
        arxiv=arxiv or identifiers.arxiv_of_doi(doi),
        url=next((link for link in links if "doi.org/" not in link and "arxiv.org/" not in link), ""),
        problems=tuple(problems),
        cut_off=cut_off,
        preprint=venue == "CoRR",
    )


def read_hits(page: Page) -> list[Entry]:
    """Return the works that a search (`/search/publ/api?format=json`) found; `evidence` is the page of each."""
    hits = json.loads(page.body)["result"]["hits"].get("hit") or ()
    return [_hit(hit["info"]) for hit in hits]


def _hit(info: dict[str, Any]) -> Entry:
    def first(key: str) -> str:
        value = info.get(key) or ""
        return clean(str(value[0] if isinstance(value, list) else value))

    # One author is an object, several are a list of them.
    people = (info.get("authors") or {}).get("author") or []
    named = [str(person["text"]) for person in (people if isinstance(people, list) else [people])]
    authors, cut_off, problems = names.read_list(_name(clean(name)) for name in named)
    doi = identifiers.read_doi(first("doi"))
    link, venue = first("ee"), first("venue")
    arxiv = identifiers.read_arxiv(link) or identifiers.arxiv_of_doi(doi)
    return Entry(
        title=first("title").removesuffix("."),
        authors=authors,
        year=identifiers.read_year(first("year")),
        venue=venue,
        volume="" if venue == "CoRR" else first("volume"),
        issue=first("number"),
        pages=identifiers.read_pages(first("pages")),
        doi="" if identifiers.arxiv_of_doi(doi) else doi,
        arxiv=arxiv,
        url="" if "doi.org/" in link or "arxiv.org/" in link else link,
        evidence=(first("url"),),
        problems=tuple(problems),
        cut_off=cut_off,
        preprint=venue == "CoRR" or first("type") == "Informal and Other Publications",
    )


def _name(name: str) -> str:
    """Return a name without the number that tells namesakes apart in DBLP."""
    return re.sub(r" [0-9]{4}$", "", name)
