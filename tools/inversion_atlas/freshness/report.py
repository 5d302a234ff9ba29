"""What was found, as Markdown for a standing issue and as JSON. Titles and names come from strangers."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import arxiv_address, doi_address
from inversion_atlas.exports.markdown import for_github, link
from inversion_atlas.freshness.memory import Candidate

if TYPE_CHECKING:
    from inversion_atlas.freshness.upgrades import Doubt, Upgrade

# By its first line a workflow knows the issue that it keeps up to date.
DISCOVER_MARKER = "<!-- inversion-atlas: discover -->"
REFRESH_MARKER = "<!-- inversion-atlas: refresh -->"
# GitHub takes 65,536 characters; what follows the list has room.
_MOST_CHARACTERS = 60_000
_LONGEST_TITLE = 300
_AUTHORS = 3
_MOST_NOTES = 30


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
        yield from (f"- {for_github(reason)}" for reason in failed)
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
    if some := [for_github(note) for note in notes]:
        yield ""
        yield from (f"- {note}" for note in some[:_MOST_NOTES])
        if len(some) > _MOST_NOTES:
            yield f"- {len(some) - _MOST_NOTES:,} more notes: `atlas discover --json`"
    if candidates:
        yield ""
        yield (
            "Add a work with the command beside it. What does not belong here is not listed again after "
            '`atlas discover --refuse ID --because "…"`, which writes it to `data/refused.yaml`.'
        )


def _item(candidate: Candidate) -> str:
    title = candidate.title if len(candidate.title) <= _LONGEST_TITLE else f"{candidate.title[:_LONGEST_TITLE]}…"
    more = " et al." if len(candidate.authors) > _AUTHORS else ""
    facts = [f"{for_github('; '.join(candidate.authors[:_AUTHORS]))}{more}", str(candidate.year)]
    facts += [for_github(candidate.venue)] if candidate.venue else []
    why = [f"likeness {candidate.likeness:.1f}" + _said(": ", (f"“{for_github(word)}”" for word in candidate.words))]
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


def _code(text: str) -> str:
    return f"`{text.replace('`', '%60')}`"


def refresh_json(
    upgrades: Sequence[Upgrade], doubts: Sequence[Doubt], failed: Sequence[str], catalogue: Catalogue
) -> dict[str, Any]:
    """Return what `atlas refresh --json` prints."""
    return {
        "upgrades": [
            {
                "id": upgrade.record.id,
                "file": catalogue.place(upgrade.record).path,
                "by": upgrade.by,
                "changes": [{"field": c.field, "old": c.old or None, "new": c.new} for c in upgrade.changes],
            }
            for upgrade in upgrades
        ],
        "doubts": [{"id": doubt.record.id, "message": doubt.message} for doubt in doubts],
        "failed": list(failed),
    }


def refresh_markdown(
    upgrades: Sequence[Upgrade], doubts: Sequence[Doubt], failed: Sequence[str], asked: int, catalogue: Catalogue
) -> Iterator[str]:
    """Yield what became of the preprints as lines of Markdown for a standing issue."""
    yield REFRESH_MARKER
    yield f"{asked:,} preprints were looked up; {len(upgrades):,} of them are known to be published."
    if failed:
        yield from ("", "**Something may be missing:**", "")
        yield from (f"- {for_github(reason)}" for reason in failed[:_MOST_NOTES])
    items = [_upgrade(upgrade) for upgrade in upgrades]
    yield from _section("Published", items, "`atlas refresh --write` changes the records; with `id=ID` only one.")
    yield from _section("For a curator", [f"- `{each.record.id}` {for_github(each.message)}" for each in doubts], "")


def _upgrade(upgrade: Upgrade) -> str:
    head = f"- `{upgrade.record.id}` {for_github(upgrade.record.title)} ({for_github(upgrade.by)})"
    return "\n".join([head, *(f"  - {for_github(str(change))}" for change in upgrade.changes)])


def _section(heading: str, items: Sequence[str], end: str) -> Iterator[str]:
    """Yield a list under its heading, as far as half an issue holds it."""
    if not items:
        return
    yield from ("", f"## {heading}", "")
    length = 0
    for at, item in enumerate(items):
        if (length := length + len(item)) > _MOST_CHARACTERS // 2:
            yield f"- {len(items) - at:,} more: `atlas refresh --json`"
            break
        yield item
    if end:
        yield from ("", end)
