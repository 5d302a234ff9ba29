"""The pages of what papers are about or appear in: datasets, metrics, venues, sources, and their lists."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from markupsafe import Markup

from inversion_atlas.addresses import FAMILY, address
from inversion_atlas.coverage import SourceCoverage, coverage
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.facet import Term
from inversion_atlas.records.metric import Better, Group, Metric
from inversion_atlas.records.paper import Kind
from inversion_atlas.records.venue import Venue, VenueType
from inversion_atlas.website.citation_tags import dataset_json_ld
from inversion_atlas.website.formulas import FormulaError, mathml
from inversion_atlas.website.profile import most_used, overview
from inversion_atlas.website.rendering import BESIDE_FACTS, CONTINUED, Page, Renderer, describe, leaves, pager, plural

_ROWS = 100
_WISHES = {Better.HIGHER: "higher is better", Better.LOWER: "lower is better", Better.NEITHER: "no preference"}


def works_pages(
    renderer: Renderer, base: str, held: tuple[str, str], name: str, description: str, facts: Markup, **heading: object
) -> Iterator[Page]:
    """Yield the page of a record with the works that hold a value of a field, and further pages where these are many.

    `facts` is what stands above the list on the first page.
    """
    papers = renderer.having(*held)
    query = "=".join(held)
    without = (held[0], FAMILY) if held[0] == "dataset" else (held[0],)
    above = facts + overview(renderer, papers, query, base, without)
    section = base.split("/")[0]
    shell = "terms/shell/term/" if base.count("/") == 3 else f"{section}/shell/"
    for leaf in leaves(base, papers, BESIDE_FACTS, CONTINUED):
        first = leaf.number == 1
        body = renderer.render(
            "subject.html",
            leaf.address,
            name=name,
            facts=above if first else "",
            leaf=leaf,
            total=len(papers),
            numbers=pager(leaf, base),
            entries=renderer.works(leaf.members, leaf.address),
            query=query,
            base=base,
            **{"eyebrow": "", "full_name": "", "crumbs": (), "after": "", "works_heading": "Works", **heading},
        )
        title = leaf.titled(name)
        json, feed = (str(heading.get(key, "")) if first else "" for key in ("json", "feed"))
        head = renderer.head(
            leaf.address, title=name, description=describe(description), indexed=first, json=json, feed=feed
        )
        yield Page(leaf.address, shell, body, title, describe(description), head, str(heading.get("subject", "")))


def dataset_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the list of datasets and the pages of each."""
    catalogue = renderer.catalogue
    counts = {id: len(renderer.having("dataset", id)) for id in catalogue.datasets}
    yield Page("datasets/", "datasets/", renderer.render("datasets.html", "datasets/", counts=counts))
    for dataset in catalogue.datasets.values():
        at = address(dataset)
        facts = renderer.render(
            "dataset.html",
            at,
            dataset=dataset,
            numbers=list(_dataset_facts(dataset)),
            against=list(_against(renderer, dataset)),
            reported=renderer.reported.get(("dataset", dataset.id), ()),
            json_ld=dataset_json_ld(catalogue, dataset),
        )
        yield from works_pages(
            renderer,
            at,
            ("dataset", dataset.id),
            dataset.name,
            dataset.description,
            facts,
            full_name=dataset.full_name or "",
            crumbs=(("Datasets", "datasets/"),),
            after=renderer.render(
                "after.html",
                at,
                record=dataset,
                json=f"datasets/{dataset.id}.json",
                edit_link=renderer.edit_link(dataset),
            ),
            works_heading="Works that use it",
            json=f"datasets/{dataset.id}.json",
            subject=dataset.id,
        )


def metric_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the list of metrics and the pages of each."""
    catalogue = renderer.catalogue
    counts = {id: len(renderer.having("metric", id)) for id in catalogue.metrics}
    groups = {group: [metric for metric in catalogue.metrics.values() if metric.group == group] for group in Group}
    listed = renderer.render("metrics.html", "metrics/", groups=groups, counts=counts, wishes=_WISHES)
    yield Page("metrics/", "metrics/", listed)
    for metric in catalogue.metrics.values():
        at = address(metric)
        yield from works_pages(
            renderer,
            at,
            ("metric", metric.id),
            metric.name,
            metric.description,
            renderer.render(
                "metric.html",
                at,
                metric=metric,
                range=shown_range(metric),
                wishes=_WISHES,
                implementations=renderer.implementations("metric", metric.id),
                reported=renderer.reported.get(("metric", metric.id), ()),
                **_formulas(metric),
            ),
            full_name=metric.full_name or "",
            crumbs=(("Metrics", "metrics/"),),
            after=renderer.render(
                "after.html", at, record=metric, json=f"metrics/{metric.id}.json", edit_link=renderer.edit_link(metric)
            ),
            works_heading="Works that report it",
            json=f"metrics/{metric.id}.json",
            subject=metric.id,
        )


def venue_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the list of venues and the pages of each."""
    catalogue = renderer.catalogue
    counts = {id: len(renderer.having("venue", id)) for id in catalogue.venues}
    types = {kind: [venue for venue in catalogue.venues.values() if venue.type == kind] for kind in VenueType}
    yield Page("venues/", "venues/", renderer.render("venues.html", "venues/", types=types, counts=counts))
    for venue in catalogue.venues.values():
        yield from _venue_pages(renderer, venue)


def _venue_pages(renderer: Renderer, venue: Venue) -> Iterator[Page]:
    at = address(venue)
    yield from works_pages(
        renderer,
        at,
        ("venue", venue.id),
        venue.short,
        f"{venue.name}: the works on model inversion that appeared there.",
        renderer.render("venue.html", at, venue=venue),
        full_name=venue.name if venue.name != venue.short else "",
        crumbs=(("Papers", "papers/"), ("Venues", "venues/")),
        works_heading="Works that appeared there",
        json=f"venues/{venue.id}.json",
        subject=venue.id,
    )


def source_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the list of sources and the ledger of each."""
    covered = coverage(renderer.catalogue)
    yield Page("sources/", "sources/", renderer.render("sources.html", "sources/", covered=covered))
    for each in covered:
        yield from _ledger_pages(renderer, each)


def _ledger_pages(renderer: Renderer, covered: SourceCoverage) -> Iterator[Page]:
    source, base = covered.source, address(covered.source)
    redirects = renderer.catalogue.redirects
    works = renderer.listed(redirects.get(row.paper, row.paper) for row in source.rows if row.paper)
    above = overview(renderer, works, f"source={source.id}", base)
    terms = {term: facet.id for facet in renderer.catalogue.facets.values() for term in facet.terms}
    description = f"{plural(len(source.rows), 'row')} of “{source.title}”, each with the record it resolves to."
    for leaf in leaves(base, source.rows, _ROWS):
        body = renderer.render(
            "source.html",
            leaf.address,
            source=source,
            covered=covered,
            above=above if leaf.number == 1 else "",
            leaf=leaf,
            numbers=pager(leaf, base),
            terms=terms,
            edit_link=renderer.edit_link(source),
        )
        title = leaf.titled(source.title)
        head = renderer.head(leaf.address)
        yield Page(leaf.address, "sources/shell/", body, title, describe(description), head, source.id)


def _against(renderer: Renderer, dataset: Dataset) -> Iterator[tuple[str, Kind, list[tuple[Term, int]]]]:
    """Yield which families of attacks and of defenses use a dataset, each with the number of works."""
    families = renderer.catalogue.facets.get(FAMILY)
    works = renderer.having("dataset", dataset.id)
    for heading, kind in (("Attacks on it", Kind.ATTACK), ("Defenses measured on it", Kind.DEFENSE)):
        counts = Counter(term for paper in works if paper.kind is kind for term in paper.taxonomy.get(FAMILY, ()))
        known = {id: count for id, count in counts.items() if families and id in families.terms}
        if families and known:
            yield heading, kind, [(families.terms[id], count) for id, count in most_used(known)]


def shown_range(metric: Metric) -> str:
    """Return a metric's range as a reader writes it: `[0, ∞)`."""
    if metric.range is None:
        return ""
    low, high = metric.range
    opening = f"[{low:g}" if math.isfinite(low) else "(−∞"
    closing = f"{high:g}]" if math.isfinite(high) else "∞)"
    return f"{opening.replace('-', '−')}, {closing.replace('-', '−')}"


def _formulas(metric: Metric) -> dict[str, object]:
    """Return a metric's formula and symbols drawn; one that cannot be drawn is shown as written."""
    return {
        "formula": _drawn(metric.formula, block=True) if metric.formula else "",
        "symbols": [(_drawn(symbol), meaning) for symbol, meaning in metric.symbols.items()],
    }


def _drawn(latex: str, *, block: bool = False) -> str:
    try:
        return mathml(latex, block=block)
    except FormulaError:
        return latex


def _dataset_facts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    if dataset.instances is not None:
        yield "Instances", f"{dataset.instances:,}"
    for split, count in dataset.splits.items():
        yield f"{split.capitalize()} split", f"{count:,}"
    yield "Size of one", dataset.shape or ""
    yield "Classes", f"{dataset.classes:,}" if dataset.classes is not None else ""
    yield "Year", str(dataset.year or "")
    yield "License", dataset.license or ""
