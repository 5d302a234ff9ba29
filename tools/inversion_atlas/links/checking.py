"""Asking every link how it is: many hosts at once, each host slowly, everything through the guard.

HEAD comes first; GET follows where HEAD is refused or fails, and where only the page's words tell whether it is there.
DOIs are looked up in the handle system and arXiv pages in batches, so that neither is asked page by page.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

import httpx

from inversion_atlas.links.reading import REDIRECTS, is_honest, is_walled, read_moves, read_page, read_status
from inversion_atlas.links.state import Answer, Class
from inversion_atlas.network.guard import Guard, RefusedAddressError, UnresolvedHostError, guarded_async_transport
from inversion_atlas.network.polite import Manners, retry_after

Learn = Callable[[str, Answer], None]

_REDIRECTS_AT_MOST = 10
# What is read of a page: its title stands at its beginning.
_PAGE_BYTES = 65_536
_FEED_BYTES = 8 * 2**20
_BATCH = 100
_TRIES = 3
_ARXIV_PAGE = re.compile(
    r"https?://(?:www\.)?arxiv\.org/(?:abs|pdf)/((?:[a-z-]+(?:\.[A-Z]{2})?/\d{7}|\d{4}\.\d{4,5}))(v\d+)?(?:\.pdf)?"
)
_ARXIV_ENTRY = re.compile(r"<id>\s*https?://arxiv\.org/abs/([^<\s]+?)(?:v(\d+))?\s*</id>")
_DOI_PAGE = re.compile(r"https?://(?:dx\.|www\.)?doi\.org/(10\.\d+(?:\.\d+)*/.+)")


@dataclass(frozen=True)
class Pace:
    """How fast and how patiently links are asked; seconds."""

    delay: float = 1.0
    per_host: int = 2
    at_once: int = 256
    timeout: float = 20.0
    longest_wait: float = 120.0
    contact: str = ""


@dataclass(frozen=True)
class Services:
    """Base addresses of what is asked in place of pages; ATLAS_HANDLES_URL and ATLAS_ARXIV_URL replace them."""

    handles: str = "https://doi.org"
    arxiv: str = "https://export.arxiv.org"

    @classmethod
    def from_environment(cls) -> Services:
        """Return the addresses with those replaced that the environment names."""
        handles, arxiv = (os.environ.get(f"ATLAS_{name}_URL", "").rstrip("/") for name in ("HANDLES", "ARXIV"))
        return cls(handles or cls.handles, arxiv or cls.arxiv)


async def check_links(
    urls: Iterable[str], learn: Learn, guard: Guard, pace: Pace, services: Services | None = None
) -> list[str]:
    """Ask every address and `learn` each answer as it comes; return those that were left for another day.

    An address is left where its host asks to be left alone for longer than `pace` waits.
    """
    async with _Checking(guard, pace, services or Services(), learn) as checking:
        return await checking.run(list(dict.fromkeys(urls)))


@dataclass(frozen=True, slots=True)
class _Reply:
    url: str
    status: int
    headers: Mapping[str, str]
    text: str


class _LoopError(Exception):
    """Redirects without end; with cookies they are a wall that a browser passes."""

    def __init__(self, with_cookies: bool) -> None:
        self.with_cookies = with_cookies
        super().__init__("redirects without end")


@dataclass(eq=False)
class _Door:
    """The client of one host, closed when nobody uses it any more."""

    client: httpx.AsyncClient
    users: int = 0
    closing: bool = False

    async def close_unused(self) -> None:
        """Close the client if that is wanted and possible."""
        if self.closing and not self.users:
            await self.client.aclose()


class _Checking:
    def __init__(self, guard: Guard, pace: Pace, services: Services, learn: Learn) -> None:
        self._pace = pace
        self._services = services
        self._learn = learn
        self._slots = asyncio.Semaphore(pace.at_once)
        self._free_at: dict[str, float] = {}
        self._resting: set[str] = set()
        self._left: list[str] = []
        self._guard = guard
        self._trusted = httpx.create_ssl_context()
        # A pool looks at each of its connections for each request, so that every host has one of its own.
        self._doors: dict[str, _Door] = {}
        self._elsewhere = _Door(self._client(keep=0))

    async def __aenter__(self) -> _Checking:
        return self

    async def __aexit__(self, *_: object) -> None:
        for door in (*self._doors.values(), self._elsewhere):
            await door.client.aclose()

    def _client(self, keep: int) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=keep)
        return httpx.AsyncClient(
            transport=guarded_async_transport(self._guard, limits=limits, verify=self._trusted),
            timeout=httpx.Timeout(self._pace.timeout, pool=None),
            # No compression: a few bytes may unpack to more than is ever wanted.
            headers={
                "User-Agent": Manners(self._pace.contact).user_agent,
                "Accept": "*/*",
                "Accept-Encoding": "identity",
            },
            # What one site sets is of no use to the next link.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def run(self, urls: Sequence[str]) -> list[str]:
        """Ask host by host, all hosts at once; return what was left."""
        hosts: dict[str, deque[str]] = {}
        arxiv = [url for url in urls if _ARXIV_PAGE.fullmatch(url)]
        apart = set(arxiv)
        for url in urls:
            if url not in apart:
                hosts.setdefault(_host(self._address(url)), deque()).append(url)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._arxiv(arxiv))
            for host, waiting in hosts.items():
                group.create_task(self._visit(host, waiting))
        return sorted(self._left)

    async def _visit(self, host: str, waiting: deque[str]) -> None:
        """Ask what there is to ask of one host."""
        door = self._doors[host] = _Door(self._client(keep=self._pace.per_host))
        await asyncio.gather(*(self._work(host, waiting) for _ in range(min(self._pace.per_host, len(waiting)))))
        # Redirects of other hosts may still be on their way through it.
        del self._doors[host]
        door.closing = True
        await door.close_unused()

    async def _work(self, host: str, waiting: deque[str]) -> None:
        while waiting:
            url = waiting.popleft()
            if host in self._resting:
                self._left.append(url)
            else:
                self._learn(url, await self._answer(url))

    async def _answer(self, url: str) -> Answer:
        try:
            return await (self._doi(url) if _DOI_PAGE.fullmatch(url) else self._page(url))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, _LoopError) as error:
            return _failure(url, error)

    async def _page(self, url: str) -> Answer:
        try:
            reply, moves = await self._followed("HEAD", url)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadTimeout, TimeoutError):
            # Some servers hang up on HEAD.
            reply, moves = await self._followed("GET", url)
        else:
            if reply.status >= 400 and reply.status != 429:
                reply, moves = await self._followed("GET", url)
            elif reply.status == 200 and _is_html(reply) and not is_honest(_name(reply.url)):
                reply, more = await self._followed("GET", reply.url)
                moves = [*moves, *more]
        found = read_status(_name(reply.url), reply.status, reply.headers)
        if found.kind is not Class.OK:
            # A wall's page may come with any status.
            wall = read_page(reply.text)
            return wall if found.kind.failing and wall.kind is Class.BLOCKED else found
        said = read_page(reply.text)
        return said if said.kind is not Class.OK else read_moves(url, moves)

    async def _doi(self, url: str) -> Answer:
        """Ask the handle system whether a DOI is registered; where it leads is the publisher's matter."""
        reply = await self._patiently("GET", self._address(url), _PAGE_BYTES)
        if reply.status == 200 and not re.search(r'"responseCode"\s*:\s*1\b', reply.text):
            return Answer(Class.BROKEN_ANSWER, said="no answer of a handle server")
        return read_status(_name(reply.url), reply.status, reply.headers)

    def _address(self, url: str) -> str:
        """Return what is asked in place of an address."""
        doi = _DOI_PAGE.fullmatch(url)
        return f"{self._services.handles}/api/handles/{quote(unquote(doi[1]), safe='/')}" if doi else url

    async def _arxiv(self, urls: Sequence[str]) -> None:
        """Ask for arXiv pages in batches; what a batch does not hold is asked by itself."""
        alone: deque[str] = deque()
        for start in range(0, len(urls), _BATCH):
            batch = urls[start : start + _BATCH]
            versions = await self._versions(batch)
            for url in batch:
                page = _ARXIV_PAGE.fullmatch(url)
                assert page
                if versions.get(page[1], 0) >= int((page[2] or "v1")[1:]):
                    self._learn(url, Answer(Class.OK))
                else:
                    alone.append(url)
        if alone:
            await self._visit("arxiv.org", alone)

    async def _versions(self, urls: Sequence[str]) -> dict[str, int]:
        """Return the newest version of each arXiv id among some pages; nothing where arXiv does not answer."""
        ids = dict.fromkeys(page[1] for page in map(_ARXIV_PAGE.fullmatch, urls) if page)
        query = f"{self._services.arxiv}/api/query?max_results={len(ids)}&id_list={','.join(ids)}"
        with suppress(httpx.HTTPError, TimeoutError):
            reply = await self._patiently("GET", query, _FEED_BYTES)
            if reply.status == 200:
                return {id: int(version or 1) for id, version in _ARXIV_ENTRY.findall(reply.text)}
        return {}

    async def _followed(self, method: str, url: str) -> tuple[_Reply, list[tuple[int, str]]]:
        """Return what is at the end of the redirects, and these; raises _LoopError."""
        moves: list[tuple[int, str]] = []
        seen, cookies = {url}, False
        while True:
            reply = await self._patiently(method, url, _PAGE_BYTES if method == "GET" else 0)
            location = reply.headers.get("location", "")
            if reply.status not in REDIRECTS or not location:
                return reply, moves
            cookies = cookies or "set-cookie" in reply.headers
            url = str(httpx.URL(urldefrag(urljoin(url, location)).url))
            if url in seen or len(moves) == _REDIRECTS_AT_MOST:
                raise _LoopError(cookies)
            seen.add(url)
            moves.append((reply.status, url))

    async def _patiently(self, method: str, url: str, keep: int) -> _Reply:
        """Ask, and ask again when the server says when; a host that wants more patience than there is, rests."""
        host = _host(url)
        for attempt in range(_TRIES):
            reply = await self._ask(method, url, keep)
            asked = _asked_wait(reply)
            if reply.status != 429 and (reply.status not in (403, 503) or asked is None):
                return reply
            wait = asked if asked is not None else max(self._pace.delay, 0.1) * 2**attempt
            if wait > self._pace.longest_wait:
                break
            self._free_at[host] = max(self._free_at.get(host, 0.0), asyncio.get_running_loop().time() + wait)
        self._resting.add(host)
        return reply

    async def _ask(self, method: str, url: str, keep: int) -> _Reply:
        try:
            return await self._asked(method, url, keep)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            # A server may close a connection just when it is used again.
            return await self._asked(method, url, keep)

    async def _asked(self, method: str, url: str, keep: int) -> _Reply:
        await self._turn(_host(url))
        async with self._slots:
            door = self._doors.get(_host(url), self._elsewhere)
            door.users += 1
            try:
                async with asyncio.timeout(self._pace.timeout):
                    answer = await door.client.send(door.client.build_request(method, url), stream=True)
                    try:
                        text = await _beginning(answer, keep, self._pace.timeout / 2) if keep else ""
                    finally:
                        await answer.aclose()
            finally:
                door.users -= 1
                await door.close_unused()
        return _Reply(url, answer.status_code, answer.headers, text)

    async def _turn(self, host: str) -> None:
        """Wait until a host may be asked again."""
        clock = asyncio.get_running_loop().time
        while True:
            free = self._free_at.get(host, 0.0)
            if (rest := free - clock()) <= 0:
                break
            await asyncio.sleep(rest)
        self._free_at[host] = clock() + self._pace.delay


def _asked_wait(reply: _Reply) -> float | None:
    """Return the seconds that a host asks to wait; GitHub says when its limit ends, with 403 or 429."""
    if (wait := retry_after(reply.headers.get("retry-after", ""))) is not None:
        return wait
    ends = reply.headers.get("x-ratelimit-reset", "")
    if reply.headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(r"[0-9]{1,12}", ends):
        return max(0.0, int(ends) - time.time())
    return None


async def _beginning(answer: httpx.Response, limit: int, seconds: float) -> str:
    """Return what comes of a body up to a limit and within some seconds; that it never ends is no fault of a link."""
    parts, size = [], 0
    with suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(seconds):
            async for part in answer.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size >= limit:
                    break
    return _decoded(b"".join(parts)[:limit], answer.charset_encoding or "utf-8")


def _decoded(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def _is_html(reply: _Reply) -> bool:
    return "html" in reply.headers.get("content-type", "html").lower()


def _failure(url: str, error: Exception) -> Answer:
    kind, said = _failed(error)
    walls = (Class.TIMEOUT, Class.BROKEN_ANSWER, Class.NO_CONNECTION, Class.REDIRECT_LOOP)
    if kind in walls and is_walled(_name(url)):
        kind = Class.BLOCKED
    return Answer(kind, said=said[:160])


def _failed(error: Exception) -> tuple[Class, str]:
    match error:
        case RefusedAddressError():
            return Class.REFUSED_ADDRESS, str(error)
        case UnresolvedHostError():
            return Class.DNS, str(error)
        case _LoopError():
            return (Class.BLOCKED, "wants cookies") if error.with_cookies else (Class.REDIRECT_LOOP, "")
        case httpx.TimeoutException() | TimeoutError():
            return Class.TIMEOUT, ""
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return Class.BAD_ADDRESS, "it is or leads to no web address"
        case httpx.ConnectError():
            tls = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
            if tls is not None:
                return Class.TLS, getattr(tls, "verify_message", "") or tls.reason or "TLS failed"
            return Class.NO_CONNECTION, ""
        case httpx.HTTPError():
            return Class.BROKEN_ANSWER, "the connection broke"
        case _:
            return Class.BAD_ADDRESS, "it is or leads to no web address"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(10):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
