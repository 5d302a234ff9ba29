"""The pages of the taxonomy: method families, facets, and a page per term."""

from __future__ import annotations

from collections.abc import Iterator

from inversion_atlas.addresses import FAMILY, facet_address, feed_address, term_address
from inversion_atlas.catalogue import broader_terms
from inversion_atlas.records.facet import Facet, Term
from inversion_atlas.website.rendering import Page, Renderer
from inversion_atlas.website.subject_pages import works_pages


def vocabulary_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the overview of all facets, a page per facet, and a page per term."""
    facets = renderer.catalogue.facets
    counts = {
        (facet.id, term): len(renderer.having(facet.id, term)) for facet in facets.values() for term in facet.terms
    }
    yield Page(
        "terms/",
        "terms/",
        renderer.render(
            "facets.html", "terms/", counts=counts, trees={id: tree(facet) for id, facet in facets.items()}
        ),
    )
    for facet in facets.values():
        yield _facet_page(renderer, facet, counts)
        for term in facet.terms.values():
            yield from _term_pages(renderer, facet, term, counts)
    if FAMILY not in facets:
        yield Page("families/", "families/", "")


def _facet_page(renderer: Renderer, facet: Facet, counts: dict[tuple[str, str], int]) -> Page:
    at = facet_address(facet.id)
    own = at == "families/"
    body = renderer.render("facet.html", at, facet=facet, tree=tree(facet), counts=counts, headed=not own)
    if own:
        return Page(at, at, body)
    head = renderer.head(at)
    return Page(at, "terms/shell/", body, facet.label, facet.question, head, facet.id)


def _term_pages(renderer: Renderer, facet: Facet, term: Term, counts: dict[tuple[str, str], int]) -> Iterator[Page]:
    at = term_address(facet.id, term.id)
    broader = [facet.terms[id] for id in list(broader_terms(facet, term.id))[1:]][::-1]
    narrower = [other for other in facet.terms.values() if other.broader == term.id]
    steps = [] if facet.id == FAMILY else [("Taxonomy", "terms/")]
    steps += [("Families" if facet.id == FAMILY else facet.label, facet_address(facet.id))]
    steps += [(wider.label, term_address(facet.id, wider.id)) for wider in broader]
    yield from works_pages(
        renderer,
        at,
        (facet.id, term.id),
        term.label,
        term.definition,
        renderer.render("term.html", at, facet=facet, term=term, narrower=narrower, counts=counts),
        eyebrow=facet.label,
        crumbs=steps,
        works_heading="Works, newest first",
        subject=f"{facet.id}={term.id}",
        feed=feed_address(facet.id, term.id),
    )


def tree(facet: Facet, broader: str | None = None) -> list[tuple[Term, list[object]]]:
    """Return a facet's terms as a tree; a term whose broader one is unknown stands at the top."""
    found: list[tuple[Term, list[object]]] = []
    for term in facet.terms.values():
        parent = term.broader if term.broader in facet.terms else None
        if parent == broader:
            found.append((term, list(tree(facet, term.id))))
    return found
