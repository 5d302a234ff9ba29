"""The bars of the whole site: WCAG 2.2 AA as axe sees it, sound HTML, no foreign host, little weight, the keyboard."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from .conftest import ROOT
from .page_types import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chromium")]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What a first visit to a page may fetch, compressed as a host does: 45 kB of fonts, 35 more for letters
# that English lacks.
FRAME_BYTES = 90_000
CONFIG = Path(__file__).with_name("html-validate.json")


@contextmanager
def page_of(browser: Browser, **settings: object) -> Iterator[Page]:
    context = browser.new_context(**settings)  # type: ignore[arg-type]
    yield context.new_page()
    context.close()


# A fourth of the types of page each, so that several workers share them.
SETTINGS = [(width, scheme) for width in (1280, 360) for scheme in ("light", "dark")]


@pytest.mark.parametrize("part", range(4))
def test_axe_finds_nothing(
    browser: Browser, site: Path, serving: Callable[[Path], str], node_modules: Path, part: int
) -> None:
    base = serving(site)
    found = {}
    axe = (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    with page_of(browser, bypass_csp=True, reduced_motion="reduce") as page:
        for name, address in list(PAGES.items())[part::4]:
            page.goto(base + address, wait_until="networkidle")
            page.evaluate(axe)
            for width, scheme in SETTINGS:
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                if violations := axe_violations(page):
                    found[name, width, scheme] = violations
    assert found == {}


def axe_violations(page: Page) -> list[str]:
    """Return what axe finds on a page as it stands, once the page has been drawn as it is now."""
    violations: list[str] = page.evaluate(
        "async tags => {"
        "  await new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)));"
        "  const result = await axe.run(document, {runOnly: tags, resultTypes: ['violations']});"
        "  return result.violations.map(found => `${found.id}: ${found.nodes.map(node => node.html).slice(0, 3)}`);"
        "}",
        WCAG,
    )
    return violations


def test_axe_would_find_something(
    browser: Browser, site: Path, serving: Callable[[Path], str], node_modules: Path
) -> None:
    with page_of(browser, bypass_csp=True) as page:
        page.goto(serving(site))
        page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x><button></button>')")
        page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
        found = page.evaluate("tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map(v => v.id))", WCAG)
    assert {"image-alt", "button-name"} <= set(found)


# Where hundreds of pages come from one template; each of them is validated with ATLAS_EVERY_PAGE=1.
ALIKE = {"authors": 40, "papers": 6, "maps/gaps": 12, "venues": 6}


def pages_to_validate(site: Path) -> list[Path]:
    """Return every page of a site, of those of one template each so-manieth."""
    pages = sorted(site.rglob("*.html"))
    if os.environ.get("ATLAS_EVERY_PAGE"):
        return pages
    kept = []
    for folder, step in ALIKE.items():
        alike = [page for page in pages if page.parent.parent == site / folder]
        kept += alike[::step]
        pages = [page for page in pages if page.parent.parent != site / folder]
    return pages + kept


def validate(node_modules: Path, pages: list[Path]) -> list[str]:
    """Return what html-validate says of pages, all of them in one process."""
    program = node_modules / "html-validate" / "bin" / "html-validate.mjs"
    command = ["node", str(program), "--config", str(CONFIG), "--formatter", "json", *map(str, pages)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    return [
        f"{report['filePath']}:{message['line']}: {message['ruleId']}: {message['message']}"
        for report in json.loads(done.stdout)
        for message in report["messages"]
    ]


def test_pages_are_valid_html(site: Path, node_modules: Path) -> None:
    assert validate(node_modules, pages_to_validate(site)) == []


def test_a_page_that_is_not_valid_is_found(tmp_path: Path, node_modules: Path) -> None:
    bad = '<!doctype html>\n<html lang="en"><head><title>T</title></head><body><p id="a"><p id="a"><b>x</body></html>'
    (tmp_path / "bad.html").write_text(bad)
    rules = {line.split(": ")[1] for line in validate(node_modules, [tmp_path / "bad.html"])}
    assert {"no-dup-id", "close-order"} <= rules


def test_no_page_asks_another_host_or_breaks_its_policy(
    browser: Browser, site: Path, serving: Callable[[Path], str]
) -> None:
    base = serving(site)
    said: list[str] = []
    with page_of(browser) as page:
        page.add_init_script(
            "window.refused = []; document.addEventListener('securitypolicyviolation', "
            "event => refused.push(`${event.violatedDirective} ${event.blockedURI}`));"
        )
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(base) else said.append(asked.url))
        page.on("response", lambda got: said.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        for address in PAGES.values():
            page.goto(base + address, wait_until="networkidle")
            said += page.evaluate("refused")
            policy = page.locator('meta[http-equiv="content-security-policy"]').get_attribute("content")
            assert policy is not None
            assert "default-src 'none'" in policy
            assert "form-action 'self'" in policy
            assert not re.search(r"unsafe|\*|https?:", policy)
            assert page.locator("h1").count() == 1
    assert said == []


def test_the_policy_holds_against_a_script_that_slips_in(
    browser: Browser, site: Path, serving: Callable[[Path], str]
) -> None:
    with page_of(browser) as page:
        page.goto(serving(site))
        page.evaluate(
            "() => { const script = document.createElement('script'); script.textContent = 'window.slipped = 1';"
            "document.body.append(script); const image = new Image(); image.src = 'https://elsewhere.example/x.png'; }"
        )
        page.wait_for_timeout(100)
        assert page.evaluate("window.slipped") is None


def fetched(browser: Browser, base: str, address: str) -> dict[str, int]:
    """Return what a first visit fetches, by path, in bytes as a host that compresses text sends them."""
    sizes: dict[str, int] = {}

    def note(path: str, body: bytes) -> None:
        packed = body if path.endswith((".woff2", ".png")) else gzip.compress(body, 6)
        sizes[path] = len(packed)

    with page_of(browser) as page:
        page.on("response", lambda answer: note(answer.url.removeprefix(base), answer.body()))
        page.goto(base + address, wait_until="networkidle")
    return sizes


@pytest.mark.parametrize("name", ["home", "paper", "papers", "new", "datasets"])
def test_the_frame_of_a_page_is_light(browser: Browser, site: Path, serving: Callable[[Path], str], name: str) -> None:
    sizes = fetched(browser, serving(site), PAGES[name])
    assert sum(sizes.values()) <= FRAME_BYTES, sizes


def test_every_letter_of_our_names_and_titles_has_a_font(
    browser: Browser, site: Path, serving: Callable[[Path], str]
) -> None:
    with page_of(browser) as page:
        page.goto(f"{serving(site)}papers/zhu2019deep/")
        for letters in ("Zhu", "Đặng Nguyễn", "Şahin Łukasz Țepeș ć", "εαμ ≥ → −"):
            for family in ("Atlas Sans", "Atlas Serif"):
                loaded = page.evaluate(
                    "([font, text]) => document.fonts.load(`1rem '${font}'`, text).then(found => found.length)",
                    [family, letters],
                )
                assert loaded, f"no part of {family} has {letters}"


def test_the_navigation_says_where_one_is(browser: Browser, site: Path, serving: Callable[[Path], str]) -> None:
    base = serving(site)
    with page_of(browser) as page:
        for address, section, within in (
            ("papers/zhu2019deep/", "Papers", "By year"),
            ("metrics/psnr/", "Papers", "Metrics"),
            ("terms/access/white-box/", "Taxonomy", "Facets"),
            ("downloads/", "Downloads", "Downloads"),
        ):
            page.goto(base + address)
            current = page.locator("header [aria-current]").all_inner_texts()
            assert current == [section, within], address
            pointed = page.locator("header [aria-current='page']").count()
            assert pointed == (2 if address == "downloads/" else 0)
        page.goto(f"{base}new/")
        assert page.locator("header [aria-current='page']").all_inner_texts() == ["New"]


def test_everything_in_the_header_is_reached_by_keyboard(
    browser: Browser, site: Path, serving: Callable[[Path], str]
) -> None:
    with page_of(browser, viewport={"width": 360, "height": 800}) as page:
        page.goto(f"{serving(site)}papers/")
        wanted = page.locator("header :is(a, button:visible, input)").count()
        page.keyboard.press("Tab")
        reached = []
        for _ in range(wanted):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.closest('header') !== null"))
            seen = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert seen != "none"
        assert all(reached)


def test_the_search_box_of_every_page_leads_to_explore(
    browser: Browser, site: Path, serving: Callable[[Path], str]
) -> None:
    base = serving(site)
    with page_of(browser, java_script_enabled=False) as page:
        for address in ("papers/zhu2019deep/", ""):
            page.goto(base + address)
            page.get_by_role("searchbox").fill("access=label-only deep")
            page.keyboard.press("Enter")
            page.wait_for_url(f"{base}explore/?q=access%3Dlabel-only+deep")


def test_texts_can_be_copied(browser: Browser, site: Path, serving: Callable[[Path], str]) -> None:
    with page_of(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(f"{serving(site)}cite/")
        for name, start in (("Copy citation", "The Inversion Atlas contributors"), ("Copy BibTeX", "@misc{")):
            page.get_by_role("button", name=name).click()
            page.get_by_role("status").filter(has_text="Copied").wait_for(state="attached")
            copied = page.evaluate("navigator.clipboard.readText()")
            assert copied.startswith(start)
            assert "Copy" not in copied


def test_a_printed_record_is_the_record_alone(browser: Browser, site: Path, serving: Callable[[Path], str]) -> None:
    with page_of(browser, color_scheme="dark") as page:
        page.goto(f"{serving(site)}papers/zhu2019deep/")
        page.emulate_media(media="print")
        for hidden in ("header.atlas-header", "footer.atlas-footer", ".atlas-skip"):
            assert not page.locator(hidden).is_visible()
        assert page.locator("h1").is_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_lighthouse_finds_nothing_but_time(site: Path, node_modules: Path, program: Callable[[str], str]) -> None:
    """Accessibility, best practices and SEO are 100; performance is a timing and is only told (pytest -s)."""
    program("chromium")
    if not (node_modules / "lighthouse").is_dir():
        pytest.skip("lighthouse is not installed; .ci/run says how")
    command = [sys.executable, str(ROOT / "benchmarks" / "lighthouse.py"), "--site", str(site)]
    done = subprocess.run([*command, "--runs", "1", "--device", "phone"], capture_output=True, text=True, timeout=600)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_ci_installs_is_what_these_tests_drive() -> None:
    installed = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(f"{package}@" in installed for package in ("axe-core", "html-validate", "awesome-lint", "lighthouse"))
