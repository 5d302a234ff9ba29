"""Which addresses may be connected to, decided on the very address that is then connected to.

A record's links come from strangers. Whatever a host's name, its DNS answer or a redirect says, a connection is made
only to an address that `Guard.check` let pass: the host is resolved once, every address of the answer is checked, and
the socket is opened to the checked address itself.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import anyio
import httpcore
import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# What a reader in a private network may wish to reach. 169.254.0.0/16 (cloud metadata) is not among it.
_PRIVATE: tuple[Network, ...] = tuple(
    map(
        ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1", "fc00::/7")
    )
)
# The IPv4 address that an IPv6 one carries in its last 32 bits decides.
_CARRIERS = tuple(map(IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96")))
_REFUSED = tuple(map(ip_network, ("64:ff9b:1::/48", "2001::/32", "192.88.99.0/24", "fec0::/10")))
_SIX_TO_FOUR = IPv6Network("2002::/16")
_SOCKET_OPTIONS = Iterable[Any]


class RefusedAddressError(httpx.TransportError):
    """A host stands for an address that must not be connected to."""

    def __init__(self, host: str, address: str) -> None:
        self.host = host
        self.address = address
        shown = host if host == address else f"{host} ({address})"
        super().__init__(f"{shown} is a private, local or reserved address and is not connected to")


class UnresolvedHostError(httpx.ConnectError):
    """A host has no address: the name is wrong, or DNS does not answer."""

    def __init__(self, host: str, reason: str) -> None:
        self.host = host
        super().__init__(f"{host} cannot be resolved: {reason}")


@dataclass(frozen=True)
class Guard:
    """Lets pass public addresses, with `allow_private` also loopback, private and unique local ones.

    Link-local (with the metadata services of clouds), multicast, unspecified and reserved addresses never pass,
    unless `allow` names their network.
    """

    allow_private: bool = False
    allow: tuple[Network, ...] = ()

    def permits(self, address: str) -> bool:
        """Tell whether an address, as DNS answers it, may be connected to."""
        try:
            found = _carried(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if _within(found, self.allow):
            return True
        if _within(found, _PRIVATE):
            return self.allow_private
        return found.is_global and not (found.is_multicast or found.is_reserved or _within(found, _REFUSED))

    def check(self, host: str, addresses: Iterable[str]) -> tuple[str, ...]:
        """Return the addresses of a host; raises RefusedAddressError if one of them must not be connected to."""
        answer = tuple(dict.fromkeys(addresses))
        for address in answer:
            if not self.permits(address):
                raise RefusedAddressError(host, address)
        return answer

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """Return the checked addresses of a host; raises RefusedAddressError or UnresolvedHostError."""
        try:
            return self.check(host, _addresses(socket.getaddrinfo(_bare(host), port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as error:
            raise _unresolved(host, error) from error

    async def resolve_async(self, host: str, port: int) -> tuple[str, ...]:
        """Do as `resolve` without blocking the event loop."""
        try:
            answer = await anyio.getaddrinfo(_bare(host), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise _unresolved(host, error) from error
        return self.check(host, _addresses(answer))


class GuardedBackend(httpcore.NetworkBackend):
    """Opens sockets to checked addresses only."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _SOCKET_OPTIONS | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._guard.resolve(host, port)
        for address in addresses[:-1]:
            try:
                return self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._backend.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: _SOCKET_OPTIONS | None = None
    ) -> httpcore.NetworkStream:
        raise RefusedAddressError(path, path)


class GuardedAsyncBackend(httpcore.AsyncNetworkBackend):
    """Does as GuardedBackend for asynchronous clients."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _SOCKET_OPTIONS | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port, timeout)
        for address in addresses[:-1]:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def _resolve(self, host: str, port: int, timeout: float | None) -> tuple[str, ...]:
        try:
            with anyio.fail_after(timeout):
                return await self._guard.resolve_async(host, port)
        except TimeoutError as error:
            raise UnresolvedHostError(host, "DNS did not answer in time") from error

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: _SOCKET_OPTIONS | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise RefusedAddressError(path, path)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


def guarded_transport(
    guard: Guard,
    *,
    limits: httpx.Limits | None = None,
    verify: Any = True,
    backend: httpcore.NetworkBackend | None = None,
) -> httpx.HTTPTransport:
    """Return a transport for `httpx.Client` whose every connection passes the guard; proxies are not used.

    `backend` replaces the guard's own and is one that wraps it.
    """
    return _Transport(backend or GuardedBackend(guard), limits or httpx.Limits(), verify)


def guarded_async_transport(
    guard: Guard, *, limits: httpx.Limits | None = None, verify: Any = True
) -> httpx.AsyncHTTPTransport:
    """Return a transport for `httpx.AsyncClient` whose every connection passes the guard; proxies are not used."""
    return _AsyncTransport(guard, limits or httpx.Limits(), verify)


class _Transport(httpx.HTTPTransport):
    """httpx makes its pool itself and offers no place for a backend, so the pool is put in afterwards."""

    def __init__(self, backend: httpcore.NetworkBackend, limits: httpx.Limits, verify: Any) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(verify=verify),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=backend,
        )


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, guard: Guard, limits: httpx.Limits, verify: Any) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(verify=verify),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=GuardedAsyncBackend(guard),
        )


def _carried(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if not isinstance(address, IPv6Address):
        return address
    if any(address in network for network in _CARRIERS):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(network.version == address.version and address in network for network in networks)


def _addresses(answer: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    for *_, place in answer:
        yield str(place[0])


def _bare(host: str) -> str:
    """Return a host without the brackets that an address writes around IPv6."""
    return host.strip("[]")


def _unresolved(host: str, error: Exception) -> UnresolvedHostError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "this is no host name"
    return UnresolvedHostError(host, reason)
