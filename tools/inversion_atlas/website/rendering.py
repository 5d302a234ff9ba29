"""What every page of records is made with: the templates, the entries of lists, the slots of a shell."""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from inversion_atlas.addresses import (
    FAMILY,
    address,
    explore_address,
    facet_address,
    feed_address,
    relative,
    term_address,
)
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import short_authors
from inversion_atlas.links.state import STATE, State, read_state
from inversion_atlas.query import newest_first, select
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.fields import Record
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Paper, Reported
from inversion_atlas.reference import index
from inversion_atlas.reference.index import Implementation
from inversion_atlas.website.citation_tags import coins, meta
from inversion_atlas.website.compiled import compiled_templates
from inversion_atlas.website.formulas import mathml
from inversion_atlas.website.likeness import Alike, Likeness
from inversion_atlas.website.statements import field_label, positions, recorded

T = TypeVar("T")

# Works on the page of a record and on those that continue it, which stay below 20 kB, and on a list of its own.
BESIDE_FACTS = 30
CONTINUED = 50
ON_A_LIST = 100
_DESCRIPTION_LENGTH = 160
_OPENSEARCH = "application/opensearchdescription+xml"
_CODE_HOSTS = frozenset(("github.com", "gitlab.com", "huggingface.co"))


@dataclass(frozen=True, slots=True)
class Page:
    """One page to stamp: its address, the shell it goes into, what fills the slots of that shell.

    `subject` is the id of the record it is about. A page with `title` "" keeps the one its Markdown gives it.
    """

    address: str
    shell: str
    body: str
    title: str = ""
    description: str = ""
    head: str = ""
    subject: str = ""
    indexed: bool = True


@dataclass(frozen=True, slots=True)
class Leaf(Generic[T]):
    """One page of a long list: its address, what stands on it, its number of how many."""

    address: str
    members: Sequence[T]
    number: int
    count: int
    first: int

    def titled(self, name: str) -> str:
        """Return what this page of a list is called."""
        return name if self.number == 1 else f"{name}, page {self.number}"


@dataclass(frozen=True)
class Renderer:
    """Turns records of one catalogue into pages with the templates in a folder."""

    catalogue: Catalogue
    templates: Path
    _entries: dict[str, dict[str, str]] = field(default_factory=dict)
    _facets: dict[tuple[str, str, tuple[str, ...]], Markup] = field(default_factory=dict)
    _templates: dict[str, Template] = field(default_factory=dict)
    _having: dict[tuple[str, str], Sequence[Paper]] = field(default_factory=dict)

    @cached_property
    def links(self) -> State:
        """What is remembered of links; nothing where they were never checked."""
        return read_state(self.catalogue.root / STATE)

    @cached_property
    def environment(self) -> Environment:
        """The templates, which escape everything and know every name they use."""
        environment = Environment(
            loader=FileSystemLoader(self.templates),
            autoescape=True,
            undefined=StrictUndefined,
            bytecode_cache=compiled_templates,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            address=address,
            explore_address=explore_address,
            facet_address=facet_address,
            feed_address=feed_address,
            facets_of=self.facets,
            field_label=lambda field: field_label(self.catalogue, field),
            names_of=self.names,
            term_address=term_address,
            catalogue=self.catalogue,
            settings=self.catalogue.settings,
            author_name=author_name,
            mathml=mathml,
            host=host,
            paper_link=self.paper_link,
            plural=plural,
            positions=positions,
            recorded=lambda found: recorded(self.catalogue, found),
            short_authors=short_authors,
        )
        # A template that imports the macros itself pays for that each time it is filled.
        environment.globals["parts"] = environment.get_template("parts.html").module
        return environment

    def render(self, template: str, at: str, **context: object) -> Markup:
        """Return a template filled for the page at address `at`."""
        return Markup(self._template(template).render(root=relative(at), at=at, **context))

    def _template(self, name: str) -> Template:
        if name not in self._templates:
            template = self.environment.get_template(name)
            # They are copied at every filling, and a plain dictionary is copied fastest.
            template.globals = dict(template.globals)
            self._templates[name] = template
        return self._templates[name]

    @cached_property
    def newest_first(self) -> tuple[Paper, ...]:
        """Every work that lists show, which leaves background works out."""
        return tuple(newest_first(select(self.catalogue)))

    @cached_property
    def years(self) -> frozenset[int]:
        """The years that have a list of their own."""
        return frozenset(paper.year for paper in self.newest_first)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        """Where each work that lists show stands among all of them."""
        return {paper.id: rank for rank, paper in enumerate(self.newest_first)}

    def having(self, field: str, value: str) -> Sequence[Paper]:
        """Return what the query `field=value` selects, newest first, without reading every paper for it."""
        key = (field, value)
        if key not in self._having:
            self._having[key] = self.listed(self.catalogue.papers_with.get(key, ()))
        return self._having[key]

    def listed(self, ids: Iterable[str]) -> list[Paper]:
        """Return the works with these ids that lists show, newest first."""
        ranks = self._ranks
        return [self.newest_first[rank] for rank in sorted({ranks[id] for id in ids if id in ranks})]

    @cached_property
    def measures(self) -> dict[str, dict[str, tuple[str, str]]]:
        """Family, "dataset", "metric" and "venue" -> id -> the name for a page and the address."""
        catalogue = self.catalogue
        facet = catalogue.facets.get(FAMILY)
        families = facet.terms.items() if facet else ()
        return {
            FAMILY: {id: (html.escape(term.label), term_address(FAMILY, id)) for id, term in families},
            "dataset": {id: (html.escape(each.name), address(each)) for id, each in catalogue.datasets.items()},
            "metric": {id: (html.escape(each.name), address(each)) for id, each in catalogue.metrics.items()},
            "venue": {id: (html.escape(each.short), address(each)) for id, each in catalogue.venues.items()},
        }

    @cached_property
    def reported(self) -> dict[tuple[str, str], list[tuple[Paper, Reported]]]:
        """("dataset" or "metric", its id) -> the numbers that works report on or with it, newest first."""
        found: dict[tuple[str, str], list[tuple[Paper, Reported]]] = {}
        for paper in self.newest_first:
            for number in paper.reported:
                found.setdefault(("metric", number.metric), []).append((paper, number))
                if number.dataset:
                    found.setdefault(("dataset", number.dataset), []).append((paper, number))
        return found

    def works(self, papers: Iterable[Paper], at: str) -> Markup:
        """Return the entries of a list of works, for the page at address `at`."""
        root = relative(at) if at else ""
        known = self._entries.setdefault(root, {})
        return Markup("".join([known.get(paper.id) or self._entry(paper, root, known) for paper in papers]))

    def _entry(self, paper: Paper, root: str, known: dict[str, str]) -> str:
        """Return a list's entry for a work. It is rendered once and differs between lists in its link alone."""
        plain = self._entries.setdefault("", {})
        if paper.id not in plain:
            plain[paper.id] = self._plain_entry(paper)
        known[paper.id] = plain[paper.id].replace('<a href="papers/', f'<a href="{root}papers/', 1)
        return known[paper.id]

    # Not a template: it stands on more lines than anything else.
    def _plain_entry(self, paper: Paper) -> str:
        venue = self.catalogue.venues.get(paper.venue or "")
        where = html.escape(f"{venue.short if venue else paper.venue or ''} {paper.year}".strip())
        status = f' <span class="kind bad">{paper.status.state}</span>' if paper.status else ""
        return (
            f'<li class="work{" struck" if paper.status else ""}">'
            f'<a href="papers/{paper.id}/">{html.escape(paper.title)}</a> '
            f'<span class="who">{html.escape(short_authors(paper))}</span> <span class="where">{where}</span> '
            f'<span class="kind {paper.kind}">{paper.kind}</span>{status}{coins(self.catalogue, paper)}</li>\n'
        )

    def facets(self, taxonomy: Mapping[str, Collection[str]], at: str) -> Markup:
        """Return the facets of a record with its terms, for the page at address `at`."""
        root = relative(at)
        return Markup(
            "".join(
                self._facet(facet, tuple(taxonomy[id]), root)
                for id, facet in self.catalogue.facets.items()
                if taxonomy.get(id)
            )
        )

    def _facet(self, facet: Facet, terms: tuple[str, ...], root: str) -> str:
        key = (root, facet.id, terms)
        if key not in self._facets:
            made = self._template("facets_of.html").render(facet=facet, terms=terms, root=root)
            self._facets[key] = Markup(made)
        return self._facets[key]

    def chips(self, facet: str, terms: tuple[str, ...], root: str) -> Markup:
        """Return terms of a facet as links to their pages."""
        key = (root, f"{facet} terms", terms)
        if key not in self._facets:
            known = self.catalogue.facets[facet].terms
            chips = [
                f'<a class="chip" href="{root}{term_address(facet, term)}">{html.escape(known[term].label)}</a>'
                if term in known
                else f'<span class="chip">{html.escape(term)}</span>'
                for term in terms
            ]
            self._facets[key] = Markup(" ".join(chips))
        return self._facets[key]

    def paper_link(self, id: str, root: str) -> Markup:
        """Return a link to a paper with its year, or the id alone where there is none; `root` leads to `papers/`."""
        key = (root, "paper", (id,))
        if key not in self._facets:
            paper = self.catalogue.papers.get(self.catalogue.redirects.get(id, id))
            self._facets[key] = Markup(html.escape(id))
            if paper:
                link = f'<a href="{root}{paper.id}/">{html.escape(paper.title)}</a>'
                self._facets[key] = Markup(f'{link} <span class="where">{paper.year}</span>')
        return self._facets[key]

    def shared(self, alike: Alike) -> str:
        """Return in words what makes a work like another."""
        return ", ".join([self._feature(kind, value) for kind, value in alike.shared])

    def _feature(self, kind: str, value: str) -> str:
        """Return a thing that works share, in words."""
        key = ("shared", kind, (value,))
        if key not in self._facets:
            facet, dataset = self.catalogue.facets.get(kind), self.catalogue.datasets.get(value)
            shown = value
            if facet and value in facet.terms:
                shown = facet.terms[value].label
            elif kind == "dataset" and dataset:
                shown = dataset.name
            elif kind == "relation":
                shown = f"both about {self._called(value)}"
            elif kind == "method":
                shown = f"both {value}"
            self._facets[key] = Markup(html.escape(shown))
        return self._facets[key]

    def _called(self, id: str) -> str:
        """Return what a work is called in a few words: its method, else its id."""
        paper = self.catalogue.papers.get(id)
        return paper.methods[0] if paper and paper.methods else id

    @cached_property
    def likeness(self) -> Likeness:
        """Which works are alike."""
        return Likeness(self.catalogue, self.newest_first)

    @cached_property
    def _implementations(self) -> dict[tuple[str, str], tuple[Implementation, ...]]:
        found: dict[tuple[str, str], tuple[Implementation, ...]] = {}
        for each in index.IMPLEMENTATIONS:
            for key in (("paper", each.paper), ("metric", each.metric)):
                found[key] = (*found.get(key, ()), each)
        return found

    def implementations(self, kind: str, id: str) -> tuple[Implementation, ...]:
        """Return what runs here of the paper or the metric with this id."""
        return self._implementations.get((kind, id), ())

    def names(self, section: str, ids: Iterable[str], at: str) -> Markup:
        """Return links to datasets or metrics by name, for the page at address `at`."""
        root = relative(at)
        return Markup(" ".join(self._name(section, id, root) for id in ids))

    def _name(self, section: str, id: str, root: str) -> str:
        key = (root, section, (id,))
        if key not in self._facets:
            known: Mapping[str, Dataset | Metric] = getattr(self.catalogue, section)
            link = (
                Markup('<a class="chip" href="{}{}">{}</a>') if id in known else Markup('<span class="chip">{2}</span>')
            )
            record = known.get(id)
            self._facets[key] = link.format(root, address(record) if record else "", record.name if record else id)
        return self._facets[key]

    def head(
        self,
        at: str,
        *,
        title: str = "",
        description: str = "",
        json: str = "",
        feed: str = "",
        indexed: bool = True,
        canonical: bool = True,
        tags: Iterable[tuple[str, str]] = (),
    ) -> Markup:
        """Return what the head of the page at address `at` says of it: its own address, and what programs read."""
        settings, lines = self.catalogue.settings, []
        if not indexed:
            lines.append('<meta name="robots" content="noindex">')
        if settings.site and canonical:
            url = f"{settings.site}/{at}"
            lines.append(f'<link rel="canonical" href="{html.escape(url)}">')
            if title:
                shared = (("title", title), ("description", description), ("type", "article"), ("url", url))
                lines += [f'<meta property="og:{name}" content="{html.escape(value)}">' for name, value in shared]
        if json:
            link = f"{relative(at)}api/v1/{json}"
            lines.append(f'<link rel="alternate" type="application/json" href="{html.escape(link)}">')
        if feed:
            name = html.escape(f"{settings.title}: {title}" if title else settings.title)
            link = html.escape(relative(at, feed))
            lines.append(f'<link rel="alternate" type="application/atom+xml" title="{name}" href="{link}">')
        if settings.site and feed == feed_address():
            link = relative(at, "opensearch.xml")
            name = html.escape(settings.title)
            lines.append(f'<link rel="search" type="{_OPENSEARCH}" title="{name}" href="{link}">')
        # Not a template: fifteen such lines stand on every record's page.
        lines += [meta(name, value) for name, value in tags]
        return Markup("\n".join(lines))

    def edit_link(self, record: Record) -> str:
        """Return the address where a record can be edited, if the repository has one."""
        repository = self.catalogue.settings.repository
        return f"{repository}/edit/main/{self.catalogue.place(record).path}" if repository else ""

    def form_link(self, paper: Paper) -> str:
        """Return the address of the form that corrects a field of this paper, if the repository has one."""
        repository = self.catalogue.settings.repository
        return f"{repository}/issues/new?template=fix-record.yml&record={paper.id}" if repository else ""


def leaves(base: str, members: Sequence[T], size: int, rest_size: int = ON_A_LIST) -> Iterator[Leaf[T]]:
    """Cut a list into pages: `size` of them at `base`, then `rest_size` each at `base` with _2, _3…

    No id holds an underscore, so these addresses never meet a record's.
    """
    starts = [0, *range(size, len(members), rest_size)]
    for number, start in enumerate(starts, 1):
        end = start + (size if number == 1 else rest_size)
        yield Leaf(leaf_address(base, number), members[start:end], number, len(starts), start + 1)


def leaf_address(base: str, number: int) -> str:
    """Return the address of a list's page by number."""
    return base if number == 1 else f"{base.rstrip('/')}_{number}/"


def pager(leaf: Leaf[T], base: str) -> list[tuple[int | None, str]]:
    """Return the numbers to link below a page of a list, None for a gap, each with its address."""
    near = {1, leaf.count, *range(max(1, leaf.number - 2), min(leaf.count, leaf.number + 2) + 1)}
    shown: list[tuple[int | None, str]] = []
    previous = 0
    for number in sorted(near):
        if number > previous + 1:
            shown.append((None, ""))
        shown.append((number, leaf_address(base, number)))
        previous = number
    return shown


def author_name(author: str) -> str:
    """Return an author as a reader says it: `Zhu, Ligeng` -> `Ligeng Zhu`."""
    family, _, given = author.partition(", ")
    return f"{given} {family}".strip()


def host(url: str) -> str:
    """Return what a link to `url` is called: its host and, for a code host, whose repository it is."""
    name, _, path = url.split("://", 1)[1].partition("/")
    name = name.removeprefix("www.")
    if name not in _CODE_HOSTS:
        return name
    return "/".join([name, *(part for part in path.split("/")[:2] if part)])


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: `1 paper`, `1,204 papers`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def describe(text: str) -> str:
    """Return the start of `text` for a page's description, cut between words."""
    text = " ".join(text.split())
    if len(text) <= _DESCRIPTION_LENGTH:
        return text
    return text[:_DESCRIPTION_LENGTH].rsplit(" ", 1)[0].rstrip(",;:.") + "…"


def slots_of(page: Page, shared: Mapping[str, str]) -> dict[str, str]:
    """Return what fills the slots of a page's shell; titles and descriptions are escaped for any place."""
    slots = {**shared, "head": page.head, "body": page.body}
    if page.title:
        slots["title"], slots["description"] = escape(page.title), escape(page.description)
    return slots
