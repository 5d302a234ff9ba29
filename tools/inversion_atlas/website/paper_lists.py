"""The lists of papers by year, and the addresses that records had before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from inversion_atlas.addresses import relative
from inversion_atlas.records.paper import Paper
from inversion_atlas.website.profile import overview
from inversion_atlas.website.rendering import ON_A_LIST, Page, Renderer, leaves, pager, plural

_SHELL = "papers/shell/"


def paper_lists(renderer: Renderer) -> Iterator[Page]:
    """Yield the list of all papers (the years, and the newest works) and one list per year."""
    papers = renderer.newest_first
    years = {year: list(found) for year, found in groupby(papers, key=lambda paper: paper.year)}
    counts = {year: len(found) for year, found in years.items()}
    background = [paper for paper in renderer.catalogue.papers.values() if paper.kind == "background"]
    body = renderer.render(
        "papers.html",
        "papers/",
        years=counts,
        most=max(counts.values(), default=1),
        newest=renderer.works(papers[:ON_A_LIST], "papers/"),
        shown=min(ON_A_LIST, len(papers)),
        total=len(papers),
        background=len(background),
    )
    yield Page("papers/", "papers/", body)
    for year, found in years.items():
        yield from _year_pages(renderer, year, found, list(years))


def _year_pages(renderer: Renderer, year: int, papers: list[Paper], years: list[int]) -> Iterator[Page]:
    base = f"papers/{year}/"
    position = years.index(year)
    for leaf in leaves(base, papers, ON_A_LIST):
        title = leaf.titled(f"Papers of {year}")
        body = renderer.render(
            "year.html",
            leaf.address,
            year=year,
            total=len(papers),
            newer=years[position - 1] if position else None,
            older=years[position + 1] if position + 1 < len(years) else None,
            above=overview(renderer, papers, f"year={year}", base, ("year",)) if leaf.number == 1 else "",
            leaf=leaf,
            numbers=pager(leaf, base),
            entries=renderer.works(leaf.members, leaf.address),
        )
        description = f"{plural(len(papers), 'work')} on model inversion published in {year}."
        head = renderer.head(leaf.address)
        yield Page(leaf.address, _SHELL, body, title, description, head)


def redirects(renderer: Renderer) -> Iterator[tuple[str, str]]:
    """Yield a small page for every address a record had before, which leads on to today's."""
    catalogue = renderer.catalogue
    moved = [(f"papers/{old}/", f"papers/{new}/") for old, new in catalogue.redirects.items()]
    for section, records in (("datasets", catalogue.datasets), ("metrics", catalogue.metrics)):
        moved += [(f"{section}/{old}/", f"{section}/{id}/") for id, found in records.items() for old in found.aliases]
    for old, new in moved:
        yield old, renderer.render("redirect.html", old, target=relative(old, new), canonical=new)
