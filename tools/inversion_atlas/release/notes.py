"""What a release changed, as a section of data/CHANGELOG.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.changes import Change, FieldChange, What
from inversion_atlas.exports.markdown import escape
from inversion_atlas.release.version import ReleaseError, Version

PATH = "data/CHANGELOG.md"
_HEAD = """\
# Changes of the data

One section for each dated version, the newest first, written by `atlas release`.
"""
_HEADINGS = {
    What.ADDED: "Added",
    What.CHANGED: "Changed",
    What.RENAMED: "Renamed",
    What.RETIRED: "Retired",
}
_PLURALS = {
    "paper": "papers",
    "dataset": "datasets",
    "metric": "metrics",
    "venue": "venues",
    "facet": "facets",
    "term": "terms",
    "source": "sources",
    "row": "rows of sources",
    "settings": "settings",
}
# A field that says more than this is named, and the record says the rest.
_SHORT = 100


def section(version: Version, since: str, changes: Sequence[Change], catalogue: Catalogue) -> str:
    """Return the section of a version in Markdown: what became of each record since `since`, or what there is."""
    if not since:
        return f"## {version}\n\nThe first version: {_counts(catalogue)}.\n"
    parts = [f"## {version}\n", f"Since {since}: {summary(changes)}.\n"]
    for what, heading in _HEADINGS.items():
        if lines := list(_lines([change for change in changes if change.what is what])):
            parts.append(f"### {heading}\n\n" + "".join(f"- {line}\n" for line in lines))
    return "\n".join(parts)


def summary(changes: Iterable[Change]) -> str:
    """Return how many records of each kind were added, changed, renamed and retired, in one line."""
    counts = Counter((change.kind, change.what) for change in changes)
    told = [
        f"{counts[kind, what]:,} {_named(kind, counts[kind, what])} {what}"
        for what in _HEADINGS
        for kind in _PLURALS
        if counts[kind, what]
    ]
    return ", ".join(told) or "no record changed"


def with_section(text: str, version: Version, new: str) -> str:
    """Return the changelog with a section put before the others; raises ReleaseError where the version has one."""
    if re.search(rf"^## {re.escape(str(version))}$", text, re.MULTILINE):
        raise ReleaseError(f"{PATH} has a section {version} already; choose another version")
    if not text.strip():
        return f"{_HEAD}\n{new}"
    at = re.search(r"^## ", text, re.MULTILINE)
    place = at.start() if at else len(text)
    before = text[:place].rstrip("\n")
    after = text[place:]
    return f"{before}\n\n{new}" + (f"\n{after}" if after else "")


def _counts(catalogue: Catalogue) -> str:
    counts = {
        "paper": len(catalogue.papers),
        "dataset": len(catalogue.datasets),
        "metric": len(catalogue.metrics),
        "venue": len(catalogue.venues),
        "facet": len(catalogue.facets),
        "term": sum(len(facet.terms) for facet in catalogue.facets.values()),
        "source": len(catalogue.sources),
        "row": sum(len(source.rows) for source in catalogue.sources.values()),
    }
    return ", ".join(f"{count:,} {_named(kind, count)}" for kind, count in counts.items())


def _named(kind: str, count: int) -> str:
    return _PLURALS[kind] if count != 1 else {"row": "row of a source"}.get(kind, kind)


def _lines(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        # Of a ledger, only what changed in a row is told row by row: a survey has hundreds.
        if change.kind == "row" and change.what is not What.CHANGED:
            continue
        yield _line(change)
    rows = Counter(change.id.partition(":")[0] for change in changes if change.kind == "row")
    if changes and changes[0].what is not What.CHANGED:
        yield from (f"{count:,} {_named('row', count)}: `{source}`" for source, count in sorted(rows.items()))


def _line(change: Change) -> str:
    label = escape(_shortened(change.label))
    if change.kind == "row":
        source, _, place = change.id.partition(": ")
        head = f"row of `{source}`, {escape(_shortened(place))}"
    elif change.kind == "settings":
        head = "settings"
    else:
        head = f"{change.kind} `{change.id}`, {label}"
    match change.what:
        case What.CHANGED:
            return f"{head}: {'; '.join(map(_field, change.fields))}"
        case What.RENAMED:
            return f"{head}: now `{change.new_id}`"
        case _:
            return head


def _field(change: FieldChange) -> str:
    told = str(change)
    return escape(told) if len(told) <= _SHORT else f"{escape(change.field)} changed"


def _shortened(text: str) -> str:
    return text if len(text) <= 2 * _SHORT else f"{text[: 2 * _SHORT]}…"
