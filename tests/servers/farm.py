"""A farm of links on loopback: a page for every way in which a link lives, moves, fails or is walled off.

Every host is an address of 127.0.0.0/8, so that pauses per host can be seen. HEAD and GET are answered apart.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PAGE = b"<!doctype html><html><head><title>Deep Leakage</title></head><body><h1>Deep Leakage</h1></body></html>"
Reply = Callable[["Visit"], None]


@dataclass
class Farm:
    """A server under way: what it answers by path, and what it was asked: method, path and when."""

    host: str
    base: str = ""
    pages: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, str, float]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def methods(self, path: str) -> list[str]:
        """Return with which methods a path was asked for, in order."""
        return [method for method, asked, _ in self.asked if asked == path]


class Visit(BaseHTTPRequestHandler):
    """One request and what can be done to it."""

    protocol_version = "HTTP/1.1"
    farm: Farm

    def do_GET(self) -> None:
        self.farm.asked.append((self.command, self.path, time.monotonic()))
        self.farm.agents.add(self.headers.get("User-Agent", ""))
        with contextlib.suppress(OSError):
            self.farm.pages.get(self.path, status(404))(self)

    do_HEAD = do_GET

    def send(self, code: int, body: bytes = PAGE, **headers: str) -> None:
        """Answer; header names are written with underscores."""
        self.send_response(code)
        given = {"Content-Type": "text/html", "Content-Length": str(len(body))}
        given |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def status(code: int, body: bytes = PAGE, **headers: str) -> Reply:
    """Answer with a status."""
    return lambda visit: visit.send(code, body, **headers)


def to(where: str, code: int = 301, **headers: str) -> Reply:
    """Redirect."""
    return lambda visit: visit.send(code, b"", location=where, **headers)


def titled(title: str) -> Reply:
    """Answer 200 with a page of this title."""
    return status(200, f"<html><title>{title}</title><p>words</p></html>".encode())


def by_method(head: Reply, get: Reply) -> Reply:
    """Answer HEAD and GET apart."""
    return lambda visit: (head if visit.command == "HEAD" else get)(visit)


def in_turn(*replies: Reply) -> Reply:
    """Answer one after the other; the last one stays."""
    waiting = list(replies)
    return lambda visit: (waiting.pop(0) if len(waiting) > 1 else waiting[0])(visit)


def late(seconds: float) -> Reply:
    """Answer after a while."""

    def reply(visit: Visit) -> None:
        time.sleep(seconds)
        visit.send(200)

    return reply


def reset(visit: Visit) -> None:
    """Break the connection."""
    visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.close_connection = True
    visit.connection.close()


def hang_up(visit: Visit) -> None:
    """Close the connection without a word."""
    visit.close_connection = True


def garbage(visit: Visit) -> None:
    """Answer something that is not HTTP."""
    visit.wfile.write(b"\x16\x03\x01 no HTTP\r\n\r\n")
    visit.close_connection = True


def endless(visit: Visit) -> None:
    """Send a page that never ends."""
    visit.send_response(200)
    visit.send_header("Content-Type", "text/html")
    visit.send_header("Connection", "close")
    visit.end_headers()
    visit.close_connection = True
    while visit.command != "HEAD":
        visit.wfile.write(b"<p>more</p>" * 2000)


def dripping_headers(visit: Visit) -> None:
    """Send headers byte by byte, without end."""
    visit.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(200):
        visit.wfile.write(b"x")
        time.sleep(0.05)


@contextlib.contextmanager
def serve(host: str = "127.0.0.1", certificate: Path | None = None) -> Iterator[Farm]:
    """Serve on an address of loopback until the block ends, with TLS where a certificate and its key are given."""
    farm = Farm(host)
    handler = type("Handler", (Visit,), {"farm": farm})

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            pass  # clients that hang up are part of the play

        def get_request(self) -> tuple[Any, Any]:
            connection, address = super().get_request()
            if context:
                connection = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            return connection, address

    context: ssl.SSLContext | None = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = Server((host, 0), handler)
    farm.base = f"{'https' if certificate else 'http'}://{host}:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield farm
    finally:
        server.shutdown()
        server.server_close()
