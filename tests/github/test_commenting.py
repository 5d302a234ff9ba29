"""`atlas github comment`: the review of a run that is not trusted, on a server that plays GitHub."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from tests.github.conftest import Event, Run
from tests.github.harmless import PARSER, acting
from tests.servers.github import Playing

from inversion_atlas.github.review import MARKER

SHA = "b" * 40
REVIEW: dict[str, Any] = {
    "records": [
        {"kind": "paper", "id": "li2020wax", "what": "added", "label": "Wax", "new_id": None, "fields": [],
         "more_fields": 0}
    ],
    "more_records": 0, "findings": [], "more_findings": 0, "elsewhere": [], "rest": {"note": 3}, "previews": [],
    "more_previews": 0, "generated": [],
}  # fmt: skip


@pytest.fixture
def pull(hub: Playing) -> dict[str, Any]:
    """A pull request from a fork, whose run kept a review."""
    keep(hub)
    made = hub.pull(40, "a-stranger:add-wax", SHA)
    made["head"]["repo"]["id"] = 8
    return made


def keep(hub: Playing, run: int = 6001, **changed: Any) -> None:
    hub.store(run, "review", {"review.json": json.dumps(REVIEW | changed).encode()})


def test_the_review_is_posted_once_and_then_renewed(run: Run, event: Event, hub: Playing, pull: dict[str, Any]) -> None:
    result = run("comment", "--event", event("review-completed"))
    assert result.exit_code == 0, result.output
    (said,) = hub.said(40)
    assert said.startswith(f"{MARKER}\n## What this changes\n\n- **added** `li2020wax`: Wax")
    assert said.endswith(f"<sub>For commit {SHA}.</sub>")
    keep(hub, 6002, generated=["README.md"])
    pull["head"]["sha"] = "c" * 40
    assert run("comment", "--event", event("review-completed", id=6002, head_sha="c" * 40)).exit_code == 0
    (said,) = hub.said(40)
    assert "Leave them out" in said
    assert "c" * 40 in said


def test_the_token_stays_with_github(run: Run, event: Event, hub: Playing, pull: dict[str, Any]) -> None:
    run("comment", "--event", event("review-completed"))
    assert hub.storage_saw == [None]


def test_a_run_of_another_commit_comments_on_nothing(
    run: Run, event: Event, hub: Playing, pull: dict[str, Any]
) -> None:
    pull["head"]["sha"] = "c" * 40
    result = run("comment", "--event", event("review-completed"))
    assert (result.exit_code, hub.comments) == (0, {})
    assert "no open pull request stands at the commit" in result.stderr


@pytest.mark.parametrize(
    "change",
    [
        lambda pull: pull.update(state="closed"),
        lambda pull: pull["base"].update(ref="other"),
        lambda pull: pull["head"]["repo"].update(id=9),
        lambda pull: pull["head"].update(repo=None),
        lambda pull: pull["head"].update(label="somebody-else:add-wax"),
    ],
)
def test_a_pull_request_of_another_head_is_left_alone(
    run: Run, event: Event, hub: Playing, pull: dict[str, Any], change: Callable[[dict[str, Any]], None]
) -> None:
    change(pull)
    assert run("comment", "--event", event("review-completed")).exit_code == 0
    assert hub.comments == {}


@pytest.mark.parametrize("name", ["review-of-a-push-completed", "review-of-a-deleted-fork-completed"])
def test_runs_that_are_not_of_a_pull_request_ask_for_nothing(run: Run, event: Event, hub: Playing, name: str) -> None:
    assert run("comment", "--event", event(name)).exit_code == 0
    assert hub.asked == []


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("review.json", b" " * 50_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("packed", "code"),
    [
        (b"", 3),
        (b"PK\x05\x06", 3),
        (b"x" * 3_000_000, 3),
        (bomb(), 3),
    ],
    ids=["empty", "broken", "too large", "bomb"],
)
def test_a_hostile_archive_is_refused(
    run: Run, event: Event, hub: Playing, pull: dict[str, Any], packed: bytes, code: int
) -> None:
    hub.packed[hub.artifacts[6001][0]["id"]] = packed
    result = run("comment", "--event", event("review-completed"))
    assert (result.exit_code, bool(result.stderr)) == (code, True), result.output
    assert hub.comments == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"records": [{"kind": "paper"}]},
        {"records": [REVIEW["records"][0] | {"kind": "<b>"}]},
        {"records": REVIEW["records"] * 61},
        {"generated": ["x" * 601]},
        {"more_records": -1},
        {"more_records": "<b>"},
        {"number": 1},
        {"rest": {"<b>": 1}},
        {"previews": [{"id": "x", "line": "", "facts": [["a", "b", "c"]], "addresses": []}]},
    ],
)
def test_what_is_no_review_is_refused(
    run: Run, event: Event, hub: Playing, pull: dict[str, Any], changed: dict[str, Any]
) -> None:
    hub.artifacts.clear()
    keep(hub, **changed)
    result = run("comment", "--event", event("review-completed"))
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "is no review" in result.stderr
    assert hub.comments == {}


def test_a_hostile_review_can_only_be_wrong(run: Run, event: Event, hub: Playing, pull: dict[str, Any]) -> None:
    evil = "</summary></details> @octocat fixes #1 [x](javascript:y) <!-- inversion-atlas: form --> ```\n# H <b>"
    found = {"code": evil, "severity": "error", "path": evil, "line": 1, "message": evil}
    field = {"name": evil, "before": evil, "after": None}
    record = REVIEW["records"][0] | {"what": "renamed", "id": evil, "label": evil, "new_id": evil, "fields": [field]}
    preview = {"id": evil, "line": evil, "facts": [[evil, evil]], "addresses": [evil, "javascript:alert(1)"]}
    hub.artifacts.clear()
    keep(hub, records=[record], findings=[found], elsewhere=[found], previews=[preview], generated=[evil])
    assert run("comment", "--event", event("review-completed")).exit_code == 0
    (said,) = hub.said(40)
    assert acting(said) == []
    assert len(PARSER.parse(said)) > 40


@pytest.mark.parametrize("artifacts", [[], [{"expired": True}], [{}, {}]])
def test_without_one_artifact_it_says_so(
    run: Run, event: Event, hub: Playing, pull: dict[str, Any], artifacts: list[dict[str, Any]]
) -> None:
    kept = hub.artifacts.pop(6001)[0]
    hub.artifacts[6001] = [kept | changed for changed in artifacts]
    result = run("comment", "--event", event("review-completed"))
    assert result.exit_code == 3
    assert "artifacts called review" in result.stderr
