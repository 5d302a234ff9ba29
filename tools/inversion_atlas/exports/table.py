"""A paper as one flat row: the columns that CSV and Parquet share."""

from __future__ import annotations

from typing import TypeAlias

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import web_address
from inversion_atlas.records.paper import Links, Paper

Cell: TypeAlias = str | int | tuple[str, ...] | None

_LISTS = frozenset(("authors", "methods", "datasets", "metrics", "code", "reimplementation"))


def columns(catalogue: Catalogue) -> list[str]:
    """Return the names of the columns; every facet is one."""
    return ["id", "title", "authors", "year", "venue", "venue_name", "volume", "issue", "pages", "kind", "status",
            "methods", "summary", *catalogue.facets, "datasets", "metrics", *Links.model_fields, "url"]  # fmt: skip


def list_columns(catalogue: Catalogue) -> frozenset[str]:
    """Return the columns that hold several values."""
    return _LISTS | frozenset(catalogue.facets)


def row(catalogue: Catalogue, paper: Paper) -> dict[str, Cell]:
    """Return the values of a paper by column; facets, datasets and metrics are ids."""
    venue = catalogue.venues.get(paper.venue or "")
    links: dict[str, Cell] = {name: getattr(paper.links, name) for name in Links.model_fields}
    return {
        "id": paper.id,
        "title": paper.title,
        "authors": paper.authors,
        "year": paper.year,
        "venue": paper.venue,
        "venue_name": venue.name if venue else None,
        "volume": paper.volume,
        "issue": paper.issue,
        "pages": paper.pages,
        "kind": str(paper.kind),
        "status": str(paper.status.state) if paper.status else None,
        "methods": paper.methods,
        "summary": paper.summary,
        **{facet: paper.taxonomy.get(facet, ()) for facet in catalogue.facets},
        "datasets": paper.datasets,
        "metrics": paper.metrics,
        **links,
        "url": web_address(paper) or None,
    }
