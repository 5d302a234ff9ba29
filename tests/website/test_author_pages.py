"""Pages of authors: one for every name, found from A to Z, linked from every work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion_atlas.addresses import author_address, author_slug
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.query import select
from inversion_atlas.website.author_pages import author_pages, authors_of
from inversion_atlas.website.pages import renderer_for

from .conftest import ROOT, parse


@pytest.mark.parametrize(
    ("author", "slug"),
    [
        ("Zhu, Ligeng", "zhu-ligeng"),
        ("Øster, Åsa", "oster-asa"),
        ("O'Brien, J.-P.", "o-brien-j-p"),
        ("OpenMined", "openmined"),
        ("王, 伟", "wang-wei"),
    ],
)
def test_a_name_gives_its_address(author: str, slug: str) -> None:
    assert author_slug(author).lower() == slug


@given(st.text(min_size=1, max_size=300))
def test_every_name_has_an_address_that_files_and_links_can_hold(author: str) -> None:
    slug = author_slug(author)
    assert 0 < len(slug) <= 80
    assert all(char.isascii() and (char.isalnum() or char == "-") for char in slug)
    assert slug == slug.lower()


def test_names_that_are_signs_only_do_not_meet() -> None:
    assert author_slug("☃") != author_slug("<!-- -->")
    assert author_slug("x" * 100) != author_slug("x" * 101)


def test_every_author_has_a_page_with_every_work(site: Path, catalogue: Catalogue) -> None:
    for slug, author in authors_of(list(catalogue.papers.values())).items():
        html = (site / "authors" / slug / "index.html").read_text(encoding="utf-8")
        for paper in author.papers:
            assert f'href="../../papers/{paper.id}/"' in html, (slug, paper.id)


def test_every_paper_leads_to_its_authors(site: Path, catalogue: Catalogue) -> None:
    for paper in catalogue.papers.values():
        html = (site / "papers" / paper.id / "index.html").read_text(encoding="utf-8")
        for author in paper.authors:
            assert f'href="../../{author_address(author)}"' in html, paper.id


def test_the_letters_list_every_author_once(catalogue: Catalogue) -> None:
    pages = list(author_pages(renderer_for(catalogue, ROOT)))
    listed = [
        a["href"]
        for page in pages
        if page.address.startswith("authors/_")
        for tag, a in parse(page.body).tags
        if tag == "a" and a["href"] and a["href"].count("../") == 1
    ]
    assert sorted(listed) == sorted(f"../{slug}/" for slug in authors_of(list(catalogue.papers.values())))


def test_one_name_in_two_spellings_is_one_page(make_catalogue: Callable[..., Catalogue]) -> None:
    paper = {"title": "T", "year": 2020, "kind": "attack"}
    catalogue = make_catalogue(
        {"a2020t": {**paper, "authors": ["Müller, Ann"]}, "b2020t": {**paper, "authors": ["Muller, Ann", "Doe, J."]}}
    )
    pages = {page.address: page for page in author_pages(renderer_for(catalogue, ROOT))}
    page = pages["authors/muller-ann/"]
    words = parse(page.body).words
    assert "2 works" in words
    assert "Muller, Ann · Müller, Ann" in words
    assert 'href="../doe-j/"' in page.body


def test_explore_shows_the_works_of_an_author(catalogue: Catalogue) -> None:
    authors = authors_of([paper for paper in catalogue.papers.values() if paper.kind != "background"])
    pages = {page.address: page for page in author_pages(renderer_for(catalogue, ROOT))}
    for slug, author in list(authors.items())[::25]:
        (link,) = [
            str(a["href"])
            for tag, a in parse(pages[f"authors/{slug}/"].body).tags
            if tag == "a" and "explore/" in str(a["href"])
        ]
        (query,) = parse_qs(urlsplit(link).query)["q"]
        found = {paper.id for paper in select(catalogue, query)}
        assert found >= {paper.id for paper in author.papers if author.name in paper.authors}
