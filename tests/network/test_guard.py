"""The guard: no connection to a private, local or reserved address, whatever name, answer or redirect say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import anyio
import httpx
import pytest

from inversion_atlas.network.guard import (
    Guard,
    RefusedAddressError,
    UnresolvedHostError,
    guarded_async_transport,
    guarded_transport,
)

pytestmark = pytest.mark.usefixtures("own_loop")
NEVER = [
    "169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "255.255.255.255",
    "240.0.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "::", "fe80::1", "fe80::1%eth0",
    "ff02::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:a9fe:a9fe::1", "2001::1",
    "2001:db8::1", "fec0::1", "::1.2.3.4", "no address",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "::1",
    "fc00::1", "fd12:3456::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


class Answers(BaseHTTPRequestHandler):
    """`/to/<address>` redirects there, everything else is a greeting."""

    def do_GET(self) -> None:
        there = self.path.removeprefix("/to/")
        self.send_response(302 if there != self.path else 200)
        if there != self.path:
            self.send_header("Location", there)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def base() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def get(address: str, guard: Guard) -> httpx.Response:
    with httpx.Client(transport=guarded_transport(guard), follow_redirects=True, timeout=5) as client:
        return client.get(address)


def get_async(address: str, guard: Guard) -> httpx.Response:
    async def read() -> httpx.Response:
        transport = guarded_async_transport(guard)
        async with httpx.AsyncClient(transport=transport, follow_redirects=True, timeout=5) as client:
            return await client.get(address)

    return anyio.run(read)


both = pytest.mark.parametrize("read", [get, get_async])


@pytest.mark.parametrize("address", NEVER)
def test_local_and_reserved_addresses_never_pass(address: str) -> None:
    assert not Guard().permits(address)
    assert not Guard(allow_private=True).permits(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_pass_only_if_allowed(address: str) -> None:
    assert not Guard().permits(address)
    assert Guard(allow_private=True).permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert Guard().permits(address)


@both
def test_what_is_allowed_is_read(base: str, read: Any) -> None:
    assert read(base, Guard(allow_private=True)).text == "hello"
    assert read(base, Guard(allow=(ip_network("127.0.0.1"),))).text == "hello"


@both
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0177.1", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_every_spelling_of_loopback_is_refused(base: str, read: Any, host: str) -> None:
    port = base.rpartition(":")[2]
    with pytest.raises(RefusedAddressError):
        read(f"http://{host}:{port}/", Guard())


@both
@pytest.mark.parametrize("there", ["http://169.254.169.254/latest/", "http://[fe80::1]/", "http://0.0.0.0/"])
def test_a_redirect_is_checked_as_well(base: str, read: Any, there: str) -> None:
    with pytest.raises(RefusedAddressError):
        read(f"{base}/to/{there}", Guard(allow_private=True))


@both
def test_a_redirect_from_an_allowed_to_another_private_address_is_refused(base: str, read: Any) -> None:
    with pytest.raises(RefusedAddressError) as caught:
        read(f"{base}/to/http://127.0.0.2:1/", Guard(allow=(ip_network("127.0.0.1"),)))
    assert (caught.value.host, caught.value.address) == ("127.0.0.2", "127.0.0.2")


@both
def test_a_name_is_judged_by_the_address_it_is_connected_to(base: str, read: Any, monkeypatch: Any) -> None:
    """The name is resolved once, and its first answer is both checked and used: no second answer can swap it."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name != "rebinding.example":
            return real(host, *arguments, **named)
        asked.append(name)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.66", *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    port = base.rpartition(":")[2]
    assert read(f"http://rebinding.example:{port}/", Guard(allow=(ip_network("127.0.0.1"),))).text == "hello"
    assert asked == ["rebinding.example"]
    with pytest.raises(RefusedAddressError) as caught:
        read(f"http://rebinding.example:{port}/", Guard(allow=(ip_network("127.0.0.1"),)))
    assert (caught.value.host, caught.value.address) == ("rebinding.example", "127.0.0.66")


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(RefusedAddressError):
        Guard().check("mixed.example", ["8.8.8.8", "10.0.0.1"])


@both
@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example", "a..b"])
def test_a_name_without_address_is_a_connection_error(read: Any, host: str) -> None:
    with pytest.raises((UnresolvedHostError, httpx.InvalidURL)) as caught:
        read(f"http://{host}/", Guard())
    assert host.partition(".")[0] in str(caught.value) or isinstance(caught.value, httpx.InvalidURL)


@both
def test_the_next_address_is_tried_where_one_does_not_answer(base: str, read: Any, monkeypatch: Any) -> None:
    real = socket.getaddrinfo

    def two(host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name != "two.example":
            return real(host, *arguments, **named)
        return [*real("127.0.0.77", *arguments, **named), *real("127.0.0.1", *arguments, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    assert read(f"http://two.example:{base.rpartition(':')[2]}/", Guard(allow_private=True)).text == "hello"


@pytest.mark.parametrize("host", ["0177.0.0.1", "017700000001", "0x7f000001", "127.1", "[::1]"])
def test_the_resolver_refuses_hosts_that_the_client_would_not_even_parse(host: str) -> None:
    with pytest.raises(RefusedAddressError):
        Guard().resolve(host, 80)
