"""The site as a host that knows nothing of it serves it: `python -m http.server`, at the root and under a prefix."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser

from .conftest import parse

PAGES = (
    "",
    "explore/",
    "papers/zhu2019deep/",
    "papers/2019/",
    "downloads/",
    "learn/",
    "maps/lineage/",
    "api/",
    "cite/",
)
_ADDRESSES = {"a": "href", "link": "href", "script": "src", "img": "src"}


@contextmanager
def plain_server(folder: Path) -> Iterator[str]:
    """Serve a folder as Python's own server does, in a process of its own."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "-d", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            port = re.search(r"port (\d+)", server.stdout.readline())
            assert port
            yield f"http://127.0.0.1:{port[1]}/"
        finally:
            server.terminate()


@pytest.fixture(scope="module", params=["at the root", "under a prefix"])
def base(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """The address of the site's home page."""
    if request.param == "at the root":
        with plain_server(site) as address:
            yield address
    else:
        with plain_server(site.parent) as address:
            yield f"{address}{site.name}/"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_and_all_that_it_names_of_the_site_are_served(base: str, path: str) -> None:
    with httpx.Client(follow_redirects=False) as client:
        answer = client.get(base + path)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")
        named = {
            urljoin(base + path, value).partition("#")[0]
            for tag, attributes in parse(answer.text).tags
            if (value := attributes.get(_ADDRESSES.get(tag, ""))) and not value.startswith(("data:", "mailto:"))
        }
        own = sorted(each for each in named if urlsplit(each).netloc == urlsplit(base).netloc)
        assert len(own) > 10
        assert {each for each in own if not each.startswith(base)} == set()
        # The lists name hundreds; each fifth of them will do.
        asked = [each for each in own if "/assets/" in each] + own[::5]
        assert {each: status for each in asked if (status := client.head(each).status_code) != 200} == {}


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [("*.css", "text/css"), ("*.js", "javascript"), ("*.json", "application/json"), ("*.woff2", "font/woff2")],
)
def test_what_a_page_needs_is_served_as_what_it_is(base: str, site: Path, pattern: str, kind: str) -> None:
    file = next(path for path in sorted(site.rglob(pattern)))
    answer = httpx.get(base + file.relative_to(site).as_posix())
    assert (answer.status_code, answer.content) == (200, file.read_bytes())
    # A policy that forbids guessing (nosniff) would leave out what is served as something else.
    assert kind in answer.headers["content-type"]


def test_downloads_are_what_their_checksums_say(base: str) -> None:
    sums = httpx.get(f"{base}downloads/SHA256SUMS").text.splitlines()
    assert len(sums) >= 9
    for line in sums:
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(httpx.get(f"{base}downloads/{name}").content).hexdigest() == digest


def test_an_address_without_its_slash_leads_on_and_one_that_is_none_is_not_found(base: str) -> None:
    answer = httpx.get(f"{base}papers/zhu2019deep")
    assert (answer.status_code, urljoin(base, answer.headers["location"])) == (301, f"{base}papers/zhu2019deep/")
    assert httpx.get(f"{base}papers/nobody2019nothing/").status_code == 404
    # A host that has a page for such addresses finds it here.
    lost = httpx.get(f"{base}404.html")
    assert (lost.status_code, "not found" in lost.text.lower()) == (200, True)


@pytest.mark.slow
def test_searching_works_in_a_browser(base: str, browser: Browser) -> None:
    page = browser.new_page()
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(f"{base}explore/?q=dlg")
    page.get_by_role("link", name="Deep Leakage from Gradients").first.wait_for(timeout=10_000)
    page.close()
    assert failed == []


def test_the_api_is_served_as_json(base: str, site: Path) -> None:
    paths = sorted(path.relative_to(site).as_posix() for path in (site / "api").rglob("zhu2019deep*.json"))
    assert paths
    assert json.loads(httpx.get(base + paths[0]).text)
