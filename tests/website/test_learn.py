"""The hand-written pages: every link leads somewhere, every query reads and finds works, no page is long."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin

import pytest
from playwright.sync_api import Browser

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.query import select

from .conftest import ROOT, parse

LEARN = sorted((ROOT / "site" / "learn").glob("*.md"))
_BASE = "https://site.example/"


def links(site: Path, address: str) -> Iterator[str]:
    """Yield where the links in the text of a page lead, whole."""
    for tag, attributes in parse((site / address / "index.html").read_text()).tags:
        if tag == "a" and (href := attributes.get("href")):
            yield urljoin(_BASE + address, href)


def address_of(page: Path) -> str:
    return "learn/" if page.stem == "index" else f"learn/{page.stem}/"


@pytest.mark.parametrize("page", LEARN, ids=lambda page: page.stem)
def test_every_link_leads_to_a_page_and_every_query_finds_works(page: Path, site: Path, catalogue: Catalogue) -> None:
    found = 0
    for link in links(site, address_of(page)):
        if not link.startswith(_BASE):
            continue
        path, _, query = link.removeprefix(_BASE).partition("?")
        path = path.partition("#")[0]
        if path == "explore/":
            asked = unquote(query.removeprefix("q="))
            assert not asked or select(catalogue, asked), f"{page.name}: nothing is {asked}"
        else:
            assert (site / path / "index.html").is_file() or (site / path).is_file(), f"{page.name}: {path}"
        found += 1
    assert found > 10


@pytest.mark.parametrize("page", [page for page in LEARN if page.stem != "index"], ids=lambda page: page.stem)
def test_a_page_is_short_and_rests_on_records(page: Path, catalogue: Catalogue) -> None:
    text = page.read_text()
    named = set(re.findall(r"/papers/([a-z0-9]+)/", text))
    assert named <= set(catalogue.papers)
    assert len(named) >= 3
    words = re.sub(r"<[^>]+>|\]\([^)]*\)|^---.*?^---", " ", text, flags=re.DOTALL | re.MULTILINE).split()
    assert 400 <= len(words) <= 900, f"{page.name} has {len(words)} words"


def test_the_pages_of_terms_and_metrics_that_are_named_exist(catalogue: Catalogue) -> None:
    for page in LEARN:
        text = page.read_text()
        for facet, term in re.findall(r"/terms/([a-z-]+)/([a-z.-]+)/", text):
            assert term in catalogue.facets[facet].terms, f"{page.name}: {facet}={term}"
        for term in re.findall(r"/families/([a-z.-]+)/", text):
            assert term in catalogue.facets["family"].terms, f"{page.name}: family={term}"
        for metric in re.findall(r"/metrics/([a-z0-9-]+)/", text):
            assert metric in catalogue.metrics, f"{page.name}: {metric}"


def test_the_links_work_in_a_browser_from_a_prefix(
    browser: Browser, site: Path, serving: Callable[[Path], str], tmp_path: Path
) -> None:
    shutil.copytree(site, tmp_path / "some" / "prefix", copy_function=os.link)
    base = f"{serving(tmp_path)}some/prefix/"
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(f"{base}learn/")
    page.locator("#content").get_by_role("link", name="Threat models", exact=True).click()
    assert page.locator("h1").inner_text() == "Threat models"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#content").get_by_role("link", name="BREP-MI", exact=True).click()
    assert page.url == f"{base}papers/kahla2022label/"
    page.close()
