"""A real HTTP server on loopback that plays a service: routes answer by our own words, faults come when asked for."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from inversion_atlas.intake.lookup import Services


@dataclass
class Answer:
    """What a route answers. `times` counts how often before the next answer of the route takes its place.

    A body that is a function is made from what the query asks.
    """

    body: bytes | Callable[[dict[str, str]], bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    times: int = 10**9


@dataclass
class Played:
    """A server under way: `routes` may be changed at any time, `asked` is what came in."""

    base: str
    routes: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], float]] = field(default_factory=list)
    # What was posted, in order.
    bodies: list[bytes] = field(default_factory=list)

    def answer(self, path: str, *answers: Answer | bytes | str) -> None:
        """Give the path its answers, in turn."""
        self.routes[path] = [
            found if isinstance(found, Answer) else Answer(found.encode() if isinstance(found, str) else found)
            for found in answers
        ]

    def paths(self) -> list[str]:
        """Return what was asked, in order."""
        return [path for path, _, _ in self.asked]


@contextlib.contextmanager
def play() -> Iterator[Played]:
    """Serve on loopback until the block ends."""
    played = Played("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            played.asked.append((self.path, dict(self.headers), time.monotonic()))
            answers = (
                played.routes.get(self.path) or played.routes.get(urlsplit(self.path).path) or [Answer(status=404)]
            )
            answer = answers[0]
            answer.times -= 1
            if answer.times <= 0 and len(answers) > 1:
                answers.pop(0)
            if callable(answer.body):
                asked = dict(parse_qsl(urlsplit(self.path).query))
                try:
                    answer = replace(answer, body=answer.body(asked))
                except KeyError as error:
                    answer = Answer(f"no {error}".encode(), 400)
            with contextlib.suppress(OSError):
                _FAULTS.get(answer.fault, _plain)(self, answer)

        def do_POST(self) -> None:
            played.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    played.base = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield played
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def play_services(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[Played]:
    """Serve until the block ends as every service that the shell asks, without pauses."""
    with play() as played:
        for service in fields(Services):
            monkeypatch.setenv(f"ATLAS_{service.name.upper()}_URL", f"{played.base}/{service.name}")
        monkeypatch.setenv("ATLAS_ALLOW_PRIVATE", "1")
        monkeypatch.setenv("ATLAS_DELAY", "0")
        monkeypatch.setenv("ATLAS_CACHE", str(cache))
        yield played


def _plain(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response(answer.status)
    assert isinstance(answer.body, bytes)
    for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(answer.body)


def _reset(handler: BaseHTTPRequestHandler, _: Answer) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def _cut(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    """Promise more bytes than come."""
    assert isinstance(answer.body, bytes)
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(answer.body) + 1000))
    handler.end_headers()
    handler.wfile.write(answer.body)
    handler.close_connection = True


def _endless(handler: BaseHTTPRequestHandler, _: Answer) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 2**16)


def _drip_body(handler: BaseHTTPRequestHandler, _: Answer) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.02)


def _drip_headers(handler: BaseHTTPRequestHandler, _: Answer) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.02)


def _silent(_: BaseHTTPRequestHandler, __: Answer) -> None:
    time.sleep(5)


def _garbage(handler: BaseHTTPRequestHandler, _: Answer) -> None:
    handler.wfile.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    handler.close_connection = True


_FAULTS: dict[str, Callable[[BaseHTTPRequestHandler, Answer], None]] = {
    "reset": _reset,
    "cut": _cut,
    "endless": _endless,
    "drip-body": _drip_body,
    "drip-headers": _drip_headers,
    "silent": _silent,
    "garbage": _garbage,
}
