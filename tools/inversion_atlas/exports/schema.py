"""JSON Schemas of the YAML files as an editor sees them: they complete keys and values while one writes.

They are made from the models that read the files, with the ids that the catalogue knows today as the values allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeAlias

from pydantic import BaseModel

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.discovery import WORK_ID, Discovery, Refusal
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.fields import PAPER_ID
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.settings import Settings
from inversion_atlas.records.source import Source
from inversion_atlas.records.venue import Venue

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas(catalogue: Catalogue) -> dict[str, Schema]:
    """Return file name -> schema, for every kind of file a catalogue has."""
    return {f"{name}.schema.json": schema(catalogue, name) for name in SCHEMAS}


def schema(catalogue: Catalogue, name: str) -> Schema:
    """Return the schema of one kind of file; raises KeyError for a name that is not in `SCHEMAS`."""
    return {"$schema": DIALECT, **SCHEMAS[name](catalogue)}


def _paper(catalogue: Catalogue) -> Schema:
    made = _record(Paper)
    properties, definitions = made["properties"], made["$defs"]
    papers = _papers(catalogue)
    properties["venue"] = _one_of(catalogue.venues)
    properties["datasets"] = _list_of(_one_of(catalogue.datasets))
    properties["metrics"] = _list_of(_one_of(catalogue.metrics))
    properties["taxonomy"] = _taxonomy(catalogue)
    properties["not_duplicate_of"] = _list_of(papers)
    properties["unconfirmed"]["additionalProperties"] = _one_of(catalogue.sources)
    reported = definitions["Reported"]["properties"]
    reported["metric"], reported["dataset"] = _one_of(catalogue.metrics), _one_of(catalogue.datasets)
    relation = definitions["Relation"]["properties"]
    relation.update({verb: {"$ref": "#/$defs/paper-id"} for verb in relation if verb != "how"})
    definitions["paper-id"] = papers
    return made


def _datasets(catalogue: Catalogue) -> Schema:
    made = _record(Dataset)
    made["properties"]["taxonomy"] = _taxonomy(catalogue)
    return _collection(_with_subject(made, catalogue), "Datasets by id.")


def _metrics(catalogue: Catalogue) -> Schema:
    return _collection(_with_subject(_record(Metric), catalogue), "Metrics by id.")


def _venues(_: Catalogue) -> Schema:
    return _collection(_record(Venue), "Venues by id.")


def _source(catalogue: Catalogue) -> Schema:
    made = _record(Source)
    row = made["$defs"]["Row"]
    terms = sorted({term for facet in catalogue.facets.values() for term in facet.terms})
    made["properties"]["paper"] = row["properties"]["paper"] = _papers(catalogue)
    row["properties"]["dataset"] = _one_of(catalogue.datasets)
    row["properties"]["metric"] = _one_of(catalogue.metrics)
    row["properties"]["term"] = _one_of(terms)
    row["oneOf"] = [{"required": [key]} for key in ("paper", "dataset", "metric", "term", "unresolved")]
    return made


def _facet(catalogue: Catalogue) -> Schema:
    made = _record(Facet)
    term = made["$defs"]["Term"]
    _without_id(term)
    term["properties"]["sources"]["items"] = _one_of(catalogue.sources)
    return made


def _settings(_: Catalogue) -> Schema:
    made = _record(Settings)
    optional = made["properties"].keys() - set(made["required"])
    for name in optional:
        made["properties"][name] = {"anyOf": [made["properties"][name], {"type": "null"}]}
    return made


def _discovery(catalogue: Catalogue) -> Schema:
    made = _record(Discovery)
    made["properties"]["core"] = _list_of(_papers(catalogue))
    return made


def _refused(_: Catalogue) -> Schema:
    # ECMA regular expressions, which editors use, know no escaped quotation mark.
    pattern = WORK_ID.pattern.replace('\\"', '"')
    made = _collection(_record(Refusal), "Refused works by id.")
    return {**made, "propertyNames": {"pattern": f"^(?:{pattern})$"}}


SCHEMAS: dict[str, Callable[[Catalogue], Schema]] = {
    "paper": _paper,
    "datasets": _datasets,
    "metrics": _metrics,
    "venues": _venues,
    "source": _source,
    "facet": _facet,
    "settings": _settings,
    "discovery": _discovery,
    "refused": _refused,
}


def _record(model: type[BaseModel]) -> Schema:
    made: Schema = _as_written(_of_model(model))
    _without_id(made)
    made.setdefault("$defs", {})
    return made


@cache
def _of_model(model: type[BaseModel]) -> Schema:
    """Return what pydantic says of a model; it is asked once, and its answer never changed."""
    return model.model_json_schema()


def _collection(record: Schema, description: str) -> Schema:
    definitions = record.pop("$defs")
    names = {"pattern": "^[a-z0-9]+(?:-[a-z0-9]+)*$"}
    return {
        "type": "object",
        "description": description,
        "propertyNames": names,
        "additionalProperties": record,
        "$defs": definitions,
    }


def _with_subject(made: Schema, catalogue: Catalogue) -> Schema:
    made["properties"]["introduced_by"] = _papers(catalogue)
    made["$defs"]["SourceErratum"]["properties"]["source"] = _one_of(catalogue.sources)
    return made


def _without_id(made: Schema) -> None:
    if made["properties"].pop("id", None):
        made["required"].remove("id")


def _as_written(node: Any) -> Any:
    """Return a schema for what YAML shows: text may look like a number, and nothing is null or has a default."""
    if isinstance(node, list):
        return [_as_written(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "string" and not node.keys() & {"pattern", "format", "enum", "const"}:
        node = {**node, "type": ["string", "number"]}
    choices = [choice for choice in node.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        node = {**choices[0], **{key: value for key, value in node.items() if key != "anyOf"}}
        return _as_written(node)
    return {key: _entry(key, value) for key, value in node.items() if not _made_up(key, value)}


def _entry(key: str, value: Any) -> Any:
    # Names of fields are keys here, and one may be called `title` or `default`.
    if key in ("properties", "$defs"):
        return {name: _as_written(inner) for name, inner in value.items()}
    return _as_written(value)


def _made_up(key: str, value: Any) -> bool:
    return key == "default" or (key == "title" and isinstance(value, str))


def _taxonomy(catalogue: Catalogue) -> Schema:
    facets = {
        facet.id: {
            "description": facet.question,
            "type": "array",
            "items": {"oneOf": [{"const": term.id, "description": term.definition} for term in facet.terms.values()]},
        }
        for facet in catalogue.facets.values()
    }
    return {"type": "object", "description": "facet -> terms", "properties": facets, "additionalProperties": False}


def _papers(catalogue: Catalogue) -> Schema:
    # A paper may come in the same change as what names it, so any id will do; those known are offered.
    known = [*catalogue.papers, *catalogue.redirects]
    return {"anyOf": [{"enum": sorted(known)}, {"type": "string", "pattern": f"^{PAPER_ID.pattern}$"}]}


def _one_of(ids: Iterable[str]) -> Schema:
    return {"enum": sorted(ids)}


def _list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item}
