"""What the sources say of a work, compared with its record and with each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inversion_atlas.catalogue import Catalogue, broader_terms
from inversion_atlas.records.erratum import Erratum, Fault
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.folding import fold
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.source import Row, Source
from inversion_atlas.records.venue import VenueType

# What the ledgers call a column -> the facet it speaks of. A column called like a facet needs no line here.
COLUMNS = {
    "application": "domain",
    "attack-class": "objective",
    "attack-subcategory": "objective",
    "auxiliary-information": "signal",
    "defense-technique": "family",
    "method": "family",
    "section": "family",
    "technique": "family",
}
# Errata that mean a source is wrong about a work -> the field it is wrong about.
FAULTS = {
    Fault.WRONG_FAMILY: "family",
    Fault.WRONG_ACCESS: "access",
    Fault.WRONG_TITLE: "title",
    Fault.WRONG_AUTHORS: "authors",
    Fault.WRONG_YEAR: "year",
    Fault.WRONG_VENUE: "venue",
    Fault.WRONG_FACT: "fact",
}
_EARLIER_VERSION = frozenset((Fault.SUPERSEDED, Fault.DUPLICATE))
_SECTION_NUMBER = re.compile(r"^\d+(?:\.\d+)*\.?\s+")
_REMARK = re.compile(r"\s*\([^()]*\)\s*$")
_JOINED = re.compile(r"\s+(?:&|and)\s+|\s*[,;/]\s*")
_YEAR_OF_VENUE = re.compile(r"\s*['’]?\d{2,4}$")


class Stance(StrEnum):
    """How what a source says stands to the record."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"
    # The record holds nothing to compare with.
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a row of a source says of one field of a work; `value` is a term, a year or a venue of the catalogue."""

    source: Source
    row: Row
    field: str
    printed: str
    value: str
    stance: Stance


@dataclass(frozen=True, slots=True)
class Fallacy:
    """An erratum by which a source is wrong about a field of a work."""

    source: Source
    row: Row
    erratum: Erratum


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A field of a work on which a source differs from the record, or sources from each other."""

    field: str
    record: tuple[str, ...]
    claims: tuple[Claim, ...]
    errata: tuple[Fallacy, ...] = ()


def claims(catalogue: Catalogue, paper: Paper) -> list[Claim]:
    """Return what the sources say of a work's facets, year and venue, as far as their spellings are known."""
    return [
        claim
        for source, row in catalogue.listed_by.get(paper.id, ())
        for claim in (*_facet_claims(catalogue, paper, source, row), *_field_claims(catalogue, paper, source, row))
    ]


def disagreements(catalogue: Catalogue, paper: Paper, said: Iterable[Claim] | None = None) -> list[Disagreement]:
    """Return the fields of a work on which its record and the sources do not agree, facets first.

    `said` are the claims of the sources, where they are at hand.
    """
    if paper.id not in catalogue.listed_by:
        return []
    by_field: dict[str, list[Claim]] = {}
    for claim in claims(catalogue, paper) if said is None else said:
        by_field.setdefault(claim.field, []).append(claim)
    errata: dict[str, list[Fallacy]] = {}
    for source, row in catalogue.listed_by[paper.id]:
        for erratum in row.errata:
            if erratum.type in FAULTS:
                errata.setdefault(FAULTS[erratum.type], []).append(Fallacy(source, row, erratum))
    found = []
    for field in (*catalogue.facets, "title", "authors", "year", "venue", "fact"):
        held = by_field.get(field, [])
        differ = any(claim.stance is Stance.OTHER for claim in held) or _divided(catalogue, field, held)
        if differ or field in errata:
            shown = tuple(held) if differ else ()
            found.append(Disagreement(field, _recorded(paper, field), shown, tuple(errata.get(field, ()))))
    return found


def all_disagreements(catalogue: Catalogue) -> Iterator[tuple[Paper, Disagreement]]:
    """Yield every disagreement in the order of papers."""
    for paper in catalogue.papers.values():
        for found in disagreements(catalogue, paper):
            yield paper, found


def terms_meant(catalogue: Catalogue, column: str, printed: str) -> tuple[str, tuple[str, ...]]:
    """Return the facet a column speaks of and the terms that `printed` stands for, none where one is not known."""
    facet = column if column in catalogue.facets else COLUMNS.get(column, "")
    spellings = catalogue.term_spellings.get(facet)
    if spellings is None:
        return "", ()
    for text in (printed, _SECTION_NUMBER.sub("", printed), _REMARK.sub("", printed)):
        if term := spellings.get(fold(text)):
            return facet, (term,)
    pieces = [spellings.get(fold(piece)) for piece in _JOINED.split(_REMARK.sub("", printed))]
    return facet, tuple(term for term in pieces if term) if all(pieces) else ()


def related(facet: Facet, one: str, other: str) -> Stance:
    """Return how the term `one` stands to `other`: the same, wider, narrower, or neither."""
    if one == other:
        return Stance.SAME
    if one in broader_terms(facet, other):
        return Stance.WIDER
    return Stance.NARROWER if other in broader_terms(facet, one) else Stance.OTHER


def _facet_claims(catalogue: Catalogue, paper: Paper, source: Source, row: Row) -> Iterator[Claim]:
    for column, values in row.says.items():
        for printed in values:
            facet, terms = terms_meant(catalogue, column, printed)
            for term in terms:
                stances = [related(catalogue.facets[facet], term, held) for held in paper.taxonomy.get(facet, ())]
                yield Claim(source, row, facet, printed, term, _nearest(stances))


def _nearest(stances: list[Stance]) -> Stance:
    order = (Stance.SAME, Stance.NARROWER, Stance.WIDER, Stance.OTHER)
    return next((stance for stance in order if stance in stances), Stance.ALONE)


def _field_claims(catalogue: Catalogue, paper: Paper, source: Source, row: Row) -> Iterator[Claim]:
    """Yield what a row says of year and venue, unless it names an earlier version of the work."""
    venues = [(printed, _venue(catalogue, printed)) for printed in row.says.get("venue", ())]
    if any(_is_preprint(catalogue, venue) or "arxiv" in printed.lower() for printed, venue in venues):
        return
    if any(erratum.type in _EARLIER_VERSION for erratum in row.errata):
        return
    for year in row.says.get("year", ()):
        if year.isdigit():
            yield Claim(source, row, "year", year, year, Stance.SAME if year == str(paper.year) else Stance.OTHER)
    for printed, venue in venues:
        if venue:
            stance = Stance.SAME if venue == paper.venue else Stance.OTHER if paper.venue else Stance.ALONE
            yield Claim(source, row, "venue", printed, venue, stance)


def _venue(catalogue: Catalogue, printed: str) -> str:
    known: Mapping[str, str] = catalogue.venue_spellings
    return known.get(fold(printed)) or known.get(fold(_YEAR_OF_VENUE.sub("", printed))) or ""


def _is_preprint(catalogue: Catalogue, venue: str) -> bool:
    return venue in catalogue.venues and catalogue.venues[venue].type is VenueType.PREPRINT


def _divided(catalogue: Catalogue, field: str, said: list[Claim]) -> bool:
    """Tell whether two sources name values of a field of which none goes with another."""
    by_source: dict[str, set[str]] = {}
    for claim in said:
        by_source.setdefault(claim.source.id, set()).add(claim.value)
    facet = catalogue.facets.get(field)
    named = list(by_source.values())
    return any(
        not any(one == other or (facet and related(facet, one, other) is not Stance.OTHER) for one in a for other in b)
        for at, a in enumerate(named)
        for b in named[at + 1 :]
    )


def _recorded(paper: Paper, field: str) -> tuple[str, ...]:
    match field:
        case "title":
            return (paper.title,)
        case "authors":
            return paper.authors
        case "year":
            return (str(paper.year),)
        case "venue":
            return (paper.venue,) if paper.venue else ()
        case _:
            return paper.taxonomy.get(field, ())
