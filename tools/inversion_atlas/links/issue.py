"""The one issue about links: opened when something is to be done, kept up to date, closed when nothing is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from inversion_atlas.links.report import Link, markdown

MARKER = "<!-- inversion-atlas: links -->"
TITLE = "Links that need a curator"
# GitHub takes 65,536 characters.
_MOST = 60_000
_ABOUT = (
    "This issue follows what `atlas links check` finds, and closes when no link is dead or has moved. What is written "
    "into it by hand is lost."
)


class IssuesError(ValueError):
    """The list of issues is not what GitHub answers; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done: `number` is the issue, None where there is none; `body` is what it should say."""

    action: Literal["create", "update", "reopen", "close", "nothing"]
    number: int | None
    title: str
    body: str

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as an object for a workflow."""
        return asdict(self)


def verdict(links: Iterable[Link], issues: object, author: str) -> Verdict:
    """Decide what becomes of the issue, given the issues of a repository as GitHub lists them, open and closed.

    Ours is the first open one, else the last closed one, that `author` wrote with the marker; whoever copies the marker
    into an issue of his own changes nothing. Raises IssuesError.
    """
    found = list(links)
    body = _body(found)
    ours = [issue for issue in _read(issues) if issue.author == _login(author) and issue.body.startswith(MARKER)]
    opened = min((issue for issue in ours if issue.open), key=lambda issue: issue.number, default=None)
    closed = max((issue for issue in ours if not issue.open), key=lambda issue: issue.number, default=None)
    needed = any(link.standing in ("dead", "moved") for link in found)
    if opened is None:
        if not needed:
            return Verdict("nothing", None, TITLE, body)
        return Verdict("reopen", closed.number, TITLE, body) if closed else Verdict("create", None, TITLE, body)
    if not needed:
        return Verdict("close", opened.number, TITLE, body)
    same = opened.title == TITLE and opened.body.strip() == body.strip()
    return Verdict("nothing" if same else "update", opened.number, TITLE, body)


@dataclass(frozen=True, slots=True)
class _Issue:
    number: int
    open: bool
    title: str
    body: str
    author: str


def _read(issues: object) -> Sequence[_Issue]:
    """Return issues as `gh issue list --json` or GitHub's API lists them; pull requests are left out."""
    if not isinstance(issues, list):
        raise IssuesError("the issues are no JSON array")
    return [
        _issue(at, each) for at, each in enumerate(issues) if not (isinstance(each, dict) and "pull_request" in each)
    ]


def _issue(at: int, each: object) -> _Issue:
    if not isinstance(each, dict) or not isinstance(number := each.get("number"), int):
        raise IssuesError(f"issue {at + 1} of the list has no number")
    state, author = str(each.get("state", "")).lower(), each.get("author") or each.get("user") or {}
    if state not in ("open", "closed"):
        raise IssuesError(f"issue {number} is neither open nor closed")
    login = _login(str(author.get("login", ""))) if isinstance(author, dict) else ""
    # GitHub keeps the line ends of whoever wrote a text.
    body = str(each.get("body") or "").replace("\r\n", "\n")
    return _Issue(number, state == "open", str(each.get("title") or ""), body, login)


def _login(name: str) -> str:
    """Return a login under one spelling: `gh` says `app/github-actions` where the API says `github-actions[bot]`."""
    login = name.lower()
    return f"{login.removeprefix('app/')}[bot]" if login.startswith("app/") else login


def _body(links: Sequence[Link]) -> str:
    kept, size = [], 0
    for line in markdown(links):
        size += len(line) + 1
        if size > _MOST:
            kept.append("\nAnd more: `atlas links report`")
            break
        kept.append(line)
    return "\n".join([MARKER, _ABOUT, "", *kept]) + "\n"
