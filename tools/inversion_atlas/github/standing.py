"""Issues that stand for as long as there is something to do: a verdict carried out, a list kept up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inversion_atlas.github.api import GitHub
from inversion_atlas.github.text import MAX_COMMENT

_MAX_BYTES = 4_000_000
_DONE = {"update": "updated", "reopen": "reopened", "close": "closed"}
_CUT = "\n\nThe rest is too long for an issue.\n"


class Verdict(BaseModel):
    """What is to become of an issue, as `atlas links issue` says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["create", "update", "reopen", "close", "nothing"]
    number: Annotated[int, Field(ge=1)] | None
    title: Annotated[str, Field(min_length=1, max_length=250)]
    body: Annotated[str, Field(max_length=MAX_COMMENT)]


def read_verdict(path: Path) -> Verdict:
    """Return the verdict in a file; raises ValueError or OSError."""
    try:
        return Verdict.model_validate_json(_read(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{path} is no verdict: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def carry_out(verdict: Verdict, hub: GitHub) -> str:
    """Do with the issue what the verdict says; return what was done. Raises ValueError, GitHubError."""
    if verdict.action == "nothing":
        return "nothing to do: the issue is up to date, or not needed"
    if verdict.action == "create":
        return f"issue {hub.open_issue(verdict.title, verdict.body)}: opened"
    if verdict.number is None:
        raise ValueError(f"the verdict to {verdict.action} names no issue")
    state = "closed" if verdict.action == "close" else "open"
    hub.edit_issue(verdict.number, title=verdict.title, body=verdict.body, state=state)
    return f"issue {verdict.number}: {_DONE[verdict.action]}"


def keep_list(path: Path, title: str, hub: GitHub) -> str:
    """Let the one issue of this title, written by the bot, say what a file says, and be open; return what was done."""
    marker = f"<!-- inversion-atlas: list: {title} -->"
    text = _read(path).decode("utf-8", "replace").replace("\0", "")
    body = f"{marker}\n{text}"
    if len(body) > MAX_COMMENT:
        body = body[: MAX_COMMENT - len(_CUT)].rpartition("\n")[0] + _CUT
    for issue in hub.own_issues():
        if str(issue["body"] or "").startswith(marker):
            number = int(issue["number"])
            if issue["body"] == body and issue["state"] == "open":
                return f"issue {number}: up to date"
            hub.edit_issue(number, title=title, body=body, state="open")
            return f"issue {number}: updated"
    return f"issue {hub.open_issue(title, body)}: opened"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ValueError(f"{path} has more than {_MAX_BYTES:,} bytes")
    return data
