"""The site in a real browser: nothing foreign, nothing refused, readable with and without script."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from inversion_atlas.catalogue import Catalogue

from .conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chromium")]
KINDS = (
    "",
    "explore/",
    "papers/",
    "papers/zhu2019deep/",
    "papers/2023/",
    "datasets/",
    "datasets/celeba/",
    "metrics/",
    "metrics/psnr/",
    "families/",
    "families/gradient-inversion/",
    "terms/",
    "terms/access/",
    "terms/access/white-box/",
    "venues/",
    "venues/neurips/",
    "sources/",
    "sources/yang-repository/",
    "downloads/",
    "api/",
    "404.html",
)


@contextmanager
def quiet(page: Page, base: str) -> Iterator[None]:
    """Fail if the page says anything on its console, breaks, or asks another host for something."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(base) else said.append(request.url))
    page.on("response", lambda answer: said.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    yield
    assert said == []


def test_no_page_asks_another_host_or_breaks_its_policy(
    browser: Browser, site: Path, serving: Callable[[Path], str]
) -> None:
    base = serving(site)
    page = browser.new_page()
    with quiet(page, base):
        for address in KINDS:
            page.goto(base + address, wait_until="load")
            # What a script asks for after that would show here.
            page.wait_for_timeout(50)
            assert page.locator("h1").count() == 1
    page.close()


def test_pages_hold_on_a_phone(browser: Browser, site: Path, serving: Callable[[Path], str]) -> None:
    base = serving(site)
    page = browser.new_page(viewport={"width": 360, "height": 800})
    for address in KINDS:
        page.goto(base + address)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{address} is {width} px wide"
    page.close()


def test_text_has_contrast_in_both_schemes(browser: Browser, site: Path, serving: Callable[[Path], str]) -> None:
    base = serving(site)
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        for address in ("papers/zhu2019deep/", "papers/", "metrics/fid/", "api/", ""):
            page.goto(base + address)
            poor = page.evaluate(CONTRAST)
            assert poor == [], f"{scheme} {address}"
        context.close()


def test_the_scheme_follows_the_system_and_the_reader(
    browser: Browser, site: Path, serving: Callable[[Path], str]
) -> None:
    base = serving(site)
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(base)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    button = page.get_by_role("button", name="Colors follow the system")
    button.click()
    light = page.evaluate(ground)
    assert dark != light
    page.goto(f"{base}papers/")
    assert page.evaluate(ground) == light
    context.close()


def test_the_skip_link_is_the_first_stop_of_the_keyboard(
    browser: Browser, site: Path, serving: Callable[[Path], str]
) -> None:
    page = browser.new_page()
    page.goto(f"{serving(site)}papers/zhu2019deep/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.close()


def test_everything_can_be_read_without_script(browser: Browser, site: Path, serving: Callable[[Path], str]) -> None:
    base = serving(site)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}papers/")
    page.get_by_role("link", name=re.compile("^2019")).click()
    page.get_by_role("link", name="Deep Leakage from Gradients", exact=True).click()
    assert page.locator("h1").inner_text() == "Deep Leakage from Gradients"
    assert not page.locator(".atlas-scheme").is_visible()
    context.close()


def test_the_site_works_under_a_prefix(
    browser: Browser, site: Path, serving: Callable[[Path], str], tmp_path: Path
) -> None:
    shutil.copytree(site, tmp_path / "some" / "prefix")
    base = serving(tmp_path)
    page = browser.new_page()
    with quiet(page, f"{base}some/prefix/"):
        page.goto(f"{base}some/prefix/")
        page.get_by_role("link", name="Metrics").first.click()
        page.get_by_role("link", name="PSNR", exact=True).click()
        page.locator("math").first.wait_for()
    page.close()


@pytest.fixture
def edited(catalogue: Catalogue, tmp_path: Path) -> Path:
    """A copy of the real catalogue that a test may edit."""
    root = tmp_path / "atlas"
    for name in ("data", "taxonomy", "site"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "mkdocs.yml", root)
    return root


@contextmanager
def serve(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Run `atlas serve` on a catalogue; give its address and the lines it prints."""
    command = [sys.executable, "-c", "from inversion_atlas.cli.main import main; main()"]
    command += ["--root", str(root), "serve", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines: list[str] = []
    assert process.stderr
    ready = threading.Event()

    def listen() -> None:
        assert process.stderr
        for line in process.stderr:
            lines.append(line)
            if "Serving" in line:
                ready.set()
        ready.set()

    reader = threading.Thread(target=listen)
    reader.start()
    try:
        assert ready.wait(60), "".join(lines)
        found = re.search(r"http://[\d.]+:\d+/", "".join(lines))
        assert found, "".join(lines)
        yield found[0], lines
    finally:
        process.terminate()
        process.wait(20)
        reader.join(20)
        process.stderr.close()
    assert process.returncode == 0, "".join(lines)
    assert "Traceback" not in "".join(lines)


def test_a_changed_record_is_in_the_browser_in_a_blink(browser: Browser, edited: Path) -> None:
    record = edited / "data" / "papers" / "2019" / "zhu2019deep.yaml"
    metrics = edited / "data" / "metrics.yaml"
    pages = (
        (record, "title: Deep Leakage", "papers/zhu2019deep/"),
        (record, "title: Deep Leakage", "papers/2019/"),
        (metrics, "  name: PSNR", "metrics/psnr/"),
    )
    delays = []
    with serve(edited) as (base, lines):
        page = browser.new_page()
        for file, line, address in pages:
            page.goto(base + address)
            for attempt in range(2):
                # What an earlier change set off must be over before the clock starts.
                page.wait_for_timeout(500)
                changed = f"{line}, try {attempt} on {address}"
                text = re.sub(rf"^{line}.*$", changed, file.read_text(), count=1, flags=re.MULTILINE)
                started = time.perf_counter()
                file.write_text(text)
                page.get_by_text(changed.split(": ", 1)[1]).first.wait_for(timeout=10_000)
                delays.append(time.perf_counter() - started)
        broken = record.read_text()
        record.write_text(broken.replace("authors: [", "authors: [["))
        page.get_by_role("alert").filter(has_text="zhu2019deep.yaml:").wait_for(timeout=10_000)
        record.write_text(broken)
        page.get_by_role("alert").filter(has_text="zhu2019deep.yaml:").wait_for(state="hidden", timeout=10_000)
        page.close()
    # Seconds depend on what else the machine does, so they are told (pytest -s) and fail nothing.
    print("reload seconds:", [round(delay, 2) for delay in delays])
    assert len(delays) == 2 * len(pages), lines


# Every visible text against the ground behind it, as WCAG 2 counts contrast; large text may have 3.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (color, under) => {
    canvas.fillStyle = `rgb(${under.join(",")})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (c) => c.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (node) => {
    const chain = [];
    for (let at = node; at; at = at.parentElement) chain.unshift(getComputedStyle(at).backgroundColor);
    return chain.reduce((under, color) => rgb(color, under), [255, 255, 255]);
  };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement, style = getComputedStyle(node), box = node.getBoundingClientRect();
    const text = walk.currentNode.textContent.trim();
    if (!text || box.width < 2 || box.bottom < 0 || style.visibility === "hidden") continue;
    const under = ground(node), [a, b] = [light(rgb(style.color, under)), light(under)];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.7 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.push(`${text.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
