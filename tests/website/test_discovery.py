"""What programs ask a site for: its map, its search, llms.txt, how to cite it, and the page of what is new."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from bibtexparser import parse_string

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.settings import Settings
from inversion_atlas.stamp import Stamp
from inversion_atlas.website import discovery
from inversion_atlas.website.build import page_files
from inversion_atlas.website.citing import atlas
from inversion_atlas.website.discovery import llms, opensearch, sitemap
from inversion_atlas.website.feeds import Change
from inversion_atlas.website.new_page import appeared, days
from inversion_atlas.website.pages import renderer_for
from inversion_atlas.website.shells import Shell

from .conftest import ROOT, parse

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
SETTINGS = Settings(title="Atlas & <Co>", description="D", site="https://atlas.example/x")


def texts(element: ET.Element, path: str) -> list[str | None]:
    return [found.text for found in element.findall(path)]


def test_a_sitemap_lists_each_address_once_with_the_day_it_changed() -> None:
    ((name, text),) = sitemap("https://a.example", ["", "papers/a&b/"], {"papers/a&b/": "2026-11-21"})
    root = ET.fromstring(text.encode())
    assert name == "sitemap.xml"
    assert texts(root, f"{SITEMAP}url/{SITEMAP}loc") == ["https://a.example/", "https://a.example/papers/a&b/"]
    assert texts(root, f"{SITEMAP}url/{SITEMAP}lastmod") == ["2026-11-21"]


def test_a_sitemap_that_is_too_long_is_cut_into_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MAX_ADDRESSES", 2)
    files = dict(sitemap("https://a.example", [f"{n}/" for n in range(5)], {}))
    listed = texts(ET.fromstring(files["sitemap.xml"].encode()), f"{SITEMAP}sitemap/{SITEMAP}loc")
    assert listed == [f"https://a.example/sitemap-{number}.xml" for number in (1, 2, 3)]
    found = [
        loc
        for name in ("sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml")
        for loc in texts(ET.fromstring(files[name].encode()), f"{SITEMAP}url/{SITEMAP}loc")
    ]
    assert found == [f"https://a.example/{number}/" for number in range(5)]


def test_a_browser_can_search_the_site() -> None:
    root = ET.fromstring(opensearch(SETTINGS).encode())
    assert texts(root, f"{OPENSEARCH}ShortName") == ["Atlas & <Co>"]
    html = [url.attrib for url in root.findall(f"{OPENSEARCH}Url") if url.attrib["type"] == "text/html"]
    assert html == [{"type": "text/html", "template": "https://atlas.example/x/explore/?q={searchTerms}"}]


def test_with_an_address_the_site_tells_programs_of_itself(
    make_catalogue: Callable[..., Catalogue], shells: dict[str, Shell], tmp_path: Path
) -> None:
    catalogue = make_catalogue({"a2020t": {"title": "T", "authors": ["A, B"], "year": 2020, "kind": "attack"}})

    def made(settings: Settings) -> dict[str, str]:
        renderer = renderer_for(replace(catalogue, settings=settings), ROOT)
        return {path: str(content) for path, content in page_files(renderer, shells, Stamp("0"))}

    without, told = made(catalogue.settings), made(SETTINGS)
    assert told.keys() - without.keys() == {"sitemap.xml", "robots.txt", "opensearch.xml"}
    assert "Sitemap: https://atlas.example/x/sitemap.xml\n" in told["robots.txt"]
    assert "](https://atlas.example/x/api/v1/openapi.json)" in told["llms.txt"]
    listed = texts(ET.fromstring(told["sitemap.xml"].encode()), f"{SITEMAP}url/{SITEMAP}loc")
    pages = {path.removesuffix("index.html") for path in told if path.endswith("index.html")}
    assert set(listed) == {f"https://atlas.example/x/{page}" for page in pages | {"downloads/", "cite/"}}
    for page, root in (("index.html", ""), ("new/index.html", "../")):
        tags = parse(told[page]).tags
        (link,) = (attributes for _, attributes in tags if attributes.get("rel") == "search")
        assert link["href"] == f"{root}opensearch.xml"
        (feed,) = (found for tag, found in tags if tag == "link" and found.get("type") == "application/atom+xml")
        assert feed["href"] == f"{root}feeds/all.xml"


def test_what_llms_txt_names_exists(catalogue: Catalogue, site: Path) -> None:
    text = (site / "llms.txt").read_text()
    assert text.startswith(f"# {catalogue.settings.title}\n\n> ")
    links = re.findall(r"^- \[[^\]]+\]\(([^)]+)\)", text, re.MULTILINE)
    assert len(links) >= 10
    for link in links:
        target = site / link
        assert (target / "index.html" if link.endswith("/") else target).is_file(), link
    assert llms(renderer_for(catalogue, ROOT)) == text


@pytest.mark.parametrize("date", ["2026-11-21T10:00:00+00:00", ""])
def test_the_citation_of_the_atlas_says_which_state_it_is(date: str) -> None:
    cited = atlas(ROOT, SETTINGS, Stamp("abc123", "f" * 40, date))
    (entry,) = parse_string(cited.bibtex).entries
    fields = {field.key: field.value for field in entry.fields}
    assert fields["title"] == "{Inversion Atlas}"
    assert fields["note"] == "Data version abc123"
    assert fields["url"] == "https://atlas.example/x"
    assert fields.get("year") == (date[:4] or None)
    assert "data abc123" in cited.text
    assert f"({date[:4] or 'n.d.'})" in cited.text


def test_without_its_file_the_settings_say_what_is_cited(tmp_path: Path) -> None:
    cited = atlas(tmp_path, SETTINGS, Stamp("abc123"))
    assert cited.text == (
        "The Atlas & <Co> contributors. (n.d.). Atlas & <Co> (data abc123) [Data set]. https://atlas.example/x"
    )
    assert "{Atlas \\& " in cited.bibtex


def test_the_downloads_are_what_their_checksums_say(site: Path, program: Callable[[str], str]) -> None:
    done = subprocess.run(
        [program("sha256sum"), "--check", "--quiet", "SHA256SUMS"],
        cwd=site / "downloads",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    page = parse((site / "downloads" / "index.html").read_text())
    for line in (site / "downloads" / "SHA256SUMS").read_text().splitlines():
        assert all(part in page.words for part in line.split())


def ids(entries: str) -> list[str]:
    return re.findall(r"papers/([^/]+)/", entries)


def test_what_is_new_is_told_day_by_day(make_catalogue: Callable[..., Catalogue]) -> None:
    def record(year: int, venue: str) -> dict[str, object]:
        return {"title": "T", "authors": ["A, B"], "year": year, "kind": "attack", "venue": venue}

    papers = {"a2020t": record(2020, "x"), "b2021t": record(2021, "x"), "c2021t": record(2021, "y")}
    renderer = renderer_for(make_catalogue(papers), ROOT)
    first, second = "2026-01-01T00:00:00Z", "2026-01-02T05:00:00Z"
    changed = {"a2020t": Change(first, second), "b2021t": Change(first, first), "c2021t": Change(second, second)}
    found = list(days(renderer, changed))
    assert [(day.date, day.added, day.corrected) for day in found] == [("2026-01-02", 1, 1), ("2026-01-01", 2, 0)]
    assert ids(found[0].added_entries) == ["c2021t"]
    assert ids(found[0].corrected_entries) == ["a2020t"]
    assert ids(found[1].added_entries) == ["b2021t", "a2020t"]
    assert _plain(appeared(renderer.newest_first)) == {2021: {"x": 1, "y": 1}, 2020: {"x": 1}}


def _plain(years: Iterable[tuple[int, list[tuple[str, int]]]]) -> dict[int, dict[str, int]]:
    return {year: dict(venues) for year, venues in years}
