"""The page of one paper."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from inversion_atlas.addresses import address, author_address, explore_address, facet_address
from inversion_atlas.catalogue import Catalogue, Edge
from inversion_atlas.checks.links import same_page
from inversion_atlas.disagreements import FAULTS, claims, disagreements
from inversion_atlas.exports import bibtex, citation, markdown
from inversion_atlas.links.state import Class, Known
from inversion_atlas.records.paper import PASSIVE, VERBS, Links, Paper
from inversion_atlas.records.source import Row, Source
from inversion_atlas.records.venue import Venue, VenueType
from inversion_atlas.website.citation_tags import citation_tags, paper_json_ld
from inversion_atlas.website.likeness import Alike
from inversion_atlas.website.rendering import Page, Renderer, author_name, describe, host
from inversion_atlas.website.statements import Listing, listings, origin
from inversion_atlas.website.threat_model import Part, Question, classification, threat_model

_SHELL = "papers/shell/"
_ROOT = "../../"
_PAPERS = "../"
# What a page may weigh without its shell, and how many rows of a source or of results and entries of other lists it
# shows: fewer where it is too heavy.
_BYTES = 15_000
_ROOMS = ((12, 12), (4, 8), (2, 6), (2, 4), (1, 3), (1, 2), (1, 1))
# An archive's address ends in that of what it keeps.
_ARCHIVED = re.compile(r"/(https?://.+)")
_UNSURE = Markup('<a class="unsure" href="#unconfirmed">unconfirmed</a>')
_ALONE = Markup('<a class="unsure" href="#unconfirmed">{} alone</a>')


def paper_page(renderer: Renderer, paper: Paper) -> Page:
    """Return the page of one paper, at most 20 kB with its shell: where more is known, lists are cut and say so."""
    catalogue, at = renderer.catalogue, address(paper)
    venue = catalogue.venues.get(paper.venue or "")
    where = f"{venue.short} {paper.year}" if venue else str(paper.year)
    description = describe(paper.summary or f"{paper.kind.capitalize()} by {citation.short_authors(paper)}, {where}.")
    head = renderer.head(
        at,
        title=paper.title,
        description=description,
        json=f"papers/{paper.id}.json",
        tags=citation_tags(catalogue, paper),
    )
    for rows, room in _ROOMS:
        body = _body(renderer, paper, at, venue, rows, room)
        if _size(body) + _size(head) <= _BYTES:
            break
    return Page(at, _SHELL, body, paper.title, description, head, paper.id)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _body(renderer: Renderer, paper: Paper, at: str, venue: Venue | None, rows: int, room: int) -> Markup:
    catalogue = renderer.catalogue
    listed = catalogue.listed_by.get(paper.id, ())
    said = claims(catalogue, paper) if listed else []
    fact = citation.cite(catalogue, paper)
    return renderer.render(
        "paper.html",
        at,
        paper=paper,
        most_rows=rows,
        room=room,
        venue=venue,
        years=renderer.years,
        authors=linked_authors(paper, _ROOT),
        unsure=_unsure(paper),
        methods=_methods(paper),
        links=_links(renderer, paper),
        threat=_threat(renderer, paper, threat_model(catalogue, paper, said)),
        classes=_classes(renderer, paper, classification(catalogue, paper, said)),
        implementations=renderer.implementations("paper", paper.id),
        disagreements=disagreements(catalogue, paper, said) if listed else (),
        shown_above=FAULTS,
        relations=_relations(renderer, paper, room),
        listings=listings_by_source(paper, listed),
        alike=_alike(renderer, renderer.likeness.alike(paper)[:room]),
        versions=_versions(catalogue, paper),
        citation=citation.plain_text(fact),
        markdown=markdown_citation(catalogue, paper),
        bibtex=bibtex.entry_of(catalogue, paper, fact),
        seen=seen_at(paper.evidence),
        edit_link=renderer.edit_link(paper),
        form_link=renderer.form_link(paper),
        json_ld=paper_json_ld(catalogue, paper),
    )


def linked_authors(paper: Paper, root: str) -> Markup:
    """Return the authors by name, each a link to their page."""
    return Markup(
        ", ".join(
            f'<a href="{root}{author_address(author)}">{html.escape(author_name(author))}</a>'
            for author in paper.authors
        )
    )


def markdown_citation(catalogue: Catalogue, paper: Paper) -> str:
    """Return the citation as a line of Markdown: the title as a link, then short authors, venue and year."""
    venue = catalogue.venues.get(paper.venue or "")
    place = f"{venue.short} {paper.year}" if venue else str(paper.year)
    title = markdown.link(paper.title, citation.web_address(paper))
    return f"{title} ({markdown.escape(citation.short_authors(paper))}, {markdown.escape(place)})"


def paper_links(paper: Paper) -> list[tuple[str, str, str]]:
    """Return every link of a paper as label, address and what tells it from others of its kind."""
    links = paper.links
    found = [("Paper", links.paper, ""), ("PDF", links.pdf, "")]
    found += [("DOI", links.doi and citation.doi_address(links.doi), links.doi or "")]
    found += [("arXiv", links.arxiv and citation.arxiv_address(links.arxiv), links.arxiv or "")]
    found += [("Project", links.project, "")]
    found += [("Code", url, host(url)) for url in links.code]
    found += [("Reimplementation", url, host(url)) for url in links.reimplementation]
    found += [("Video", links.video, ""), ("Slides", links.slides, ""), ("Poster", links.poster, "")]
    found += [("Archived copy", links.archive, "")]
    return [(label, url, note) for label, url, note in found if url]


def relations_by_verb(edges: tuple[Edge, ...]) -> list[tuple[str, list[Edge]]]:
    """Return relations grouped by their verb, in both directions."""
    return [(verb, list(found)) for verb, found in groupby(edges, key=lambda edge: edge.verb)]


def listings_by_source(paper: Paper, listed: tuple[tuple[Source, Row], ...]) -> list[tuple[Source, list[Listing]]]:
    """Return the rows that name a paper in short, grouped by source."""
    found: dict[str, tuple[Source, list[Row]]] = {}
    for source, row in listed:
        found.setdefault(source.id, (source, []))[1].append(row)
    return [(source, listings(rows, paper)) for source, rows in found.values()]


def seen_at(evidence: tuple[str, ...]) -> Markup:
    """Return the pages on which a paper's facts were seen."""
    if not evidence:
        return Markup("")
    links = "".join(f'<li><a href="{html.escape(url)}">{html.escape(host(url))}</a></li>' for url in evidence)
    return Markup(f'<section class="seen" id="seen"><h2>Seen at</h2><ul>{links}</ul></section>')


# These stand on every page and are no templates: a call from a template costs more than what it returns.


def _methods(paper: Paper) -> Markup:
    return Markup(", ".join(f"<strong>{html.escape(method)}</strong>" for method in paper.methods))


def _links(renderer: Renderer, paper: Paper) -> Markup:
    shown = []
    for label, url, note in paper_links(paper):
        known = renderer.links.of(url)
        copy = paper.links.archive if known and known.dead and is_copy(paper.links, url) else None
        told = f" <small>{link_standing(known, bool(copy))}</small>" if known and link_standing(known) else ""
        note = f" <span>{html.escape(note)}</span>" if note else ""
        shown.append(f'<li><a href="{html.escape(copy or url)}">{label}{note}</a>{told}</li>')
    return Markup("\n".join(shown))


def link_standing(known: Known, to_copy: bool = False) -> str:
    """Return in words how a link stood when last asked; nothing where only a robot wall answered."""
    if known.dead:
        return f"dead since {known.failing}" + (", leads to the archived copy" if to_copy else "")
    if known.kind is Class.MOVED:
        return f"moved, seen alive {known.good}"
    if known.kind is Class.OK:
        return f"seen alive {known.good}"
    return f"last seen alive {known.good}" if known.good else ""


def is_copy(links: Links, url: str) -> bool:
    """Tell whether a record's archived copy is of this address: its own says of what, else it is of the paper."""
    if not links.archive or url == links.archive:
        return False
    inner = _ARCHIVED.search(links.archive)
    return same_page(inner[1]) == same_page(url) if inner else url in (links.paper, links.pdf)


def _relations(renderer: Renderer, paper: Paper, room: int) -> Markup:
    """Return the relations by verb, in both directions; more than `room` of a verb lead to Explore."""
    shown = []
    for verb, edges in relations_by_verb(renderer.catalogue.edges.get(paper.id, ())):
        shown.append(f"<dt>{verb.replace('-', ' ').capitalize()}</dt>")
        for edge in edges[:room]:
            how = f'<span class="how">{html.escape(edge.how)}</span>' if edge.how else ""
            shown.append(f"<dd>{renderer.paper_link(edge.other, _PAPERS)}{how}</dd>")
        if len(edges) > room:
            inverse = VERBS.get(verb) or PASSIVE[verb]
            query = html.escape(explore_address(f"{inverse}={paper.id}"))
            shown.append(f'<dd><a href="{_ROOT}{query}">{len(edges) - room} more</a></dd>')
    return Markup("\n".join(shown))


def _threat(renderer: Renderer, paper: Paper, questions: Sequence[Question]) -> Markup:
    rows = []
    for question in questions:
        parts = [
            f"<dd>{renderer.chips(part.facet.id, part.terms, _ROOT)} <small>{origin(part, paper)}</small></dd>"
            for part in question.parts
        ]
        rows.append(f"<div><dt>{question.text}</dt>{''.join(parts)}</div>")
    return Markup("\n".join(rows))


def _classes(renderer: Renderer, paper: Paper, parts: Sequence[Part]) -> Markup:
    shown = []
    for part in parts:
        label = html.escape(part.facet.label)
        said = f" <small>{origin(part, paper)}</small>" if part.said or part.alone else ""
        chips = renderer.chips(part.facet.id, part.terms, _ROOT)
        shown.append(f'<dt><a href="{_ROOT}{facet_address(part.facet.id)}">{label}</a></dt><dd>{chips}{said}</dd>')
    return Markup("".join(shown))


def _alike(renderer: Renderer, works: Sequence[Alike]) -> Markup:
    shown = [
        f"<li>{renderer.paper_link(each.paper.id, _PAPERS)} <small>{renderer.shared(each)}</small></li>"
        for each in works
    ]
    return Markup("".join(shown))


def _unsure(paper: Paper) -> dict[str, Markup]:
    """Return a mark for every field that rests on one source; of what a work was measured on, it names the source."""
    if not paper.unconfirmed:
        return {}
    marks = dict.fromkeys(("authors", "venue", "year", "datasets", "metrics"), Markup(""))
    for field, source in paper.unconfirmed.items():
        marks[field] = _ALONE.format(source) if field in ("datasets", "metrics") else _UNSURE
    return marks


def _versions(catalogue: Catalogue, paper: Paper) -> Markup:
    """Return what the panel says of the versions of a work and of its record."""
    venue = catalogue.venues.get(paper.venue or "")
    rows = []
    if venue and venue.type is not VenueType.PREPRINT:
        pages = citation.page_range(paper.pages or "")
        numbers = (("volume", paper.volume), ("issue", paper.issue), ("pages", pages))
        told = [
            f"{name} {value} (unconfirmed)" if name in paper.unconfirmed else f"{name} {value}"
            for name, value in numbers
            if value
        ]
        rows.append(("Published", ", ".join([f"{venue.short} {paper.year}", *told])))
    if paper.links.arxiv:
        rows.append(("Preprint", f"arXiv:{paper.links.arxiv}"))
    rows.append(("Id", paper.id))
    if paper.aliases:
        rows.append(("Former ids", ", ".join(paper.aliases)))
    if paper.added:
        rows.append(("Added", paper.added.isoformat()))
    return Markup("".join(f"<dt>{label}</dt><dd>{html.escape(value)}</dd>" for label, value in rows))
