"""What one record names in another: papers, datasets, metrics, venues, terms and sources that must exist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.checks.contents import Piece, classified, errata, measured, papers
from inversion_atlas.checks.rule import Problem
from inversion_atlas.records.explain import did_you_mean
from inversion_atlas.records.folding import fold
from inversion_atlas.records.paper import PASSIVE, VERBS, Links, Paper, Reported

DATASETS, METRICS, VENUES = "data/datasets.yaml", "data/metrics.yaml", "data/venues.yaml"
# A name missing in more places than this is one thing to mend, not many.
_OFTEN = 5


def unknown_papers(catalogue: Catalogue) -> Iterator[Problem]:
    """A paper id that no record and no redirect has."""
    known = catalogue.papers.keys() | catalogue.redirects.keys() | catalogue.broken
    by_start: dict[str, list[str]] | None = None
    for place, id in _named_papers(catalogue):
        if id in known:
            continue
        if by_start is None:
            by_start = defaultdict(list)
            for each in sorted(catalogue.papers):
                by_start[each[:3]].append(each)
        near = did_you_mean(id, by_start.get(id[:3], ())[:500])
        hint = near if near.startswith("did you mean") else "correct the id, or add the paper with `atlas new`"
        yield Problem(place, f"no paper has the id {id}", hint)


def former_ids(catalogue: Catalogue) -> Iterator[Problem]:
    """A paper named by a former id."""
    for place, id in _named_papers(catalogue):
        if id in catalogue.redirects and id not in catalogue.papers:
            now = catalogue.redirects[id]
            yield Problem(place, f"{id} is the former id of {now}", f"write {now}")


def unknown_datasets(catalogue: Catalogue) -> Iterator[Problem]:
    """A dataset that `data/datasets.yaml` does not hold."""
    named: list[Piece] = []
    for place, paper in papers(catalogue):
        named += _listed(place / "datasets", paper.datasets)
        named += [(place / "reported" / at / "dataset", row.dataset) for at, row in _rows(paper) if row.dataset]
    for place, id in _rows_naming(catalogue, "dataset"):
        named.append((place, id))
    yield from _unknown(catalogue, named, "dataset", catalogue.datasets, DATASETS)


def unknown_metrics(catalogue: Catalogue) -> Iterator[Problem]:
    """A metric that `data/metrics.yaml` does not hold."""
    named: list[Piece] = []
    for place, paper in papers(catalogue):
        named += _listed(place / "metrics", paper.metrics)
        named += [(place / "reported" / at / "metric", row.metric) for at, row in _rows(paper)]
    named += _rows_naming(catalogue, "metric")
    yield from _unknown(catalogue, named, "metric", catalogue.metrics, METRICS)


def unknown_venues(catalogue: Catalogue) -> Iterator[Problem]:
    """A venue that `data/venues.yaml` holds under no spelling."""
    spellings = catalogue.venue_spellings
    named = [
        (place / "venue", paper.venue)
        for place, paper in papers(catalogue)
        if paper.venue and fold(paper.venue) not in spellings
    ]
    yield from _unknown(catalogue, named, "venue", catalogue.venues, VENUES)


def venue_aliases(catalogue: Catalogue) -> Iterator[Problem]:
    """A venue named by another spelling than its key."""
    spellings = catalogue.venue_spellings
    for place, paper in papers(catalogue):
        if paper.venue and paper.venue not in catalogue.venues and (key := spellings.get(fold(paper.venue))):
            yield Problem(
                place / "venue", f"{paper.venue} is another spelling of {key}", f"write {key} (--fix does it)"
            )


def unknown_facets(catalogue: Catalogue) -> Iterator[Problem]:
    """A facet without a file in `taxonomy/`."""
    for place, taxonomy in classified(catalogue):
        for facet in taxonomy:
            if facet not in catalogue.facets and facet not in catalogue.broken:
                yield Problem(place / facet, f"there is no facet {facet}", did_you_mean(facet, catalogue.facets))


def unknown_terms(catalogue: Catalogue) -> Iterator[Problem]:
    """A term that its facet does not hold."""
    for place, taxonomy in classified(catalogue):
        for facet, terms in taxonomy.items():
            known = catalogue.facets[facet].terms if facet in catalogue.facets else None
            for at, term in enumerate(terms):
                if known is not None and term not in known:
                    hint = _term_hint(catalogue, facet, term)
                    yield Problem(place / facet / at, f"the facet {facet} has no term {term}", hint)
    if not any(facet in catalogue.broken for facet in _facet_files(catalogue)):
        anywhere = {term for facet in catalogue.facets.values() for term in facet.terms}
        for place, term in _rows_naming(catalogue, "term"):
            if term not in anywhere:
                yield Problem(place, f"no facet has a term {term}", did_you_mean(term, sorted(anywhere)))


def unknown_sources(catalogue: Catalogue) -> Iterator[Problem]:
    """A source without a ledger in `data/sources/`."""
    named: list[Piece] = []
    for place, paper in papers(catalogue):
        named += [(place / "unconfirmed" / field, source) for field, source in paper.unconfirmed.items()]
    named += [(place / "source", erratum.source) for place, erratum in errata(catalogue)]
    for facet in catalogue.facets.values():
        for id, term in facet.terms.items():
            named += _listed(catalogue.place(facet) / "terms" / id / "sources", term.sources)
    yield from _unknown(catalogue, named, "source", catalogue.sources, "data/sources")


def unknown_fields(catalogue: Catalogue) -> Iterator[Problem]:
    """`unconfirmed` names something that is no field of a paper, or a field that is empty."""
    for place, paper in papers(catalogue):
        for name in paper.unconfirmed:
            field, _, part = name.partition(".")
            within = {"links": Links.model_fields, "taxonomy": catalogue.facets}.get(field, ())
            if field not in Paper.model_fields or (part and part not in within):
                known = [*Paper.model_fields, *(f"links.{key}" for key in Links.model_fields)]
                yield Problem(place / "unconfirmed" / name, f"a paper has no field {name}", did_you_mean(name, known))
            elif not _value(paper, field, part):
                yield Problem(
                    place / "unconfirmed" / name, f"{name} is unconfirmed but empty", "fill it, or remove this line"
                )


def self_relations(catalogue: Catalogue) -> Iterator[Problem]:
    """A paper related to itself."""
    for place, paper in papers(catalogue):
        for at, relation in enumerate(paper.relations):
            if catalogue.redirects.get(relation.target, relation.target) == paper.id:
                yield Problem(place / "relations" / at, "the paper is related to itself", "name the other paper")
        for at, other in enumerate(paper.not_duplicate_of):
            if other == paper.id:
                yield Problem(place / "not_duplicate_of" / at, "the paper is compared with itself", "remove it")


def relations_twice(catalogue: Catalogue) -> Iterator[Problem]:
    """A relation written at both ends, or twice at one."""
    first: dict[tuple[str, str, str], str] = {}
    for place, paper in papers(catalogue):
        for at, relation in enumerate(paper.relations):
            target = catalogue.redirects.get(relation.target, relation.target)
            active = relation.verb in VERBS
            verb = relation.verb if active else PASSIVE[relation.verb]
            edge = (verb, paper.id, target) if active else (verb, target, paper.id)
            if edge in first:
                where = "here" if first[edge] == paper.id else f"in {first[edge]}"
                message = f"“{edge[1]} {verb} {edge[2]}” is already written {where}"
                yield Problem(place / "relations" / at, message, "keep one of the two")
            else:
                first[edge] = paper.id


def claimed_ids(catalogue: Catalogue) -> Iterator[Problem]:
    """A former id that another record has or claims too."""
    claimed: dict[str, str] = {}
    for place, paper in papers(catalogue):
        yield from _claims(place / "aliases", paper.id, paper.aliases, catalogue.papers, claimed)
    for records in (catalogue.datasets, catalogue.metrics):
        taken: dict[str, str] = {}
        for record in records.values():
            yield from _claims(catalogue.place(record) / "aliases", record.id, record.aliases, records, taken)


def shared_ids(catalogue: Catalogue) -> Iterator[Problem]:
    """A dataset and a metric with one id."""
    for id, metric in catalogue.metrics.items():
        if id in catalogue.datasets:
            yield Problem(catalogue.place(metric), f"{id} is the id of a dataset, too", "rename one of them")


def _claims(
    place: Place, id: str, aliases: Iterable[str], existing: Collection[str], claimed: dict[str, str]
) -> Iterator[Problem]:
    for at, alias in enumerate(aliases):
        if alias in existing:
            yield Problem(place / at, f"the former id {alias} is the id of a record", "remove it")
        elif claimed.setdefault(alias, id) != id:
            yield Problem(place / at, f"{claimed[alias]} claims the former id {alias}, too", "remove one")


def _unknown(
    catalogue: Catalogue, named: Iterable[Piece], what: str, known: Collection[str], path: str
) -> Iterator[Problem]:
    """Yield the names that are not known, unless the file that would hold them could not be read."""
    if path in catalogue.broken:
        return
    unknown: dict[str, list[Place]] = {}
    for place, id in named:
        if id not in known and id not in catalogue.broken:
            unknown.setdefault(id, []).append(place)
    for id, places in unknown.items():
        near = did_you_mean(id, known)
        hint = near if near.startswith("did you mean") else f"add it to {path}, or correct the id"
        message = f"there is no {what} {id} in {path}"
        if len(places) > _OFTEN:
            message += f" (named here and in {len(places) - 1} other places)"
        yield from (Problem(place, message, hint) for place in places[: 1 if len(places) > _OFTEN else None])


def _named_papers(catalogue: Catalogue) -> Iterator[Piece]:
    for place, paper in papers(catalogue):
        for at, relation in enumerate(paper.relations):
            yield place / "relations" / at / relation.verb, relation.target
        yield from _listed(place / "not_duplicate_of", paper.not_duplicate_of)
    for place, record in measured(catalogue):
        if record.introduced_by:
            yield place / "introduced_by", record.introduced_by
    for source in catalogue.sources.values():
        if source.paper:
            yield catalogue.place(source) / "paper", source.paper
    yield from _rows_naming(catalogue, "paper")
    yield from _listed(catalogue.place(catalogue.discovery) / "core", catalogue.discovery.core)


def _rows_naming(catalogue: Catalogue, key: str) -> Iterator[Piece]:
    for source in catalogue.sources.values():
        for at, row in enumerate(source.rows):
            if id := getattr(row, key):
                yield catalogue.place(source) / "rows" / at / key, id


def _rows(paper: Paper) -> Iterable[tuple[int, Reported]]:
    return enumerate(paper.reported)


def _listed(place: Place, ids: tuple[str, ...]) -> Iterator[Piece]:
    return ((place / at, id) for at, id in enumerate(ids))


def _facet_files(catalogue: Catalogue) -> Iterator[str]:
    return (path.stem for path in (catalogue.root / "taxonomy").glob("*.yaml"))


def _term_hint(catalogue: Catalogue, facet: str, term: str) -> str:
    """Return the facet that does hold the term, or the nearest term, or the one that has it as an alias."""
    terms = catalogue.facets[facet].terms
    for id, each in terms.items():
        if fold(term) in (fold(name) for name in (each.label, *each.aliases)):
            return f"did you mean {id}?"
    if dotted := [id for id in terms if id.endswith(f".{term}")]:
        return f"did you mean {dotted[0]}?"
    if elsewhere := [name for name, other in catalogue.facets.items() if term in other.terms]:
        return f"it is a term of the facet {elsewhere[0]}"
    return did_you_mean(term, terms)


def _value(paper: Paper, field: str, part: str) -> object:
    value = getattr(paper, field)
    if not part:
        return value
    return value.get(part) if isinstance(value, dict) else getattr(value, part)
