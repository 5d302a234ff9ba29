"""What a record still lacks, and what no record uses."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.checks.contents import measured, papers
from inversion_atlas.checks.rule import Problem
from inversion_atlas.records.paper import Kind, Paper, State
from inversion_atlas.records.venue import VenueType

# A work of these kinds is about the field or outside it; the others attack or defend in some way.
_NOT_OF_THIS_FIELD = frozenset((Kind.BACKGROUND, Kind.DATASET, Kind.METRIC))
_UNCLASSIFIED = frozenset((Kind.SURVEY, Kind.BENCHMARK, Kind.TOOL))


def missing_family(catalogue: Catalogue) -> Iterator[Problem]:
    """An attack or defense without a family."""
    return _without_term(catalogue, "family")


def missing_access(catalogue: Catalogue) -> Iterator[Problem]:
    """An attack or defense without access, which not every abstract tells."""
    return _without_term(catalogue, "access")


def missing_summaries(catalogue: Catalogue) -> Iterator[Problem]:
    """A paper of this field without a summary."""
    for place, paper in _of_this_field(catalogue):
        if not paper.summary:
            yield Problem(place, f"the {paper.kind} has no summary", "say in a sentence or two what is new")


def missing_evidence(catalogue: Catalogue) -> Iterator[Problem]:
    """A paper without a page on which its facts were seen."""
    for place, paper in papers(catalogue):
        if not paper.evidence and not paper.unconfirmed:
            yield Problem(place, "the record names no evidence", "add the pages on which its facts were seen")


def idle_status(catalogue: Catalogue) -> Iterator[Problem]:
    """A work said to be rejected that has appeared."""
    for place, paper in papers(catalogue):
        venue = catalogue.venues.get(paper.venue or "")
        if paper.status and paper.status.state is State.REJECTED and venue and venue.type is not VenueType.PREPRINT:
            message = f"the paper is rejected, yet appeared at {venue.short}"
            yield Problem(place / "status", message, "remove the status, or the venue")


def unused_measures(catalogue: Catalogue) -> Iterator[Problem]:
    """A dataset or metric that no paper has."""
    used: set[str] = set()
    for paper in catalogue.papers.values():
        used.update(paper.datasets, paper.metrics, (row.metric for row in paper.reported))
        used.update(row.dataset for row in paper.reported if row.dataset)
    yield from _unused([(place, record.id) for place, record in measured(catalogue)], used)


def unused_venues(catalogue: Catalogue) -> Iterator[Problem]:
    """A venue at which no paper appeared."""
    used = {paper.venue for paper in catalogue.papers.values() if paper.venue}
    yield from _unused([(catalogue.place(venue), venue.id) for venue in catalogue.venues.values()], used)


def _unused(records: list[tuple[Place, str]], used: Collection[str]) -> Iterator[Problem]:
    for place, id in records:
        if id not in used:
            yield Problem(place, f"no paper names {id}", "name it where it belongs, or remove it")


def _without_term(catalogue: Catalogue, facet: str) -> Iterator[Problem]:
    for place, paper in _of_this_field(catalogue) if facet in catalogue.facets else ():
        if paper.kind not in _UNCLASSIFIED and not paper.taxonomy.get(facet):
            message = f"the {paper.kind} has no {facet}"
            yield Problem(place / "taxonomy", message, f"add taxonomy.{facet}, the narrowest term that holds")


def _of_this_field(catalogue: Catalogue) -> Iterator[tuple[Place, Paper]]:
    return ((place, paper) for place, paper in papers(catalogue) if paper.kind not in _NOT_OF_THIS_FIELD)
