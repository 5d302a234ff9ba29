"""The polite reader against a real server that fails in every way it can think of."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from tests.servers.playing import Answer, Played, play

from inversion_atlas.network.guard import Guard
from inversion_atlas.network.polite import Manners, Reader, ReadError

QUICK: dict[str, Any] = {"delay": 0.0, "backoff": 0.01, "read_timeout": 0.5, "deadline": 1.0, "max_bytes": 100_000}


@pytest.fixture
def server() -> Iterator[Played]:
    with play() as played:
        yield played


@pytest.fixture
def slept() -> list[float]:
    return []


def reader(
    slept: list[float] | None = None, cache: Path | None = None, offline: bool = False, **manners: Any
) -> Reader:
    sleep = time.sleep if slept is None else slept.append
    return Reader(Guard(allow_private=True), Manners(**{**QUICK, **manners}), cache=cache, offline=offline, sleep=sleep)


def failure(address: str, **manners: Any) -> ReadError:
    with reader([], **manners) as reading, pytest.raises(ReadError) as caught:
        reading.get(address)
    return caught.value


def test_the_server_learns_who_asks(server: Played) -> None:
    server.answer("/a", "hello")
    with reader(contact="curator@atlas.example") as reading:
        assert reading.get(f"{server.base}/a").body == b"hello"
    assert "(mailto:curator@atlas.example)" in server.asked[0][1]["User-Agent"]
    assert server.asked[0][1]["User-Agent"].startswith("inversion-atlas/")


def test_a_host_is_asked_again_only_after_its_delay(server: Played, slept: list[float]) -> None:
    server.answer("/a", "a")
    with reader(slept, delay=30.0, delays={"localhost": 60.0}) as reading:
        for _ in range(3):
            reading.get(f"{server.base}/a")
        assert all(20 < wait <= 30 for wait in slept)
        reading.get(f"{server.base}/a".replace("127.0.0.1", "localhost"))
        assert len(slept) == 2
        reading.get(f"{server.base}/a".replace("127.0.0.1", "localhost"))
    assert 50 < slept[2] <= 60


def test_threads_ask_a_host_one_after_the_other(server: Played, slept: list[float]) -> None:
    server.answer("/a", "a")
    with reader(slept, delay=30.0) as reading:
        threads = [threading.Thread(target=reading.get, args=(f"{server.base}/a",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.asked) == 4
    assert len(slept) == 3


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again_after_longer_and_longer_waits(
    server: Played, slept: list[float], status: int
) -> None:
    server.answer("/a", Answer(status=status, times=3), "done")
    with reader(slept, backoff=1.0) as reading:
        assert reading.get(f"{server.base}/a").body == b"done"
    assert slept == [1.0, 2.0, 4.0]


def test_the_wait_that_the_server_asks_for_is_kept(server: Played, slept: list[float]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    waits = [Answer(status=429, times=1, headers={"Retry-After": value}) for value in ("7", soon, "soon")]
    server.answer("/a", *waits, "done")
    with reader(slept, backoff=1.0) as reading:
        assert reading.get(f"{server.base}/a").body == b"done"
    assert slept[0] == 7
    assert 35 < slept[1] <= 40
    assert slept[2] == 4


def test_a_wait_of_hours_is_reported_instead(server: Played) -> None:
    server.answer("/a", Answer(status=429, headers={"Retry-After": "86400"}))
    error = failure(f"{server.base}/a")
    assert (error.code, error.status, error.network) == ("rate-limited", 429, True)
    assert "86400 s" in error.message
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("fault", "code", "asked"),
    [
        ("reset", "broken-answer", 4),
        ("cut", "broken-answer", 4),
        ("garbage", "broken-answer", 4),
        ("endless", "too-large", 1),
        ("drip-body", "too-slow", 2),
        ("drip-headers", "too-slow", 2),
        ("silent", "too-slow", 2),
    ],
)
def test_a_broken_server_ends_in_one_clear_error(server: Played, fault: str, code: str, asked: int) -> None:
    server.answer("/a", Answer(b"{", fault=fault))
    before = time.monotonic()
    error = failure(f"{server.base}/a", tries=4 if asked == 4 else 2)
    assert (error.code, error.network, len(server.asked)) == (code, True, asked)
    assert server.base in str(error)
    assert time.monotonic() - before < 8


def test_a_failure_that_passes_leaves_no_trace(server: Played) -> None:
    server.answer("/a", Answer(fault="reset", times=1), Answer(b"{", fault="cut", times=1), "done")
    with reader([]) as reading:
        assert reading.get(f"{server.base}/a").body == b"done"


def test_a_large_body_is_not_read_even_if_its_length_is_known(server: Played) -> None:
    server.answer("/a", b"x" * 100_001)
    assert failure(f"{server.base}/a").code == "too-large"


def test_redirects_are_followed_and_circles_are_not(server: Played) -> None:
    server.answer("/a", Answer(status=301, headers={"Location": "/b"}))
    server.answer("/b", Answer(status=302, headers={"Location": f"{server.base}/c"}))
    server.answer("/c", "there")
    server.answer("/loop", Answer(status=302, headers={"Location": "/loop"}))
    with reader([]) as reading:
        page = reading.get(f"{server.base}/a")
    assert (page.body, page.url) == (b"there", f"{server.base}/c")
    assert failure(f"{server.base}/loop").code == "redirect-loop"


@pytest.mark.parametrize(
    "there", ["http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "//0.0.0.0/"]
)
def test_a_redirect_to_a_reserved_address_is_refused(server: Played, there: str) -> None:
    server.answer("/a", Answer(status=302, headers={"Location": there}))
    error = failure(f"{server.base}/a")
    assert (error.code, error.network) == ("refused-address", False)


@pytest.mark.parametrize("there", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://[", "http://a b/"])
def test_a_redirect_to_no_web_address_is_refused(server: Played, there: str) -> None:
    server.answer("/a", Answer(status=302, headers={"Location": there}))
    assert failure(f"{server.base}/a").code in ("bad-address", "broken-answer", "no-such-host")


@pytest.mark.parametrize(
    ("status", "code"), [(404, "not-found"), (410, "not-found"), (403, "refused"), (401, "refused")]
)
def test_what_stays_is_not_tried_again(server: Played, status: int, code: str) -> None:
    server.answer("/a", Answer(status=status))
    error = failure(f"{server.base}/a")
    assert (error.code, error.status, len(server.asked)) == (code, status, 1)


@pytest.mark.parametrize("address", ["", "nonsense", "http://", "http://a b/", "gopher://x/", "http://x:99999/"])
def test_what_is_no_address_is_said_to_be_none(address: str) -> None:
    assert failure(address).code in ("bad-address", "no-such-host")


def test_nobody_listening_is_no_connection() -> None:
    assert failure("http://127.0.0.1:1/").code == "no-connection"


def test_without_permission_loopback_is_refused(server: Played) -> None:
    with Reader(Guard(), Manners(**QUICK)) as reading, pytest.raises(ReadError) as caught:
        reading.get(f"{server.base}/a")
    assert caught.value.code == "refused-address"
    assert server.asked == []


def test_what_was_read_is_kept_and_serves_offline(server: Played, tmp_path: Path) -> None:
    server.answer("/a", Answer(b"once", headers={"Content-Type": "text/plain"}))
    with reader(cache=tmp_path) as reading:
        first, second = reading.get(f"{server.base}/a"), reading.get(f"{server.base}/a")
    with reader(cache=tmp_path, offline=True, cache_days=0) as reading:
        third = reading.get(f"{server.base}/a")
        with pytest.raises(ReadError) as caught:
            reading.get(f"{server.base}/b")
    assert first == second == third
    assert len(server.asked) == 1
    assert caught.value.code == "offline"


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"body": 1}', b"\xff", b'{"url": "x", "body": "?"}'])
def test_a_damaged_or_stale_cache_is_read_anew(server: Played, tmp_path: Path, damage: bytes) -> None:
    server.answer("/a", "fresh")
    with reader(cache=tmp_path) as reading:
        reading.get(f"{server.base}/a")
        (kept,) = tmp_path.iterdir()
        record = json.loads(kept.read_bytes())
        kept.write_bytes(damage)
        assert reading.get(f"{server.base}/a").body == b"fresh"
        kept.write_text(json.dumps({**record, "read": time.time() - 31 * 86400}))
        assert reading.get(f"{server.base}/a").body == b"fresh"
    assert len(server.asked) == 3


def test_errors_are_not_kept(server: Played, tmp_path: Path) -> None:
    server.answer("/a", Answer(status=404, times=1), "there now")
    with reader(cache=tmp_path) as reading:
        with pytest.raises(ReadError):
            reading.get(f"{server.base}/a")
        assert reading.get(f"{server.base}/a").body == b"there now"


def test_a_cache_that_cannot_be_written_hurts_nobody(server: Played, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    server.answer("/a", "a")
    with reader(cache=tmp_path / "file") as reading:
        assert reading.get(f"{server.base}/a").body == b"a"
