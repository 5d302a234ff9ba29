"""The static API: every documented address answers over HTTP with what its schema says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.stamp import Stamp
from inversion_atlas.website.api import api_files, arxiv_path, doi_path, summary
from inversion_atlas.website.openapi import describe_api

VENUES = {"v": {"name": "Venue", "short": "V", "type": "journal"}}


@pytest.fixture(scope="module")
def document(site: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((site / "api/v1/openapi.json").read_text())
    return found


def test_the_description_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def addresses(path: str, catalogue: Catalogue) -> Iterator[str]:
    """Yield every request that a documented path stands for."""
    papers = list(catalogue.papers.values())
    values: dict[str, list[str]] = {
        "/papers/{id}.json": [*catalogue.papers, *catalogue.redirects],
        "/doi/{doi}.json": [doi_path(paper.links.doi)[4:-5] for paper in papers if paper.links.doi],
        "/arxiv/{arxiv}.json": [arxiv_path(paper.links.arxiv)[6:-5] for paper in papers if paper.links.arxiv],
        "/datasets/{id}.json": list(catalogue.datasets),
        "/metrics/{id}.json": list(catalogue.metrics),
        "/venues/{id}.json": list(catalogue.venues),
        "/sources/{id}.json": list(catalogue.sources),
    }
    if "{" not in path:
        yield path
        return
    start, end = path[: path.index("{")], path[path.index("}") + 1 :]
    yield from (start + quote(value) + end for value in values[path])


def test_every_documented_address_answers_as_documented(
    site: Path, catalogue: Catalogue, document: dict[str, Any], serving: Callable[[Path], str]
) -> None:
    base, asked = f"{serving(site)}api/v1", 0
    with httpx.Client() as client:
        for path, item in document["paths"].items():
            schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            validator = Draft202012Validator({**schema, "components": document["components"]})
            for address in addresses(path, catalogue):
                answer = client.get(base + address)
                assert answer.status_code == 200, address
                assert answer.headers["content-type"].startswith("application/json")
                asked += 1
                # These hold the same bytes as the paper by its id, which another test compares.
                if not address.startswith(("/doi/", "/arxiv/")):
                    validator.validate(answer.json())
    assert asked > len(catalogue.papers)


def test_every_file_carries_versions_and_stamp(site: Path, catalogue: Catalogue) -> None:
    for path in (site / "api/v1").rglob("*.json"):
        found = json.loads(path.read_text())
        if "schema" in path.parent.name:
            Draft202012Validator.check_schema(found)
        elif path.name != "openapi.json":
            assert found["schema_version"] == 1, path
            assert found["data_version"] == catalogue.version, path
            assert set(found["generated"]) == {"commit", "date"}, path


def test_a_paper_is_found_by_doi_and_arxiv_id_in_one_request(catalogue: Catalogue, site: Path) -> None:
    for paper in catalogue.papers.values():
        by_id = (site / "api/v1/papers" / f"{paper.id}.json").read_bytes()
        if paper.links.doi:
            assert (site / "api/v1" / doi_path(paper.links.doi)).read_bytes() == by_id
        if paper.links.arxiv:
            assert (site / "api/v1" / arxiv_path(paper.links.arxiv)).read_bytes() == by_id


def test_a_doi_is_looked_up_in_lower_case() -> None:
    assert doi_path("10.1145/ABC.Def") == "doi/10.1145/abc.def.json"


@pytest.mark.parametrize(
    ("doi", "path"),
    [
        ("10.1000/../../../etc/passwd", "doi/10.1000/%2E%2E/%2E%2E/%2E%2E/etc/passwd.json"),
        ("10.1000//absolute", "doi/10.1000/%00/absolute.json"),
        ("10.1000/a?b#c%2f", "doi/10.1000/a%3Fb%23c%252f.json"),
        ("10.1000/x.json/y", "doi/10.1000/x%2Ejson/y.json"),
        ("10.1002/(sici)1097-4636(199823)", "doi/10.1002/(sici)1097-4636(199823).json"),
    ],
)
def test_a_strange_doi_stays_in_its_folder(doi: str, path: str) -> None:
    assert doi_path(doi) == path


@given(st.from_regex(r"10\.[0-9]{4,9}/[^\s\"<>{}|\\^`]{1,40}", fullmatch=True))
def test_no_doi_leaves_its_folder(doi: str) -> None:
    segments = doi_path(doi).split("/")
    assert segments[0] == "doi"
    assert not {"", ".", ".."} & set(segments)
    assert not set("?#\\:*\0") & set("".join(segments))


@given(
    st.lists(st.from_regex(r"10\.[0-9]{4}/[a-z0-9./%:_()-]{1,12}", fullmatch=True), min_size=2, max_size=2, unique=True)
)
def test_two_dois_never_share_a_file(dois: list[str]) -> None:
    one, other = map(doi_path, dois)
    assert one != other
    assert not one.startswith(f"{other}/")


def test_an_empty_catalogue_has_a_valid_api(make_catalogue: Callable[..., Catalogue]) -> None:
    empty = make_catalogue({})
    files = dict(api_files(empty, Stamp("0")))
    validate(json.loads(files["api/v1/openapi.json"]))
    assert json.loads(files["api/v1/papers.json"])["papers"] == []


def test_the_address_of_the_api_follows_the_settings(make_catalogue: Callable[..., Catalogue], tmp_path: Path) -> None:
    assert describe_api(make_catalogue({}), Stamp("0"))["servers"] == [{"url": "."}]
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "atlas.yaml").write_text("title: A\ndescription: B\nsite: https://atlas.example/x\n")
    assert describe_api(make_catalogue({}), Stamp("0"))["servers"] == [{"url": "https://atlas.example/x/api/v1"}]


def test_a_paper_in_short_names_its_venue(make_catalogue: Callable[..., Catalogue]) -> None:
    paper = {"title": "T", "authors": ["A, B"], "year": 2020, "kind": "attack", "venue": "v"}
    made = make_catalogue({"a2020t": paper}, venues=VENUES)
    assert summary(made, made.papers["a2020t"])["venue"] == "V"
