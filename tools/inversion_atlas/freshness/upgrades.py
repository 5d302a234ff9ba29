"""Preprints of the catalogue that have been published: what arXiv, OpenAlex, DBLP and Crossref know of each.

An identifier leads to a publication (the DOI that arXiv holds, or the one under which OpenAlex has the preprint), or a
search by title does. Either way half of the authors must be the same, and what a search finds must have the same title
or nearly so. The first publication found is offered; the record stays one record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.checks.duplicates import like_titles
from inversion_atlas.exports.citation import doi_address
from inversion_atlas.freshness.asking import Asking, Sighting
from inversion_atlas.intake import crossref, dblp, draft
from inversion_atlas.intake.duplicates import Index
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.identifiers import read_year
from inversion_atlas.intake.lookup import LookUp
from inversion_atlas.intake.update import Change, offered
from inversion_atlas.intake.venues import find_venue
from inversion_atlas.network.polite import Page, ReadError
from inversion_atlas.records.folding import fold
from inversion_atlas.records.paper import Paper

ARXIV, OPENALEX, DBLP, CROSSREF = "arXiv", "OpenAlex", "DBLP", "Crossref"
# A service that failed so often in a row is not asked again.
_PATIENCE = 2
_ROWS = 5
_AGREEING = 0.5


@dataclass(frozen=True)
class Upgrade:
    """A record as it is and as it would be, the changes, and which service led to them."""

    record: Paper
    updated: Paper
    changes: Sequence[Change]
    by: str


@dataclass(frozen=True)
class Doubt:
    """What was found of a record and is left to a curator."""

    record: Paper
    message: str


@dataclass
class Refreshing:
    """A run under way. `failed` says which service did not answer, and for what."""

    catalogue: Catalogue
    asking: Asking
    look_up: LookUp
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._index = Index(self.catalogue.papers.values())
        self._failures: Counter[str] = Counter()
        self._sightings: dict[str, Sighting] = {}

    def run(self, papers: Sequence[Paper]) -> Iterator[Upgrade | Doubt | None]:
        """Yield for each paper, one by one, its upgrade, what a curator should look at, or nothing."""
        for paper in papers:
            self.look_up.expect(paper.links.arxiv or "")
        try:
            self._sightings = dict(self.asking.works_of(papers))
        except ReadError as error:
            if error.code != "offline":
                self._failed(OPENALEX, "the preprints' ids", error.message, error.code)
        for paper in papers:
            yield self._of(paper)

    def _of(self, paper: Paper) -> Upgrade | Doubt | None:
        doubt: Doubt | None = None
        for by, entry, searched in self._publications(paper):
            found = self._judged(paper, entry, by, searched)
            if isinstance(found, Upgrade):
                return found
            doubt = doubt or found
        return doubt

    def _publications(self, paper: Paper) -> Iterator[tuple[str, Entry, bool]]:
        """Yield service, what it says, and whether only a search by title led there; each is asked when needed."""
        preprint = self._preprint(paper)
        sighting = self._sightings.get(paper.id)
        asked: set[str] = set()
        for by, entry in ((ARXIV, preprint), (OPENALEX, sighting.entry if sighting else None)):
            if entry and entry.doi and entry.doi.lower() not in asked:
                asked.add(entry.doi.lower())
                if found := self._by_doi(paper, entry.doi):
                    yield f"{CROSSREF}, by the DOI at {by}", found, False
        if sighting and not sighting.entry.preprint:
            yield OPENALEX, sighting.entry, False
        for entry in self._searched(DBLP, paper):
            yield DBLP, entry, True
        for entry in self._searched(CROSSREF, paper):
            yield CROSSREF, entry, True
        if preprint and preprint.journal_ref:
            yield f"{ARXIV}, its journal reference", _of_journal_ref(preprint), False

    def _judged(self, paper: Paper, entry: Entry, by: str, searched: bool) -> Upgrade | Doubt | None:
        venue = self.catalogue.venues.get(find_venue(entry.venue, self.catalogue))
        if entry.refused or entry.preprint or (venue and venue.type == "preprint"):
            return None
        same_title = any(like_titles(entry.title, title) for title in (paper.title, *paper.other_titles))
        if searched and not (same_title and _agree(paper, entry)):
            return None
        named = f"{entry.title[:120]!r}, {entry.venue[:80] or 'no venue'} {entry.year or ''}".strip()
        if not _agree(paper, entry):
            return Doubt(paper, f"{by} leads to {named}, whose authors are others; is the link right?")
        if entry.year and entry.year < paper.year - 1:
            return Doubt(paper, f"{by} leads to {named}, which is older than the preprint")
        new, entry = draft.paper_of(entry, self.catalogue)
        if new is None:
            return None
        if not venue:
            return Doubt(paper, f"{by}: published as {named}; the venue is not in data/venues.yaml yet")
        other, why = self._index.find(new)
        if other and other.id != paper.id:
            return Doubt(paper, f"{by} leads to {named}, but {other.id} has {why}; are the two one work?")
        updated, changes, problems = offered(paper, new, self.catalogue)
        if problems:
            return Doubt(paper, f"{by}: {'; '.join(problem.message for problem in problems)}")
        return Upgrade(paper, updated, changes, by) if updated.venue != paper.venue else None

    # Asking; a failure is noted, and never ends the run

    def _preprint(self, paper: Paper) -> Entry | None:
        if not paper.links.arxiv or self._down(ARXIV):
            return None
        return self._answer(ARXIV, paper, self.look_up.of_arxiv(paper.links.arxiv))

    def _by_doi(self, paper: Paper, doi: str) -> Entry | None:
        return None if self._down(CROSSREF) else self._answer(CROSSREF, paper, self.look_up.of_doi(doi))

    def _answer(self, service: str, paper: Paper, entry: Entry) -> Entry | None:
        if problem := next((problem for problem in entry.problems if problem.code == "look-up"), None):
            self._failed(service, paper.id, problem.message, "")
            return None
        self._failures[service] = 0
        return None if entry.refused else entry

    def _searched(self, service: str, paper: Paper) -> list[Entry]:
        if self._down(service):
            return []
        url, read = self._search(service, paper)
        try:
            page = self.look_up.reader.get(url, "application/json", lambda page: _complaint(page, read))
        except ReadError as error:
            if error.code != "offline":
                self._failed(service, paper.id, error.message, error.code)
            return []
        self._failures[service] = 0
        return read(page)

    def _search(self, service: str, paper: Paper) -> tuple[str, Callable[[Page], list[Entry]]]:
        """Return where to search for a title, and what reads the answer."""
        services, words = self.look_up.services, fold(paper.title)
        if service == DBLP:
            asked: dict[str, str | int] = {"q": words, "format": "json", "h": _ROWS * 2, "c": 0}
            return f"{services.dblp}/search/publ/api?{urlencode(asked, quote_via=quote)}", dblp.read_hits
        family = paper.authors[0].partition(",")[0]
        asked = {
            "query.bibliographic": f"{words} {family}",
            "rows": _ROWS,
            "select": "DOI,type,title,subtitle,author,container-title,issued,page,volume,issue",
            **({"mailto": self.look_up.mail} if self.look_up.mail else {}),
        }
        return f"{services.crossref}/works?{urlencode(asked, quote_via=quote)}", _read_crossref

    def _down(self, service: str) -> bool:
        return self._failures[service] >= _PATIENCE

    def _failed(self, service: str, what: str, message: str, code: str) -> None:
        self._failures[service] += 1
        stop = "; it was not asked again" if self._down(service) else ""
        self.failed.append(f"{service}: {message}{f' [{code}]' if code else ''}: {what}{stop}")


def _agree(paper: Paper, entry: Entry) -> bool:
    """Tell whether half of the authors of the shorter list are in the other; one family name alone is anybody's."""
    own, theirs = ({fold(name.partition(",")[0]) for name in names} for names in (paper.authors, entry.authors))
    return bool(own and theirs) and len(own & theirs) >= _AGREEING * min(len(own), len(theirs))


def _of_journal_ref(preprint: Entry) -> Entry:
    """Return the publication that an author has named at arXiv."""
    return replace(preprint, venue=preprint.journal_ref, year=read_year(preprint.journal_ref), preprint=False)


def _read_crossref(page: Page) -> list[Entry]:
    return [replace(entry, evidence=(doi_address(entry.doi),)) for entry in crossref.read_list(page) if entry.doi]


def _complaint(page: Page, read: Callable[[Page], object]) -> str:
    try:
        read(page)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        return f"{type(error).__name__} in an answer of {len(page.body):,} bytes"
    return ""
