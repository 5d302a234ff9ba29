"""Every file of the website that comes from records, in one pass over a catalogue."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup, escape

from inversion_atlas.addresses import FAMILY
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.schema import schemas
from inversion_atlas.records.paper import Kind
from inversion_atlas.stamp import Stamp
from inversion_atlas.website.author_pages import author_pages
from inversion_atlas.website.openapi import ENDPOINTS
from inversion_atlas.website.paper_lists import paper_lists, redirects
from inversion_atlas.website.paper_pages import paper_page
from inversion_atlas.website.rendering import Page, Renderer, slots_of
from inversion_atlas.website.review_pages import coverage_pages, disagreement_pages, errata_pages
from inversion_atlas.website.shells import Shell
from inversion_atlas.website.subject_pages import dataset_pages, metric_pages, source_pages, venue_pages
from inversion_atlas.website.vocabulary_pages import vocabulary_pages

_NEWEST = 10


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
    yield api_page(renderer)


def home_page(renderer: Renderer) -> Page:
    """Return the home page: counts, doors into the families, the newest works."""
    catalogue, papers = renderer.catalogue, renderer.newest_first
    facet = catalogue.facets.get(FAMILY)
    families = [term for term in facet.terms.values() if not term.broader] if facet else []
    kinds = ((Kind.ATTACK, "attacks"), (Kind.DEFENSE, "defenses"), (Kind.SURVEY, "surveys"))
    counts = [(sum(paper.kind is kind for paper in papers), label, "papers/") for kind, label in kinds]
    counts += [(len(catalogue.datasets), "datasets", "datasets/"), (len(catalogue.metrics), "metrics", "metrics/")]
    body = renderer.render(
        "home.html",
        "",
        counts=counts,
        families=families,
        family_counts={term.id: len(renderer.having(FAMILY, term.id)) for term in families},
        newest=renderer.works(papers[:_NEWEST], ""),
        total=len(papers),
    )
    return Page("", "", body)


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
        filled = page if page.title else replace(page, head=renderer.head(page.address))
        yield file_path(page.address), shells[page.shell].fill(slots_of(filled, shared))


def prose(
    shells: Mapping[str, Shell], used: Collection[str], renderer: Renderer, stamp: Stamp
) -> Iterator[tuple[str, str]]:
    """Yield the pages that are Markdown alone; raises ShellError for one that waits for records nobody brings."""
    for address, shell in shells.items():
        if not shell.is_template and address not in used:
            listed = address != "404.html"
            head = renderer.head(address, indexed=listed, canonical=listed)
            yield file_path(address), shell.fill({"stamp": stamp_line(stamp), "head": head})


def extra_files(renderer: Renderer, addresses: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield what stands beside the pages: redirects from former ids and, where the site has an address, its map."""
    for address, html in redirects(renderer):
        yield file_path(address), html
    site = renderer.catalogue.settings.site
    if site:
        lines = "".join(f"<url><loc>{escape(f'{site}/{address}')}</loc></url>\n" for address in sorted(addresses))
        opening = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        )
        yield "sitemap.xml", f"{opening}{lines}</urlset>\n"


def file_path(address: str) -> str:
    """Return the file that answers for an address."""
    return address if address.endswith(".html") else f"{address}index.html"


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
