"""The OpenAPI description of the static JSON API; its schemas are made from the models of the records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.disagreements import Stance
from inversion_atlas.exports import json_record
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.facet import Facet, Term
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import PASSIVE, VERBS, Kind, Paper, State
from inversion_atlas.records.source import Row, Source
from inversion_atlas.records.venue import Venue
from inversion_atlas.stamp import Stamp

Schema = dict[str, Any]

_REFERENCES = "#/components/schemas/"
_TEXT: Schema = {"type": "string"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one address answers: a line about it, and what its files hold beside versions and stamp."""

    says: str
    holds: dict[str, Schema]
    sample: str = ""


def _ref(name: str) -> Schema:
    return {"$ref": _REFERENCES + name}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _map(value: Schema) -> Schema:
    return {"type": "object", "additionalProperties": value}


def _object(properties: dict[str, Schema], description: str = "") -> Schema:
    """Return the schema of an object that has all of these keys and no other."""
    made = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"description": description, **made} if description else made


_PAPER = {"paper": _ref("Paper")}
ENDPOINTS = {
    "/index.json": Endpoint(
        "What there is, and where.",
        {"title": _TEXT, "description": _TEXT, "endpoints": _list(_object({"path": _TEXT, "description": _TEXT}))},
    ),
    "/papers.json": Endpoint("Every paper in short.", {"papers": _list(_ref("PaperSummary"))}),
    "/papers/{id}.json": Endpoint("A paper by its id, today's or a former one.", _PAPER, "zhu2019deep"),
    "/doi/{doi}.json": Endpoint(
        "A paper by its DOI, in lower case. Slashes of the DOI stay slashes; letters, digits and -._~() stay as they "
        "are; any other character is percent-encoded in the file's name, and its percent sign again in the request.",
        _PAPER,
        "10.1145/2810103.2813677",
    ),
    "/arxiv/{arxiv}.json": Endpoint("A paper by its arXiv id, without version.", _PAPER, "1906.08935"),
    "/lookup.json": Endpoint(
        "Every DOI, arXiv id and former id with the id of its paper.",
        {"doi": _map(_TEXT), "arxiv": _map(_TEXT), "alias": _map(_TEXT)},
    ),
    "/relations.json": Endpoint("Every relation between papers, once.", {"relations": _list(_ref("Relation"))}),
    "/datasets.json": Endpoint("Every dataset.", {"datasets": _list(_ref("Dataset"))}),
    "/datasets/{id}.json": Endpoint("A dataset, with the papers that use it.", {"dataset": _ref("Dataset")}, "celeba"),
    "/metrics.json": Endpoint("Every metric.", {"metrics": _list(_ref("Metric"))}),
    "/metrics/{id}.json": Endpoint("A metric, with the papers that report it.", {"metric": _ref("Metric")}, "psnr"),
    "/venues.json": Endpoint("Every venue.", {"venues": _list(_ref("Venue"))}),
    "/venues/{id}.json": Endpoint("A venue, with the papers that appeared there.", {"venue": _ref("Venue")}, "neurips"),
    "/taxonomy.json": Endpoint(
        "Every facet with its terms; a term's papers include those of narrower terms.", {"facets": _list(_ref("Facet"))}
    ),
    "/sources.json": Endpoint("Every source, without its rows.", {"sources": _list(_ref("SourceSummary"))}),
    "/sources/{id}.json": Endpoint("A source with its rows.", {"source": _ref("Source")}, "yang-repository"),
}


def describe_api(catalogue: Catalogue, stamp: Stamp) -> Schema:
    """Return the OpenAPI document."""
    site = catalogue.settings.site
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{catalogue.settings.title} API",
            "version": f"{json_record.SCHEMA_VERSION}.0.0",
            "summary": "The catalogue as static JSON files.",
            "description": (
                "Every file says which schema and which data it holds. Keys are never removed or given another meaning "
                f"without a new schema_version; new keys may come at any time. Data version {stamp.version}."
            ),
            "license": {"name": "CC BY 4.0", "identifier": "CC-BY-4.0"},
        },
        "servers": [{"url": f"{site}/api/v1" if site else "."}],
        "paths": {path: _path(path, endpoint) for path, endpoint in ENDPOINTS.items()},
        "components": {"schemas": components()},
    }


def _path(path: str, endpoint: Endpoint) -> Schema:
    name = path[path.find("{") + 1 : path.find("}")] if "{" in path else ""
    summary = endpoint.says.split(". ")[0].rstrip(".")
    operation: Schema = {
        "operationId": _operation_id(path),
        "summary": summary,
        "description": endpoint.says,
        "responses": {
            "200": {
                "description": summary,
                "content": {"application/json": {"schema": _sealed(endpoint.holds)}},
            }
        },
    }
    if name:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": _TEXT, "example": endpoint.sample}
        ]
        operation["responses"]["404"] = {"description": "There is no such record."}
    return {"get": operation}


def _operation_id(path: str) -> str:
    words = path.removesuffix(".json").replace("{", "by/").replace("}", "").strip("/").split("/")
    return "get" + "".join(word.capitalize() for word in words)


def _sealed(holds: dict[str, Schema]) -> Schema:
    """Return the schema of a file: its versions and stamp, and what it holds. New keys may come."""
    made = _object({**_SEAL, **holds})
    return {**made, "additionalProperties": True}


_SEAL: dict[str, Schema] = {
    "schema_version": {"type": "integer", "const": json_record.SCHEMA_VERSION},
    "data_version": {"type": "string", "description": "a digest of the catalogue's files"},
    "generated": _object(
        {
            "commit": {"type": ["string", "null"], "description": "the commit the file was generated from"},
            "date": {"type": ["string", "null"], "description": "the date of that commit"},
        }
    ),
    "license": _TEXT,
}


def components() -> dict[str, Schema]:
    """Return the schema of every kind of record, by name."""
    definitions: dict[str, Schema] = {}
    ids = _list(_TEXT)
    maybe_paper = {"oneOf": [_ref("PaperReference"), {"type": "null"}]}
    taxonomy = _map(_list(_ref("TermReference")))
    says = _map(_list(_TEXT))
    url: Schema = {"type": "string", "description": "address of its page, relative to the top of the website"}
    maybe_url: Schema = {"type": ["string", "null"]}

    definitions["Paper"] = _from_model(
        Paper,
        definitions,
        url=url,
        venue={"oneOf": [_ref("VenueReference"), {"type": "null"}]},
        taxonomy=taxonomy,
        datasets=_list(_ref("NameReference")),
        metrics=_list(_ref("NameReference")),
        relations=_list(
            _object({"verb": {"enum": [*VERBS, *PASSIVE]}, "paper": _ref("PaperReference"), "how": _MAYBE_TEXT})
        ),
        reported=_list(_ref("ReportedNumber")),
        listed_by=_list(_ref("Listing")),
        disagreements=_list(_ref("Disagreement")),
        citation=_TEXT,
    )
    definitions["Dataset"] = _from_model(
        Dataset, definitions, url=url, taxonomy=taxonomy, introduced_by=maybe_paper, papers=ids
    )
    ends = {"type": ["number", "null"], "description": "null where it has no bound"}
    definitions["Metric"] = _from_model(
        Metric,
        definitions,
        url=url,
        introduced_by=maybe_paper,
        papers=ids,
        range={"oneOf": [{"type": "array", "items": ends, "minItems": 2, "maxItems": 2}, {"type": "null"}]},
    )
    definitions["Venue"] = _from_model(Venue, definitions, url=url, papers=ids)
    definitions["Term"] = _from_model(
        Term,
        definitions,
        url=url,
        facet=_TEXT,
        broader={"oneOf": [_ref("TermReference"), {"type": "null"}]},
        narrower=_list(_ref("TermReference")),
        papers=ids,
    )
    definitions["Facet"] = _from_model(Facet, definitions, url=url, terms=_list(_ref("Term")))
    row = _from_model(
        Row,
        definitions,
        paper=maybe_paper,
        dataset={"oneOf": [_ref("NameReference"), {"type": "null"}]},
        metric={"oneOf": [_ref("NameReference"), {"type": "null"}]},
        says=says,
    )
    definitions["Row"] = row
    source = _from_model(Source, definitions, url=url, address=maybe_url, paper=maybe_paper, rows=_list(_ref("Row")))
    definitions["Source"] = source
    kept = {key: value for key, value in source["properties"].items() if key != "rows"}
    definitions["SourceSummary"] = _object(kept, "A source without its rows.")
    definitions["ReportedNumber"] = _reported(definitions.pop("Reported"))
    definitions["Listing"] = _object(
        {
            "source": _object({"id": _TEXT, "title": _TEXT, "url": url}),
            "place": _TEXT,
            "title": _TEXT,
            "says": says,
            "errata": _list(_ref("Erratum")),
        },
        "A row of a source that names the paper.",
    )
    definitions["Claim"] = _object(
        {
            "source": _TEXT,
            "place": _TEXT,
            "says": _TEXT,
            "value": _TEXT,
            "stance": {"enum": [str(stance) for stance in Stance]},
        },
        "What a row of a source says of a field, and how that stands to the record.",
    )
    definitions["Disagreement"] = _object(
        {
            "field": _TEXT,
            "record": _list(_TEXT),
            "claims": _list(_ref("Claim")),
            "errata": _list(_ref("SourceErratum")),
        },
        "A field on which the record and the sources, or two sources, do not agree.",
    )
    definitions["PaperSummary"] = _object(
        {
            "id": _TEXT,
            "url": url,
            "title": _TEXT,
            "authors": ids,
            "year": {"type": "integer"},
            "venue": _MAYBE_TEXT,
            "kind": {"enum": [str(kind) for kind in Kind]},
            "status": {"enum": [*map(str, State), None]},
            "doi": _MAYBE_TEXT,
            "arxiv": _MAYBE_TEXT,
        },
        "A paper in short.",
    )
    definitions["Relation"] = _object(
        {"from": _TEXT, "verb": {"enum": list(VERBS)}, "to": _TEXT, "how": _MAYBE_TEXT},
        "A relation, as the acting paper says it.",
    )
    definitions["PaperReference"] = _object({"id": _TEXT, "title": _MAYBE_TEXT, "url": maybe_url})
    definitions["NameReference"] = _object({"id": _TEXT, "name": _TEXT, "url": maybe_url})
    definitions["VenueReference"] = _object({"id": _TEXT, "name": _TEXT, "short": _TEXT, "type": _TEXT})
    definitions["TermReference"] = _object({"id": _TEXT, "label": _TEXT})
    return dict(sorted(definitions.items()))


def _reported(made: Schema) -> Schema:
    """Return the schema of a reported number: ids come with names, and a value that is no number is null."""
    changed = {
        "metric": _ref("NameReference"),
        "dataset": {"oneOf": [_ref("NameReference"), {"type": "null"}]},
        "value": {"type": ["number", "null"]},
    }
    return _object({**made["properties"], **changed}, made.get("description", ""))


def _from_model(model: type[BaseModel], definitions: dict[str, Schema], **changed: Schema) -> Schema:
    """Return the schema of a record as the API shows it: every key always there, some with names beside ids."""
    made = model.model_json_schema(mode="serialization", ref_template=_REFERENCES + "{model}")
    for name, definition in made.pop("$defs", {}).items():
        definitions.setdefault(name, _complete(definition))
    first = {"id": _TEXT} if "id" in model.model_fields else {}
    properties = {**first, **_complete(made)["properties"], **changed}
    return _object(properties, made.get("description", ""))


def _complete(node: Any) -> Any:
    """Return a model's schema without titles and defaults, with every key of an object required."""
    if isinstance(node, list):
        return [_complete(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _complete(value) for key, value in node.items() if not _noise(key, value)}
    if "properties" in node:
        made["properties"] = {name: _complete(value) for name, value in node["properties"].items()}
        made["required"] = list(node["properties"])
    return made


def _noise(key: str, value: Any) -> bool:
    return key == "default" or (key == "title" and isinstance(value, str))
