"""Every file of the website that comes from records, in one pass over a catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sized
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from inversion_atlas.addresses import FAMILY, address, explore_address, feed_address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.schema import schemas
from inversion_atlas.query import QueryError, select
from inversion_atlas.records.facet import Facet, Term
from inversion_atlas.records.paper import Kind
from inversion_atlas.stamp import Stamp
from inversion_atlas.website.author_pages import author_pages
from inversion_atlas.website.compare_page import compare_files, compare_page
from inversion_atlas.website.discovery import discovery_files
from inversion_atlas.website.explore import explore_page
from inversion_atlas.website.feeds import Change, feed_files
from inversion_atlas.website.map_pages import map_pages
from inversion_atlas.website.openapi import ENDPOINTS
from inversion_atlas.website.paper_lists import paper_lists, redirects
from inversion_atlas.website.paper_pages import paper_page
from inversion_atlas.website.rendering import Page, Renderer, slots_of
from inversion_atlas.website.review_pages import coverage_pages, disagreement_pages, errata_pages
from inversion_atlas.website.shells import Shell
from inversion_atlas.website.subject_pages import dataset_pages, metric_pages, source_pages, venue_pages
from inversion_atlas.website.vocabulary_pages import vocabulary_pages

NOT_FOUND = "404.html"
_NEWEST = 12
_EXAMPLES = (
    ("label-only attacks with code", "kind=attack access=label-only has:code"),
    ("faces", "domain=face"),
    ("gradient inversion since 2024", "family=gradient-inversion year>=2024"),
    ("text from language models", "kind=attack data-type=text family=memorization"),
)
_HOME_FACETS = ("access", "signal", "objective", "learning", "data-type")


def pages(renderer: Renderer, first: Collection[str] = ()) -> Iterator[Page]:
    """Yield every page made from records: those about the ids in `first`, then papers, then the rest."""
    catalogue = renderer.catalogue
    parts: list[tuple[Collection[str], Callable[[Renderer], Iterator[Page]]]] = [
        (catalogue.datasets, dataset_pages),
        (catalogue.metrics, metric_pages),
        (catalogue.venues, venue_pages),
        (catalogue.sources, source_pages),
        (catalogue.facets, vocabulary_pages),
        (catalogue.papers, paper_lists),
        ((), errata_pages),
        ((), disagreement_pages),
        ((), coverage_pages),
        ((), author_pages),
    ]
    urgent = [part for ids, part in parts if not set(first).isdisjoint(ids)]
    yield from (paper_page(renderer, catalogue.papers[id]) for id in first if id in catalogue.papers)
    for part in urgent:
        yield from part(renderer)
    yield from (paper_page(renderer, paper) for id, paper in catalogue.papers.items() if id not in first)
    for _, part in parts:
        if part not in urgent:
            yield from part(renderer)
    yield home_page(renderer)
    yield explore_page(renderer)
    yield api_page(renderer)
    yield compare_page(renderer)
    yield from map_pages(renderer)


def home_page(renderer: Renderer) -> Page:
    """Return the home page: a search, counts, doors into families and facets, the newest works."""
    catalogue, papers = renderer.catalogue, renderer.newest_first
    facet = catalogue.facets.get(FAMILY)
    families = [term for term in facet.terms.values() if not term.broader] if facet else []
    kinds = Counter(paper.kind for paper in papers)
    counts = [
        (kinds[kind], label, explore_address(f"kind={kind}"))
        for kind, label in ((Kind.ATTACK, "attacks"), (Kind.DEFENSE, "defenses"), (Kind.SURVEY, "surveys"))
    ]
    sections: dict[str, Sized] = {
        "datasets": catalogue.datasets,
        "metrics": catalogue.metrics,
        "venues": catalogue.venues,
        "sources": catalogue.sources,
    }
    counts += [(len(records), label, f"{label}/") for label, records in sections.items()]
    body = renderer.render(
        "home.html",
        "",
        examples=list(examples(catalogue)),
        counts=counts,
        families=families,
        family_counts={term.id: len(renderer.having(FAMILY, term.id)) for term in families},
        facets=list(home_facets(renderer)),
        newest=renderer.works(papers[:_NEWEST], ""),
        total=len(papers),
    )
    return Page("", "", body)


def examples(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield queries worth starting from, with what they ask for; one that finds nothing here is left out."""
    for says, query in _EXAMPLES:
        try:
            found = select(catalogue, query)
        except QueryError:
            continue
        if found:
            yield says, query


def home_facets(renderer: Renderer) -> Iterator[tuple[Facet, list[tuple[Term, int]]]]:
    """Yield the facets that say most of a threat model, with their widest terms and how many works each has."""
    for id in _HOME_FACETS:
        if facet := renderer.catalogue.facets.get(id):
            terms = [term for term in facet.terms.values() if not term.broader]
            counted = [(term, len(renderer.having(id, term.id))) for term in terms]
            yield facet, [(term, count) for term, count in counted if count]


def api_page(renderer: Renderer) -> Page:
    """Return the page about the API: every address, linked to an answer that exists."""
    catalogue = renderer.catalogue
    first = {
        "/papers/{id}.json": catalogue.papers,
        "/datasets/{id}.json": catalogue.datasets,
        "/metrics/{id}.json": catalogue.metrics,
        "/venues/{id}.json": catalogue.venues,
        "/sources/{id}.json": catalogue.sources,
    }
    samples = {path: "" if "{" in path else path for path in ENDPOINTS}
    samples |= {path: path.replace("{id}", next(iter(records))) for path, records in first.items() if records}
    body = renderer.render("api.html", "api/", endpoints=ENDPOINTS, samples=samples, schemas=schemas(catalogue))
    return Page("api/", "api/", body)


def stamped(
    pages: Iterable[Page], shells: Mapping[str, Shell], renderer: Renderer, stamp: Stamp
) -> Iterator[tuple[str, str]]:
    """Yield the path and the HTML of every page: the shells with records in them."""
    shared = {"stamp": stamp_line(stamp)}
    for page in pages:
        filled = page if page.title else replace(page, head=renderer.head(page.address, feed=feed_address()))
        yield file_path(page.address), shells[page.shell].fill(slots_of(filled, shared))


def prose_addresses(shells: Mapping[str, Shell], used: Collection[str]) -> set[str]:
    """Return the addresses of the pages that are Markdown alone, but for the one that says there is no such page."""
    return {at for at, shell in shells.items() if not shell.is_template} - {NOT_FOUND, *used}


def prose(
    shells: Mapping[str, Shell], used: Collection[str], renderer: Renderer, stamp: Stamp
) -> Iterator[tuple[str, str]]:
    """Yield the pages that are Markdown alone; raises ShellError for one that waits for records nobody brings."""
    for at, shell in shells.items():
        if not shell.is_template and at not in used:
            listed = at != NOT_FOUND
            head = renderer.head(at, indexed=listed, canonical=listed)
            yield file_path(at), shell.fill({"stamp": stamp_line(stamp), "head": head})


def extra_files(
    renderer: Renderer, addresses: Collection[str], changed: Mapping[str, Change]
) -> Iterator[tuple[str, str]]:
    """Yield what stands beside the pages: redirects from former ids, feeds, and what programs ask a site for."""
    for old, html in redirects(renderer):
        yield file_path(old), html
    yield from compare_files(renderer.catalogue)
    yield from feed_files(renderer, changed)
    days = {address(renderer.catalogue.papers[id]): change.updated[:10] for id, change in changed.items()}
    yield from discovery_files(renderer, addresses, days)


def file_path(at: str) -> str:
    """Return the file that answers for an address."""
    return at if at.endswith(".html") else f"{at}index.html"


def stamp_line(stamp: Stamp) -> Markup:
    """Return what the foot of every page says of the data."""
    parts = [Markup("Data version <code>{}</code>").format(stamp.version)]
    if stamp.commit:
        parts.append(Markup("commit <code>{}</code>").format(stamp.commit[:10]))
    if stamp.date:
        parts.append(Markup('<time datetime="{}">{}</time>').format(stamp.date, stamp.date[:10]))
    return Markup(", ").join(parts)


def renderer_for(catalogue: Catalogue, source: Path) -> Renderer:
    """Return the renderer of a catalogue with the templates of the website's sources."""
    return Renderer(catalogue, source / "site" / "templates")
