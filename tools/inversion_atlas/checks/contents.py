"""What a catalogue holds, piece by piece, each with the place where it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.erratum import SourceErratum
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Links, Paper

Piece = tuple[Place, str]

# Links that are one address each; the others are lists.
SINGLE_LINKS = ("paper", "pdf", "project", "video", "slides", "poster", "archive")
LISTED_LINKS = ("code", "reimplementation")


def papers(catalogue: Catalogue) -> Iterator[tuple[Place, Paper]]:
    """Yield every paper."""
    for paper in catalogue.papers.values():
        yield catalogue.place(paper), paper


def measured(catalogue: Catalogue) -> Iterator[tuple[Place, Dataset | Metric]]:
    """Yield every dataset and metric."""
    for records in (catalogue.datasets, catalogue.metrics):
        for record in records.values():
            yield catalogue.place(record), record


def classified(catalogue: Catalogue) -> Iterator[tuple[Place, Mapping[str, tuple[str, ...]]]]:
    """Yield the facets and terms of every paper and dataset."""
    for place, paper in papers(catalogue):
        yield place / "taxonomy", paper.taxonomy
    for dataset in catalogue.datasets.values():
        yield catalogue.place(dataset) / "taxonomy", dataset.taxonomy


def errata(catalogue: Catalogue) -> Iterator[tuple[Place, SourceErratum]]:
    """Yield every erratum that stands with a dataset or metric."""
    for place, record in measured(catalogue):
        yield from ((place / "errata" / at, erratum) for at, erratum in enumerate(record.errata))


def links(links: Links, place: Place) -> Iterator[Piece]:
    """Yield every address under a paper's `links`."""
    for key in SINGLE_LINKS:
        if url := getattr(links, key):
            yield place / key, url
    for key in LISTED_LINKS:
        yield from _listed(place / key, getattr(links, key))


def addresses(catalogue: Catalogue) -> Iterator[Piece]:
    """Yield every web address that the catalogue itself vouches for, so none that a source is quoted with."""
    for place, paper in papers(catalogue):
        yield from links(paper.links, place / "links")
        yield from _listed(place / "evidence", paper.evidence)
        if paper.status:
            yield place / "status" / "evidence", paper.status.evidence
        yield from ((place / "reported" / at / "evidence", row.evidence) for at, row in enumerate(paper.reported))
    for place, record in measured(catalogue):
        if isinstance(record, Dataset) and record.homepage:
            yield place / "homepage", record.homepage
        yield from _listed(place / "evidence", record.evidence)
    for place, erratum in errata(catalogue):
        yield from _listed(place / "evidence", erratum.evidence)
    for venue in catalogue.venues.values():
        if venue.homepage:
            yield catalogue.place(venue) / "homepage", venue.homepage
    for facet in catalogue.facets.values():
        for id, term in facet.terms.items():
            yield from _listed(catalogue.place(facet) / "terms" / id / "evidence", term.evidence)
    yield from _source_addresses(catalogue)


def titles(catalogue: Catalogue) -> Iterator[Piece]:
    """Yield every title of a paper."""
    for place, paper in papers(catalogue):
        yield place / "title", paper.title
        yield from _listed(place / "other_titles", paper.other_titles)


def authors(catalogue: Catalogue) -> Iterator[Piece]:
    """Yield every author of a paper or source."""
    for place, paper in papers(catalogue):
        yield from _listed(place / "authors", paper.authors)
    for source in catalogue.sources.values():
        yield from _listed(catalogue.place(source) / "authors", source.authors)


def names(catalogue: Catalogue) -> Iterator[Piece]:
    """Yield every name of one line, save the spellings of sources, which are copied with their faults."""
    yield from titles(catalogue)
    yield from authors(catalogue)
    for place, paper in papers(catalogue):
        yield from _listed(place / "methods", paper.methods)
    for place, record in measured(catalogue):
        yield place / "name", record.name
        if record.full_name:
            yield place / "full_name", record.full_name
    for venue in catalogue.venues.values():
        yield catalogue.place(venue) / "name", venue.name
        yield catalogue.place(venue) / "short", venue.short
    for source in catalogue.sources.values():
        yield catalogue.place(source) / "title", source.title
    for facet in catalogue.facets.values():
        yield catalogue.place(facet) / "label", facet.label
        for id, term in facet.terms.items():
            yield catalogue.place(facet) / "terms" / id / "label", term.label


def texts(catalogue: Catalogue) -> Iterator[Piece]:
    """Yield every name and every sentence."""
    yield from names(catalogue)
    yield from prose(catalogue)


def prose(catalogue: Catalogue) -> Iterator[Piece]:
    """Yield every sentence of ours."""
    for place, paper in papers(catalogue):
        if paper.summary:
            yield place / "summary", paper.summary
        for at, relation in enumerate(paper.relations):
            if relation.how:
                yield place / "relations" / at / "how", relation.how
    for place, record in measured(catalogue):
        yield place / "description", record.description
        if isinstance(record, Metric):
            yield place / "blind_to", record.blind_to
    for facet in catalogue.facets.values():
        for id, term in facet.terms.items():
            yield catalogue.place(facet) / "terms" / id / "definition", term.definition


def _listed(place: Place, items: tuple[str, ...]) -> Iterator[Piece]:
    return ((place / at, item) for at, item in enumerate(items))


def _source_addresses(catalogue: Catalogue) -> Iterator[Piece]:
    for source in catalogue.sources.values():
        place = catalogue.place(source)
        if source.url:
            yield place / "url", source.url
        for at, row in enumerate(source.rows):
            for number, erratum in enumerate(row.errata):
                yield from _listed(place / "rows" / at / "errata" / number / "evidence", erratum.evidence)
