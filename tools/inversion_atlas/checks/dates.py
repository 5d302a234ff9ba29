"""Years and arXiv ids, which are dates too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.checks.contents import papers
from inversion_atlas.checks.rule import Problem

_EARLIEST = 1900
_OLD = re.compile(r"[a-z-]+(?:\.[A-Z]{2})?/(?P<year>[0-9]{2})(?P<month>[0-9]{2})[0-9]{3}")
_NEW = re.compile(r"(?P<year>[0-9]{2})(?P<month>[0-9]{2})\.(?P<number>[0-9]+)")
# arXiv's first month, the first of the ids with a dot, and the first of those with five digits behind it.
_FIRST, _DOTTED, _FIVE_DIGITS = (1991, 7), (2007, 4), (2015, 1)


def future_years(catalogue: Catalogue, today: date) -> Iterator[Problem]:
    """A year after the next."""
    for place, year in _years(catalogue):
        if year > today.year + 1:
            yield Problem(place, f"the year {year} is still to come", "correct it")


def early_years(catalogue: Catalogue) -> Iterator[Problem]:
    """A year before there was any such work."""
    for place, year in _years(catalogue):
        if year < _EARLIEST:
            yield Problem(place, f"the year {year} is early for this field", "correct it")


def future_days(catalogue: Catalogue, today: date) -> Iterator[Problem]:
    """A day in the future on which a record was added, a source read or a work refused."""
    days = [(place / "added", paper.added) for place, paper in papers(catalogue)]
    days += [(catalogue.place(source) / "read", source.read) for source in catalogue.sources.values()]
    days += [(catalogue.place(refusal) / "date", refusal.date) for refusal in catalogue.refused.values()]
    for place, day in days:
        if day and day > today:
            yield Problem(place, f"the day {day} is still to come", f"write {today} or earlier")


def impossible_arxiv_ids(catalogue: Catalogue, today: date) -> Iterator[Problem]:
    """An arXiv id that arXiv cannot have given."""
    for place, paper in papers(catalogue):
        if (id := paper.links.arxiv) and (why := _impossible(id, today)):
            yield Problem(
                place / "links" / "arxiv", f"there is no arXiv id {id}: {why}", "copy it again from arxiv.org"
            )


def late_preprints(catalogue: Catalogue) -> Iterator[Problem]:
    """An arXiv id given more than a year after the paper's year."""
    for place, paper in papers(catalogue):
        month = _month(paper.links.arxiv or "")
        if month and month[0] > paper.year + 1:
            message = f"the preprint is of {month[0]}, the paper of {paper.year}"
            yield Problem(place / "links" / "arxiv", message, "make sure that both are of this work")


def _years(catalogue: Catalogue) -> Iterator[tuple[Place, int]]:
    yield from ((place / "year", paper.year) for place, paper in papers(catalogue))
    for dataset in catalogue.datasets.values():
        if dataset.year:
            yield catalogue.place(dataset) / "year", dataset.year


def _impossible(id: str, today: date) -> str:
    month = _month(id)
    if month is None or not 1 <= month[1] <= 12:
        return "its third and fourth digit are no month"
    if month > (today.year, today.month):
        return "its month is still to come"
    if found := _NEW.fullmatch(id):
        digits = 5 if month >= _FIVE_DIGITS else 4
        if month < _DOTTED:
            return "ids had no dot before April 2007"
        if len(found["number"]) != digits:
            return f"an id of that month has {digits} digits behind the dot"
        return "numbers start at 1" if int(found["number"]) == 0 else ""
    return "" if _FIRST <= month < _DOTTED else "ids of that month have a dot"


def _month(id: str) -> tuple[int, int] | None:
    found = _NEW.fullmatch(id) or _OLD.fullmatch(id)
    if not found:
        return None
    year = int(found["year"])
    century = 1900 if year > 90 and "/" in id else 2000
    return century + year, int(found["month"])
