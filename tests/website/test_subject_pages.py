"""Pages of datasets, metrics, venues, terms, sources and years: what their works look like, and the ways onward."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from inversion_atlas.addresses import address, term_address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.query import select
from inversion_atlas.reference import index
from inversion_atlas.reference.index import Implementation
from inversion_atlas.website.citation_tags import coins
from inversion_atlas.website.pages import renderer_for
from inversion_atlas.website.profile import histogram
from inversion_atlas.website.subject_pages import dataset_pages, metric_pages

from .conftest import ROOT, Parsed, parse


def subjects(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield the address of every subject with the query that selects its works."""
    for field, records in (
        ("dataset", catalogue.datasets),
        ("metric", catalogue.metrics),
        ("venue", catalogue.venues),
        ("source", catalogue.sources),
    ):
        for record in records.values():  # type: ignore[attr-defined]
            yield address(record), f"{field}={record.id}"
    for facet in catalogue.facets.values():
        for term in facet.terms:
            yield term_address(facet.id, term), f"{facet.id}={term}"


def bars(page: Parsed) -> dict[str, int]:
    """Return the query of every bar of a page's histogram with the number it shows."""
    found = {}
    for tag, a in page.tags:
        label = re.fullmatch(r"(?:before )?\d{4}: (\d+) works?", a.get("aria-label") or "")
        if tag == "a" and label:
            (query,) = parse_qs(urlsplit(str(a["href"])).query)["q"]
            found[query] = int(label[1])
    return found


def test_the_bars_of_every_subject_are_what_explore_will_show(site: Path, catalogue: Catalogue) -> None:
    for at, query in subjects(catalogue):
        shown = bars(parse((site / at / "index.html").read_text(encoding="utf-8")))
        works = select(catalogue, query)
        assert sum(shown.values()) == len(works), at
        for each in list(shown)[:2]:
            assert each.startswith(query)
            assert len(select(catalogue, each)) == shown[each], (at, each)


def test_works_from_long_ago_share_a_bar(make_catalogue: Callable[..., Catalogue]) -> None:
    paper = {"title": "T", "authors": ["A, B"], "kind": "attack"}
    catalogue = make_catalogue({f"a{year}t": {**paper, "year": year} for year in (1943, 1965, 1991)})
    shown = bars(parse(histogram(select(catalogue), "kind=attack", "")))
    assert shown == {"kind=attack year=..1989": 2, "kind=attack year=1991": 1}
    assert [len(select(catalogue, query)) for query in shown] == [2, 1]


def test_a_subject_says_what_its_works_are_measured_with(site: Path, catalogue: Catalogue) -> None:
    works = select(catalogue, "family=gradient-inversion")
    page = parse((site / "families" / "gradient-inversion" / "index.html").read_text(encoding="utf-8"))
    counts = {id: sum(id in paper.datasets for paper in works) for id in catalogue.datasets}
    most = min(counts, key=lambda id: (-counts[id], id))
    assert f"{catalogue.datasets[most].name} {counts[most]}" in page.words
    attacks = len(select(catalogue, "family=gradient-inversion kind=attack"))
    assert f"{attacks} attacks" in page.words


def test_a_dataset_says_who_uses_it_against_what(site: Path, catalogue: Catalogue) -> None:
    page = parse((site / "datasets" / "celeba" / "index.html").read_text(encoding="utf-8"))
    links = [str(a.get("href")) for _, a in page.tags if "kind%3Dattack%20family" in str(a.get("href"))]
    assert links
    for link in links:
        assert select(catalogue, parse_qs(urlsplit(link).query)["q"][0])


def test_a_dataset_is_a_dataset_to_programs(catalogue: Catalogue) -> None:
    pages = [page for page in dataset_pages(renderer_for(catalogue, ROOT)) if page.subject == "celeba"]
    (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', pages[0].body)
    document = json.loads(text)
    assert (document["@type"], document["name"]) == ("Dataset", "CelebA")
    assert not re.search("ld.json", "".join(page.body for page in pages[1:]))


def test_a_metric_shows_what_runs_here(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Implementation("psnr", "PSNR", "metric", "", "psnr", "", "atlas metric psnr a.png b.png")
    monkeypatch.setattr(index, "IMPLEMENTATIONS", (here,))
    bodies = {page.subject: page.body for page in metric_pages(renderer_for(catalogue, ROOT)) if page.title == "PSNR"}
    assert "atlas metric psnr a.png b.png" in parse(bodies["psnr"]).words


def test_reported_numbers_stand_with_their_dataset_and_metric(make_catalogue: Callable[..., Catalogue]) -> None:
    number = {"metric": "psnr", "value": 21.5, "unit": "dB", "dataset": "mnist", "target": "LeNet"}
    number |= {"place": "Table 2", "evidence": "https://a.example/"}
    metric = {"name": "PSNR", "group": "pixel", "description": "d", "blind_to": "b"}
    catalogue = make_catalogue(
        {"a2020t": {"title": "T", "authors": ["A, B"], "year": 2020, "kind": "attack", "reported": [number]}},
        datasets={"mnist": {"name": "MNIST", "description": "d"}},
        metrics={"psnr": metric | {"direction": {"attacker": "higher", "defender": "lower"}}},
    )
    renderer = renderer_for(catalogue, ROOT)
    for pages in (dataset_pages(renderer), metric_pages(renderer)):
        words = parse(next(page.body for page in pages if page.subject)).words
        assert "PSNR21.5 dBMNISTLeNet" in words
        assert "Table 2" in words


def openurl(title: str) -> dict[str, list[str]]:
    return parse_qs(title, strict_parsing=True)


def test_lists_carry_every_work_for_reference_managers(site: Path, catalogue: Catalogue) -> None:
    page = parse((site / "papers" / "2023" / "index.html").read_text(encoding="utf-8"))
    spans = [openurl(str(a["title"])) for tag, a in page.tags if a.get("class") == "Z3988"]
    works = {paper.title: paper for paper in select(catalogue, "year=2023")}
    titles = [next(iter(each.get("rft.atitle") or each.get("rft.btitle") or each["rft.title"])) for each in spans]
    assert sorted(titles) == sorted(works)
    for title, each in zip(titles, spans, strict=True):
        paper = works[title]
        assert each["ctx_ver"] == ["Z39.88-2004"]
        assert tuple(each["rft.au"]) == paper.authors
        assert each["rft.date"] == [str(paper.year)]
        if paper.links.doi:
            assert each["rft_id"] == [f"info:doi/{paper.links.doi}"]


def test_a_paper_carries_itself_in_one_way_only(site: Path, catalogue: Catalogue) -> None:
    assert not [id for id in catalogue.papers if "Z3988" in (site / "papers" / id / "index.html").read_text()]


def test_hostile_text_stays_in_its_attribute(make_catalogue: Callable[..., Catalogue]) -> None:
    title = "\"'><script>&amp;=%00;é王"
    catalogue = make_catalogue({"a2020t": {"title": title, "authors": [title], "year": 2020, "kind": "attack"}})
    (tag,) = parse(coins(catalogue, catalogue.papers["a2020t"])).tags
    assert openurl(str(tag[1]["title"]))["rft.btitle"] == [title]
