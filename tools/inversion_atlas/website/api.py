"""The static JSON API: every file under `api/v1/`, each with versions and stamp, found by id, DOI or arXiv id."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from inversion_atlas.addresses import address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import json_record
from inversion_atlas.exports.json_file import LICENSE
from inversion_atlas.exports.schema import schemas
from inversion_atlas.records.paper import VERBS, Paper
from inversion_atlas.stamp import Stamp
from inversion_atlas.website.openapi import ENDPOINTS, describe_api

BASE = "api/v1/"
# Documents are trees, so none is searched for a circle.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)

Json = dict[str, Any]


def api_files(catalogue: Catalogue, stamp: Stamp) -> Iterator[tuple[str, str | bytes]]:
    """Yield the path and content of every file of the API, those of papers first."""
    sealed = seal(stamp)
    taken: set[str] = set()
    for paper in catalogue.papers.values():
        for path, content in paper_files(catalogue, paper, sealed):
            if path not in taken:
                taken.add(path)
                yield path, content
    for path, payload in _collections(catalogue):
        yield BASE + path, _encode(sealed | payload)
    for name, schema in schemas(catalogue).items():
        yield f"{BASE}schema/{name}", _encode(schema)
    yield f"{BASE}openapi.json", _encode(describe_api(catalogue, stamp))


def paper_files(catalogue: Catalogue, paper: Paper, sealed: Json) -> Iterator[tuple[str, bytes]]:
    """Yield the files that answer for one paper: by id, by former ids, by DOI and by arXiv id."""
    content = _encode({**sealed, "paper": json_record.paper_json(catalogue, paper)})
    for id in (paper.id, *paper.aliases):
        yield f"{BASE}papers/{id}.json", content
    if paper.links.doi:
        yield BASE + doi_path(paper.links.doi), content
    if paper.links.arxiv:
        yield BASE + arxiv_path(paper.links.arxiv), content


def doi_path(doi: str) -> str:
    """Return where a DOI is looked up, below `api/v1/`: `doi/10.1145/3616855.json`."""
    return f"doi/{_safe_path(doi.lower())}.json"


def arxiv_path(id: str) -> str:
    """Return where an arXiv id is looked up, below `api/v1/`: `arxiv/1906.08935.json`."""
    return f"arxiv/{_safe_path(id)}.json"


def _safe_path(identifier: str) -> str:
    """Return an identifier as a relative path: its slashes kept, what a file name may not hold percent-encoded."""
    *folders, last = identifier.split("/")
    # A folder must not be called like another identifier's file.
    return "/".join([*(re.sub(r"\.(?=json$)", "%2E", _safe_segment(name)) for name in folders), _safe_segment(last)])


def _safe_segment(segment: str) -> str:
    if not segment or not segment.strip("."):
        return segment.replace(".", "%2E") or "%00"
    return quote(segment, safe="()")


def seal(stamp: Stamp) -> Json:
    """Return what every file carries: versions, the commit it was generated from, the license."""
    return {
        "schema_version": json_record.SCHEMA_VERSION,
        "data_version": stamp.version,
        "generated": {"commit": stamp.commit or None, "date": stamp.date or None},
        "license": LICENSE,
    }


def _encode(document: Json) -> bytes:
    return _ENCODER.encode(document).encode() + b"\n"


def _collections(catalogue: Catalogue) -> Iterator[tuple[str, Json]]:
    """Yield everything that is not a paper."""
    yield (
        "index.json",
        {
            "title": catalogue.settings.title,
            "description": " ".join(catalogue.settings.description.split()),
            "endpoints": [{"path": path, "description": endpoint.says} for path, endpoint in ENDPOINTS.items()],
        },
    )
    yield "papers.json", {"papers": [summary(catalogue, paper) for paper in catalogue.papers.values()]}
    yield "lookup.json", lookup(catalogue)
    yield "relations.json", {"relations": list(relations(catalogue))}
    kinds: tuple[tuple[str, str, Any, Callable[[Catalogue, Any], Json]], ...] = (
        ("datasets", "dataset", catalogue.datasets, json_record.dataset_json),
        ("metrics", "metric", catalogue.metrics, json_record.metric_json),
        ("venues", "venue", catalogue.venues, json_record.venue_json),
        ("sources", "source", catalogue.sources, json_record.source_json),
    )
    for plural, singular, records, to_json in kinds:
        made = {id: to_json(catalogue, record) for id, record in records.items()}
        listed = [{key: value for key, value in record.items() if key != "rows"} for record in made.values()]
        yield f"{plural}.json", {plural: listed}
        for id, record in records.items():
            # A venue's aliases are other spellings of its name, not former ids.
            former = record.aliases if plural in ("datasets", "metrics") else ()
            for name in (id, *former):
                yield f"{plural}/{name}.json", {singular: made[id]}
    facets = [json_record.facet_json(catalogue, facet) for facet in catalogue.facets.values()]
    yield "taxonomy.json", {"facets": facets}


def summary(catalogue: Catalogue, paper: Paper) -> Json:
    """Return a paper as the list of all papers shows it."""
    venue = catalogue.venues.get(paper.venue or "")
    return {
        "id": paper.id,
        "url": address(paper),
        "title": paper.title,
        "authors": list(paper.authors),
        "year": paper.year,
        "venue": venue.short if venue else None,
        "kind": str(paper.kind),
        "status": str(paper.status.state) if paper.status else None,
        "doi": paper.links.doi,
        "arxiv": paper.links.arxiv,
    }


def lookup(catalogue: Catalogue) -> Json:
    """Return every DOI (in lower case), arXiv id and former id with the id of the paper it belongs to."""
    found: dict[str, dict[str, str]] = {"doi": {}, "arxiv": {}, "alias": dict(catalogue.redirects)}
    for paper in catalogue.papers.values():
        if paper.links.doi:
            found["doi"].setdefault(paper.links.doi.lower(), paper.id)
        if paper.links.arxiv:
            found["arxiv"].setdefault(paper.links.arxiv, paper.id)
    return found


def relations(catalogue: Catalogue) -> Iterator[Json]:
    """Yield every relation once, as the acting paper says it."""
    for id, edges in sorted(catalogue.edges.items()):
        for edge in edges:
            if edge.verb in VERBS:
                yield {"from": id, "verb": edge.verb, "to": edge.other, "how": edge.how}
