"""Following the sources: a changed record's page is new at once, a broken record changes nothing."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from inversion_atlas.catalogue import Catalogue, load
from inversion_atlas.website.build import build_site
from inversion_atlas.website.live import Broken, LiveSite, Written, look
from inversion_atlas.website.server import News, SiteServer

from .conftest import ROOT

PAPER = {"title": "Title One", "authors": ["A, B"], "year": 2020, "kind": "attack", "datasets": ["mnist"]}
MNIST = {"name": "MNIST", "description": "Digits."}


@pytest.fixture
def live(make_catalogue: Callable[..., Catalogue], shells_folder: Path, tmp_path: Path) -> LiveSite:
    facets = {"family": {"label": "Family", "question": "Which?", "order": 1, "terms": {}}}
    papers = {"a2020t": PAPER, "b2021u": {**PAPER, "title": "Title Two", "year": 2021}}
    catalogue = make_catalogue(papers, datasets={"mnist": MNIST}, facets=facets)
    out = tmp_path / "build" / "site"
    report = build_site(catalogue, out, progress=lambda _: None, shells=shells_folder)
    return LiveSite(catalogue, out, report.shells, look(catalogue.root))


def edit(live: LiveSite, path: str, old: str, new: str) -> list[Written | Broken]:
    """Change a source as an editor does and return what follows."""
    file = live.catalogue.root / path
    before = file.stat()
    file.write_text(file.read_text().replace(old, new))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    return list(live.refresh(live.changes()))


def test_nothing_changes_nothing(live: LiveSite) -> None:
    assert live.changes() == set()


def test_a_changed_record_is_written_before_all_else(live: LiveSite) -> None:
    first, *rest = edit(live, "data/papers/2021/b2021u.yaml", "Title Two", "Title Three")
    assert first == Written(("papers/b2021u/index.html",))
    later = [path for event in rest if isinstance(event, Written) for path in event.paths]
    assert {"papers/2021/index.html", "datasets/mnist/index.html", "api/v1/papers/b2021u.json"} <= set(later)
    assert "papers/a2020t/index.html" not in later
    assert "Title Three" in (live.out / "datasets/mnist/index.html").read_text()


def test_a_refreshed_site_is_the_site_a_build_makes(live: LiveSite, shells_folder: Path, tmp_path: Path) -> None:
    edit(live, "data/papers/2021/b2021u.yaml", "year: 2021", "year: 2022")
    edit(live, "data/datasets.yaml", "Digits.", "Handwritten digits.")
    fresh = tmp_path / "fresh"
    build_site(load(live.catalogue.root), fresh, progress=lambda _: None, shells=shells_folder)
    files = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    assert files == {path.relative_to(live.out) for path in live.out.rglob("*") if path.is_file()}
    stamped = (live.stamp.version, load(live.catalogue.root).version)
    for path in files:
        if path.parts[0] != "downloads" and path.suffix in (".html", ".json"):
            there = (fresh / path).read_text().replace(stamped[1], stamped[0])
            assert (live.out / path).read_text() == there, path


def test_a_removed_record_loses_its_page(live: LiveSite) -> None:
    (live.catalogue.root / "data/papers/2021/b2021u.yaml").unlink()
    list(live.refresh(live.changes()))
    assert not (live.out / "papers/b2021u").exists()
    assert not (live.out / "papers/2021").exists()
    assert (live.out / "assets/atlas.css").exists()


def test_a_broken_record_is_named_and_the_pages_stay(live: LiveSite) -> None:
    before = (live.out / "papers/b2021u/index.html").read_bytes()
    (event,) = edit(live, "data/papers/2021/b2021u.yaml", "title:", "title: [")
    assert isinstance(event, Broken)
    assert str(event.findings[0]).startswith("data/papers/2021/b2021u.yaml:")
    assert (live.out / "papers/b2021u/index.html").read_bytes() == before
    assert not any(isinstance(event, Broken) for event in edit(live, "data/papers/2021/b2021u.yaml", "[", ""))


def test_a_changed_style_reloads_every_page(live: LiveSite, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "site", tmp_path / "site")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    live.source = tmp_path
    live.changes()
    events = edit(live, "site/assets/atlas.css", "font-display: swap", "font-display: block")
    assert Written(("*",)) in events
    assert (live.out / "assets/atlas.css").read_text().count("font-display: block")


def test_news_reach_a_page_that_was_read_before_them(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<body></body>")
    news = News()
    server = SiteServer(("127.0.0.1", 0), tmp_path, news)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    assert '<script src="/_reload.js" data-at="0"></script>' in httpx.get(base).text
    news.written(["papers/a/index.html", "api/v1/papers/a.json"])
    with httpx.stream("GET", f"{base}/_reload?at=0") as stream:
        lines = (line for line in stream.iter_lines() if line)
        assert next(lines) == 'data: {"broken": ""}'
        assert next(lines) == 'data: {"pages": ["papers/a/"]}'
        news.close()
        assert list(lines) in ([], [":"])
    server.shutdown()
    server.server_close()
