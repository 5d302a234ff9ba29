"""The catalogue as a SQLite database: normal tables, a view that reads well, full-text search over papers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import citation
from inversion_atlas.exports.json_file import LICENSE
from inversion_atlas.exports.json_record import SCHEMA_VERSION
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.source import Row
from inversion_atlas.stamp import read_stamp

Values: TypeAlias = tuple[Any, ...]

SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
# "Atls", so that `file` and others can tell what the database is.
_APPLICATION_ID = 0x41746C73


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return the bytes of a database; the same catalogue and SQLite give the same bytes."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.execute("PRAGMA page_size = 4096")
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(SCHEMA)
        connection.execute("BEGIN")
        for table, rows in _tables(catalogue, papers):
            for values in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
        connection.execute("INSERT INTO paper_search (paper_search) VALUES ('optimize')")
        connection.execute("COMMIT")
        connection.execute("VACUUM")
        return connection.serialize()
    finally:
        connection.close()


def _tables(catalogue: Catalogue, papers: Sequence[Paper]) -> Iterator[tuple[str, Iterator[Values]]]:
    """Yield each table with its rows, those that are referred to first."""
    yield "meta", _meta(catalogue, papers)
    yield "venues", ((v.id, v.name, v.short, v.type, v.publisher, v.homepage) for v in catalogue.venues.values())
    yield "facets", ((f.id, f.label, f.question, f.order) for f in catalogue.facets.values())
    yield (
        "terms",
        (
            (facet.id, term.id, term.label, term.definition, term.broader if term.broader in facet.terms else None)
            for facet in catalogue.facets.values()
            for term in facet.terms.values()
        ),
    )
    yield "datasets", (
        (d.id, d.name, d.full_name, d.year, d.description, d.instances, d.shape, d.classes, d.license, d.homepage,
         None if d.personal_data is None else int(d.personal_data), d.introduced_by)
        for d in catalogue.datasets.values()
    )  # fmt: skip
    yield "metrics", (
        (m.id, m.name, m.full_name, m.group, m.description, m.formula, m.direction.attacker, m.direction.defender,
         m.unit, m.blind_to, m.introduced_by)
        for m in catalogue.metrics.values()
    )  # fmt: skip
    yield "sources", ((s.id, s.title, s.kind, s.url, s.paper) for s in catalogue.sources.values())
    yield "papers", (_paper(catalogue, paper) for paper in papers)
    yield "authors", (_author(paper, at) for paper in papers for at in range(len(paper.authors)))
    yield "paper_methods", _listed(papers, "methods")
    yield "paper_other_titles", _listed(papers, "other_titles")
    yield (
        "paper_terms",
        (
            (paper.id, facet, term)
            for paper in papers
            for facet, terms in paper.taxonomy.items()
            for term in dict.fromkeys(terms)
            if facet in catalogue.facets and term in catalogue.facets[facet].terms
        ),
    )
    yield "paper_datasets", _known(papers, "datasets", catalogue.datasets)
    yield "paper_metrics", _known(papers, "metrics", catalogue.metrics)
    yield "links", (link for paper in papers for link in _links(paper))
    yield (
        "relations",
        ((paper.id, edge.verb, edge.other, edge.how) for paper in papers for edge in catalogue.edges.get(paper.id, ())),
    )
    yield (
        "reported",
        (
            (p.id, n.metric, n.value, n.unit, n.dataset, n.target, n.method, n.setting, n.place, n.evidence)
            for p in papers
            for n in p.reported
        ),
    )
    yield "evidence", ((paper.id, url) for paper in papers for url in dict.fromkeys(paper.evidence))
    yield (
        "source_rows",
        (
            (source.id, at, row.place, row.title, *_resolution(catalogue, row), row.note)
            for source in catalogue.sources.values()
            for at, row in enumerate(source.rows, start=1)
        ),
    )
    yield "paper_search", (_searched(paper) for paper in papers)


def _meta(catalogue: Catalogue, papers: Sequence[Paper]) -> Iterator[Values]:
    stamp = read_stamp(catalogue)
    yield from (("title", catalogue.settings.title), ("license", LICENSE), ("schema_version", str(SCHEMA_VERSION)))
    yield from (("version", stamp.version), ("commit", stamp.commit), ("date", stamp.date))
    yield "papers", str(len(papers))


def _paper(catalogue: Catalogue, paper: Paper) -> Values:
    return (
        paper.id, paper.title, paper.year, paper.venue if paper.venue in catalogue.venues else None, paper.volume,
        paper.issue, paper.pages, paper.kind, paper.status.state if paper.status else None,
        paper.status.reason if paper.status else None, paper.summary, paper.links.doi, paper.links.arxiv,
        citation.web_address(paper) or None, paper.added.isoformat() if paper.added else None,
        citation.plain(catalogue, paper),
    )  # fmt: skip


def _author(paper: Paper, at: int) -> Values:
    name = citation.parse_name(paper.authors[at])
    return (paper.id, at + 1, paper.authors[at], name.surname, name.given or None, name.suffix or None)


def _listed(papers: Sequence[Paper], field: str) -> Iterator[Values]:
    return ((paper.id, at, value) for paper in papers for at, value in enumerate(getattr(paper, field), start=1))


def _known(papers: Sequence[Paper], field: str, records: Mapping[str, object]) -> Iterator[Values]:
    return ((paper.id, id) for paper in papers for id in dict.fromkeys(getattr(paper, field)) if id in records)


def _links(paper: Paper) -> Iterator[Values]:
    for kind, value in paper.links:
        if kind not in ("doi", "arxiv"):
            for at, url in enumerate(value if isinstance(value, tuple) else [value] if value else [], start=1):
                yield paper.id, kind, at, url


def _resolution(catalogue: Catalogue, row: Row) -> Values:
    """Return what kind of record a row resolves to and its id, and the row's own words as JSON."""
    paper = catalogue.redirects.get(row.paper or "", row.paper)
    named = (("paper", paper), ("dataset", row.dataset), ("metric", row.metric), ("term", row.term))
    kind, id = next(((kind, id) for kind, id in named if id), ("unresolved", None))
    return kind, id, row.unresolved, json.dumps(row.says, ensure_ascii=False) if row.says else None


def _searched(paper: Paper) -> Values:
    titles = " / ".join((paper.title, *paper.other_titles))
    return paper.id, titles, "; ".join(paper.authors), paper.summary or "", "; ".join(paper.methods)
