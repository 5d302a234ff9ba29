"""How far the catalogue covers its sources, and how full its records are: one count for the shell and the website."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.errata import located_errata
from inversion_atlas.query import HAS
from inversion_atlas.records.paper import Kind, Paper
from inversion_atlas.records.source import Row, Source


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """What is known of the rows of one source. `unconfirmed` counts fields that rest on this source alone."""

    source: Source
    rows: int
    unresolved: int
    works: int
    unconfirmed_works: int
    unconfirmed: Mapping[str, int]
    errata: Mapping[str, int]

    @property
    def resolved(self) -> int:
        """Rows that lead to a record."""
        return self.rows - self.unresolved

    @property
    def percent(self) -> float:
        """Resolved rows of a hundred, cut and not rounded: 100 means all of them."""
        return int(1000 * self.resolved / self.rows) / 10 if self.rows else 100.0

    @property
    def complete(self) -> bool:
        """Whether every row leads to a record."""
        return not self.unresolved


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row that leads to no record yet, and where in its ledger it is written."""

    source: Source
    number: int
    row: Row
    reason: str


@dataclass(frozen=True, slots=True)
class Fill:
    """How many of the works that could have a field do."""

    field: str
    filled: int
    works: int


def coverage(catalogue: Catalogue) -> list[SourceCoverage]:
    """Return the coverage of every source in the order of ids."""
    fields: dict[str, Counter[str]] = {id: Counter() for id in catalogue.sources}
    works: Counter[str] = Counter()
    for paper in catalogue.papers.values():
        for field, source in paper.unconfirmed.items():
            fields.setdefault(source, Counter())[field] += 1
        works.update(set(paper.unconfirmed.values()))
    errata: dict[str, Counter[str]] = {id: Counter() for id in catalogue.sources}
    for found in located_errata(catalogue):
        errata.setdefault(found.source, Counter())[found.erratum.type] += 1
    return [
        SourceCoverage(
            source=source,
            rows=len(source.rows),
            unresolved=sum(bool(why_open(catalogue, row)) for row in source.rows),
            works=len({catalogue.redirects.get(row.paper, row.paper) for row in source.rows if row.paper}),
            unconfirmed_works=works[id],
            unconfirmed=_by_count(fields[id]),
            errata=_by_count(errata[id]),
        )
        for id, source in catalogue.sources.items()
    ]


def open_rows(catalogue: Catalogue, sources: Collection[str] = ()) -> Iterator[OpenRow]:
    """Yield the rows without a record, of all sources or of those named."""
    for id, source in catalogue.sources.items():
        if not sources or id in sources:
            for number, row in enumerate(source.rows):
                if reason := why_open(catalogue, row):
                    yield OpenRow(source, number, row, reason)


def why_open(catalogue: Catalogue, row: Row) -> str:
    """Return why a row leads to no record, "" if it leads to one."""
    if row.unresolved is not None:
        return row.unresolved
    known = (
        catalogue.redirects.get(row.paper or "", row.paper or "") in catalogue.papers
        or row.dataset in catalogue.datasets
        or row.metric in catalogue.metrics
        or any(row.term in facet.terms for facet in catalogue.facets.values())
    )
    return "" if known else f"no record has the id {row.paper or row.dataset or row.metric or row.term}"


def fill_rates(catalogue: Catalogue) -> list[Fill]:
    """Return how many works have each field, those cited as background only left out."""
    papers = [paper for paper in catalogue.papers.values() if paper.kind is not Kind.BACKGROUND]
    classified = [paper for paper in papers if paper.kind in (Kind.ATTACK, Kind.DEFENSE)]
    rates = [_fill(name, papers, [paper for paper in papers if test(paper)]) for name, test in _FIELDS.items()]
    rates += [
        _fill(f"taxonomy.{facet}", classified, [paper for paper in classified if paper.taxonomy.get(facet)])
        for facet in catalogue.facets
    ]
    return rates


_FIELDS: dict[str, Callable[[Paper], object]] = {
    "summary": HAS["summary"],
    "venue": HAS["venue"],
    "links.doi": HAS["doi"],
    "links.arxiv": HAS["arxiv"],
    "links.paper": lambda paper: paper.links.paper,
    "links.code": HAS["code"],
    "methods": HAS["methods"],
    "datasets": HAS["datasets"],
    "metrics": HAS["metrics"],
    "relations": HAS["relations"],
    "reported": HAS["reported"],
    "evidence": lambda paper: paper.evidence,
}


def _fill(field: str, papers: list[Paper], filled: list[Paper]) -> Fill:
    return Fill(field, len(filled), len(papers))


def _by_count(counter: Counter[str]) -> dict[str, int]:
    return {str(name): count for name, count in sorted(counter.items(), key=lambda item: (-item[1], item[0]))}
