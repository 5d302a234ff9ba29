"""The pages on which the sources are reviewed: errata, disagreements, coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from inversion_atlas.addresses import COVERAGE, DISAGREEMENTS, ERRATA, disagreements_address, errata_address
from inversion_atlas.coverage import coverage, fill_rates
from inversion_atlas.disagreements import Disagreement, all_disagreements
from inversion_atlas.errata import Located, located_errata
from inversion_atlas.records.erratum import Fault
from inversion_atlas.records.paper import Paper
from inversion_atlas.website.rendering import Page, Renderer, describe, leaf_address, leaves, pager, plural
from inversion_atlas.website.statements import field_label

_ENTRIES = 120
MEANS = {
    Fault.WRONG_LINK: "The link leads to something else, or nowhere.",
    Fault.DEAD_MARKUP: "The markup is broken, so that a cell or link is not shown as meant.",
    Fault.WRONG_TITLE: "The title is not the one that was published.",
    Fault.WRONG_YEAR: "The year is not that of the version cited.",
    Fault.WRONG_VENUE: "The work appeared elsewhere.",
    Fault.WRONG_AUTHORS: "Names are wrong, missing or in another order.",
    Fault.WRONG_FAMILY: "The work does not use the technique it is filed under.",
    Fault.WRONG_ACCESS: "The work assumes another access than stated.",
    Fault.WRONG_FACT: "Something said of the work, dataset or metric does not hold.",
    Fault.WRONG_CITATION: "The citation leads to another work.",
    Fault.GARBLED_FORMULA: "The formula lost signs or symbols.",
    Fault.DUPLICATE: "The same work stands twice.",
    Fault.MISSPELT: "A name or word is misspelt.",
    Fault.OUT_OF_SCOPE: "The work is not about what the place says.",
    Fault.SUPERSEDED: "A later version has been published since.",
    Fault.INCOMPLETE: "Something that the place should hold is missing.",
}


def errata_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the overview of errata and the list of each source, by type."""
    by_source: dict[str, list[Located]] = {}
    for each in located_errata(renderer.catalogue):
        by_source.setdefault(each.source, []).append(each)
    for found in by_source.values():
        found.sort(key=lambda each: list(Fault).index(each.erratum.type))
    sources = [
        {"source": source, "count": len(found), "types": list(_types(source, found))}
        for source, found in sorted(by_source.items())
    ]
    types = Counter(each.erratum.type for found in by_source.values() for each in found)
    body = renderer.render("errata.html", ERRATA, sources=sources, types=types.most_common(), means=MEANS)
    yield Page(ERRATA, ERRATA, body)
    for source, found in sorted(by_source.items()):
        yield from _errata_of(renderer, source, found)


def _types(source: str, found: Sequence[Located]) -> Iterator[tuple[str, int, str]]:
    """Yield each type of erratum in a source with its count and where its list starts."""
    counts = Counter(each.erratum.type for each in found)
    first = {each.erratum.type: at for at, each in reversed(list(enumerate(found)))}
    for type, count in counts.most_common():
        yield type, count, f"{leaf_address(errata_address(source), first[type] // _ENTRIES + 1)}#{type}"


def _errata_of(renderer: Renderer, id: str, found: Sequence[Located]) -> Iterator[Page]:
    source = renderer.catalogue.sources.get(id)
    base, name = errata_address(id), source.title if source else id
    for leaf in leaves(base, found, _ENTRIES, _ENTRIES):
        groups = [(type, list(members)) for type, members in groupby(leaf.members, key=lambda each: each.erratum.type)]
        body = renderer.render(
            "errata_of.html",
            leaf.address,
            title=name,
            source=source,
            total=len(found),
            groups=groups,
            leaf=leaf,
            numbers=pager(leaf, base),
        )
        title = leaf.titled(f"Errata in {name}")
        description = describe(f"{plural(len(found), 'erratum', 'errata')} in “{name}”, with what holds.")
        yield Page(leaf.address, "errata/shell/", body, title, description, renderer.head(leaf.address))


def disagreement_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the overview of disagreements and a list for each facet or field."""
    by_field: dict[str, list[tuple[Paper, Disagreement]]] = {}
    works = set()
    for paper, found in all_disagreements(renderer.catalogue):
        by_field.setdefault(found.field, []).append((paper, found))
        works.add(paper.id)
    fields = [(field, len(cases), _sources(cases)) for field, cases in by_field.items()]
    fields.sort(key=lambda each: (-each[1], each[0]))
    yield Page(
        DISAGREEMENTS,
        DISAGREEMENTS,
        renderer.render("disagreements.html", DISAGREEMENTS, fields=fields, works=len(works)),
    )
    for field, cases in by_field.items():
        yield from _disagreements_on(renderer, field, cases)


def _sources(cases: Sequence[tuple[Paper, Disagreement]]) -> list[str]:
    named = {claim.source.id for _, found in cases for claim in found.claims}
    return sorted(named | {fallacy.source.id for _, found in cases for fallacy in found.errata})


def _disagreements_on(renderer: Renderer, field: str, cases: Sequence[tuple[Paper, Disagreement]]) -> Iterator[Page]:
    base, label = disagreements_address(field), field_label(renderer.catalogue, field)
    for leaf in leaves(base, cases, _ENTRIES, _ENTRIES):
        body = renderer.render(
            "disagreements_on.html",
            leaf.address,
            label=label,
            facet=field if field in renderer.catalogue.facets else "",
            total=len(cases),
            leaf=leaf,
            numbers=pager(leaf, base),
        )
        title = leaf.titled(f"Disagreements on: {label}")
        description = describe(f"{plural(len(cases), 'work')} on whose {label.lower()} the sources do not agree.")
        yield Page(leaf.address, "disagreements/shell/", body, title, description, renderer.head(leaf.address))


def coverage_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the page of coverage."""
    catalogue = renderer.catalogue
    body = renderer.render("coverage.html", COVERAGE, covered=coverage(catalogue), fills=fill_rates(catalogue))
    yield Page(COVERAGE, COVERAGE, body)
