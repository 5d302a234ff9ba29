"""The taxonomy in itself, and how records use it."""

from __future__ import annotations

from collections.abc import Iterator

from inversion_atlas.catalogue import Catalogue, broader_terms
from inversion_atlas.checks.contents import classified
from inversion_atlas.checks.rule import Problem
from inversion_atlas.records.explain import did_you_mean
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.folding import fold


def unknown_broader(catalogue: Catalogue) -> Iterator[Problem]:
    """A broader term that the facet does not hold."""
    for facet in catalogue.facets.values():
        for id, term in facet.terms.items():
            if term.broader and term.broader not in facet.terms:
                place = catalogue.place(facet) / "terms" / id / "broader"
                yield Problem(place, f"the facet has no term {term.broader}", did_you_mean(term.broader, facet.terms))


def cycles(catalogue: Catalogue) -> Iterator[Problem]:
    """A term that is broader than itself, over one or more steps."""
    for facet in catalogue.facets.values():
        for id in facet.terms:
            circle = _circle(facet, id)
            if circle and id == min(circle):
                place = catalogue.place(facet) / "terms" / id / "broader"
                yield Problem(place, f"broader terms go in a circle: {' → '.join((*circle, id))}", "break it")


def dotted_ids(catalogue: Catalogue) -> Iterator[Problem]:
    """A dotted id whose part before the last dot is not its broader term."""
    for facet in catalogue.facets.values():
        for id, term in facet.terms.items():
            prefix = id.rpartition(".")[0]
            if prefix and term.broader != prefix:
                place = catalogue.place(facet) / "terms" / id
                place = place / "broader" if term.broader else place
                yield Problem(place, f"{id} must have {prefix} as broader term", f"write `broader: {prefix}`")


def shared_spellings(catalogue: Catalogue) -> Iterator[Problem]:
    """A spelling that two terms of a facet claim."""
    for facet in catalogue.facets.values():
        owners = {fold(id): id for id in facet.terms}
        for id, term in facet.terms.items():
            place = catalogue.place(facet) / "terms" / id
            spellings = [(place / "label", term.label)]
            spellings += [(place / "aliases" / at, alias) for at, alias in enumerate(term.aliases)]
            for at, spelling in spellings:
                if (owner := owners.setdefault(fold(spelling), id)) != id:
                    yield Problem(at, f"“{spelling}” stands for the term {owner}, too", "leave it with one of them")


def implied_terms(catalogue: Catalogue) -> Iterator[Problem]:
    """A term together with one of its broader ones."""
    for place, taxonomy in classified(catalogue):
        for name, terms in taxonomy.items():
            if len(terms) < 2 or name not in catalogue.facets:
                continue
            facet = catalogue.facets[name]
            wider = {above: term for term in terms for above in broader_terms(facet, term) if above != term}
            for at, term in enumerate(terms):
                if term in wider:
                    yield Problem(place / name / at, f"{wider[term]} already implies {term}", f"remove {term}")


def unused_terms(catalogue: Catalogue) -> Iterator[Problem]:
    """A term that no record has, nor a narrower one."""
    used = {(facet, term) for _, taxonomy in classified(catalogue) for facet in taxonomy for term in taxonomy[facet]}
    for facet in catalogue.facets.values():
        for id in facet.terms:
            if used.isdisjoint((facet.id, term) for term in catalogue.narrower[facet.id, id]):
                yield Problem(
                    catalogue.place(facet) / "terms" / id, f"no record has the term {id}", "classify or drop it"
                )


def _circle(facet: Facet, term: str) -> tuple[str, ...]:
    """Return the terms of the circle that leads back to `term`, or nothing."""
    path = tuple(broader_terms(facet, term))
    return path if facet.terms[path[-1]].broader == term else ()
