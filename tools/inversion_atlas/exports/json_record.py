"""A record as JSON: one shape for the JSON export, the website's API and whoever reads either.

Every key is always there; what is not known is null or empty. Ids come with the name they stand for.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from inversion_atlas.addresses import address, facet_address, term_address
from inversion_atlas.catalogue import Catalogue, Edge
from inversion_atlas.disagreements import Disagreement, disagreements
from inversion_atlas.exports import citation
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.erratum import Erratum
from inversion_atlas.records.facet import Facet, Term
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Paper, Reported
from inversion_atlas.records.source import Row, Source
from inversion_atlas.records.venue import Venue

Json: TypeAlias = dict[str, Any]

# Raised when a key changes its meaning or goes away; new keys may come at any time.
SCHEMA_VERSION = 1


def paper_json(catalogue: Catalogue, paper: Paper) -> Json:
    """Return a paper with its relations in both directions and the sources that list it."""
    venue = catalogue.venues.get(paper.venue or "")
    return {
        "id": paper.id,
        "url": address(paper),
        "title": paper.title,
        "authors": list(paper.authors),
        "year": paper.year,
        "venue": _venue_reference(venue) if venue else None,
        "volume": paper.volume,
        "issue": paper.issue,
        "pages": paper.pages,
        "kind": str(paper.kind),
        "status": paper.status.model_dump(mode="json") if paper.status else None,
        "methods": list(paper.methods),
        "summary": paper.summary,
        "taxonomy": _taxonomy(catalogue, paper.taxonomy),
        "datasets": [_dataset_reference(catalogue, id) for id in paper.datasets],
        "metrics": [_metric_reference(catalogue, id) for id in paper.metrics],
        "links": paper.links.model_dump(mode="json"),
        "relations": [_relation(catalogue, edge) for edge in catalogue.edges.get(paper.id, ())],
        "reported": [_reported(catalogue, number) for number in paper.reported],
        "other_titles": list(paper.other_titles),
        "aliases": list(paper.aliases),
        "not_duplicate_of": list(paper.not_duplicate_of),
        "unconfirmed": dict(paper.unconfirmed),
        "added": paper.added.isoformat() if paper.added else None,
        "evidence": list(paper.evidence),
        "listed_by": [_listing(source, row) for source, row in catalogue.listed_by.get(paper.id, ())],
        "disagreements": [_disagreement(found) for found in disagreements(catalogue, paper)],
        "citation": citation.plain(catalogue, paper),
    }


def dataset_json(catalogue: Catalogue, dataset: Dataset) -> Json:
    """Return a dataset with the papers that use it."""
    return {
        "id": dataset.id,
        "url": address(dataset),
        **dataset.model_dump(mode="json"),
        "taxonomy": _taxonomy(catalogue, dataset.taxonomy),
        "introduced_by": _paper_reference(catalogue, dataset.introduced_by),
        "papers": list(catalogue.papers_with.get(("dataset", dataset.id), ())),
    }


def metric_json(catalogue: Catalogue, metric: Metric) -> Json:
    """Return a metric with the papers that use it; an end of its range that is not bounded is null."""
    return {
        "id": metric.id,
        "url": address(metric),
        **metric.model_dump(mode="json"),
        "range": [end if math.isfinite(end) else None for end in metric.range] if metric.range else None,
        "introduced_by": _paper_reference(catalogue, metric.introduced_by),
        "papers": list(catalogue.papers_with.get(("metric", metric.id), ())),
    }


def venue_json(catalogue: Catalogue, venue: Venue) -> Json:
    """Return a venue with the papers that appeared there."""
    return {
        "id": venue.id,
        "url": address(venue),
        **venue.model_dump(mode="json"),
        "papers": list(catalogue.papers_with.get(("venue", venue.id), ())),
    }


def facet_json(catalogue: Catalogue, facet: Facet) -> Json:
    """Return a facet with its terms in full."""
    return {
        "id": facet.id,
        "url": facet_address(facet.id),
        "label": facet.label,
        "question": facet.question,
        "order": facet.order,
        "terms": [term_json(catalogue, facet, term) for term in facet.terms.values()],
    }


def term_json(catalogue: Catalogue, facet: Facet, term: Term) -> Json:
    """Return a term with its place in the tree and the papers it holds for, those of narrower terms included."""
    narrower = [other.id for other in facet.terms.values() if other.broader == term.id]
    return {
        "id": term.id,
        "facet": facet.id,
        "url": term_address(facet.id, term.id),
        **term.model_dump(mode="json"),
        "broader": _term_reference(facet, term.broader) if term.broader else None,
        "narrower": [_term_reference(facet, id) for id in narrower],
        "papers": list(catalogue.papers_with.get((facet.id, term.id), ())),
    }


def source_json(catalogue: Catalogue, source: Source) -> Json:
    """Return a source with every row and what the row resolves to."""
    return {
        "id": source.id,
        "url": address(source),
        "title": source.title,
        "kind": str(source.kind),
        "authors": list(source.authors),
        "address": source.url,
        "paper": _paper_reference(catalogue, source.paper),
        "read": source.read.isoformat() if source.read else None,
        "count": source.count,
        "rows": [_row(catalogue, row) for row in source.rows],
    }


def _paper_reference(catalogue: Catalogue, id: str | None) -> Json | None:
    if id is None:
        return None
    id = catalogue.redirects.get(id, id)
    paper = catalogue.papers.get(id)
    return {"id": id, "title": paper.title if paper else None, "url": address(paper) if paper else None}


def _venue_reference(venue: Venue) -> Json:
    return {"id": venue.id, "name": venue.name, "short": venue.short, "type": str(venue.type)}


def _dataset_reference(catalogue: Catalogue, id: str) -> Json:
    dataset = catalogue.datasets.get(id)
    return {"id": id, "name": dataset.name if dataset else id, "url": address(dataset) if dataset else None}


def _metric_reference(catalogue: Catalogue, id: str) -> Json:
    metric = catalogue.metrics.get(id)
    return {"id": id, "name": metric.name if metric else id, "url": address(metric) if metric else None}


def _term_reference(facet: Facet, id: str) -> Json:
    return {"id": id, "label": facet.terms[id].label if id in facet.terms else id}


def _taxonomy(catalogue: Catalogue, taxonomy: dict[str, tuple[str, ...]]) -> Json:
    """Return the terms of each facet, the facets in their own order and those without a file last."""
    known = {
        id: [_term_reference(facet, term) for term in taxonomy.get(id, ())] for id, facet in catalogue.facets.items()
    }
    unknown = {id: [{"id": term, "label": term} for term in terms] for id, terms in sorted(taxonomy.items())}
    return {**known, **{id: terms for id, terms in unknown.items() if id not in known}}


def _relation(catalogue: Catalogue, edge: Edge) -> Json:
    return {"verb": edge.verb, "paper": _paper_reference(catalogue, edge.other), "how": edge.how}


def _reported(catalogue: Catalogue, number: Reported) -> Json:
    return {
        **number.model_dump(mode="json"),
        "value": number.value if math.isfinite(number.value) else None,
        "metric": _metric_reference(catalogue, number.metric),
        "dataset": _dataset_reference(catalogue, number.dataset) if number.dataset else None,
    }


def _listing(source: Source, row: Row) -> Json:
    return {
        "source": {"id": source.id, "title": source.title, "url": address(source)},
        "place": row.place,
        "title": row.title,
        "says": {key: list(values) for key, values in row.says.items()},
        "errata": list(map(_erratum, row.errata)),
    }


def _disagreement(found: Disagreement) -> Json:
    """Return a field on which record and sources do not agree."""
    claims = [
        {
            "source": claim.source.id,
            "place": claim.row.place,
            "says": claim.printed,
            "value": claim.value,
            "stance": str(claim.stance),
        }
        for claim in found.claims
    ]
    errata = [{"source": each.source.id, "place": each.row.place, **_erratum(each.erratum)} for each in found.errata]
    return {"field": found.field, "record": list(found.record), "claims": claims, "errata": errata}


def _erratum(erratum: Erratum) -> Json:
    return erratum.model_dump(mode="json")


def _row(catalogue: Catalogue, row: Row) -> Json:
    return {
        "place": row.place,
        "title": row.title,
        "paper": _paper_reference(catalogue, row.paper),
        "dataset": _dataset_reference(catalogue, row.dataset) if row.dataset else None,
        "metric": _metric_reference(catalogue, row.metric) if row.metric else None,
        "term": row.term,
        "unresolved": row.unresolved,
        "says": {key: list(values) for key, values in row.says.items()},
        "errata": list(map(_erratum, row.errata)),
        "note": row.note,
    }
