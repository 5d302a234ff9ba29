"""The maps: their counts are those of the filter language, their drawings hold for any catalogue, in a real browser."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, permutations
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page

from inversion_atlas.addresses import gaps_address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.query import select
from inversion_atlas.website import lineage, svg
from inversion_atlas.website.map_pages import map_pages, year_spans
from inversion_atlas.website.rendering import Renderer

from .conftest import ROOT, parse
from .lineages import with_relations

SVG = "{http://www.w3.org/2000/svg}"
MAPS = ("maps/", "maps/gaps/", "maps/gaps/family-access/", "maps/years/", "maps/lineage/", "maps/datasets/",
        "maps/capability/")  # fmt: skip


def drawings(html: str) -> Iterator[ElementTree.Element]:
    """Yield the drawings of a page, read as XML, which forgives nothing."""
    for found in re.findall(r"<svg [^>]*role=.*?</svg>", html, flags=re.DOTALL):
        yield ElementTree.fromstring(found)


def marks(html: str) -> Iterator[tuple[str, int, str]]:
    """Yield the query, the count and the data of every mark that leads to Explore."""
    for drawing in drawings(html):
        for link in drawing.iter("a"):
            href = link.get("href", "")
            if "explore/?q=" in href:
                title = link.findtext("title") or ""
                count = int(title.rsplit(": ", 1)[1].replace(",", ""))
                yield unquote(href.partition("?q=")[2]), count, link.get("data-n", "")


def read(site: Path, address: str) -> str:
    return (site / address / "index.html").read_text()


def render(catalogue: Catalogue) -> dict[str, str]:
    """Return every map of a catalogue by its address."""
    return {page.address: page.body for page in map_pages(Renderer(catalogue, ROOT / "site" / "templates"))}


@pytest.mark.parametrize("address", ["maps/gaps/family-access/", "maps/gaps/signal-data-type/"])
def test_every_cell_counts_what_search_finds(address: str, site: Path, catalogue: Catalogue) -> None:
    cells = list(marks(read(site, address)))
    assert len(cells) > 100
    assert any(count == 0 for _, count, _ in cells)
    for query, count, data in cells:
        assert count == len(select(catalogue, query)), query
        kinds = [count, *(len(select(catalogue, f"{query} kind={kind}")) for kind in ("attack", "defense"))]
        assert kinds == ([int(part) for part in data.split()] or [0, 0, 0]), query


@pytest.mark.parametrize("address", ["maps/years/", "maps/datasets/", "maps/capability/"])
def test_every_mark_counts_what_search_finds(address: str, site: Path, catalogue: Catalogue) -> None:
    found = list(marks(read(site, address)))
    assert len(found) > 50
    for query, count, _ in found:
        assert count == len(select(catalogue, query)), query


def test_the_bars_of_the_years_add_up_to_all_works(site: Path, catalogue: Catalogue) -> None:
    kinds = [count for query, count, _ in marks(read(site, "maps/years/")) if "kind=" in query]
    assert sum(kinds) == len(select(catalogue))


def test_sparse_early_years_share_a_bar_and_no_year_is_left_out() -> None:
    spans = year_spans(Counter({1993: 1, 2014: 3, 2015: 5, 2017: 6}))
    assert spans == [(1993, 2014), (2015, 2015), (2016, 2016), (2017, 2017)]
    assert year_spans(Counter()) == []
    assert year_spans(Counter({2020: 1})) == [(2020, 2020)]


def test_any_two_facets_have_a_matrix_and_all_lead_to_each_other(site: Path, catalogue: Catalogue) -> None:
    pairs = [gaps_address(rows, columns) for rows, columns in permutations(catalogue.facets, 2)]
    chooser = read(site, "maps/gaps/")
    for address in pairs:
        assert f'href="../../{address}"' in chooser
        html = read(site, address)
        for href in {tag[1]["href"] for tag in parse(html).tags if tag[0] == "a" and tag[1].get("href")}:
            assert href
            if "maps/gaps/" in href:
                assert (site / address / href / "index.html").is_file(), href


@pytest.mark.parametrize("address", MAPS)
def test_a_drawing_has_a_title_a_description_and_a_table(address: str, site: Path) -> None:
    html = read(site, address)
    parsed = parse(html)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not any("style" in attributes for _, attributes in parsed.tags)
    found = list(drawings(html))
    for drawing in found:
        assert drawing.findtext("title")
        assert drawing.findtext("desc")
        assert drawing.get("aria-labelledby") == drawing.find("title").get("id")  # type: ignore[union-attr]
        for link in drawing.iter("a"):
            assert link.get("href")
            assert link.findtext("title")
    if address.count("/") > 1 and address != "maps/gaps/":
        assert found
        assert "<table" in html or '<ul class="steps">' in html


def test_the_table_says_the_same_as_the_drawing(site: Path) -> None:
    html = read(site, "maps/gaps/family-access/")
    drawn = {}
    for drawing in drawings(html):
        for link in drawing.iter("a"):
            if " × " in (title := link.findtext("title") or ""):
                names, count = title.rsplit(": ", 1)
                drawn[names] = int(count)
    rows = re.findall(r'<tr><th scope="row"[^>]*>(.*?)</th>(.*?)</tr>', html)
    head = re.findall(r'<th scope="col">(.*?)</th>', html.split('<table class="numbers">')[1])[1:]
    assert rows
    assert head
    for row, cells in rows:
        for column, cell in zip(head, re.findall(r"<td[^>]*>(\d+)", cells), strict=True):
            assert drawn[f"{row} × {column}"] == int(cell)


def test_maps_are_the_same_in_every_build(catalogue: Catalogue) -> None:
    assert render(catalogue) == render(catalogue)


def test_an_empty_catalogue_has_maps(make_catalogue: Callable[..., Catalogue]) -> None:
    for body in render(make_catalogue({})).values():
        parse(body)


def hostile(make_catalogue: Callable[..., Catalogue]) -> Catalogue:
    bad = '"><script>alert(1)</script>'
    terms = {"one": {"label": bad, "definition": bad, "sources": ["s"]}}
    record: dict[str, Any] = {"title": bad, "authors": [bad], "year": 2020, "kind": "attack", "methods": [bad]}
    record |= {"taxonomy": {"family": ["one"], "access": ["one"]}, "datasets": ["d"], "metrics": ["m"]}
    facet = {"label": bad, "question": bad, "order": 1, "terms": terms}
    metric = {"name": bad, "group": "pixel", "description": "x", "blind_to": "x"}
    return make_catalogue(
        {
            "a2020one": record | {"relations": [{"improves": "b2020two", "how": bad}, {"attacks": "gone2020x"}]},
            "b2020two": record | {"relations": [{"improves": "a2020one", "how": "and back"}]},
            "c2019three": record
            | {"year": 2019, "title": "الهجوم العكسي", "methods": [], "taxonomy": {"family": ["lost"]}}
            | {"relations": [{"defends-against": "a2020one"}]},
        },
        datasets={"d": {"name": bad, "description": "x"}},
        metrics={"m": metric | {"direction": {"attacker": "lower", "defender": "higher"}}},
        facets={"family": facet, "access": facet | {"order": 2}},
    )  # fmt: skip


def test_hostile_records_stay_text_in_the_drawings(make_catalogue: Callable[..., Catalogue]) -> None:
    pages = render(hostile(make_catalogue))
    assert {"maps/gaps/family-access/", "maps/gaps/access-family/"} <= set(pages)
    for body in pages.values():
        assert not any(tag == "script" for tag, _ in parse(body).tags)
        list(drawings(body))
    assert "alert(1)" in parse(pages["maps/lineage/"]).words
    # Each improves the other, one acts on a newer work, one on a work that nobody knows.
    assert pages["maps/lineage/"].count('class="line') - len(lineage.VERBS) == 3


@pytest.mark.parametrize("count", [50, 250, 400])
def test_a_lineage_of_any_size_is_readable(catalogue: Catalogue, count: int) -> None:
    grown = with_relations(catalogue, count)
    steps = lineage.steps_of(grown)
    assert len(steps) == count
    panels = lineage.panels(grown, steps)
    assert Counter(step for panel in panels for step in panel.steps) == Counter(steps)
    assert len({panel.id for panel in panels}) == len(panels)
    for panel in panels:
        assert panel.shown <= lineage.MOST
        years = {end: grown.papers[end].year for step in panel.steps for end in (step.source, step.target)}
        made = lineage.layout(panel.steps, years)
        assert len(made.columns) <= 9
        for item, other in combinations([*made.boxes.values(), *made.lanes.values()], 2):
            apart = item.y + item.height <= other.y or other.y + other.height <= item.y
            assert item.column != other.column or apart, f"{panel.id}: {item.key} lies on {other.key}"
        for id, item in made.boxes.items():
            first, last = made.columns[item.column]
            assert first <= years[id] <= last
            assert item.y >= 0
            assert item.y + item.height <= made.height
        drawing = ElementTree.fromstring(str(lineage.picture(grown, panel, "")))
        assert float(drawing.get("width", "")) <= 1104


def test_a_crowd_is_cut_to_the_best_connected_works_and_says_so(catalogue: Catalogue) -> None:
    grown = with_relations(catalogue, 2500)
    panels = lineage.panels(grown, lineage.steps_of(grown))
    assert any(panel.shown < panel.works for panel in panels)
    assert all(panel.shown <= lineage.MOST for panel in panels)
    page = render(grown)["maps/lineage/"]
    assert "best-connected of" in page
    assert "the API has all of them" in page


def test_the_order_of_a_column_avoids_crossings() -> None:
    steps = [lineage.Step(f"n{at}", "improves", f"o{3 - at}", None) for at in range(4)]
    steps += [lineage.Step("n0", "improves", "o2", None), lineage.Step("n2", "improves", "o0", None)]
    years = {f"{side}{at}": year for side, year in (("n", 2021), ("o", 2020)) for at in range(4)}
    made = lineage.layout(steps, years)
    lines = [(made.boxes[step.target].y, made.boxes[step.source].y) for step in steps]
    crossed = sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(lines, 2))
    assert crossed == 0


def test_text_is_cut_to_its_room_with_an_ellipsis() -> None:
    assert svg.shorten("DLG", 13, 100) == "DLG"
    cut = svg.shorten("Inverting Gradients in Federated Learning", 13, 80)
    assert cut.endswith("…")
    assert svg.text_width(cut, 13) <= 80
    assert [svg.number(value) for value in (-0.04, 3.14, 7.0, -1.5)] == ["0", "3.1", "7", "-1.5"]


def opened(browser: Browser, base: str, address: str, **settings: Any) -> Page:
    page = browser.new_page(**settings)
    page.goto(base + address)
    return page


@pytest.mark.slow
@pytest.mark.xdist_group("chromium")
class TestInABrowser:
    """What a reader meets."""

    def test_labels_of_the_lineage_stay_in_their_boxes(
        self, browser: Browser, site: Path, serving: Callable[[Path], str]
    ) -> None:
        page = opened(browser, serving(site), "maps/lineage/", viewport={"width": 1280, "height": 900})
        page.evaluate("document.fonts.ready")
        wide = page.evaluate(
            """() => [...document.querySelectorAll("a.work")].filter((work) => {
              const box = work.querySelector("rect").getBBox();
              return [...work.querySelectorAll("text")].some((text) => {
                const b = text.getBBox();
                return b.x < box.x || b.x + b.width > box.x + box.width;
              });
            }).map((work) => work.textContent)"""
        )
        assert wide == []
        assert page.locator("a.work").count() > 20
        page.close()

    def test_labels_of_a_matrix_do_not_meet(self, browser: Browser, site: Path, serving: Callable[[Path], str]) -> None:
        base = serving(site)
        for address in ("maps/capability/", "maps/datasets/", "maps/gaps/family-access/"):
            page = opened(browser, base, address, viewport={"width": 1280, "height": 900})
            page.evaluate("document.fonts.ready")
            met = page.evaluate(
                """() => {
                  const drawing = document.querySelector("figure.matrix svg");
                  const cell = Math.min(...[...drawing.querySelectorAll(".cell rect")].map((r) => r.getBBox().x));
                  const rows = [...drawing.querySelectorAll("text.row, text.total")].filter((text) => {
                    const b = text.getBBox();
                    return b.x + b.width > cell || b.x < -2;
                  });
                  const ends = [...drawing.querySelectorAll("text.row")].filter((text) => {
                    const total = text.parentElement.nextElementSibling.getBBox();
                    const b = text.getBBox();
                    return b.x + b.width > total.x;
                  });
                  return [...rows, ...ends].map((text) => text.textContent);
                }"""
            )
            assert met == [], address
            page.close()

    def test_counting_attacks_alone_changes_numbers_and_links(
        self, browser: Browser, site: Path, serving: Callable[[Path], str], catalogue: Catalogue
    ) -> None:
        page = opened(browser, serving(site), "maps/gaps/family-access/")
        page.get_by_role("radio", name="attacks").check()
        cell = page.get_by_role("link", name=re.compile("^Defense × White box"))
        attacks = len(select(catalogue, "family=defense access=white-box kind=attack"))
        assert cell.first.text_content() == f"Defense × White box: {attacks}{attacks}"
        assert (cell.first.get_attribute("href") or "").endswith("%20kind%3Dattack")
        page.reload()
        assert page.get_by_role("radio", name="attacks").is_checked()
        assert cell.first.text_content() == f"Defense × White box: {attacks}{attacks}"
        page.get_by_role("link", name="Swap rows and columns").click()
        assert page.url.endswith("maps/gaps/access-family/?kind=attack")
        page.go_back()
        page.get_by_role("radio", name="all works").check()
        assert "kind" not in page.url
        everything = len(select(catalogue, "family=defense access=white-box"))
        assert cell.first.text_content() == f"Defense × White box: {everything}{everything}"
        page.close()

    def test_a_matrix_works_from_the_keyboard(
        self, browser: Browser, site: Path, serving: Callable[[Path], str]
    ) -> None:
        page = opened(browser, serving(site), "maps/gaps/family-access/")
        at = "document.activeElement.matches('a.cell') ? document.activeElement.textContent : ''"
        for _ in range(80):
            page.keyboard.press("Tab")
            if " × " in page.evaluate(at):
                break
        first = page.evaluate(at)
        assert first.startswith("Gradient inversion × White box")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        assert page.evaluate(at).startswith("Model inversion × Gray box")
        page.keyboard.press("Home")
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(at).startswith("Model inversion × White box")
        page.keyboard.press("Tab")
        assert " × " not in page.evaluate(at)
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/explore/?q=family%3Dmodel-inversion%20access%3Dwhite-box")
        page.close()

    def test_maps_serve_without_script(self, browser: Browser, site: Path, serving: Callable[[Path], str]) -> None:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{serving(site)}maps/")
        page.get_by_role("link", name="Research gaps").click()
        page.get_by_role("link", name=re.compile("^Access by Signal")).click()
        page.get_by_role("navigation", name="Facets to cross").get_by_role("link", name="Domain").first.click()
        assert page.locator("h1").inner_text() == "Domain × Signal"
        page.get_by_role("link", name="Swap rows and columns").click()
        assert page.locator("h1").inner_text() == "Signal × Domain"
        assert not page.get_by_role("radio", name="attacks").is_visible()
        page.get_by_text("The same numbers as a table").click()
        assert page.get_by_role("rowheader", name="Gradients").is_visible()
        page.get_by_text("Auxiliary knowledge6 narrower terms").or_(page.get_by_text("6 narrower terms")).first.click()
        assert (
            page.get_by_role("link", name=re.compile("^Auxiliary dataset × Face"))
            .or_(page.get_by_role("link", name=re.compile("^Auxiliary dataset × Biometrics")))
            .first.is_visible()
        )
        context.close()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_numbers_have_contrast_in_their_cells(
        self, browser: Browser, site: Path, serving: Callable[[Path], str], scheme: str
    ) -> None:
        page = opened(browser, serving(site), "maps/capability/", color_scheme=scheme)
        ratios = page.evaluate(
            """() => {
              const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
              const light = (color) => {
                canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v / 255)
                  .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
              };
              return ["n0", "n1", "n2", "n3", "n4", "n5"].map((shade) => {
                const cell = document.querySelector(`.cell.${shade}`);
                const [a, b] = ["rect", "text"].map((part) => light(getComputedStyle(cell.querySelector(part)).fill));
                return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
              });
            }"""
        )
        assert min(ratios) >= 4.5, ratios
        page.close()

    @pytest.mark.parametrize("address", MAPS)
    def test_a_map_holds_on_a_phone(
        self, browser: Browser, site: Path, serving: Callable[[Path], str], address: str
    ) -> None:
        said: list[str] = []
        page = browser.new_page(viewport={"width": 360, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(serving(site) + address)
        page.evaluate("document.querySelectorAll('details').forEach((part) => part.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        small = page.evaluate(
            """() => [...document.querySelectorAll("a.cell rect")].map((r) => r.getBoundingClientRect())
              .filter((b) => b.width && (b.width < 24 || b.height < 24)).length"""
        )
        assert small == 0
        assert said == []
        page.close()

    def test_the_lines_of_a_work_are_brought_out(
        self, browser: Browser, site: Path, serving: Callable[[Path], str], catalogue: Catalogue
    ) -> None:
        page = opened(browser, serving(site), "maps/lineage/")
        page.locator('a.work[data-id="zhu2019deep"]').first.focus()
        shown = page.locator("figure.chosen path.on")
        assert shown.count() > 2
        for ends in shown.evaluate_all("lines => lines.map(line => line.dataset.ends)"):
            assert "zhu2019deep" in ends.split()
        page.close()
