"""JSON Schemas of the files, against the files themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.schema import SCHEMAS, schema, schemas

GOOD = {"title": "T", "authors": ["Doe, Jane"], "year": 2020, "kind": "attack"}
FILES = {
    "paper": "data/papers/*/*.yaml",
    "datasets": "data/datasets.yaml",
    "metrics": "data/metrics.yaml",
    "venues": "data/venues.yaml",
    "source": "data/sources/*.yaml",
    "facet": "taxonomy/*.yaml",
    "settings": "data/atlas.yaml",
    "discovery": "data/discovery.yaml",
    "refused": "data/refused.yaml",
}


class EditorLoader(yaml.CSafeLoader):
    """YAML 1.2 as editors read it: numbers, true, false and null; no dates, no sexagesimals, no yes and no."""


EditorLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
):
    EditorLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def problems(catalogue: Catalogue, name: str, data: Any) -> list[str]:
    return [
        f"{error.json_path}: {error.message[:200]}"
        for error in Draft202012Validator(schema(catalogue, name)).iter_errors(data)
    ]


def with_text_keys(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(key): with_text_keys(value) for key, value in data.items()}
    return [with_text_keys(item) for item in data] if isinstance(data, list) else data


@pytest.fixture
def known(make_catalogue: Callable[..., Catalogue]) -> Catalogue:
    term = {"label": "White box", "definition": "D", "sources": ["s"]}
    return make_catalogue(
        {"doe2020paper": GOOD},
        venues={"neurips": {"name": "N", "short": "N", "type": "conference"}},
        facets={"access": {"label": "Access", "question": "Q", "order": 1, "terms": {"white-box": term}}},
        sources={"s": {"title": "S", "kind": "survey"}},
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(catalogue: Catalogue, name: str) -> None:
    Draft202012Validator.check_schema(schema(catalogue, name))
    assert f"{name}.schema.json" in schemas(catalogue)
    assert FILES.keys() == SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_file_of_the_catalogue_validates(catalogue: Catalogue, name: str) -> None:
    validator = Draft202012Validator(schema(catalogue, name))
    wrong = []
    for path in sorted(catalogue.root.glob(FILES[name])):
        data = with_text_keys(yaml.load(path.read_text("utf-8"), EditorLoader))
        wrong += [f"{path.name} {error.json_path}: {error.message[:160]}" for error in validator.iter_errors(data)]
    assert wrong == []


@pytest.mark.parametrize(
    "fields",
    [
        {"venue": "neurips", "taxonomy": {"access": ["white-box"]}, "unconfirmed": {"year": "s"}},
        {"relations": [{"improves": "doe2020paper", "how": "faster"}, {"improved-by": "roe2021new"}]},
        {"volume": 12, "methods": ["DLG", 3], "links": {"doi": "10.1000/1", "code": ["https://a.example"]}},
        {"added": "2024-05-31", "status": {"state": "withdrawn", "reason": "R", "evidence": "https://a.example"}},
    ],
)
def test_a_right_record_validates(known: Catalogue, fields: dict[str, Any]) -> None:
    assert problems(known, "paper", GOOD | fields) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "doe2020paper"},
        {"titel": "T"},
        {"kind": "atack"},
        {"venue": "neurip"},
        {"taxonomy": {"acces": ["white-box"]}},
        {"taxonomy": {"access": ["white"]}},
        {"datasets": ["mnist"]},
        {"relations": [{"improves": "Doe 2020"}]},
        {"relations": [{"improves": "doe2020paper", "extends": "doe2020paper"}]},
        {"relations": [{"bettered": "doe2020paper"}]},
        {"links": {"paper": "javascript:alert(1)"}},
        {"links": {"arxiv": 1906.08935}},
        {"links": {"arxiv": "arXiv:1906.08935"}},
        {"unconfirmed": {"year": "nobody"}},
        {"year": "twenty"},
        {"authors": []},
    ],
)
def test_a_wrong_key_or_value_does_not_validate(known: Catalogue, fields: dict[str, Any]) -> None:
    assert problems(known, "paper", GOOD | fields)


def test_a_row_resolves_to_exactly_one_record(known: Catalogue) -> None:
    row = {"place": "1", "title": "T", "paper": "doe2020paper"}
    source = {"title": "S", "kind": "survey"}
    assert not problems(known, "source", source | {"rows": [row]})
    assert problems(known, "source", source | {"rows": [row | {"unresolved": "why"}]})


def test_a_schema_tells_what_a_field_is(known: Catalogue) -> None:
    made = schema(known, "paper")
    assert made["$schema"].endswith("2020-12/schema")
    assert "permalink" in made["description"]
    assert made["properties"]["venue"]["enum"] == ["neurips"]
    assert "default" not in str(made)


def test_nothing_of_this_machine_is_in_a_schema(catalogue: Catalogue) -> None:
    assert str(Path.cwd()) not in str(schemas(catalogue))
