"""A proposal brought to GitHub: its branch, its pull request, and the one answer on the issue."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from inversion_atlas.github.api import BOT, GitHub
from inversion_atlas.github.proposal import Proposal

MARKER = "<!-- inversion-atlas: form -->"
_MAX_BYTES = 1_000_000


def read_proposal(path: Path, number: int) -> Proposal:
    """Return the proposal in a file, for the issue of this number; raises ValueError or OSError."""
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ValueError(f"{path} has more than {_MAX_BYTES:,} bytes")
    try:
        made = Proposal.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{path} is no proposal: {first['msg']}") from None
    if made.number != number:
        raise ValueError(f"{path} is for issue {made.number}, and the event is of issue {number}")
    return made


def bring(made: Proposal, hub: GitHub) -> str:
    """Write the branch, open the pull request or bring it up to date, answer the issue; return what was done."""
    reply = made.reply
    done = f"issue {made.number}: answered"
    if made.path:
        number, why_not = _pull_request(made, hub)
        reply = why_not or f"{reply}\n\nProposed in #{number}."
        done = f"issue {made.number}: {why_not or f'proposed in pull request {number}'}"
    hub.put_comment(made.number, MARKER, reply)
    return done


def _pull_request(made: Proposal, hub: GitHub) -> tuple[int, str]:
    """Return the number of the pull request, or why none was touched."""
    main = hub.default_branch()
    earlier = hub.pull_requests(f"{hub.owner}:{made.branch}", state="all")
    opened = [each for each in earlier if each["state"] == "open"]
    if earlier and not opened:
        return 0, f"The proposal of this form, #{int(earlier[0]['number'])}, is closed. Nothing was written."
    tip, base = hub.branch_tip(made.branch), hub.branch_tip(main)
    # What was reviewed must not change under the reviewer, by an edit of the form just before the merge.
    reviewed = bool(opened) and hub.is_reviewed(int(opened[0]["number"]))
    if reviewed or (tip and hub.authors_since(main, made.branch) - {BOT}):
        where = f"#{int(opened[0]['number'])}" if opened else f"the branch `{made.branch}`"
        return 0, f"Somebody has worked on {where} since. Nothing was written; say there what is to change."
    hub.put_file(made.branch, tip, base, made.path, made.text, f"{made.title}\n\nFrom the form in issue {made.number}.")
    if opened:
        number = int(opened[0]["number"])
        hub.edit_pull_request(number, made.title, made.body)
        return number, ""
    return hub.open_pull_request(made.branch, made.title, made.body), ""
