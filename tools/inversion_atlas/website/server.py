"""A local web server for a built site, which tells open pages to reload when their files change."""

from __future__ import annotations

import gzip
import json
import posixpath
import re
import threading
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

RELOAD = "/_reload"
RELOAD_SCRIPT = "/_reload.js"
_HEARTBEAT_SECONDS = 10
_TYPES = {
    ".bib": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".ris": "text/plain; charset=utf-8",
    ".sqlite": "application/vnd.sqlite3",
    ".svg": "image/svg+xml",
    ".tex": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
    ".xml": "application/xml; charset=utf-8",
}
_COMPRESSED = frozenset(_TYPES) - {".png", ".sqlite", ".woff2"}
# The script asks for what was said after its page was read, so that nothing falls between the two.
_SCRIPT = f'<script src="{RELOAD_SCRIPT}" data-at="%d"></script>\n'


class News:
    """What changed on the served site, for every open page that waits to hear of it."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.messages: list[str] = []
        self.trouble = ""
        self.closed = False

    def written(self, paths: Iterable[str]) -> None:
        """Tell pages that these files are new."""
        self._say({"pages": [_address(path) for path in paths if path.endswith((".html", "*"))]})

    def broken(self, text: str) -> None:
        """Tell pages that the catalogue cannot be read, or with "" that it can again."""
        if text != self.trouble:
            self.trouble = text
            self._say({"broken": text})

    def after(self, at: int, seconds: float) -> tuple[list[str], int]:
        """Return the messages that follow the first `at`, waiting for one at most `seconds`, and how many there are."""
        with self.condition:
            self.condition.wait_for(lambda: self.closed or len(self.messages) > at, seconds)
            return self.messages[at:], len(self.messages)

    def close(self) -> None:
        """End every wait."""
        with self.condition:
            self.closed = True
            self.condition.notify_all()

    def _say(self, message: dict[str, Any]) -> None:
        with self.condition:
            self.messages.append(json.dumps(message))
            self.condition.notify_all()


class SiteServer(ThreadingHTTPServer):
    """Serves one folder. With `news`, pages carry a script that listens for changes."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], folder: Path, news: News | None = None) -> None:
        self.folder, self.news = folder, news
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: a browser that closes a connection early is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: SiteServer
    protocol_version = "HTTP/1.1"
    server_version = "atlas"
    sys_version = ""
    # Head and body leave together; otherwise each answer waits 40 ms for the client to confirm the first.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        news = self.server.news
        if news and path == RELOAD:
            self._stream(news)
        elif news and path == RELOAD_SCRIPT:
            self._send(HTTPStatus.OK, ".js", Path(__file__).with_name("reload.js").read_bytes())
        else:
            self._file(path)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing for each request."""

    def _file(self, path: str) -> None:
        file = locate(self.server.folder, path)
        if file is not None and file.is_dir():
            # A relative address, so that nothing in the request can name another host.
            self._redirect(f"{path.rstrip('/').rsplit('/', 1)[-1]}/")
            return
        status, at = HTTPStatus.OK, len(self.server.news.messages) if self.server.news else 0
        if file is None:
            status, file = HTTPStatus.NOT_FOUND, self.server.folder / "404.html"
        try:
            content = file.read_bytes()
        except OSError:
            status, file, content = HTTPStatus.NOT_FOUND, Path("404.txt"), b"There is no such page.\n"
        if self.server.news and file.suffix == ".html":
            content = content.replace(b"</body>", (_SCRIPT % at).encode() + b"</body>", 1)
        self._send(status, file.suffix, content)

    def _send(self, status: HTTPStatus, suffix: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", _TYPES.get(suffix, "application/octet-stream"))
        # As hosts do, so that what is measured here is what readers get.
        if suffix in _COMPRESSED and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 6, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _redirect(self, location: str) -> None:
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()

    def _stream(self, news: News) -> None:
        """Send server-sent events until the page goes away or the server ends."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        at = _count(urlsplit(self.path).query)
        try:
            self._say(json.dumps({"broken": news.trouble}))
            while not news.closed:
                fresh, at = news.after(at, _HEARTBEAT_SECONDS)
                for message in fresh:
                    self._say(message)
                if not fresh:
                    self.wfile.write(b":\n\n")
                    self.wfile.flush()
        except OSError:
            return

    def _say(self, message: str) -> None:
        self.wfile.write(f"data: {message}\n\n".encode())
        self.wfile.flush()


def locate(folder: Path, path: str) -> Path | None:
    """Return the file that answers for a request's path, a folder that wants a slash, or None.

    Nothing outside `folder` is ever returned, and no folder is listed.
    """
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return None
    if "\0" in decoded or "\\" in decoded or ".." in decoded.split("/"):
        return None
    wanted = posixpath.normpath(decoded).lstrip("/")
    file = folder / wanted if wanted not in ("", ".") else folder
    if decoded.endswith("/"):
        file = file / "index.html"
    try:
        resolved = file.resolve()
        if not resolved.is_relative_to(folder.resolve()):
            return None
        if resolved.is_dir():
            return resolved if (resolved / "index.html").is_file() else None
        return resolved if resolved.is_file() else None
    except (OSError, ValueError):
        return None


def _count(query: str) -> int:
    found = re.fullmatch(r"at=([0-9]{1,9})", query)
    return int(found[1]) if found else 0


def _address(path: str) -> str:
    return path if path == "*" else path.removesuffix("index.html")
