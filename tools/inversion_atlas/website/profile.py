"""What a set of works looks like: how many a year, of which kinds and families, measured on and with what."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from markupsafe import Markup

from inversion_atlas.addresses import FAMILY, explore_address, quoted, relative
from inversion_atlas.records.paper import Paper

if TYPE_CHECKING:
    from inversion_atlas.website.rendering import Renderer

# Works from before this year share one bar.
_FIRST_YEAR = 1990
_SHOWN = 8
# A bar and its gap are wide enough to be hit with a finger.
_PITCH, _BAR, _HEIGHT, _TOP, _FOOT = 28, 20, 48, 16, 18
_PLURALS = {"defense": "defenses", "background": "background works"}


def histogram(works: Sequence[Paper], query: str, root: str) -> Markup:
    """Return the number of works a year as an SVG whose bars lead to Explore; `query` selects the works."""
    counts: Counter[int] = Counter()
    for year, count in Counter([paper.year for paper in works]).items():
        counts[max(year, _FIRST_YEAR - 1)] += count
    if not counts:
        return Markup("")
    years = range(min(counts), max(counts) + 1)
    most = max(counts.values())
    # An address is quoted letter by letter, so its two halves can be.
    door = root + html.escape(explore_address(f"{query} "))
    bars = "".join(
        _bar(year, counts[year], most, at * _PITCH, door + quoted(_year_clause(year))) for at, year in enumerate(years)
    )
    width, height = len(years) * _PITCH, _TOP + _HEIGHT + _FOOT
    span = str(years[0]) if len(years) == 1 else f"{_year_name(years[0])} to {years[-1]}"
    return Markup(
        f'<figure class="time"><svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="group" '
        f'aria-label="Works a year">{bars}</svg><figcaption>Works a year, {span}; each bar opens them in Explore.'
        "</figcaption></figure>"
    )


def profile(renderer: Renderer, works: Sequence[Paper], query: str, at: str, without: Collection[str] = ()) -> Markup:
    """Return the kinds of works and the families, datasets, metrics and venues that most of them have.

    `without` are fields that all of them share, or that the page shows otherwise.
    """
    root, known = relative(at), renderer.measures
    rows = [("Kinds", _kinds(Counter([str(paper.kind) for paper in works]), query, root))]
    for name, field in (("Families", FAMILY), ("Datasets", "dataset"), ("Metrics", "metric"), ("Venues", "venue")):
        if field not in without:
            rows.append((name, _chips(Counter(_values(works, field)), known[field], root)))
    shown = "".join([f"<dt>{name}</dt><dd>{chips}</dd>" for name, chips in rows if chips])
    return Markup(f'<dl class="profile">{shown}</dl>') if shown else Markup("")


def _values(works: Sequence[Paper], field: str) -> Iterable[str]:
    match field:
        case "dataset":
            return chain.from_iterable(map(attrgetter("datasets"), works))
        case "metric":
            return chain.from_iterable(map(attrgetter("metrics"), works))
        case "venue":
            return [paper.venue for paper in works if paper.venue]
        case _:
            return chain.from_iterable([paper.taxonomy.get(field, ()) for paper in works])


def overview(renderer: Renderer, works: Sequence[Paper], query: str, at: str, without: Collection[str] = ()) -> Markup:
    """Return histogram and profile of the works a query selects, with the way to Explore."""
    if not works:
        return Markup("")
    root = relative(at)
    door = Markup('<p class="doors-line"><a href="{}{}">Open in Explore</a></p>').format(root, explore_address(query))
    bars = Markup("") if "year" in without else histogram(works, query, root)
    return bars + profile(renderer, works, query, at, without) + door


def most_used(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return what is counted most, the least of it left out."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]


def _chips(counts: Mapping[str, int], known: Mapping[str, tuple[str, str]], root: str) -> str:
    shown = []
    for id, count in most_used({id: count for id, count in counts.items() if id in known}):
        name, to = known[id]
        shown.append(f'<a class="chip" href="{root}{to}">{name} <span class="count">{count}</span></a>')
    return " ".join(shown)


def _kinds(counts: Mapping[str, int], query: str, root: str) -> str:
    return " ".join(
        f'<a class="chip" href="{root}{html.escape(explore_address(f"{query} kind={kind}"))}">'
        f"{_counted(count, kind)}</a>"
        for kind, count in most_used(counts)
    )


def _counted(count: int, kind: str) -> str:
    return f"{count:,} {kind if count == 1 else _PLURALS.get(kind, kind + 's')}"


def _bar(year: int, count: int, most: int, x: int, door: str) -> str:
    middle, foot = x + _PITCH // 2, _TOP + _HEIGHT + 13
    name = f"’{year % 100:02d}" if year >= _FIRST_YEAR else "‹’90"
    label = f'<text x="{middle}" y="{foot}" aria-hidden="true">{name}</text>'
    if not count:
        return label
    height = max(2, round(_HEIGHT * count / most))
    top = _TOP + _HEIGHT - height
    works = "work" if count == 1 else "works"
    return (
        f'<a href="{door}" aria-label="{_year_name(year)}: {count} {works}">'
        f'<rect class="area" x="{x + 1}" y="1" width="{_PITCH - 2}" height="{_TOP + _HEIGHT + _FOOT - 2}"/>'
        f'<rect class="bar" x="{x + (_PITCH - _BAR) // 2}" y="{top}" width="{_BAR}" height="{height}"/></a>'
        f'<text x="{middle}" y="{top - 4}" aria-hidden="true">{count}</text>{label}'
    )


def _year_clause(year: int) -> str:
    return f"year={year}" if year >= _FIRST_YEAR else f"year=..{_FIRST_YEAR - 1}"


def _year_name(year: int) -> str:
    return str(year) if year >= _FIRST_YEAR else f"before {_FIRST_YEAR}"


def years_of(works: Iterable[Paper]) -> str:
    """Return the years of works: `2019`, `2019–2024`."""
    years = [paper.year for paper in works]
    if not years:
        return ""
    return str(min(years)) if min(years) == max(years) else f"{min(years)}–{max(years)}"
