"""What's new: works by the day they were added or corrected, the newest publications, and the feeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from inversion_atlas.records.paper import Paper
from inversion_atlas.website.feeds import Change
from inversion_atlas.website.rendering import Page, Renderer

NEW = "new/"
_DAYS = 20
# A day on which more came in than anybody reads through shows its newest works.
_A_DAY = 25
_NEWEST = 25
_LATEST_YEARS = 2


@dataclass(frozen=True, slots=True)
class Day:
    """What happened to the records on a day: how many works were added and corrected, and the entries shown."""

    date: str
    added: int
    corrected: int
    added_entries: Markup
    corrected_entries: Markup


def new_page(renderer: Renderer, changed: Mapping[str, Change]) -> Page:
    """Return the page of what is new."""
    papers = renderer.newest_first
    body = renderer.render(
        "new.html",
        NEW,
        days=list(days(renderer, changed))[:_DAYS],
        newest=renderer.works(papers[:_NEWEST], NEW),
        appeared=list(appeared(papers)),
        a_day=_A_DAY,
        years=renderer.years,
    )
    return Page(NEW, NEW, body)


def days(renderer: Renderer, changed: Mapping[str, Change]) -> Iterator[Day]:
    """Yield the days on which something was added or corrected, the latest first."""
    added: dict[str, list[Paper]] = {}
    corrected: dict[str, list[Paper]] = {}
    for paper in renderer.newest_first:
        change = changed[paper.id]
        added.setdefault(change.added[:10], []).append(paper)
        if change.corrected:
            corrected.setdefault(change.updated[:10], []).append(paper)
    for date in sorted(added.keys() | corrected.keys(), reverse=True):
        came, mended = added.get(date, []), corrected.get(date, [])
        yield Day(
            date,
            len(came),
            len(mended),
            renderer.works(came[:_A_DAY], NEW),
            renderer.works(mended[:_A_DAY], NEW),
        )


def appeared(papers: tuple[Paper, ...]) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """Yield the last years with something in them, each with its venues and how many works appeared there."""
    for number, (year, found) in enumerate(groupby(papers, key=lambda paper: paper.year)):
        if number == _LATEST_YEARS:
            return
        venues = Counter(paper.venue for paper in found if paper.venue)
        yield year, sorted(venues.items(), key=lambda pair: (-pair[1], pair[0]))
