"""What DBLP says of a record."""

from __future__ import annotations

import re

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

    # A number tells namesakes apart in DBLP and is no part of the name.
    people = [re.sub(r" [0-9]{4}$", "", name) for name in every("author")]
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
