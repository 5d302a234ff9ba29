"""What Crossref and DataCite say of a DOI."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from inversion_atlas.intake import csl_json, identifiers, names
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.latex import clean, from_markup
from inversion_atlas.network.polite import Page


def read(page: Page) -> Entry | None:
    """Return the work of an answer of Crossref (`/works/<doi>`), whose `message` is nearly a CSL item."""
    return _work(json.loads(page.body)["message"])


def read_list(page: Page) -> list[Entry]:
    """Return the works that a search (`/works?query.bibliographic=…`) found, the nearest first."""
    return [_work(item) for item in json.loads(page.body)["message"]["items"]]


def _work(message: dict[str, Any]) -> Entry:
    entry = csl_json.item_entry(message)
    subtitle = from_markup(_first(message.get("subtitle")))
    if subtitle and subtitle.lower() not in entry.title.lower():
        entry = replace(entry, title=f"{entry.title}: {subtitle}")
    preprint = message.get("type") == "posted-content"
    # The address is the DOI's own and tells nothing more.
    return replace(entry, url="", preprint=preprint, issue=clean(str(message.get("issue") or "")), key="")


def read_datacite(page: Page) -> Entry | None:
    """Return the work of an answer of DataCite (`/dois/<doi>`)."""
    facts = json.loads(page.body)["data"]["attributes"]
    people = [person for person in facts.get("creators") or () if isinstance(person, dict)]
    authors, cut_off, problems = names.read_list(map(_creator, people), parted=True)
    doi = identifiers.read_doi(str(facts.get("doi") or ""))
    arxiv = identifiers.arxiv_of_doi(doi)
    described = [d for d in facts.get("descriptions") or () if d.get("descriptionType") == "Abstract"]
    container = facts.get("container") or {}
    return Entry(
        title=from_markup(str(facts["titles"][0]["title"])),
        authors=authors,
        year=identifiers.read_year(str(facts.get("publicationYear") or "")),
        venue="arXiv" if arxiv else from_markup(str(container.get("title") or facts.get("publisher") or "")),
        doi="" if arxiv else doi,
        arxiv=arxiv,
        abstract=from_markup(str(described[0].get("description") or "")) if described else "",
        problems=tuple(problems),
        cut_off=cut_off,
        preprint=bool(arxiv),
    )


def _creator(person: dict[str, Any]) -> str:
    if person.get("familyName"):
        return names.family_given(str(person["familyName"]), str(person.get("givenName") or ""))
    return clean(str(person.get("name") or ""))


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else ""
