"""The pages of papers: one each, a list per year, and the addresses that papers had before."""

from __future__ import annotations

import html
from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup

from inversion_atlas.addresses import address, relative
from inversion_atlas.catalogue import Edge
from inversion_atlas.exports import bibtex, citation
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.source import Row, Source
from inversion_atlas.records.venue import VenueType
from inversion_atlas.website.rendering import (
    ON_A_LIST,
    Page,
    Renderer,
    author_name,
    describe,
    host,
    leaves,
    pager,
    plural,
)

_SHELL = "papers/shell/"
_UNSURE = Markup('<a class="unsure" href="#unconfirmed">unconfirmed</a>')
_CONTAINERS = {
    VenueType.CONFERENCE: "conference_title",
    VenueType.WORKSHOP: "conference_title",
    VenueType.JOURNAL: "journal_title",
    VenueType.BOOK: "inbook_title",
    VenueType.THESIS: "dissertation_institution",
    VenueType.REPORT: "technical_report_institution",
}


def paper_page(renderer: Renderer, paper: Paper) -> Page:
    """Return the page of one paper."""
    catalogue, at = renderer.catalogue, address(paper)
    venue = catalogue.venues.get(paper.venue or "")
    where = f"{venue.short} {paper.year}" if venue else str(paper.year)
    description = describe(paper.summary or f"{paper.kind.capitalize()} by {citation.short_authors(paper)}, {where}.")
    body = renderer.render(
        "paper.html",
        at,
        paper=paper,
        venue=venue,
        years=renderer.years,
        authors=Markup(", ".join(f"<bdi>{html.escape(author_name(author))}</bdi>" for author in paper.authors)),
        unsure=dict.fromkeys(paper.unconfirmed, _UNSURE),
        links=paper_links(paper),
        relations=relations_by_verb(catalogue.edges.get(paper.id, ())),
        listings=listings_by_source(catalogue.listed_by.get(paper.id, ())),
        citation=citation.plain(catalogue, paper),
        bibtex=bibtex.entry(catalogue, paper),
        edit_link=renderer.edit_link(paper),
    )
    head = renderer.head(
        at,
        title=paper.title,
        description=description,
        json=f"papers/{paper.id}.json",
        tags=citation_tags(renderer, paper),
    )
    return Page(at, _SHELL, body, paper.title, description, head, paper.id)


def citation_tags(renderer: Renderer, paper: Paper) -> Iterator[tuple[str, str]]:
    """Yield the Highwire tags by which reference managers and Google Scholar read a page."""
    catalogue = renderer.catalogue
    yield "title", paper.title
    for author in paper.authors:
        yield "author", author
    yield "publication_date", str(paper.year)
    venue = catalogue.venues.get(paper.venue or "")
    if venue and venue.type in _CONTAINERS:
        yield _CONTAINERS[venue.type], venue.name
    if venue and venue.publisher:
        yield "publisher", venue.publisher
    first, _, last = citation.page_range(paper.pages or "").partition("–")
    for name, value in (("volume", paper.volume), ("issue", paper.issue), ("firstpage", first), ("lastpage", last)):
        if value:
            yield name, value
    if paper.links.doi:
        yield "doi", paper.links.doi
    if paper.links.arxiv:
        yield "arxiv_id", paper.links.arxiv
    if paper.links.pdf:
        yield "pdf_url", paper.links.pdf
    if catalogue.settings.site:
        yield "public_url", f"{catalogue.settings.site}/{address(paper)}"


def paper_links(paper: Paper) -> list[tuple[str, str, str]]:
    """Return every link of a paper as label, address and what tells it from others of its kind."""
    links = paper.links
    found = [("Paper", links.paper, ""), ("PDF", links.pdf, "")]
    found += [("DOI", links.doi and citation.doi_address(links.doi), links.doi or "")]
    found += [("arXiv", links.arxiv and citation.arxiv_address(links.arxiv), links.arxiv or "")]
    found += [("Project", links.project, "")]
    found += [("Code", url, host(url)) for url in links.code]
    found += [("Reimplementation", url, host(url)) for url in links.reimplementation]
    found += [("Video", links.video, ""), ("Slides", links.slides, ""), ("Poster", links.poster, "")]
    found += [("Archived copy", links.archive, "")]
    return [(label, url, note) for label, url, note in found if url]


def relations_by_verb(edges: tuple[Edge, ...]) -> list[tuple[str, list[Edge]]]:
    """Return relations grouped by what they say, in both directions: `Improved by`."""
    grouped = groupby(edges, key=lambda edge: edge.verb)
    return [(verb.replace("-", " ").capitalize(), list(found)) for verb, found in grouped]


def listings_by_source(listed: tuple[tuple[Source, Row], ...]) -> list[tuple[Source, list[Row]]]:
    """Return the rows that name a paper, grouped by source."""
    return [(source, [row for _, row in rows]) for source, rows in _by_source(listed)]


def _by_source(listed: tuple[tuple[Source, Row], ...]) -> Iterator[tuple[Source, list[tuple[Source, Row]]]]:
    for _, rows in groupby(listed, key=lambda pair: pair[0].id):
        found = list(rows)
        yield found[0][0], found


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
        title = f"Papers of {year}" + (f", page {leaf.number}" if leaf.number > 1 else "")
        body = renderer.render(
            "year.html",
            leaf.address,
            year=year,
            total=len(papers),
            newer=years[position - 1] if position else None,
            older=years[position + 1] if position + 1 < len(years) else None,
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
