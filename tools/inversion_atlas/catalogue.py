"""Reading the files of a catalogue into one linked, read-only Catalogue."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from inversion_atlas.records import yamlfile
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.discovery import Discovery, Refusal
from inversion_atlas.records.explain import describe
from inversion_atlas.records.facet import Facet, Term
from inversion_atlas.records.fields import Record
from inversion_atlas.records.findings import CatalogueError, Finding, Severity
from inversion_atlas.records.folding import fold
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import PASSIVE, VERBS, Paper
from inversion_atlas.records.settings import Settings
from inversion_atlas.records.source import Row, Source
from inversion_atlas.records.venue import Venue
from inversion_atlas.records.yamlfile import Plain, YamlError

BUNDLED = Path(__file__).parent / "bundled"
SETTINGS = "data/atlas.yaml"
DISCOVERY = "data/discovery.yaml"
REFUSED = "data/refused.yaml"

_SHOWN_ERRORS = 20

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: a file relative to the root, and the keys that lead to it."""

    path: str
    keys: tuple[str | int, ...] = ()

    def __truediv__(self, key: str | int) -> Place:
        return Place(self.path, (*self.keys, key))


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation as one of its ends reads it: `verb` may be passive, `other` is the id at the far end."""

    verb: str
    other: str
    how: str | None


@dataclass(frozen=True)
class Catalogue:
    """Every record, by id in the order of ids.

    `broken` are the ids whose record could not be read, and the paths of collections that could not be.
    """

    root: Path
    settings: Settings
    papers: Mapping[str, Paper]
    datasets: Mapping[str, Dataset]
    metrics: Mapping[str, Metric]
    venues: Mapping[str, Venue]
    facets: Mapping[str, Facet]
    sources: Mapping[str, Source]
    broken: frozenset[str] = frozenset()
    version: str = ""
    paths: Mapping[str, str] = field(default_factory=dict)
    discovery: Discovery = field(default_factory=Discovery)
    refused: Mapping[str, Refusal] = field(default_factory=dict)

    @cached_property
    def redirects(self) -> dict[str, str]:
        """Former id of a paper -> its id today."""
        return {alias: paper.id for paper in self.papers.values() for alias in paper.aliases}

    @cached_property
    def edges(self) -> dict[str, tuple[Edge, ...]]:
        """Paper id -> its relations in both directions, each written once in the files."""
        found: dict[str, dict[tuple[str, str], Edge]] = {}
        for paper in self.papers.values():
            for relation in paper.relations:
                verb, target = relation.verb, self.redirects.get(relation.target, relation.target)
                inverse = VERBS.get(verb) or PASSIVE[verb]
                for end, edge in (
                    (paper.id, Edge(verb, target, relation.how)),
                    (target, Edge(inverse, paper.id, relation.how)),
                ):
                    found.setdefault(end, {}).setdefault((edge.verb, edge.other), edge)
        return {end: tuple(edges[key] for key in sorted(edges)) for end, edges in found.items()}

    @cached_property
    def listed_by(self) -> dict[str, tuple[tuple[Source, Row], ...]]:
        """Paper id -> the rows of the sources that resolve to it."""
        found: dict[str, list[tuple[Source, Row]]] = {}
        for source in self.sources.values():
            for row in source.rows:
                if row.paper:
                    found.setdefault(self.redirects.get(row.paper, row.paper), []).append((source, row))
        return {paper: tuple(rows) for paper, rows in found.items()}

    @cached_property
    def narrower(self) -> dict[tuple[str, str], frozenset[str]]:
        """(facet, term) -> that term and every narrower one."""
        found: dict[tuple[str, str], set[str]] = {}
        for facet in self.facets.values():
            for term in facet.terms:
                for wider in broader_terms(facet, term):
                    found.setdefault((facet.id, wider), set()).add(term)
        return {key: frozenset(terms) for key, terms in found.items()}

    @cached_property
    def papers_with(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """("dataset", "metric", "venue" or a facet, its value) -> ids of the papers; a term includes narrower ones."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for paper in self.papers.values():
            held = [("dataset", id) for id in paper.datasets] + [("metric", id) for id in paper.metrics]
            held += [("venue", paper.venue)] if paper.venue else []
            for id, terms in paper.taxonomy.items():
                if facet := self.facets.get(id):
                    held += [(id, wider) for term in terms for wider in broader_terms(facet, term)]
            for key in held:
                found.setdefault(key, {})[paper.id] = None
        return {key: tuple(papers) for key, papers in found.items()}

    @cached_property
    def venue_spellings(self) -> dict[str, str]:
        """Folded spelling -> key of the venue; a spelling that two venues share stands for neither."""
        return _by_spelling({id: (venue.short, venue.name, *venue.aliases) for id, venue in self.venues.items()})

    @cached_property
    def term_spellings(self) -> dict[str, dict[str, str]]:
        """Facet -> folded spelling -> term; a spelling that two terms of a facet share stands for neither."""
        return {
            facet.id: _by_spelling({id: (term.label, *term.aliases) for id, term in facet.terms.items()})
            for facet in self.facets.values()
        }

    def term(self, facet: str, term: str) -> Term:
        """Return a term; raises KeyError where there is none."""
        return self.facets[facet].terms[term]

    def place(self, record: Record) -> Place:
        """Return where a record is written."""
        match record:
            case Paper(id=id):
                return Place(self.paths.get(id) or paper_path(id))
            case Facet(id=id):
                return Place(f"taxonomy/{id}.yaml")
            case Source(id=id):
                return Place(f"data/sources/{id}.yaml")
            case Dataset(id=id):
                return Place("data/datasets.yaml", (id,))
            case Metric(id=id):
                return Place("data/metrics.yaml", (id,))
            case Refusal(id=id):
                return Place(REFUSED, (id,))
            case Discovery():
                return Place(DISCOVERY)
            case Venue(id=id):
                return Place("data/venues.yaml", (id,))
            case _:
                return Place(SETTINGS)

    def finding(
        self, code: str, place: Place, message: str, hint: str = "", severity: Severity = Severity.ERROR
    ) -> Finding:
        """Return a finding about what is written at `place`, with its line and column."""
        line, column = position(self.root, place)
        return Finding(code, place.path, line, column, message, hint, severity)


def paper_path(id: str) -> str:
    """Return the path of a paper's file, relative to the root."""
    year = next((id[at : at + 4] for at in range(len(id)) if id[at].isdigit()), "0000")
    return f"data/papers/{year}/{id}.yaml"


def broader_terms(facet: Facet, term: str) -> Iterator[str]:
    """Yield a term and each of its broader ones, nearest first; a circle ends the walk."""
    seen: set[str] = set()
    current: str | None = term
    while current in facet.terms and current not in seen:
        seen.add(current)
        yield current
        current = facet.terms[current].broader


def _by_spelling(names: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return folded name -> id. A name that two share stands for neither, and an id for itself."""
    found: dict[str, str | None] = {}
    for id, spellings in names.items():
        for spelling in set(map(fold, spellings)):
            found[spelling] = id if found.get(spelling, id) == id else None
    return {spelling: id for spelling, id in found.items() if id} | {fold(id): id for id in names}


def position(root: Path, place: Place) -> tuple[int, int]:
    """Return line and column of `place`, or the start of the file where it cannot be read."""
    try:
        return yamlfile.locate(yamlfile.read_text(root / place.path), place.keys)
    except (YamlError, OSError):
        return 1, 1


def find_root(start: Path | None = None) -> Path:
    """Return the catalogue to work on: the nearest one above `start`, else the one this package carries."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2], BUNDLED):
        if is_catalogue(folder):
            return folder
    raise FileNotFoundError("no catalogue here; name one with --root, or install inversion-atlas with its data")


def is_catalogue(folder: Path) -> bool:
    """Tell whether `folder` holds a catalogue."""
    return (folder / "data" / "papers").is_dir() and (folder / "taxonomy").is_dir()


def load(root: Path) -> Catalogue:
    """Return the catalogue at `root`; raises CatalogueError with every finding if any file cannot be read."""
    catalogue, findings = read(root)
    if findings:
        raise CatalogueError(findings)
    return catalogue


def read(root: Path) -> tuple[Catalogue, list[Finding]]:
    """Return what can be read at `root`, and a finding for everything that cannot."""
    reader = _Reader(root)
    papers = reader.files("data/papers/*/*.yaml", Paper)
    settings = reader.files(SETTINGS, Settings, named=False).get("atlas")
    catalogue = Catalogue(
        root=root,
        settings=settings or Settings(title="Inversion Atlas", description="The map of model inversion."),
        papers=dict(sorted(papers.items())),
        datasets=reader.collection("data/datasets.yaml", Dataset),
        metrics=reader.collection("data/metrics.yaml", Metric),
        venues=reader.collection("data/venues.yaml", Venue),
        facets=dict(sorted(reader.files("taxonomy/*.yaml", Facet).items(), key=lambda item: (item[1].order, item[0]))),
        sources=reader.files("data/sources/*.yaml", Source),
        broken=frozenset(reader.broken),
        version=reader.digest.hexdigest()[:12],
        paths=reader.paths,
        discovery=reader.files(DISCOVERY, Discovery, named=False).get("discovery", Discovery()),
        refused=reader.collection(REFUSED, Refusal),
    )
    return catalogue, reader.findings


class _Reader:
    """Reads file after file, keeping what is good and a finding for what is not."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.findings: list[Finding] = []
        self.broken: set[str] = set()
        self.paths: dict[str, str] = {}
        self.digest = hashlib.sha256()

    def files(self, pattern: str, model: type[R], named: bool = True) -> dict[str, R]:
        records: dict[str, R] = {}
        for path in sorted(self.root.glob(pattern)):
            id = path.stem
            relative = path.relative_to(self.root).as_posix()
            if model is Paper and id in self.paths:
                self.findings.append(
                    Finding("file/twice", relative, 1, 1, f"{self.paths[id]} has the same id", "remove one")
                )
                continue
            self.paths[id] = relative
            data = self._parse(path, relative)
            record = self._build(model, data, id if named else None, Place(relative)) if data is not None else None
            if record is None:
                self.broken.add(id)
            else:
                records[id] = record
        return records

    def collection(self, relative: str, model: type[R]) -> dict[str, R]:
        path = self.root / relative
        data = self._parse(path, relative) if os.path.lexists(path) else {}
        if data is None:
            self.broken.add(relative)
        records: dict[str, R] = {}
        for id, item in sorted((data or {}).items()):
            record = self._build(model, item, id, Place(relative, (id,)))
            if record is None:
                self.broken.add(id)
            else:
                records[id] = record
        return records

    def _parse(self, path: Path, relative: str) -> dict[str, Plain] | None:
        try:
            text = yamlfile.read_text(path)
            self.digest.update(f"{relative}\0{len(text)}\0{text}".encode("utf-8", "surrogateescape"))
            data = yamlfile.parse(text)
        except YamlError as error:
            self.findings.append(error.finding(relative))
            return None
        except OSError as error:
            self.findings.append(Finding("file/unreadable", relative, 1, 1, f"cannot read the file: {error.strerror}"))
            return None
        if not isinstance(data, dict):
            self.findings.append(
                Finding("record/not-a-mapping", relative, 1, 1, "the file is no mapping", "write `key: value` lines")
            )
            return None
        return data

    def _build(self, model: type[R], data: Plain, id: str | None, place: Place) -> R | None:
        if not isinstance(data, dict):
            self.findings.append(
                self._finding("record/not-a-mapping", place, f"{id} is no mapping", "write `key: value` lines")
            )
            return None
        if "id" in data and id is not None:
            self.findings.append(
                self._finding("record/id-inside", place / "id", "the id is the name, not a key", "remove it")
            )
            return None
        fields: dict[str, Plain] = {key: value for key, value in data.items() if value is not None}
        if model is Facet:
            fields = _with_term_ids(fields)
        try:
            return model.model_validate({**fields, "id": id} if id is not None else fields)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=True)
            for detail in details[:_SHOWN_ERRORS]:
                self.findings.append(self._explain(detail, model, place))
            if len(details) > _SHOWN_ERRORS:
                message = f"{len(details) - _SHOWN_ERRORS} more errors in this record"
                self.findings.append(self._finding("record/more", place, message, "mend those above first"))
            return None

    def _explain(self, detail: Any, model: type[Record], place: Place) -> Finding:
        code, message, hint = describe(detail, model)
        for key in detail["loc"]:
            place = place / key
        return self._finding(f"record/{code}", place, message, hint)

    def _finding(self, code: str, place: Place, message: str, hint: str) -> Finding:
        line, column = position(self.root, place)
        return Finding(code, place.path, line, column, message, hint)


def _with_term_ids(facet: dict[str, Plain]) -> dict[str, Plain]:
    terms = facet.get("terms")
    if not isinstance(terms, dict):
        return facet
    named: dict[str, Plain] = {
        id: {**{k: v for k, v in term.items() if v is not None}, "id": id} if isinstance(term, dict) else term
        for id, term in terms.items()
    }
    return {**facet, "terms": named}
