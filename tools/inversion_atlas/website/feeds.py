"""Atom feeds (RFC 4287) of what was added or corrected: of everything, of each method family, of each facet's term."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from html import escape
from uuid import UUID, uuid5

from inversion_atlas.addresses import address, feed_address, relative, term_address
from inversion_atlas.exports.citation import doi_address
from inversion_atlas.records.paper import Paper
from inversion_atlas.stamp import Stamp
from inversion_atlas.website.rendering import Renderer, author_name

MAX_ENTRIES = 50
# What neither says when it was added nor has a commit is as old as the atlas.
BEGINNING = "2026-11-21T00:00:00Z"
# Ids are made from this and what they name, so that they hold wherever the site moves.
_NAMES = UUID("aaa665cb-9576-541c-b052-c2796ccd16dd")
# What XML 1.0 cannot hold, however it is written.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Change:
    """When a work came into the atlas and when its record was last changed, in UTC."""

    added: str
    updated: str

    @property
    def corrected(self) -> bool:
        """Whether the record was changed on a later day than it was added."""
        return self.updated[:10] > self.added[:10]


def changes(renderer: Renderer, stamp: Stamp) -> dict[str, Change]:
    """Return the change of every work that lists show, the latest first."""
    place = renderer.catalogue.place
    found = {paper.id: change(paper, stamp.changed.get(place(paper).path, "")) for paper in renderer.newest_first}
    return dict(sorted(found.items(), key=lambda pair: pair[1].updated, reverse=True))


def change(paper: Paper, committed: str) -> Change:
    """Return the change of a work, given when its file was last committed."""
    added = f"{paper.added}T00:00:00Z" if paper.added else committed or BEGINNING
    return Change(added, max(added, committed))


def feed_files(renderer: Renderer, changed: Mapping[str, Change]) -> Iterator[tuple[str, str]]:
    """Yield the feed of everything and those of the terms, each with the latest entries."""
    catalogue = renderer.catalogue
    title = catalogue.settings.title
    rank = {id: number for number, id in enumerate(changed)}
    entries: dict[str, str] = {}

    def feed(at: str, page: str, name: str, ids: Iterable[str]) -> tuple[str, str]:
        latest = nsmallest(MAX_ENTRIES, ids, key=rank.__getitem__)
        for id in latest:
            if id not in entries:
                entries[id] = _entry(renderer, catalogue.papers[id], changed[id])
        updated = changed[latest[0]].updated if latest else BEGINNING
        return at, _feed(renderer, at, page, name, updated, [entries[id] for id in latest])

    yield feed(feed_address(), "new/", title, rank)
    for facet in catalogue.facets.values():
        for term in facet.terms.values():
            ids = [id for id in set(catalogue.papers_with.get((facet.id, term.id), ())) if id in rank]
            name = f"{title}: {facet.label}, {term.label}"
            yield feed(feed_address(facet.id, term.id), term_address(facet.id, term.id), name, ids)


def _feed(renderer: Renderer, at: str, page: str, name: str, updated: str, entries: list[str]) -> str:
    settings = renderer.catalogue.settings
    base = f"{settings.site}/" if settings.site else relative(at)
    own = [f"{base}{at}", f"{base}{page}"] if settings.site else [at, page]
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" xml:base="{_text(base)}">',
        f"<id>{urn(at)}</id>",
        f"<title>{_text(name)}</title>",
        f"<updated>{updated}</updated>",
        f"<author><name>{_text(settings.title)}</name></author>",
        f'<link rel="self" type="application/atom+xml" href="{_text(own[0])}"/>',
        f'<link rel="alternate" type="text/html" href="{_text(own[1])}"/>',
        "<rights>CC BY 4.0</rights>",
        *entries,
        "</feed>\n",
    ]
    return "\n".join(lines)


def _entry(renderer: Renderer, paper: Paper, change: Change) -> str:
    catalogue = renderer.catalogue
    venue = catalogue.venues.get(paper.venue or "")
    where = f"{venue.short if venue else paper.venue or ''} {paper.year}".strip()
    page = f"{catalogue.settings.site}/{address(paper)}" if catalogue.settings.site else address(paper)
    categories: list[tuple[str, str, str]] = [("kind", paper.kind, paper.kind.capitalize())]
    if paper.venue:
        categories.append(("venue", paper.venue, venue.name if venue else paper.venue))
    for id, terms in paper.taxonomy.items():
        facet = catalogue.facets.get(id)
        categories += [(id, term, facet.terms[term].label if facet and term in facet.terms else term) for term in terms]
    lines = [
        f"<entry><id>{urn(address(paper))}</id>",
        f"<title>{_text(paper.title)}</title>",
        f"<published>{change.added}</published><updated>{change.updated}</updated>",
        *(f"<author><name>{_text(author_name(author))}</name></author>" for author in paper.authors),
        f'<link rel="alternate" type="text/html" href="{_text(page)}"/>',
    ]
    if paper.links.doi:
        lines.append(f'<link rel="related" href="{_text(doi_address(paper.links.doi))}"/>')
    # The terms are what the filter language calls them: `access=white-box`.
    lines += [
        f'<category term="{_text(f"{field}={value}")}" label="{_text(label)}"/>' for field, value, label in categories
    ]
    says = f"{paper.kind.capitalize()}, {where}. {paper.summary or ''}"
    lines.append(f"<summary>{_text(says.strip())}</summary></entry>")
    return "\n".join(lines)


def urn(name: str) -> str:
    """Return an id that depends on what it names alone: of a feed its address, of a work that of its page."""
    return f"urn:uuid:{uuid5(_NAMES, name)}"


def _text(text: str) -> str:
    return escape(_UNWRITABLE.sub("\ufffd", text))
