"""What OpenAlex says of a work."""

from __future__ import annotations

import json
from typing import Any

from inversion_atlas.intake import identifiers, names
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.latex import from_markup
from inversion_atlas.network.polite import Page

_LONGEST_ABSTRACT = 20_000


def read(page: Page) -> Entry | None:
    """Return the work of an answer of `/works/doi:<doi>`."""
    return work_entry(json.loads(page.body))


def work_entry(work: dict[str, Any]) -> Entry:
    """Return the entry of one work, as a single answer or a list of results holds it."""
    people = [str((a.get("author") or {}).get("display_name") or "") for a in work.get("authorships") or ()]
    authors, cut_off, problems = names.read_list(filter(None, people))
    location = work.get("primary_location") or {}
    numbers = work.get("biblio") or {}
    pages = [str(numbers.get(key)) for key in ("first_page", "last_page") if numbers.get(key)]
    doi = identifiers.read_doi(str(work.get("doi") or ""))
    places = [location, *(each for each in work.get("locations") or () if isinstance(each, dict))]
    pages_at = (identifiers.read_arxiv(str(place.get("landing_page_url") or "")) for place in places)
    arxiv = identifiers.arxiv_of_doi(doi) or next(filter(None, pages_at), "")
    return Entry(
        title=from_markup(str(work.get("title") or work.get("display_name") or "")),
        authors=authors,
        year=identifiers.read_year(str(work.get("publication_year") or "")),
        venue=from_markup(str((location.get("source") or {}).get("display_name") or "")),
        volume=str(numbers.get("volume") or ""),
        issue=str(numbers.get("issue") or ""),
        pages=identifiers.read_pages("--".join(dict.fromkeys(pages))),
        doi="" if identifiers.arxiv_of_doi(doi) else doi,
        arxiv=arxiv,
        pdf=str(location.get("pdf_url") or ""),
        abstract=from_markup(_abstract(work.get("abstract_inverted_index") or {})),
        problems=tuple(problems),
        cut_off=cut_off or len(people) >= 100,
        preprint=work.get("type") == "preprint",
    )


def _abstract(index: dict[str, list[int]]) -> str:
    """Put the words of an inverted index in their order."""
    places = sorted((int(at), str(word)) for word, positions in index.items() for at in positions)
    return " ".join(word for _, word in places[:_LONGEST_ABSTRACT])
