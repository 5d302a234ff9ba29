"""Papers side by side, in a real browser: adding, removing, what differs, what is taken along, what goes wrong."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import csv_table, markdown, tex
from inversion_atlas.website.build import stamp_site
from inversion_atlas.website.compare_page import LETTERS, _texts, compare_files

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chromium")]
THREE = "compare/?ids=zhu2019deep,geiping2020inverting,zhao2020idlg"
HOSTILE = (
    '<img src=x onerror="alert(1)">',
    "=HYPERLINK(1) \\input{x} $x^2$ 100% & #1 _a_ {b} ~c | d",
    "-- --- ?` !` '' `` ,, “quoted” ‘x’ a–b—c",
    "Nguyễn Thị Phượng, Gürses, Łukasz, Ǎ, é, ẹ̄, Ω, ℝ, ∇",
    "الهجوم 攻撃 атака",
    "see https://a.example/x_(y) and www.b.example, mail me@c.example",
    "a\u00a0b\u202fc  d",
    "[link](javascript:x) `code` *em* ~~s~~ !image",
)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(accept_downloads=True)
    yield made
    made.close()


@pytest.fixture
def base(site: Path, serving: Callable[[Path], str]) -> str:
    return serving(site)


def columns(page: Page) -> list[str]:
    """Return the papers shown, by the ids in the links of their headings."""
    links = page.locator("[data-table] thead a")
    return [str(href).rstrip("/").rsplit("/", 1)[1] for href in links.evaluate_all("all => all.map(a => a.href)")]


def labels(page: Page) -> list[str]:
    return [text.removesuffix(", differs") for text in page.locator("tbody th").all_inner_texts()]


def said(page: Page) -> str:
    return page.locator("[data-said]").inner_text()


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    return page


def saved(page: Page, format: str) -> str:
    page.get_by_label("Take along as").select_option(format)
    with page.expect_download() as download:
        page.locator("[data-save-table]").click()
    assert download.value.suggested_filename.startswith("comparison.")
    return Path(download.value.path()).read_text()


def test_papers_stand_side_by_side_and_what_differs_is_marked(context: BrowserContext, base: str) -> None:
    page = opened(context, base + THREE)
    assert columns(page) == ["zhu2019deep", "geiping2020inverting", "zhao2020idlg"]
    year = page.get_by_role("row", name=re.compile("^Year"))
    assert "differs" in (year.get_by_role("rowheader").text_content() or "")
    kind = page.get_by_role("row", name=re.compile("^Kind"))
    assert kind.get_by_role("rowheader").text_content() == "Kind"
    assert (
        page.get_by_role("row", name=re.compile("^Relations between these"))
        .get_by_text("improves Zhu, Liu, Han 2019")
        .count()
    )
    assert said(page) == ""


def test_equal_rows_can_be_hidden(context: BrowserContext, base: str) -> None:
    page = opened(context, base + THREE)
    before = page.locator("tbody tr").count()
    page.get_by_label("Hide rows that are equal").check()
    assert 0 < page.locator("tbody tr").count() < before
    assert page.locator("tbody tr.equal").count() == 0


def test_papers_are_found_added_and_removed_and_back_leads_back(context: BrowserContext, base: str) -> None:
    page = opened(context, f"{base}compare/?ids=zhu2019deep")
    assert "at least one more" in said(page)
    page.get_by_label("Add a paper").fill("geiping inverting")
    page.get_by_role("button", name=re.compile("^Inverting Gradients - How easy")).click()
    page.locator("thead a").nth(1).wait_for()
    assert page.url.endswith("?ids=zhu2019deep,geiping2020inverting")
    page.get_by_label("Add a paper").fill("BALUNOVIĆ bayes")
    page.get_by_role("button", name=re.compile("^Bayesian Framework")).click()
    page.locator("thead a").nth(2).wait_for()
    page.get_by_role("button", name="Remove Deep Leakage from Gradients").click()
    expect(page.locator("thead a")).to_have_count(2)
    assert page.url.endswith("?ids=geiping2020inverting,balunovic2022bayesian")
    page.go_back()
    expect(page.locator("thead a")).to_have_count(3)
    assert columns(page)[0] == "zhu2019deep"


def test_a_paper_shown_is_not_offered_again_and_nothing_found_is_said(context: BrowserContext, base: str) -> None:
    page = opened(context, base + THREE)
    page.get_by_label("Add a paper").fill("iDLG Improved Deep Leakage")
    expect(page.locator("[data-said]")).to_have_text("No papers match.")
    assert not page.locator("[data-found]").is_visible()


@pytest.mark.parametrize(
    ("ids", "shown", "message"),
    [
        ("zhu2019deep,nobody2020nothing", 1, "No paper has the id nobody2020nothing."),
        ("zhu2019deep,zhu2019deep,zhao2020idlg", 2, "zhu2019deep is here already."),
        ("zhu2019deep,../../../etc/passwd,<script>", 1, "No paper has the id ../../../etc/passwd."),
        ("zhu2019deep,", 1, "Add at least one more paper to compare."),
        ("", 0, ""),
    ],
)
def test_what_an_address_asks_for_in_vain_is_said(
    context: BrowserContext, base: str, ids: str, shown: int, message: str
) -> None:
    page = opened(context, f"{base}compare/?ids={ids}")
    assert len(columns(page)) == shown
    assert message in said(page)
    # The page goes on working.
    page.get_by_label("Add a paper").fill("knowledge enriched")
    page.get_by_role("button", name=re.compile("^Knowledge-Enriched")).click()
    expect(page.locator("thead a")).to_have_count(shown + 1)


def test_a_ninth_paper_is_left_out_and_named(context: BrowserContext, base: str, catalogue: Catalogue) -> None:
    ids = list(catalogue.papers)[:9]
    page = opened(context, f"{base}compare/?ids={','.join(ids)}")
    assert columns(page) == ids[:8]
    assert f"{ids[8]} is left out" in said(page)
    assert not page.get_by_role("button", name=re.compile("^Add my selection")).is_visible()


def test_the_selection_of_other_pages_is_compared(context: BrowserContext, base: str) -> None:
    page = opened(context, base)
    page.evaluate("localStorage.setItem('atlas-selection', JSON.stringify(['zhu2019deep', 'zhang2020secret']))")
    page.goto(f"{base}compare/", wait_until="networkidle")
    assert columns(page) == ["zhu2019deep", "zhang2020secret"]
    page.goto(f"{base}compare/?ids=zhao2020idlg", wait_until="networkidle")
    assert columns(page) == ["zhao2020idlg"]
    page.get_by_role("button", name="Add my selection (2)").click()
    expect(page.locator("thead a")).to_have_count(3)
    assert not page.get_by_role("button", name=re.compile("^Add my selection")).is_visible()


def test_csv_holds_every_row_as_shown(context: BrowserContext, base: str, catalogue: Catalogue) -> None:
    page = opened(context, base + THREE)
    rows = list(csv.reader(io.StringIO(saved(page, "csv"))))
    assert rows[0] == ["field", "zhu2019deep", "geiping2020inverting", "zhao2020idlg"]
    table = {row[0]: row[1:] for row in rows}
    assert table["Title"] == [catalogue.papers[id].title for id in rows[0][1:]]
    assert table["Year"] == ["2019", "2020", "2020"]
    assert [row[0] for row in rows[2:]] == [text.split("\n")[0].removesuffix("≠").strip() for text in labels(page)]
    page.get_by_label("Hide rows that are equal").check()
    fewer = list(csv.reader(io.StringIO(saved(page, "csv"))))
    assert "Kind" not in {row[0] for row in fewer}
    assert len(fewer) < len(rows)


def test_markdown_is_a_table_with_links(context: BrowserContext, base: str) -> None:
    page = opened(context, base + THREE)
    lines = saved(page, "markdown").splitlines()
    assert lines[1] == "| --- | --- | --- | --- |"
    assert lines[0].startswith("|  | [Zhu, Liu, Han 2019](https://")
    for line in lines:
        assert len(re.findall(r"(?<!\\)\|", line)) == 5, line


def test_latex_is_compiled(context: BrowserContext, base: str, tmp_path: Path, program: Callable[[str], str]) -> None:
    page = opened(context, base + THREE)
    text = saved(page, "latex")
    assert r"\cite{zhu2019deep}" in text
    assert r"Dr{\"o}ge" in text
    packages = r"\usepackage[T1]{fontenc}\usepackage{array,booktabs}"
    document = rf"\documentclass{{article}}{packages}\begin{{document}}{text}\end{{document}}"
    (tmp_path / "table.tex").write_text(document)
    done = subprocess.run(
        [program("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "table.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_copying_and_saving_give_the_same(context: BrowserContext, base: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened(context, base + THREE)
    file = saved(page, "latex")
    page.locator("[data-copy-table]").click()
    expect(page.locator("[data-said]")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n") == file


def test_escapes_are_those_of_the_exports(context: BrowserContext, base: str, catalogue: Catalogue) -> None:
    texts = sorted(set(_texts(catalogue)) | {text for text in HOSTILE if text.isascii()})
    page = opened(context, f"{base}compare/")
    found = page.evaluate(
        """async (texts) => {
          const own = await import(new URL("../assets/compare/exports.js", location.href));
          const letters = await (await fetch("letters.json")).json();
          return texts.map((text) => [own.texEscape(text, letters), own.markdownEscape(text)]);
        }""",
        texts,
    )
    for text, (latex, plain) in zip(texts, found, strict=True):
        assert latex == tex.escape(text), text
        assert plain == markdown.escape(text), text


def test_every_letter_of_the_catalogue_has_its_latex(catalogue: Catalogue) -> None:
    ((path, content),) = compare_files(catalogue)
    assert path == LETTERS
    letters = json.loads(content)
    assert all(written.isascii() for written in letters.values())
    assert letters["ö"] == r"{\"o}"
    assert letters["&"] == r"\&"


def test_everything_works_from_the_keyboard(context: BrowserContext, base: str) -> None:
    page = opened(context, f"{base}compare/?ids=zhu2019deep")
    page.get_by_label("Add a paper").focus()
    page.keyboard.type("secret revealer")
    page.get_by_role("button", name=re.compile("^The Secret Revealer")).wait_for()
    page.keyboard.press("Tab")
    if page.evaluate("document.activeElement.matches('[data-add-selection]')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("thead a")).to_have_count(2)
    assert page.evaluate("document.activeElement.id") == "compare-search"
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.type"))
    assert {"checkbox", "Copy", "Save", "Deep Leakage from Gradients", "Remove"} <= set(stops)


def test_without_script_the_page_says_so_and_leads_on(browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + THREE)
    assert "Comparing needs JavaScript" in page.locator("noscript p").inner_text()
    assert not page.get_by_label("Add a paper").is_visible()
    page.locator("noscript").get_by_role("link", name="downloads", exact=True).click()
    assert page.locator("h1").inner_text() == "Downloads"
    context.close()


def test_a_phone_scrolls_the_table_under_a_column_that_stays(browser: Browser, base: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = opened(context, base + THREE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate("document.querySelector('[data-table]').scrollLeft = 400")
    left = page.evaluate("document.querySelector('tbody th').getBoundingClientRect().left")
    edge = page.evaluate("document.querySelector('[data-table]').getBoundingClientRect().left")
    assert abs(left - edge) < 2
    small = page.evaluate(
        """() => [...document.querySelectorAll(".compare button, .compare select, .compare input")]
          .filter((part) => part.offsetParent && part.type !== "checkbox")
          .filter((part) => part.getBoundingClientRect().height < 24).length"""
    )
    assert small == 0
    context.close()


@pytest.fixture
def hostile_site(
    make_catalogue: Callable[..., Catalogue], shells_folder: Path, site: Path, tmp_path: Path
) -> tuple[Path, Catalogue]:
    """A website of records that mean harm, one of which had another id before."""
    links = {"paper": "https://a.example/(x)?y=%3Cz%3E#w", "code": ["https://github.com/a/b_c"]}
    number = {"metric": "m", "value": 27.5, "unit": "dB", "method": HOSTILE[0], "place": "Table 1"}
    papers: dict[str, Any] = {
        f"a{2000 + at}x": {
            "title": text,
            "authors": [text.replace(",", "") or "x"],
            "year": 2000 + at,
            "kind": "attack",
            "methods": [text],
            "summary": text,
            "links": links,
            "reported": [number | {"evidence": "https://a.example/"}],
        }
        for at, text in enumerate(HOSTILE)
    }
    papers["a2000x"] |= {"aliases": ["old1999name"], "relations": [{"improves": "a2001x", "how": HOSTILE[1]}]}
    papers["a2000x"] |= {"status": {"state": "retracted", "reason": HOSTILE[0], "evidence": "https://a.example/"}}
    direction = {"attacker": "higher", "defender": "lower"}
    metric = {"name": "<b>M</b>", "group": "pixel", "description": "x", "blind_to": "x", "direction": direction}
    catalogue = make_catalogue(papers, metrics={"m": metric})
    out = tmp_path / "site"
    shutil.copytree(site / "assets", out / "assets")
    stamp_site(catalogue, shells_folder, out)
    return out, catalogue


def test_hostile_records_are_text_in_the_page_and_in_what_is_taken_along(
    context: BrowserContext, hostile_site: tuple[Path, Catalogue], serving: Callable[[Path], str]
) -> None:
    folder, catalogue = hostile_site
    page = context.new_page()
    broken: list[str] = []
    page.on("console", lambda message: broken.append(message.text))
    page.on("dialog", lambda dialog: broken.append(dialog.message))
    page.goto(f"{serving(folder)}compare/?ids={','.join(catalogue.papers)}", wait_until="networkidle")
    assert page.locator("thead a").all_inner_texts() == [
        paper.title.replace("  ", " ") for paper in catalogue.papers.values()
    ]
    assert page.locator("[data-table] img, [data-table] script, [data-table] b").count() == 0
    assert broken == []
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(saved(page, "csv")))}
    assert rows["Summary"] == [csv_table.cell(paper.summary) for paper in catalogue.papers.values()]
    lines = dict(re.findall(r"^    (Summary) & (.*) \\\\$", saved(page, "latex"), flags=re.MULTILINE))
    assert lines["Summary"] == " & ".join(tex.escape(paper.summary or "") for paper in catalogue.papers.values())
    cells = next(line for line in saved(page, "markdown").splitlines() if line.startswith("| Summary"))
    assert (
        cells
        == f"| Summary | {' | '.join(markdown.escape(paper.summary or '') for paper in catalogue.papers.values())} |"
    )


def test_what_cannot_be_loaded_is_said_and_can_be_tried_again(context: BrowserContext, base: str) -> None:
    page = context.new_page()
    page.route("**/api/v1/papers/zhao2020idlg.json", lambda route: route.fulfill(status=500, body="x"))
    page.route("**/api/v1/papers.json", lambda route: route.abort())
    page.route("**/compare/letters.json", lambda route: route.abort())
    page.goto(f"{base}compare/?ids=ZHU2019deep,zhao2020idlg", wait_until="networkidle")
    assert columns(page) == ["zhu2019deep"]
    assert "zhao2020idlg could not be loaded" in said(page)
    page.get_by_label("Add a paper").fill("secret")
    expect(page.locator("[data-said]")).to_contain_text("could not be loaded")
    page.unroute("**/api/v1/papers.json")
    page.get_by_label("Add a paper").fill("secret revealer")
    page.get_by_role("button", name=re.compile("^The Secret Revealer")).click()
    page.locator("[data-copy-table]").click()
    expect(page.locator("[data-said]")).to_contain_text("How LaTeX writes some letters could not be loaded")


def test_a_former_id_leads_to_the_paper_of_today(
    context: BrowserContext, hostile_site: tuple[Path, Catalogue], serving: Callable[[Path], str]
) -> None:
    page = opened(context, f"{serving(hostile_site[0])}compare/?ids=old1999name,a2001x,a2000x")
    assert columns(page) == ["a2000x", "a2001x"]
    assert "old1999name is called a2000x today." in said(page)
    assert "a2000x is here already." in said(page)
