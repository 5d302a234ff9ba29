"""The local server: what a static host does, and nothing outside its folder."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from inversion_atlas.website.publish import write_files
from inversion_atlas.website.server import locate


def raw_get(base: str, path: str) -> tuple[int, str, bytes]:
    """Return status, location and content for a path exactly as given; clients tidy such paths away."""
    with closing(http.client.HTTPConnection("127.0.0.1", urlsplit(base).port or 0, timeout=5)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            return answer.status, answer.getheader("Location") or "", answer.read()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    files = {
        "index.html": "<body>home</body>",
        "404.html": "<body>lost</body>",
        "papers/a/index.html": "<body>a</body>",
        "empty/x.json": "{}",
        "assets/f.woff2": "f",
    }
    write_files(tmp_path / "site", files.items())
    (tmp_path / "site" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("", 200, "text/html; charset=utf-8"),
        ("papers/a/", 200, "text/html; charset=utf-8"),
        ("papers/a/?x=1#y", 200, "text/html; charset=utf-8"),
        ("empty/x.json", 200, "application/json; charset=utf-8"),
        ("assets/f.woff2", 200, "font/woff2"),
        ("empty/", 404, "text/html; charset=utf-8"),
        ("empty", 404, "text/html; charset=utf-8"),
        ("nothing", 404, "text/html; charset=utf-8"),
    ],
)
def test_files_are_served_as_what_they_are(
    serving: Callable[[Path], str], folder: Path, path: str, status: int, kind: str
) -> None:
    answer = httpx.get(serving(folder) + path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    assert answer.headers["cache-control"] == "no-store"
    if status == 404:
        assert "lost" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/papers/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "//etc/passwd",
        "/%00",
        "/%ff",
        "/link.txt",
        "/" + "a" * 5000,
    ],
)
def test_nothing_outside_the_folder_is_served(serving: Callable[[Path], str], folder: Path, path: str) -> None:
    status, _, content = raw_get(serving(folder), path)
    assert status == 404
    assert b"secret" not in content


def test_a_folder_without_its_slash_leads_to_the_page_on_this_host(
    serving: Callable[[Path], str], folder: Path
) -> None:
    base = serving(folder)
    assert httpx.get(f"{base}papers/a", follow_redirects=True).text == "<body>a</body>"
    for path in ("//evil.example/..%2f/papers/a", "//papers/a", "/papers//a"):
        _, location, _ = raw_get(base, path)
        assert location in ("", "a/"), path


def test_head_sends_no_body(serving: Callable[[Path], str], folder: Path) -> None:
    answer = httpx.head(serving(folder))
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


def test_other_methods_are_refused(serving: Callable[[Path], str], folder: Path) -> None:
    assert httpx.post(serving(folder)).status_code == 501


def test_without_news_no_script_is_added(serving: Callable[[Path], str], folder: Path) -> None:
    assert httpx.get(serving(folder)).text == "<body>home</body>"


def test_a_file_name_with_percent_signs_is_found(tmp_path: Path) -> None:
    write_files(tmp_path, [("doi/10.1/a%3Ab.json", "{}")])
    assert locate(tmp_path, "/doi/10.1/a%253Ab.json")
