"""`atlas github issue` and `list`, on a server that plays GitHub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.github.conftest import Run
from tests.servers.github import BOT, Playing

VERDICT = {"action": "create", "number": None, "title": "Links", "body": "<!-- marker -->\nTwo."}


def verdict(folder: Path, **changed: object) -> Path:
    path = folder / "verdict.json"
    path.write_text(json.dumps(VERDICT | changed))
    return path


def test_a_verdict_is_carried_out(run: Run, hub: Playing, tmp_path: Path) -> None:
    assert run("issue", verdict(tmp_path)).exit_code == 0
    assert [(issue["title"], issue["state"]) for issue in hub.issues] == [("Links", "open")]
    for action, state in (("update", "open"), ("close", "closed"), ("reopen", "open")):
        assert run("issue", verdict(tmp_path, action=action, number=200, body=action)).exit_code == 0
        assert [(issue["body"], issue["state"]) for issue in hub.issues] == [(action, state)]
    asked = len(hub.asked)
    assert run("issue", verdict(tmp_path, action="nothing")).exit_code == 0
    assert len(hub.asked) == asked


@pytest.mark.parametrize(
    "changed",
    [{"action": "delete"}, {"action": "close"}, {"number": 0}, {"title": ""}, {"body": "x" * 70_000}, {"to": 1}],
)
def test_what_is_no_verdict_is_refused(run: Run, hub: Playing, tmp_path: Path, changed: dict[str, object]) -> None:
    result = run("issue", verdict(tmp_path, **changed))
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert hub.asked == []


def test_an_issue_that_is_gone_is_said(run: Run, hub: Playing, tmp_path: Path) -> None:
    result = run("issue", verdict(tmp_path, action="close", number=9))
    assert result.exit_code == 3
    assert "Not Found" in result.stderr


def test_a_list_has_one_issue(run: Run, hub: Playing, tmp_path: Path) -> None:
    path = tmp_path / "new.md"
    path.write_text("- One\n")
    hub.issues.append({"number": 1, "state": "open", "title": "New", "user": {"login": "a-stranger"},
                       "body": "<!-- inversion-atlas: list: New -->\nMine"})  # fmt: skip
    for _ in range(2):
        assert run("list", path, "--title", "New").exit_code == 0
    assert run("list", path, "--title", "Others").exit_code == 0
    assert [issue["title"] for issue in hub.issues] == ["New", "New", "Others"]
    hub.issues[1]["state"] = "closed"
    path.write_text("- Two\n")
    assert run("list", path, "--title", "New").exit_code == 0
    assert (hub.issues[1]["state"], hub.issues[1]["body"]) == ("open", "<!-- inversion-atlas: list: New -->\n- Two\n")
    assert hub.issues[0]["body"].endswith("Mine")
    assert {issue["user"]["login"] for issue in hub.issues[1:]} == {BOT}


def test_a_long_list_is_cut_at_a_line(run: Run, hub: Playing, tmp_path: Path) -> None:
    path = tmp_path / "new.md"
    path.write_text("- A work that may be missing\n" * 9000)
    assert run("list", path, "--title", "New").exit_code == 0
    assert hub.issues[0]["body"].endswith("may be missing\n\nThe rest is too long for an issue.\n")


def test_a_list_that_is_not_there_is_said(run: Run, hub: Playing, tmp_path: Path) -> None:
    assert run("list", tmp_path / "nothing.md", "--title", "New").exit_code == 1
