"""What an answer of a publisher that turns programs away may mean."""

from __future__ import annotations

import pytest

from inversion_atlas.links.reading import is_walled, read_status
from inversion_atlas.links.state import Class


@pytest.mark.parametrize("host", ["dl.acm.org", "ieeexplore.ieee.org", "acm.org", "link.springer.com"])
@pytest.mark.parametrize("status", [400, 401, 403, 418, 429, 451, 500, 503, 999])
def test_a_publisher_that_blocks_robots_is_blocked_whatever_it_says(host: str, status: int) -> None:
    assert is_walled(host)
    answer = read_status(host, status, {})
    assert answer.kind is Class.BLOCKED
    assert not answer.kind.failing


@pytest.mark.parametrize("status", [404, 410])
def test_a_publisher_is_believed_that_a_page_is_gone(status: int) -> None:
    assert read_status("dl.acm.org", status, {}).kind is Class.GONE


@pytest.mark.parametrize("host", ["acm.org.example.com", "notacm.org", "", "example.org"])
def test_other_hosts_fail_when_they_fail(host: str) -> None:
    assert not is_walled(host)
    assert read_status(host, 500, {}).kind is Class.SERVER_ERROR
