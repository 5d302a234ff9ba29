"""The one issue about links, decided on lists of issues as GitHub answers them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from inversion_atlas.catalogue import Place
from inversion_atlas.links.issue import MARKER, TITLE, IssuesError, verdict
from inversion_atlas.links.report import Link
from inversion_atlas.links.state import Class, Known

DAY = date(2026, 11, 21)
BOT = "github-actions[bot]"
PLACE = (Place("data/papers/2020/doe2020t.yaml", ("links", "paper")),)
WELL = Link("https://a.example/", PLACE, Known(Class.OK, DAY, DAY))
FAILING = Link("https://b.example/", PLACE, Known(Class.GONE, DAY, None, 1, DAY))
DEAD = Link("https://c.example/", PLACE, Known(Class.GONE, DAY, None, 3, DAY - timedelta(days=9)))
MOVED = Link("https://d.example/", PLACE, Known(Class.MOVED, DAY, DAY, to="https://e.example/"))
BODY = verdict([DEAD], [], BOT).body


def by_gh(number: int, state: str = "OPEN", body: str = BODY, author: str = "app/github-actions") -> dict[str, Any]:
    """An issue as `gh issue list --json number,state,title,body,author` prints it."""
    login = {"id": "MDM6Qm90", "is_bot": True, "login": author, "name": ""}
    return {"author": login, "body": body, "number": number, "state": state, "title": TITLE}


def by_api(number: int, state: str = "open", body: str = BODY, login: str = BOT, **more: Any) -> dict[str, Any]:
    """An issue as the REST interface lists it."""
    user = {"login": login, "id": 41898282, "type": "Bot", "site_admin": False}
    return {
        "url": f"https://api.github.com/repos/o/r/issues/{number}",
        "id": number + 1000,
        "number": number,
        "title": TITLE,
        "user": user,
        "labels": [],
        "state": state,
        "comments": 0,
        "body": body,
        **more,
    }


@pytest.mark.parametrize("listed", [by_gh, by_api])
def test_one_issue_is_created_updated_closed_and_opened_again(listed: Any) -> None:
    first = verdict([WELL, DEAD], [], BOT)
    assert (first.action, first.number, first.title) == ("create", None, TITLE)
    assert first.body.startswith(MARKER)
    assert "c.example" in first.body
    stands = [listed(7, body=first.body.replace("\n", "\r\n"))]
    assert verdict([WELL, DEAD], stands, BOT).action == "nothing"
    more = verdict([WELL, DEAD, MOVED], stands, BOT)
    assert (more.action, more.number) == ("update", 7)
    mended = verdict([WELL], stands, BOT)
    assert (mended.action, mended.number) == ("close", 7)
    assert "No link fails." in mended.body
    closed = [listed(7, state="closed"), listed(3, state="closed")]
    assert verdict([WELL], closed, BOT).action == "nothing"
    again = verdict([DEAD], closed, BOT)
    assert (again.action, again.number) == ("reopen", 7)


def test_a_link_that_fails_but_is_not_dead_opens_nothing_and_keeps_nothing_open() -> None:
    assert verdict([FAILING], [], BOT).action == "nothing"
    assert verdict([FAILING], [by_api(1)], BOT).action == "close"


def test_of_several_open_ones_the_first_is_kept_up_to_date() -> None:
    assert verdict([MOVED], [by_api(9), by_api(4), by_api(5, state="closed")], BOT).number == 4


@pytest.mark.parametrize(
    "other",
    [
        by_api(1, login="mallory"),
        by_api(1, login="github-actions"),
        by_gh(1, author="mallory"),
        by_api(1, body=f"Look here: {MARKER}"),
        by_api(1, body=None),
        by_api(1, pull_request={"url": "https://api.github.com/repos/o/r/pulls/1"}),
        {**by_api(1), "user": None},
    ],
)
def test_what_others_wrote_is_left_alone(other: dict[str, Any]) -> None:
    assert (verdict([DEAD], [other], BOT).action, verdict([DEAD], [other], BOT).number) == ("create", None)


@pytest.mark.parametrize(
    "issues", [None, {}, "x", [1], [{}], [{"number": "1"}], [{"number": 1}], [{"number": 1, "state": 2}]]
)
def test_what_is_no_list_of_issues_is_said(issues: object) -> None:
    with pytest.raises(IssuesError, match=r"issue"):
        verdict([DEAD], issues, BOT)


def test_a_body_is_as_long_as_github_takes() -> None:
    long = [Link(f"https://c.example/{'x' * 1900}{at}", PLACE, DEAD.known) for at in range(200)]
    assert len(verdict(long, [], BOT).body) < 65_536
