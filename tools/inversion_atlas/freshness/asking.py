"""Asking arXiv and OpenAlex for new works, page by page.

arXiv: a search in its own language, newest first; of its pages some come empty although works match, and are asked for
again. OpenAlex: what titles and abstracts say, or what a work cites; its cursor wants a key, without one pages have
numbers (https://developers.openalex.org/guides/page-through-results).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

from inversion_atlas.exports.citation import arxiv_address
from inversion_atlas.intake import arxiv, openalex
from inversion_atlas.intake.entry import Entry, refused
from inversion_atlas.intake.lookup import Services
from inversion_atlas.network.polite import Page, Reader
from inversion_atlas.records.paper import Paper

_PAGE = 100
# Values of one filter; OpenAlex takes some fifty to a hundred.
_BATCH = 50
_SELECTED = (
    "id,doi,title,display_name,publication_year,publication_date,type,authorships,primary_location,locations,biblio,"
    "abstract_inverted_index,referenced_works"
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A work as a service shows it. `openalex` is its id there, `cites` the OpenAlex ids that it refers to."""

    entry: Entry
    openalex: str = ""
    cites: frozenset[str] = frozenset()


@dataclass
class Asking:
    """Asks for works, at most `most` for a question; `cut` holds what was said where there were more."""

    reader: Reader
    services: Services
    mail: str = ""
    most: int = 500

    def __post_init__(self) -> None:
        self.cut: list[str] = []

    def arxiv(self, query: str, since: date, until: date) -> Iterator[Sighting]:
        """Yield what matches a query and was submitted in these days, newest first; raises ReadError."""
        days = f"submittedDate:[{since:%Y%m%d}0000 TO {until:%Y%m%d}2359]"
        for start in range(0, self.most, _PAGE):
            size = min(_PAGE, self.most - start)
            asked = {
                "search_query": f"({query}) AND {days}",
                "start": start,
                "max_results": size,
                "sortBy": "submittedDate",
                "sortOrder": "descending",
            }
            url = f"{self.services.arxiv}/api/query?{urlencode(asked, quote_via=quote)}"
            page = self.reader.get(url, "application/atom+xml", partial(_wrong_feed, start=start))
            feed = arxiv.read_feed(page)
            for entry in feed.entries:
                yield Sighting(replace(entry, evidence=(arxiv_address(entry.arxiv),)))
            if start + size >= feed.total:
                return
        self._cut(query, feed.total)

    def searched(self, query: str, since: date) -> Iterator[Sighting]:
        """Yield what says this in title or abstract and was published since; raises ReadError."""
        yield from self._listed(f"title_and_abstract.search:{query}", since, query)

    def citing(self, ids: Iterable[str], since: date) -> Iterator[Sighting]:
        """Yield what cites one of these OpenAlex ids and was published since; raises ReadError."""
        for batch in _batches(sorted(ids)):
            yield from self._listed(f"cites:{'|'.join(batch)}", since, "works that cite the core")

    def ids_of(self, papers: Sequence[Paper]) -> dict[str, str]:
        """Return OpenAlex id -> id of the paper, of preprint and publication where both are known; raises ReadError."""
        owners = {doi.lower(): paper.id for paper in papers for doi in _dois(paper)}
        found: dict[str, str] = {}
        for batch in _batches([doi for doi in owners if not set(doi) & set(",|")]):
            for work in self._works(f"doi:{'|'.join(batch)}", "id,doi"):
                doi = str(work.get("doi") or "").lower().removeprefix("https://doi.org/")
                if owner := owners.get(doi):
                    found[_short(work.get("id"))] = owner
        return found

    def works_of(self, papers: Sequence[Paper]) -> Iterator[tuple[str, Sighting]]:
        """Yield id of a paper and what OpenAlex knows under one of its DOIs; raises ReadError."""
        owners = {doi.lower(): paper.id for paper in papers for doi in _dois(paper)}
        for batch in _batches([doi for doi in owners if not set(doi) & set(",|")]):
            for work in self._works(f"doi:{'|'.join(batch)}", _SELECTED):
                sighting = _sighting(work)
                known = (sighting.entry.doi.lower(), f"10.48550/arxiv.{sighting.entry.arxiv}")
                if owner := next((owners[doi] for doi in known if doi in owners), ""):
                    yield owner, sighting

    def _listed(self, condition: str, since: date, name: str) -> Iterator[Sighting]:
        number = 0
        for number, work in enumerate(self._works(f"{condition},from_publication_date:{since}", _SELECTED), 1):
            if number > self.most:
                self._cut(name, None)
                return
            yield _sighting(work)

    def _works(self, conditions: str, selected: str) -> Iterator[dict[str, Any]]:
        """Yield the works of a list, newest first."""
        asked: dict[str, str | int] = {
            "filter": conditions,
            "select": selected,
            "sort": "publication_date:desc",
            "per_page": _PAGE,
        }
        if self.mail:
            asked["mailto"] = self.mail
        base = f"{self.services.openalex}/works"
        cursor = "*" if self.reader.has_token(base) else ""
        for number in count(1):
            place: Mapping[str, str | int] = {"cursor": cursor} if cursor else {"page": number}
            url = f"{base}?{urlencode(asked | dict(place), quote_via=quote)}"
            answer = json.loads(self.reader.get(url, "application/json", _wrong_list).body)
            yield from (work for work in answer["results"] if isinstance(work, dict))
            last, cursor = cursor, str(answer["meta"].get("next_cursor") or "") if cursor else ""
            # The last page is not full; a cursor that stands still would never end.
            if len(answer["results"]) < _PAGE or (last and cursor in ("", last)) or number * _PAGE > self.most + _PAGE:
                return

    def _cut(self, question: str, total: int | None) -> None:
        of = f"of {total:,} " if total else ""
        self.cut.append(f"only the newest {self.most:,} {of}works were read: {question}")


def _sighting(work: dict[str, Any]) -> Sighting:
    id = _short(work.get("id"))
    try:
        entry = openalex.work_entry(work)
        cites = frozenset(map(_short, work.get("referenced_works") or ()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"OpenAlex describes this work in a form that is not known ({type(error).__name__})"
        return Sighting(refused("not-a-work", message, title=str(work.get("title") or "")[:300]), id)
    return Sighting(replace(entry, evidence=(f"https://openalex.org/{id}",) if id else ()), id, cites)


def _short(id: Any) -> str:
    """Return `W123` of `https://openalex.org/W123`."""
    name = str(id or "").rpartition("/")[2]
    return name if name[:1] == "W" and name[1:].isascii() and name[1:].isdigit() else ""


def _dois(paper: Paper) -> Iterator[str]:
    if paper.links.doi:
        yield paper.links.doi
    if paper.links.arxiv:
        yield f"10.48550/arXiv.{paper.links.arxiv}"


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]


def _wrong_feed(page: Page, start: int) -> str:
    try:
        feed = arxiv.read_feed(page)
    except ValueError as error:
        return str(error)
    return f"the page is empty, though {feed.total:,} works match" if not feed.entries and start < feed.total else ""


def _wrong_list(page: Page) -> str:
    try:
        answer = json.loads(page.body)
    except (ValueError, RecursionError):
        return "this is no JSON"
    if isinstance(answer, dict) and isinstance(answer.get("results"), list) and isinstance(answer.get("meta"), dict):
        return ""
    return "this is no list of OpenAlex"
