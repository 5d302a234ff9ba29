"""Explore in a real browser: what it finds, counts, keeps in its address, gathers and exports."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bibtexparser
import pytest
import rispy
import yaml
from click.testing import CliRunner
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from inversion_atlas.catalogue import Catalogue, load, paper_path
from inversion_atlas.cli.main import atlas
from inversion_atlas.query import newest_first, select
from inversion_atlas.website.build import stamp_site

from .conftest import ROOT
from .test_browser import CONTRAST, quiet

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chromium"), pytest.mark.usefixtures("read_once")]
FIRST = 20


@pytest.fixture
def base(site: Path, serving: Callable[[Path], str]) -> str:
    return serving(site)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(accept_downloads=True, permissions=["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, base: str) -> Iterator[Page]:
    """The page, ready, watched for anything it should not do."""
    page = context.new_page()
    with quiet(page, base):
        yield ready(page, base)


def ready(page: Page, base: str, asked: str = "") -> Page:
    page.goto(f"{base}explore/{asked}")
    page.wait_for_selector('#explore-page[data-ready="all"]')
    return page


def box(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search the catalogue")


def shown(page: Page) -> list[str]:
    """Return the ids of the works on the page, in their order."""
    found: list[str] = page.locator("#explore-results .hit .title").evaluate_all(
        "(links) => links.map((link) => link.pathname.split('/').at(-2))"
    )
    return found


def total(page: Page) -> int:
    return int((page.locator("#explore-count").text_content() or "").split(" of ")[0].replace(",", ""))


def ids(catalogue: Catalogue, query: str) -> list[str]:
    return [paper.id for paper in newest_first(select(catalogue, query))]


def ask(page: Page, text: str) -> None:
    box(page).fill(text)
    page.wait_for_timeout(300)


def term(page: Page, facet: str, label: str) -> Locator:
    held = page.locator(f'details[data-facet="{facet}"]')
    if held.get_attribute("open") is None:
        held.locator("summary").click()
    return held.locator("button.term", has=page.locator(".label").get_by_text(label, exact=True))


def address(page: Page) -> str:
    return str(page.evaluate("new URLSearchParams(location.search).get('q') ?? ''"))


@pytest.mark.parametrize(
    "query",
    ["", "leakage", "federated gradient", "balunovic", "Balunović", '"model inversion"', "access=label-only",
     "family=gradient-inversion -kind:survey", "year>=2022 has:code", "dataset=celeba,ffhq year=2021..2023",
     "kind=background", "improves=zhu2019deep", "venue=NeurIPS", "label-only face"],
)  # fmt: skip
def test_the_page_shows_what_the_shell_prints(page: Page, catalogue: Catalogue, query: str) -> None:
    ask(page, query)
    page.select_option("#explore-sort", "newest")
    known = ids(catalogue, query)
    assert total(page) == len(known) > 0
    page.wait_for_timeout(400)
    assert shown(page) == known[:FIRST]
    printed = shlex.split(page.locator("#explore-command").text_content() or "")
    assert printed[:2] == ["atlas", "search"]
    result = CliRunner().invoke(atlas, ["--root", str(ROOT), "search", "--ids", *printed[2:]])
    assert result.stdout.split() == known


def test_every_letter_typed_narrows_the_works(page: Page, catalogue: Catalogue) -> None:
    box(page).press_sequentially("gradient inv")
    expect(page.locator("#explore-count")).to_have_text(re.compile(f"^{len(ids(catalogue, 'gradient inv'))} of "))
    for _ in range(4):
        box(page).press("Backspace")
    expect(page.locator("#explore-count")).to_have_text(re.compile(f"^{len(ids(catalogue, 'gradient'))} of "))


def test_one_typo_is_forgiven_and_the_command_says_what_is_shown(page: Page, catalogue: Catalogue) -> None:
    assert ids(catalogue, "gradeint") == []
    ask(page, "gradeint access=label-only,white-box")
    assert set(shown(page)) <= set(ids(catalogue, "text:gradient access=label-only,white-box"))
    assert total(page) == len(ids(catalogue, "text:gradient access=label-only,white-box"))
    expect(page.locator("#explore-forgiven")).to_contain_text("No work has “gradeint”; shown is “gradient”")
    expect(page.locator("#explore-command")).to_have_text("atlas search text:gradient access=label-only,white-box")
    # A short word, a phrase and a clause mean what they say.
    for exact in ("gradi", '"gradeint"', "title:gradeint", "-gradeint"):
        ask(page, exact)
        assert total(page) == len(ids(catalogue, exact))


def test_a_query_that_cannot_be_read_keeps_the_works_and_says_where(page: Page) -> None:
    ask(page, "leakage")
    before = total(page)
    ask(page, "leakage acces=x")
    page.get_by_role("alert").wait_for()
    said = page.get_by_role("alert").inner_text()
    assert "unknown field 'acces'; did you mean access?" in said
    assert "character 9" in said
    assert page.locator("#explore-wrong mark").inner_text() == "acces=x"
    assert total(page) == before
    expect(page.get_by_text("the last query that could be read")).to_be_visible()
    expect(box(page)).to_have_attribute("aria-invalid", "true")
    ask(page, "leakage access=white-box")
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_text("the last query that could be read")).to_be_hidden()


def test_words_put_the_best_match_first(page: Page, catalogue: Catalogue) -> None:
    ask(page, "deep leakage gradients")
    assert shown(page)[0] == "zhu2019deep"
    expect(page.locator("#explore-sort")).to_have_value("relevance")
    page.select_option("#explore-sort", "oldest")
    assert shown(page)[0] == ids(catalogue, "deep leakage gradients")[-1] or len(shown(page)) > 1
    years = [catalogue.papers[id].year for id in shown(page)]
    assert years == sorted(years)
    page.select_option("#explore-sort", "title")
    titles = [catalogue.papers[id].title.lower() for id in shown(page)]
    assert titles[0] <= titles[-1]


def test_counts_are_what_a_click_would_show(page: Page, catalogue: Catalogue) -> None:
    ask(page, "federated year>=2021 -kind:survey")
    page.wait_for_timeout(200)
    # A facet's counts ignore its own choice; background works count where the kind is open.
    asked = "federated year>=2021 {}=" + "{} -kind:survey"
    for facet in ("access", "family", "learning"):
        details = page.locator(f'details[data-facet="{facet}"]')
        if details.get_attribute("open") is None:
            details.locator("summary").click()
        for id, found in list(catalogue.facets[facet].terms.items())[:12]:
            count = term(page, facet, found.label).locator(".count").text_content()
            assert int(count or "") == len(ids(catalogue, asked.format(facet, id))), (facet, id)
    for kind in ("attack", "defense", "survey"):
        count = term(page, "kind", kind).locator(".count").text_content()
        assert int(count or "") == len(ids(catalogue, f"federated year>=2021 kind={kind}")), kind
    for having, label in (("code", "Code"), ("reported", "Reported results"), ("implementation", "Runnable here")):
        count = term(page, "has", label).locator(".count").text_content()
        assert int(count or "") == len(ids(catalogue, f"federated year>=2021 -kind:survey has:{having}")), having
    count = term(page, "dataset", "MNIST").locator(".count").text_content()
    assert int(count or "") == len(ids(catalogue, "federated year>=2021 -kind:survey dataset=mnist"))


def test_terms_of_a_facet_are_or_and_a_second_click_excludes(page: Page, catalogue: Catalogue) -> None:
    white, black = term(page, "access", "White box"), term(page, "access", "Black box")
    before = black.locator(".count").text_content()
    white.click()
    page.wait_for_timeout(200)
    assert address(page) == "access=white-box"
    assert black.locator(".count").text_content() == before
    black.click()
    page.wait_for_timeout(200)
    assert address(page) == "access=white-box,black-box"
    assert total(page) == len(ids(catalogue, "access=white-box,black-box"))
    term(page, "kind", "attack").click()
    assert address(page) == "access=white-box,black-box kind=attack"
    white.click()
    page.wait_for_timeout(200)
    assert address(page) == "access=black-box kind=attack -access=white-box"
    assert total(page) == len(ids(catalogue, "access=black-box kind=attack -access=white-box"))
    expect(white).to_have_attribute("data-state", "out")
    assert re.search(r"works?, excluded$", white.text_content() or "")
    white.click()
    page.wait_for_timeout(200)
    assert address(page) == "access=black-box kind=attack"
    expect(white).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Remove kind=attack").click()
    page.wait_for_timeout(200)
    assert address(page) == "access=black-box"
    page.get_by_role("button", name="Clear all").click()
    assert address(page) == ""
    assert total(page) == len(ids(catalogue, ""))


def test_a_term_opens_its_narrower_ones(page: Page, catalogue: Catalogue) -> None:
    narrow = term(page, "family", "Optimization-based gradient inversion")
    label = catalogue.facets["family"].terms["gradient-inversion"].label
    narrower = [found for found in catalogue.facets["family"].terms.values() if found.broader == "gradient-inversion"]
    narrow = term(page, "family", narrower[0].label)
    expect(narrow).to_be_hidden()
    opener = page.get_by_role("button", name=f"Narrower terms of {label}")
    opener.click()
    expect(narrow).to_be_visible()
    narrow.click()
    page.wait_for_timeout(200)
    assert total(page) == len(ids(catalogue, f"family={narrower[0].id}"))
    opener.click()
    # What is chosen stays in sight.
    expect(narrow).to_be_visible()


def test_years_and_long_facets(page: Page, catalogue: Catalogue) -> None:
    page.get_by_label("From year").fill("2021")
    page.get_by_label("From year").press("Tab")
    page.get_by_label("To year").fill("2022")
    page.get_by_label("To year").press("Tab")
    page.wait_for_timeout(200)
    assert address(page) == "year=2021..2022"
    assert total(page) == len(ids(catalogue, "year=2021..2022"))
    page.get_by_label("From year").fill("21")
    page.get_by_label("From year").press("Tab")
    expect(page.get_by_label("From year")).to_have_attribute("aria-invalid", "true")
    assert address(page) == "year=2021..2022"
    held = page.locator('details[data-facet="venue"]')
    held.locator("summary").click()
    expect(held.locator("button.term")).to_have_count(8)
    held.get_by_role("button", name="Show more").click()
    assert held.locator("button.term").count() > 8
    held.get_by_label("Filter: Venue").fill("neur")
    assert held.locator("button.term .label").all_text_contents() == ["NeurIPS"]
    held.locator("button.term").click()
    page.wait_for_timeout(200)
    assert total(page) == len(ids(catalogue, "year=2021..2022 venue=neurips"))


def test_the_address_keeps_the_state_and_back_returns(context: BrowserContext, page: Page, base: str) -> None:
    box(page).press_sequentially("gradient", delay=20)
    page.wait_for_timeout(900)
    term(page, "access", "White box").click()
    page.wait_for_timeout(200)
    page.get_by_label("Table", exact=True).check()
    page.select_option("#explore-sort", "title")
    assert address(page) == "gradient access=white-box"
    found, url = shown(page), page.url
    other = ready(context.new_page(), base, url.partition("explore/")[2])
    # Nine works are painted at once, the others when the page is at rest.
    assert shown(other)[:9] == found[:9]
    assert other.get_by_label("Table", exact=True).is_checked()
    expect(term(other, "access", "White box")).to_have_attribute("data-state", "in")
    other.close()
    # One step for each settled change, the eight letters among them.
    for known in ("gradient access=white-box", "gradient access=white-box", "gradient", ""):
        page.go_back()
        page.wait_for_timeout(150)
        assert (address(page), box(page).input_value()) == (known, known)
    page.go_forward()
    page.wait_for_timeout(150)
    assert address(page) == "gradient"


def test_a_link_marks_its_facets(context: BrowserContext, base: str, catalogue: Catalogue) -> None:
    alias = catalogue.facets["access"].terms["black-box"].aliases[1]
    assert " " in alias
    asked = f'access="{alias}" -kind:survey year=2020..2023 dataset=celeba has:code leakage'
    page = ready(context.new_page(), base, f"?q={asked.replace(' ', '%20').replace('=', '%3D')}")
    assert total(page) == len(ids(catalogue, asked))
    expect(term(page, "access", "Black box")).to_have_attribute("data-state", "in")
    expect(term(page, "kind", "survey")).to_have_attribute("data-state", "out")
    expect(term(page, "dataset", "CelebA")).to_have_attribute("data-state", "in")
    expect(term(page, "has", "Code")).to_have_attribute("data-state", "in")
    assert page.get_by_label("From year").input_value() == "2020"
    assert len(page.locator("#explore-chips button").all()) == 5


def test_a_selection_outlives_searches_and_reloads(context: BrowserContext, page: Page, base: str) -> None:
    ask(page, "id=zhu2019deep")
    page.get_by_label("Select Deep Leakage from Gradients").check()
    ask(page, "id=zhao2020idlg")
    page.get_by_role("checkbox", name=re.compile("^Select iDLG")).check()
    bar = page.get_by_role("region", name="Selection")
    expect(bar).to_contain_text("2 works selected")
    assert page.evaluate("localStorage.getItem('atlas-selection')") == '["zhu2019deep","zhao2020idlg"]'
    other = ready(context.new_page(), base)
    expect(other.get_by_role("region", name="Selection")).to_contain_text("2 works selected")
    link = other.locator("#explore-compare").get_attribute("href")
    assert link == "../compare/?ids=zhu2019deep,zhao2020idlg"
    other.get_by_role("button", name="Show only these").click()
    assert shown(other) == ["zhao2020idlg", "zhu2019deep"]
    expect(other.locator("#explore-command")).to_have_text("atlas search id=zhu2019deep,zhao2020idlg")
    # Another tab hears of what changes here.
    other.get_by_label("Select Deep Leakage from Gradients").uncheck()
    expect(bar).to_contain_text("1 work selected")
    expect(page.get_by_text("Select two to eight to compare.")).to_be_visible()
    expect(other.get_by_label("Select Deep Leakage from Gradients")).not_to_be_checked()
    other.get_by_role("button", name="Show only these").click()
    other.get_by_role("button", name="Show only these").click()
    assert shown(other) == ["zhao2020idlg"]
    other.get_by_role("button", name="Clear selection").click()
    expect(bar).to_be_hidden()
    other.close()


def test_a_stored_selection_may_hold_anything(context: BrowserContext, base: str) -> None:
    page = context.new_page()
    page.goto(base)
    for stored in ("{", '{"a": 1}', '[1, null, "<img src=x onerror=alert(1)>", "zhu2019deep"]'):
        page.evaluate("(text) => localStorage.setItem('atlas-selection', text)", stored)
        with quiet(page, base):
            ready(page, base)
    expect(page.get_by_role("region", name="Selection")).to_contain_text("1 work selected")


def export(page: Page, format: str) -> bytes:
    dialog = page.get_by_role("dialog", name="Export")
    dialog.get_by_label("Format").select_option(format)
    with page.expect_download() as waiting:
        dialog.get_by_role("button", name="Save").click()
    content = Path(waiting.value.path()).read_bytes()
    expect(dialog.get_by_text(re.compile("saved"))).to_be_visible()
    return content


def from_shell(format: str, query: str) -> bytes:
    return CliRunner().invoke(atlas, ["--root", str(ROOT), "export", format, *shlex.split(query)]).stdout_bytes


def test_an_export_is_what_the_shell_writes(page: Page, catalogue: Catalogue) -> None:
    for query in ("year=2019", "author:balunovic", "access=label-only", "kind=attack year=2021..2022", ""):
        ask(page, query)
        page.get_by_role("button", name="Export").first.click()
        for format in ("bibtex", "biblatex", "ris", "csl-json", "csv", "latex", "markdown"):
            content = export(page, format)
            assert content == from_shell(format, query), (format, query)
            read_back(format, content, set(ids(catalogue, query)))
        page.get_by_role("button", name="Close").click()


def read_back(format: str, content: bytes, known: set[str]) -> None:
    text = content.decode()
    if format == "bibtex":
        library = bibtexparser.parse_string(text)
        assert not library.failed_blocks
        assert {entry.key for entry in library.entries} == known
    elif format == "csv":
        assert {row["id"] for row in csv.DictReader(io.StringIO(text))} == known
    elif format == "csl-json":
        assert {item["id"] for item in json.loads(text)} == known
    elif format == "ris":
        assert {entry["id"] for entry in rispy.loads(text)} == known


def test_a_selection_is_exported_and_copied(page: Page) -> None:
    for id in ("zhu2019deep", "zhao2020idlg"):
        ask(page, f"id={id}")
        page.locator(".hit .pick input").check()
    page.get_by_role("region", name="Selection").get_by_role("button", name="Export").click()
    expect(page.get_by_label(re.compile("The selection, 2 works"))).to_be_checked()
    assert export(page, "bibtex") == from_shell("bibtex", "id=zhu2019deep,zhao2020idlg")
    page.get_by_role("dialog").get_by_role("button", name="Copy").click()
    expect(page.get_by_text("2 works copied.")).to_be_visible()
    assert (
        page.evaluate("navigator.clipboard.readText()") == from_shell("bibtex", "id=zhu2019deep,zhao2020idlg").decode()
    )


def test_the_dense_table_shows_the_same_works(page: Page, catalogue: Catalogue) -> None:
    ask(page, "access=label-only")
    cards = shown(page)
    page.get_by_label("Table", exact=True).check()
    page.wait_for_timeout(400)
    assert shown(page) == ids(catalogue, "access=label-only")[:FIRST]
    assert set(cards) <= set(shown(page))
    assert page.locator(".hits-table thead th").all_text_contents()[:5] == ["Select", "Work", "Year", "Venue", "Kind"]
    ask(page, "")
    page.wait_for_timeout(400)
    page.get_by_role("button", name=re.compile("^Show 100 more of ")).click()
    assert len(shown(page)) == FIRST + 100
    assert page.evaluate("document.activeElement.className") == "title"


def press_until(page: Page, test: str, key: str = "Tab", most: int = 120) -> None:
    for _ in range(most):
        if page.evaluate(f"(() => {{ const at = document.activeElement; return {test}; }})()"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"the keyboard never reached {test}")


def test_everything_works_from_the_keyboard(page: Page, catalogue: Catalogue) -> None:
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "explore-box"
    page.keyboard.type("gradient")
    page.wait_for_timeout(300)
    press_until(page, "at.id === 'explore-export'")
    press_until(page, "at.textContent.startsWith('attack') && at.classList.contains('term')")
    for state in ("in", "out", ""):
        page.keyboard.press("Space")
        page.wait_for_timeout(250)
        # The focus stays where the reader is.
        assert page.evaluate("document.activeElement.dataset.state") == state
    page.keyboard.press("Enter")
    page.wait_for_timeout(250)
    assert total(page) == len(ids(catalogue, "gradient kind=attack"))
    press_until(page, "at.matches('.pick input')")
    page.keyboard.press("Space")
    press_until(page, "at.id === 'explore-gathered-export'", most=400)
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog", name="Export").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog", name="Export").is_hidden()
    assert page.evaluate("document.activeElement.id") == "explore-gathered-export"
    # A slash in a box is a slash.
    page.keyboard.press("/")
    page.keyboard.type("/")
    assert "/" in box(page).input_value()


def test_the_number_of_works_is_told_to_screen_readers(page: Page, catalogue: Catalogue) -> None:
    live = page.locator("[aria-live=polite]#explore-live")
    ask(page, "leakage")
    count = len(ids(catalogue, "leakage"))
    expect(live).to_have_text(f"{count} of {len(catalogue.papers)} works")


def test_it_fits_a_phone(browser: Browser, base: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 780})
    ready(page, base)
    filters = page.get_by_role("button", name="Filters")
    expect(term_of(page, "attack")).to_be_hidden()
    filters.click()
    expect(filters).to_have_attribute("aria-expanded", "true")
    term_of(page, "attack").click()
    page.wait_for_timeout(200)
    expect(filters).to_have_text("Filters (1)")
    filters.click()
    page.locator(".hit .pick input").first.check()
    for view in ("Table", "Cards"):
        page.get_by_label(view, exact=True).check()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Export").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    small = page.evaluate(
        """() => ["button", "summary", "select", ".pick"]
          .flatMap((each) => [...document.querySelectorAll(`#explore-page ${each}`)])
          .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 24)
          .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert small == []
    page.close()


def term_of(page: Page, label: str) -> Locator:
    return page.locator("button.term", has=page.locator(".label").get_by_text(label, exact=True))


def test_without_script_there_are_works_and_ways_on(browser: Browser, base: str, catalogue: Catalogue) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}explore/")
    assert shown(page) == ids(catalogue, "")[:FIRST]
    expect(page.locator("noscript p")).to_contain_text("Searching here needs JavaScript")
    for name in ("by year", "family", "every other facet", "downloads"):
        assert page.locator("noscript a").get_by_text(name, exact=True).is_visible()
    expect(page.locator("#explore-box")).to_be_hidden()
    page.locator("noscript a").get_by_text("by year", exact=True).click()
    assert page.locator("h1").inner_text() == "Papers"
    context.close()


def test_the_works_the_server_wrote_are_those_the_script_paints(page: Page, browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"{base}explore/")
    words = "(nodes) => nodes.map((node) => node.textContent.replace(/\\s+/g, ' ').trim())"
    page.wait_for_timeout(400)
    made = page.locator("#explore-results .hit").evaluate_all(words)
    assert made == plain.locator("#explore-results .hit").evaluate_all(words)
    context.close()


def test_text_has_contrast_light_and_dark(browser: Browser, base: str) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = ready(context.new_page(), base, "?q=access%3Dwhite-box%20-kind%3Asurvey%20has%3Acode&view=table")
        page.locator(".hit .pick input").first.check()
        assert page.evaluate(CONTRAST) == [], scheme
        ask(page, "leakage acces=x")
        page.get_by_role("alert").wait_for()
        assert page.evaluate(CONTRAST) == [], scheme
        context.close()


HOSTILE = '</script><script>document.title="owned"</script><img src=x onerror="document.title=1"> & "quoted"'


def test_a_hostile_record_is_only_text(
    browser: Browser, serving: Callable[[Path], str], shells_folder: Path, site: Path, tmp_path: Path
) -> None:
    root, out = tmp_path / "atlas", tmp_path / "site"
    for name in ("data", "taxonomy"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("papers"))
    record: dict[str, Any] = yaml.safe_load((ROOT / "data/papers/2019/zhu2019deep.yaml").read_text())
    authors = [HOSTILE, "ابن سينا, أبو علي", *(f"Author{number}, A." for number in range(100))]
    record |= {"title": HOSTILE, "summary": HOSTILE, "methods": [HOSTILE], "relations": [], "authors": authors}
    bare = {"title": "Bare", "authors": ["Nobody"], "year": 2020, "kind": "attack"}
    for id, fields in (("zhu2019deep", record), ("nobody2020bare", bare)):
        path = root / paper_path(id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(fields, allow_unicode=True))
    for name in ("datasets", "metrics"):
        (root / f"data/{name}.yaml").write_text("{}\n")
    shutil.rmtree(root / "data/sources")
    shutil.copytree(site / "assets", out / "assets")
    stamp_site(load(root), shells_folder, out)
    base = serving(out)
    page = browser.new_page()
    with quiet(page, base):
        ready(page, base)
        for view in ("Cards", "Table"):
            page.get_by_label(view, exact=True).check()
            for query in ("script", "bare", HOSTILE.replace('"', ""), f'title:"{HOSTILE.split(chr(34))[0]}"', ""):
                ask(page, query)
        assert HOSTILE in page.locator(".hit .title").all_text_contents()
        assert page.locator("#explore-page img, #explore-page script").count() == 0
        assert "owned" not in page.title()
    page.close()


def test_late_or_missing_texts_leave_a_page_that_works(browser: Browser, base: str, catalogue: Catalogue) -> None:
    page = browser.new_page()
    page.route("**/texts.json", lambda route: route.abort())
    page.goto(f"{base}explore/")
    page.get_by_text("Summaries could not be read").wait_for()
    ask(page, "title:leakage kind=attack")
    assert total(page) == len(ids(catalogue, "title:leakage kind=attack"))
    page.close()


def test_texts_of_an_older_build_are_asked_for_again(browser: Browser, base: str, catalogue: Catalogue) -> None:
    page, answers = browser.new_page(), [0]

    def answer(route: Any) -> None:
        answers[0] += 1
        response = route.fetch()
        content = response.json()
        if answers[0] == 1:
            content |= {"key": "older", "summaries": []}
        route.fulfill(response=response, json=content)

    page.route("**/texts.json", answer)
    ready(page, base)
    assert answers == [2]
    page.close()
