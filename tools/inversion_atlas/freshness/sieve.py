"""From sightings to candidates: known and refused works fall out, twins become one, the rest is ranked by likeness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.checks.duplicates import like_titles, share_author
from inversion_atlas.freshness.asking import Sighting
from inversion_atlas.freshness.likeness import Alike, Likeness
from inversion_atlas.freshness.memory import Candidate
from inversion_atlas.intake import draft
from inversion_atlas.intake.duplicates import Index
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.latex import clean
from inversion_atlas.records.discovery import Refusal
from inversion_atlas.records.fields import ARXIV, DOI
from inversion_atlas.records.paper import Paper

KNOWN, REFUSED, UNREADABLE, NEW, AGAIN = "known", "refused", "unreadable", "new", "again"


# Of the authors of a very large collaboration so many are remembered.
_AUTHORS = 100


@dataclass(frozen=True)
class _Pending:
    """A work under way; `cites` are ids of papers here."""

    entry: Entry
    paper: Paper
    found: date
    openalex: str = ""
    cites: frozenset[str] = frozenset()
    # How like the catalogue it was when it was found, where its abstract is no longer at hand.
    alike: Alike | None = None


class Sieve:
    """Takes works one by one. `counts` says what became of them, `unreadable` which could not be judged."""

    def __init__(self, catalogue: Catalogue, today: date) -> None:
        self._catalogue = catalogue
        self._today = today
        self._known = Index(catalogue.papers.values())
        self._refusals = list(catalogue.refused.values())
        self._refused_ids = {id.lower() for each in self._refusals for id in (each.id, *each.also)}
        self._pending: dict[str, _Pending] = {}
        self._index = Index()
        self._ids = {id for paper in catalogue.papers.values() for id in _link_ids(paper.links.doi, paper.links.arxiv)}
        self.counts: Counter[str] = Counter()
        self.unreadable: list[Entry] = []

    def remember(self, candidate: Candidate) -> None:
        """Take a work that an earlier run found, unless it was added or refused since."""
        alike = Alike(candidate.likeness, candidate.words, candidate.nearest)
        sighting = Sighting(candidate.entry(), candidate.openalex or "", frozenset(candidate.cites))
        self._take(sighting, candidate.found, alike)

    def take(self, sighting: Sighting, core: Mapping[str, str]) -> None:
        """Take a work that a service shows; `core` are OpenAlex ids -> papers whose citing counts."""
        cites = frozenset(core[id] for id in sighting.cites if id in core)
        self.counts[self._take(replace(sighting, cites=cites), self._today, None)] += 1

    def candidates(self, least: float) -> dict[str, Candidate]:
        """Return the works, the likest first, under the ids that they go by; those less like than `least` left out."""
        likeness = Likeness(self._catalogue.papers.values())
        ranked = []
        for each in self._pending.values():
            alike = likeness.of(each.entry.title, each.entry.abstract)
            if each.alike and not each.entry.abstract:
                alike = each.alike
            if alike.likeness >= least:
                ranked.append(_candidate(each, alike))
        ranked.sort(key=lambda candidate: (-candidate.likeness, candidate.title))
        return {candidate.ids[0]: candidate for candidate in ranked if candidate.ids}

    def _take(self, sighting: Sighting, found: date, alike: Alike | None) -> str:
        entry = sighting.entry
        ids = {
            *_link_ids(entry.doi, entry.arxiv),
            *([f"openalex:{sighting.openalex.lower()}"] * bool(sighting.openalex)),
        }
        if ids & self._ids:
            return KNOWN
        if ids & self._refused_ids:
            return REFUSED
        paper, judged = draft.paper_of(entry, self._catalogue)
        if paper is None or not ids:
            self.unreadable.append(judged)
            return UNREADABLE
        if self._known.find(paper)[0]:
            return KNOWN
        if any(_is_refused(paper, refusal) for refusal in self._refusals):
            return REFUSED
        return self._keep(_Pending(entry, paper, found, sighting.openalex, sighting.cites, alike))

    def _keep(self, new: _Pending) -> str:
        """Keep a work, or put it together with its twin that was seen before."""
        twin, _ = self._index.find(new.paper)
        if twin is None:
            id = f"candidate{len(self._pending):04d}x"
            paper = new.paper.model_copy(update={"id": id})
            self._pending[id] = replace(new, paper=paper)
            self._index.add(paper)
            return NEW
        old = self._pending[twin.id]
        first, second = (new, old) if old.entry.preprint and not new.entry.preprint else (old, new)
        entry = draft.merged(first.entry, second.entry)
        paper = draft.paper_of(entry, self._catalogue)[0] or first.paper
        paper = paper.model_copy(update={"id": twin.id})
        self._pending[twin.id] = _Pending(
            entry,
            paper,
            min(old.found, new.found),
            first.openalex or second.openalex,
            old.cites | new.cites,
            old.alike or new.alike,
        )
        self._index.add(paper)
        return AGAIN


def _candidate(each: _Pending, alike: Alike) -> Candidate:
    """Return what is kept of a work; what a record could not hold was left out of its paper already."""
    links = each.paper.links
    return Candidate(
        title=each.paper.title,
        authors=each.paper.authors[:_AUTHORS],
        year=each.paper.year,
        venue=clean(each.entry.venue)[:300].strip() or None,
        doi=links.doi,
        arxiv=links.arxiv,
        openalex=each.openalex or None,
        url=links.paper,
        found=each.found,
        likeness=alike.likeness,
        words=alike.words,
        nearest=alike.nearest,
        cites=tuple(sorted(each.cites)),
    )


def _link_ids(doi: str | None, arxiv: str | None) -> set[str]:
    found = {f"doi:{doi.lower()}"} if doi and DOI.fullmatch(doi) else set()
    return found | ({f"arxiv:{arxiv.lower()}"} if arxiv and ARXIV.fullmatch(arxiv) else set())


def _is_refused(paper: Paper, refusal: Refusal) -> bool:
    """Tell whether a work is a refused one under another id: nearly the same title, and an author in common."""
    if not refusal.title or not like_titles(paper.title, refusal.title):
        return False
    return not refusal.authors or share_author(paper, paper.model_copy(update={"authors": refusal.authors}))
