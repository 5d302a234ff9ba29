"""One client for every look-up: it says who asks, keeps its distance, waits when told to, and never reads without end.

`Reader.get` returns a page or raises a ReadError that says what went wrong and what to do. A whole request, with its
redirects, ends at a deadline however slowly the server drips; a body is read up to a limit; what was read is kept.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from inversion_atlas.atomic import write_atomic
from inversion_atlas.network.guard import (
    Guard,
    GuardedBackend,
    RefusedAddressError,
    UnresolvedHostError,
    guarded_transport,
)

# Statuses that a later try may change.
_TRANSIENT = frozenset((408, 425, 429, 500, 502, 503, 504))
_REDIRECTS = 5
_DAY = 86_400.0

# When the request under way must have ended, on the clock of `time.monotonic`.
_ends: ContextVar[float] = ContextVar("ends")


class ReadError(Exception):
    """An address could not be read. `code` names the kind of failure, `status` is what the server said, if it did."""

    def __init__(self, code: str, url: str, message: str, status: int | None = None) -> None:
        self.code = code
        self.url = url
        self.status = status
        self.message = message
        super().__init__(f"{message} ({url})")

    @property
    def network(self) -> bool:
        """Whether the network or the server failed, rather than the address being wrong."""
        return self.code not in ("not-found", "bad-address", "refused-address", "offline")


@dataclass(frozen=True, slots=True)
class Page:
    """What an address answered: `url` is where redirects led."""

    url: str
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Manners:
    """How a reader behaves; seconds and bytes."""

    contact: str = ""
    delay: float = 1.0
    delays: Mapping[str, float] = field(default_factory=lambda: {"export.arxiv.org": 3.0})
    tries: int = 4
    backoff: float = 1.0
    longest_wait: float = 120.0
    read_timeout: float = 15.0
    deadline: float = 60.0
    max_bytes: int = 8 * 2**20
    cache_days: float = 30.0

    @property
    def user_agent(self) -> str:
        """Who asks, with the contact that services ask for."""
        about = f" ({'mailto:' if '@' in self.contact else '+'}{self.contact})" if self.contact else ""
        return f"inversion-atlas/{_version()}{about}"


class Reader:
    """Reads addresses politely; may be used by several threads, and asks each host one thing at a time.

    `tokens` are keys of services by host and port; they travel in a header, which neither cache nor messages hold, and
    not to where a service redirects.
    """

    def __init__(
        self,
        guard: Guard,
        manners: Manners | None = None,
        *,
        cache: Path | None = None,
        offline: bool = False,
        tokens: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._manners = manners or Manners()
        self._cache = cache
        self._offline = offline
        self._tokens = tokens or {}
        self._sleep = sleep
        self._tell = tell
        self._hosts: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._free_at: dict[str, float] = {}
        self._client = httpx.Client(
            transport=guarded_transport(guard, backend=_TimedBackend(GuardedBackend(guard))),
            follow_redirects=True,
            max_redirects=_REDIRECTS,
            timeout=httpx.Timeout(self._manners.read_timeout, connect=10.0),
            # No compression: a few bytes may unpack to more than is ever wanted.
            headers={"User-Agent": self._manners.user_agent, "Accept-Encoding": "identity"},
        )

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def has_token(self, url: str) -> bool:
        """Tell whether a key for the service at this address is known."""
        return urlsplit(url).netloc.lower() in self._tokens

    def get(self, url: str, accept: str = "*/*", complaint: Callable[[Page], str] | None = None) -> Page:
        """Return what an address answers, from the cache where it is fresh; raises ReadError.

        `complaint` may say what is wrong with an answer: such a one is asked for again and never kept.
        """
        kept = self._kept(url, accept)
        if kept is not None:
            return kept
        if self._offline:
            raise ReadError("offline", url, "not read before, and --offline reads nothing new")
        host = urlsplit(url).netloc.lower()
        with self._hosts[host]:
            page = self._tried(url, self._headers(url, accept), host, complaint or (lambda _: ""))
        self._keep(url, accept, page)
        return page

    def ask(self, url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Page:
        """Return what an address answers now, never from the cache; a `form` is posted. Raises ReadError."""
        if self._offline:
            raise ReadError("offline", url, "--offline asks nothing")
        host = urlsplit(url).netloc.lower()
        with self._hosts[host]:
            return self._tried(url, {**self._headers(url, "application/json"), **(headers or {})}, host, form=form)

    def _tried(
        self,
        url: str,
        headers: Mapping[str, str],
        host: str,
        complaint: Callable[[Page], str] = lambda _: "",
        form: Mapping[str, str] | None = None,
    ) -> Page:
        for attempt in range(1, self._manners.tries + 1):
            self._await_turn(host)
            error: ReadError
            wait: float | None = None
            try:
                answer = self._read(url, headers, form)
            except _PassingError as caught:
                error = caught.error
            else:
                if isinstance(answer, Page):
                    if not (wrong := complaint(answer)):
                        return answer
                    answer = ReadError("unreadable-answer", url, f"the answer cannot be used: {wrong}"), None
                error, wait = answer
            if attempt == self._manners.tries:
                raise error
            self._wait(error, max(wait or 0.0, self._manners.backoff * 2 ** (attempt - 1)))
        raise AssertionError("unreachable: the last try returns or raises")

    def _wait(self, error: ReadError, seconds: float) -> None:
        if seconds > self._manners.longest_wait:
            raise ReadError(
                error.code, error.url, f"{error.message}; it asks to wait {seconds:.0f} s: try later", error.status
            )
        self._tell(f"{error.message}; trying again in {seconds:.0f} s ({error.url})")
        self._sleep(seconds)

    def _await_turn(self, host: str) -> None:
        now = time.monotonic()
        if (rest := self._free_at.get(host, now) - now) > 0:
            self._sleep(rest)
        delay = self._manners.delays.get(host.partition(":")[0], self._manners.delay)
        self._free_at[host] = max(now, time.monotonic()) + delay

    def _read(
        self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> Page | tuple[ReadError, float | None]:
        """Return the page, or a failure that may pass with the wait the server asks for; raises ReadError."""
        token = _ends.set(time.monotonic() + self._manners.deadline)
        try:
            with self._client.stream("GET" if form is None else "POST", url, headers=headers, data=form) as answer:
                if answer.status_code in _TRANSIENT:
                    return self._transient(answer, url), retry_after(answer.headers.get("Retry-After", ""))
                _refuse_status(answer, url)
                body = self._body(answer, url)
                return Page(str(answer.url), answer.headers.get("Content-Type", ""), body)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, ValueError) as error:
            raise _explained(error, url) from error
        finally:
            _ends.reset(token)

    def _headers(self, url: str, accept: str) -> dict[str, str]:
        token = self._tokens.get(urlsplit(url).netloc.lower())
        return {"Accept": accept, **({"Authorization": f"Bearer {token}"} if token else {})}

    def _transient(self, answer: httpx.Response, url: str) -> ReadError:
        code = "rate-limited" if answer.status_code == 429 else "server-error"
        return ReadError(code, url, f"the server answers {_status(answer)}", answer.status_code)

    def _body(self, answer: httpx.Response, url: str) -> bytes:
        limit = self._manners.max_bytes
        parts, size = [], 0
        for part in answer.iter_bytes():
            size += len(part)
            if size > limit:
                raise ReadError("too-large", url, f"the answer is larger than {limit:,} bytes and was not read")
            if time.monotonic() > _ends.get():
                raise httpx.ReadTimeout("the deadline is over")
            parts.append(part)
        return b"".join(parts)

    # The cache: one file per address, good for some days, for ever when offline

    def _kept(self, url: str, accept: str) -> Page | None:
        if self._cache is None:
            return None
        path = self._cache_path(url, accept)
        try:
            kept = json.loads(path.read_bytes())
            page = Page(str(kept["final"]), str(kept["type"]), base64.b64decode(kept["body"], validate=True))
            fresh = self._offline or time.time() - float(kept["read"]) < self._manners.cache_days * _DAY
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return page if fresh and kept.get("url") == url else None

    def _keep(self, url: str, accept: str, page: Page) -> None:
        if self._cache is None:
            return
        record = {
            "url": url,
            "final": page.url,
            "type": page.content_type,
            "read": time.time(),
            "body": base64.b64encode(page.body).decode(),
        }
        # A cache that cannot be written costs time and nothing else.
        with contextlib.suppress(OSError):
            self._cache.mkdir(parents=True, exist_ok=True)
            write_atomic(self._cache_path(url, accept), json.dumps(record).encode())

    def _cache_path(self, url: str, accept: str) -> Path:
        assert self._cache is not None
        return self._cache / f"{hashlib.sha256(f'{accept} {url}'.encode()).hexdigest()}.json"


def cache_folder() -> Path:
    """Return where look-ups are kept: ATLAS_CACHE, else the user's folder for caches."""
    if given := os.environ.get("ATLAS_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inversion-atlas" / "look-ups"


class _PassingError(Exception):
    """A failure of the connection that a later try may not meet."""

    def __init__(self, error: ReadError) -> None:
        self.error = error
        super().__init__(str(error))


def _explained(error: Exception, url: str) -> Exception:
    match error:
        case RefusedAddressError():
            return ReadError("refused-address", url, str(error))
        case UnresolvedHostError():
            return ReadError("no-such-host", url, str(error))
        case httpx.TooManyRedirects():
            return ReadError("redirect-loop", url, f"more than {_REDIRECTS} redirects, probably in a circle")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return ReadError("bad-address", url, "this is no web address")
        case httpx.TimeoutException():
            return _PassingError(ReadError("too-slow", url, "the server is too slow"))
        case httpx.ConnectError():
            return _PassingError(ReadError("no-connection", url, f"no connection: {error}"))
        case httpx.HTTPError():
            return _PassingError(ReadError("broken-answer", url, f"the connection broke: {error}"))
        case _:
            return ReadError("bad-address", url, "the server redirects to what is no web address")


def _refuse_status(answer: httpx.Response, url: str) -> None:
    status = answer.status_code
    if status in (404, 410):
        raise ReadError("not-found", url, f"there is nothing at this address ({_status(answer)})", status)
    if status != 200:
        raise ReadError("refused", url, f"the server answers {_status(answer)}", status)


def _status(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.reason_phrase}".strip()


def retry_after(value: str) -> float | None:
    """Return the seconds a server asks to wait, given as a number or as a date."""
    if value.strip().isdigit():
        return min(float(value.strip()), 1e9)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _version() -> str:
    try:
        return metadata.version("inversion-atlas")
    except metadata.PackageNotFoundError:
        return "0"


class _TimedBackend(httpcore.NetworkBackend):
    """Ends every wait on the network when the request under way must have ended, header by header and byte by byte."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_tcp(host, port, _rest(timeout), local_address, socket_options)
        return _TimedStream(stream)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        return self._backend.connect_unix_socket(path, timeout, socket_options)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _rest(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _rest(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, _rest(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _rest(timeout: float | None) -> float:
    rest = _ends.get(float("inf")) - time.monotonic()
    if rest <= 0:
        raise httpcore.ReadTimeout("the deadline is over")
    # A read with no time limit at all could wait for ever; an hour stands for that.
    return min(rest, timeout if timeout is not None else 3600.0)
