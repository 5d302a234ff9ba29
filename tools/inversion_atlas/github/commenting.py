"""The review of a run that is not trusted, posted on the pull request that the run was for."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from inversion_atlas.github.api import GitHub
from inversion_atlas.github.events import Run
from inversion_atlas.github.review import MARKER, Review

ARTIFACT, MEMBER = "review", "review.json"
_MAX_BYTES = 2_000_000


def comment_on(run: Run, hub: GitHub) -> str:
    """Post the review of a run, or bring it up to date; return what was done.

    Raises ValueError where the artifact is no review, GitHubError where GitHub does not do what it is asked.
    """
    if run.event != "pull_request" or run.head_repository is None or not run.head_branch:
        return "nothing to do: the run was not one of a pull request"
    number = _pull_request(run, hub)
    if not number:
        return "nothing to do: no open pull request stands at the commit that was run"
    data = hub.artifact(run.id, ARTIFACT, MEMBER, _MAX_BYTES)
    try:
        found = Review.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"the artifact of run {run.id} is no review: {first['msg']}") from None
    hub.put_comment(number, MARKER, f"{found.markdown()}\n\n<sub>For commit {run.head_sha}.</sub>")
    return f"pull request {number}: reviewed"


def _pull_request(run: Run, hub: GitHub) -> int:
    """Return the number of the pull request that was run, 0 where there is none; nothing in the artifact is asked."""
    assert run.head_repository
    main = hub.default_branch()
    head = f"{run.head_repository.owner.login}:{run.head_branch}"
    found = [int(each["number"]) for each in hub.pull_requests(head) if _stands_at(each, run, main)]
    return found[0] if found else 0


def _stands_at(pull: dict[str, Any], run: Run, main: str) -> bool:
    head = pull["head"]
    repository = head["repo"] or {}
    same = head["sha"] == run.head_sha and run.head_repository and repository.get("id") == run.head_repository.id
    return bool(same) and pull["base"]["ref"] == main
