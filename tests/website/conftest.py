"""The real site built once, a server for it, a browser, and the checks that every page must pass."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.website.build import build_site
from inversion_atlas.website.server import SiteServer
from inversion_atlas.website.shells import Shell, read_shells
from inversion_atlas.website.theme import render_theme

from .page_types import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


@dataclass
class Parsed(HTMLParser):
    """What a browser would make of a page: tags with attributes, text, and whether all that opens closes."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


def parse(html: str) -> Parsed:
    parsed = Parsed()
    parsed.feed(html)
    parsed.close()
    assert not parsed.open, f"never closed: {parsed.open}"
    return parsed


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that all workers of this run share: the first that asks for it makes it, the others wait."""
    shared = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with open(shared / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / name).exists():
            make(shared / f"{name}.making")
            (shared / f"{name}.making").rename(shared / name)
    return shared / name


@pytest.fixture(scope="session")
def shells_folder(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """The real shells, rendered by the theme once."""
    return made_once(tmp_path_factory, "shells", lambda folder: render_theme(ROOT, folder, catalogue.settings))


@pytest.fixture(scope="session")
def shells(shells_folder: Path) -> dict[str, Shell]:
    return read_shells(shells_folder)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue, shells_folder: Path) -> Path:
    """The website of the real catalogue; tests that change it work on a copy."""

    def build(folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        build_site(catalogue, folder, progress=lambda _: None, shells=shells_folder)

    return made_once(tmp_path_factory, "site", build)


@pytest.fixture
def serving() -> Iterator[Callable[[Path], str]]:
    """Return a function that serves a folder and gives its address."""
    servers: list[SiteServer] = []

    def serve(folder: Path) -> str:
        server = SiteServer(("127.0.0.1", 0), folder)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    """A real Chromium; its shell without a window, where it is installed, takes less than half the processor time."""
    path = shutil.which("chromium-headless-shell") or program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM, env={**os.environ})
        yield browser
        browser.close()
