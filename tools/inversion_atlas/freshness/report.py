"""What was found, as Markdown for a standing issue and as JSON. Titles and names come from strangers."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from inversion_atlas.exports.citation import arxiv_address, doi_address
from inversion_atlas.exports.markdown import escape, link
from inversion_atlas.freshness.memory import Candidate

# By this line a workflow knows the issue that it keeps up to date.
DISCOVER_MARKER = "<!-- inversion-atlas: discover -->"
# GitHub takes 65,536 characters; what follows the list has room.
_MOST_CHARACTERS = 60_000
_LONGEST_TITLE = 300
_AUTHORS = 3


def address(candidate: Candidate) -> str:
    """Return where a reader finds the work."""
    if candidate.doi:
        return doi_address(candidate.doi)
    if candidate.arxiv:
        return arxiv_address(candidate.arxiv)
    return candidate.url or f"https://openalex.org/{candidate.openalex}"


def add_command(candidate: Candidate) -> str:
    """Return the command that adds the work, safe to paste into a shell; nothing where there is none."""
    thing = candidate.doi or (f"arxiv:{candidate.arxiv}" if candidate.arxiv else candidate.url)
    return f"atlas add {shlex.quote(thing)}" if thing else ""


def refuse_command(candidate: Candidate) -> str:
    """Return the command that keeps the work from being listed again."""
    return f'atlas discover --refuse {shlex.quote(candidate.ids[0])} --because "…"'


def as_json(candidate: Candidate) -> dict[str, Any]:
    """Return the work as an object of the JSON list."""
    return {
        "id": candidate.ids[0],
        **candidate.model_dump(mode="json"),
        "address": address(candidate),
        "add": add_command(candidate) or None,
    }


def markdown(
    candidates: Mapping[str, Candidate], day: date, limit: int, failed: Sequence[str], notes: Iterable[str]
) -> Iterator[str]:
    """Yield the list as lines of Markdown, at most `limit` works and no more than an issue can hold."""
    yield DISCOVER_MARKER
    yield f"Works that the catalogue may lack, as of {day}, those most like it first."
    yield ""
    if failed:
        yield "**The list is not whole:**"
        yield from (f"- {_plain(reason)}" for reason in failed)
        yield ""
    length = shown = 0
    for candidate in list(candidates.values())[:limit]:
        item = _item(candidate)
        if (length := length + len(item)) > _MOST_CHARACTERS:
            break
        shown += 1
        yield item
    if not candidates:
        yield "Nothing new."
    if rest := len(candidates) - shown:
        yield f"- {rest:,} more: `atlas discover --offline --limit {len(candidates)}`"
    if some := [_plain(note) for note in notes]:
        yield ""
        yield from (f"- {note}" for note in some[: _AUTHORS * 10])
        if len(some) > _AUTHORS * 10:
            yield f"- {len(some) - _AUTHORS * 10:,} more notes: `atlas discover --json`"
    if candidates:
        yield ""
        yield (
            "Add a work with the command beside it. What does not belong here is not listed again after "
            '`atlas discover --refuse ID --because "…"`, which writes it to `data/refused.yaml`.'
        )


def _item(candidate: Candidate) -> str:
    title = candidate.title if len(candidate.title) <= _LONGEST_TITLE else f"{candidate.title[:_LONGEST_TITLE]}…"
    more = " et al." if len(candidate.authors) > _AUTHORS else ""
    facts = [f"{_plain('; '.join(candidate.authors[:_AUTHORS]))}{more}", str(candidate.year)]
    facts += [_plain(candidate.venue)] if candidate.venue else []
    why = [f"likeness {candidate.likeness:.1f}" + _said(": ", (f"“{_plain(word)}”" for word in candidate.words))]
    why += [f"near {', '.join(f'`{id}`' for id in candidate.nearest)}"] if candidate.nearest else []
    why += [f"cites {', '.join(f'`{id}`' for id in candidate.cites)}"] if candidate.cites else []
    command = add_command(candidate)
    lines = [f"- {link(title, address(candidate))}, {', '.join(facts)}", f"  - {'; '.join(why)}"]
    lines.append(f"  - {_code(command)}" if command else "  - it has neither DOI nor arXiv id: `atlas new`")
    lines[-1] += f" · id {_code(candidate.ids[0])}"
    return "\n".join(lines)


def _said(before: str, parts: Iterable[str]) -> str:
    text = ", ".join(parts)
    return f"{before}{text}" if text else ""


def _plain(text: str) -> str:
    """Return text that neither Markdown nor GitHub's own links to people and issues act on."""
    return escape(text).replace("#", "#<!-- -->")


def _code(text: str) -> str:
    return f"`{text.replace('`', '%60')}`"
