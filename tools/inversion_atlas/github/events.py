"""What triggered a workflow, out of the file that GitHub writes; https://docs.github.com/en/webhooks describes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

# A webhook's payload has 25 MB at most.
_MAX_BYTES = 25_000_000
_Number = Annotated[int, Field(ge=1, le=2**53)]
_Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
_Login = Annotated[str, Field(max_length=100)]


E = TypeVar("E", bound=BaseModel)


class EventError(Exception):
    """The file of the event is not one that the command can work on; the message says why."""


class _Part(BaseModel):
    """A part of an event; what is not asked for is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Issue(_Part):
    """An issue: `body` is what its author wrote, and may be anything."""

    number: _Number
    state: str = "open"
    body: str | None = None
    pull_request: dict[str, Any] | None = None


class IssueEvent(_Part):
    """Something happened to an issue."""

    action: str
    issue: Issue


class Owner(_Part):
    """Whose a repository is."""

    login: _Login


class Repository(_Part):
    """A repository."""

    id: int
    owner: Owner


class Run(_Part):
    """A run of a workflow. `head_branch` is a name that a stranger chose."""

    id: _Number
    event: str
    head_sha: _Sha
    head_branch: str | None = None
    head_repository: Repository | None = None


class RunEvent(_Part):
    """Something happened to a run of a workflow."""

    action: str
    workflow_run: Run


def read_issue_event(path: Path) -> IssueEvent:
    """Return the event of an issue; raises EventError."""
    return _read(path, IssueEvent)


def read_run_event(path: Path) -> RunEvent:
    """Return the event of a run of a workflow; raises EventError."""
    return _read(path, RunEvent)


def _read(path: Path, model: type[E]) -> E:
    try:
        data = path.read_bytes()
        if len(data) > _MAX_BYTES:
            raise EventError(f"{path} has {len(data):,} bytes; an event has {_MAX_BYTES:,} at most")
        return model.model_validate(json.loads(data))
    except OSError as error:
        raise EventError(f"cannot read {path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise EventError(f"{path} is no such event: {where}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise EventError(f"{path} is no JSON: {type(error).__name__}") from None
