"""The pages of authors: one for every name, and the lists from A to Z."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from inversion_atlas.addresses import AUTHORS, address, author_slug, explore_address
from inversion_atlas.query import newest_first
from inversion_atlas.records.paper import Paper
from inversion_atlas.website.profile import years_of
from inversion_atlas.website.rendering import ON_A_LIST, Leaf, Page, Renderer, author_name, leaf_address, leaves, pager

_SHELL = "authors/shell/"
_ROOT = "../../"
_NAMES = 300
_MOST = 60
_COAUTHORS = 24
_OTHER = "other"
_SHARED = '<p class="note">Persons who share a name share this page.</p>'
_CRUMBS = (
    f'<nav class="crumbs" aria-label="Where this is"><ol><li><a href="{_ROOT}{AUTHORS}">Authors</a></li></ol></nav>'
)


@dataclass(slots=True)
class Author:
    """Everybody whose name has one slug: the works, newest first, and how often each spelling stands on them.

    `named` are the slugs of all authors of these works.
    """

    slug: str
    papers: list[Paper] = field(default_factory=list)
    spellings: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The spelling that most works have, `Family, Given`."""
        if len(self.spellings) == 1:
            return next(iter(self.spellings))
        return min(self.spellings, key=lambda name: (-self.spellings[name], name))

    @property
    def letter(self) -> str:
        """Under which letter the name stands."""
        return self.slug[0] if self.slug[0].isalpha() else _OTHER


def authors_of(papers: Sequence[Paper]) -> dict[str, Author]:
    """Return every author of these papers by slug, in the order of slugs."""
    found: dict[str, Author] = {}
    for paper in papers:
        slugs = [author_slug(name) for name in paper.authors]
        for name, slug in zip(paper.authors, slugs, strict=True):
            author = found.get(slug) or found.setdefault(slug, Author(slug))
            author.spellings[name] += 1
            if not author.papers or author.papers[-1] is not paper:
                author.papers.append(paper)
                author.named += slugs
    return dict(sorted(found.items()))


def author_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the list of authors, its pages by letter, and the page of each author."""
    authors = authors_of(newest_first(renderer.catalogue.papers.values()))
    letters: dict[str, list[Author]] = {}
    for author in authors.values():
        letters.setdefault(author.letter, []).append(author)
    most = sorted(authors.values(), key=lambda author: (-len(author.papers), author.slug))[:_MOST]
    body = renderer.render(
        "authors.html", AUTHORS, total=len(authors), letters=_letters(letters), here="", most=_names(most, "")
    )
    yield Page(AUTHORS, AUTHORS, body)
    for letter, members in letters.items():
        yield from _letter_pages(renderer, letter, members, letters)
    links = _Links(renderer, authors)
    for author in authors.values():
        yield from _author_pages(renderer, author, links)


def _letter_pages(
    renderer: Renderer, letter: str, members: Sequence[Author], letters: dict[str, list[Author]]
) -> Iterator[Page]:
    base = letter_address(letter)
    shown = letter.upper() if letter != _OTHER else "Other"
    for leaf in leaves(base, members, _NAMES, _NAMES):
        title = leaf.titled(f"Authors: {shown}")
        body = renderer.render(
            "letter.html",
            leaf.address,
            title=title,
            letters=_letters(letters),
            here=letter,
            names=_names(leaf.members, "../"),
            leaf=leaf,
            numbers=pager(leaf, base),
        )
        description = f"Authors whose name begins with {shown}."
        yield Page(leaf.address, _SHELL, body, title, description, renderer.head(leaf.address))


def letter_address(letter: str) -> str:
    """Return where the authors of a letter are listed; no slug begins with an underscore."""
    return f"{AUTHORS}_{letter}/"


def _letters(letters: dict[str, list[Author]]) -> list[tuple[str, str, int]]:
    return [(letter, letter_address(letter), len(members)) for letter, members in sorted(letters.items())]


def _names(authors: Sequence[Author], root: str) -> Markup:
    return Markup(
        "".join(
            f'<li><a href="{root}{author.slug}/">{html.escape(author_name(author.name))}</a> '
            f'<span class="count">{len(author.papers)}</span></li>'
            for author in authors
        )
    )


@dataclass(frozen=True)
class _Links:
    """Links that stand on many pages of authors, each rendered once."""

    renderer: Renderer
    authors: dict[str, Author]
    names: dict[str, str] = field(default_factory=dict)
    venues: dict[str, str] = field(default_factory=dict)

    def name(self, slug: str) -> str:
        """Return a link from one author to another."""
        if slug not in self.names:
            self.names[slug] = f'<a href="../{slug}/">{html.escape(author_name(self.authors[slug].name))}</a>'
        return self.names[slug]

    def venue(self, id: str) -> str:
        """Return a link to a venue, "" where there is no such record."""
        if id not in self.venues:
            found = self.renderer.catalogue.venues.get(id)
            self.venues[id] = f'<a href="{_ROOT}{address(found)}">{html.escape(found.short)}</a>' if found else ""
        return self.venues[id]


# Not a template: there are more authors than works.
def _author_pages(renderer: Renderer, author: Author, links: _Links) -> Iterator[Page]:
    base, name = f"{AUTHORS}{author.slug}/", author_name(author.name)
    works = _count(len(author.papers))
    for leaf in leaves(base, author.papers, ON_A_LIST):
        first = leaf.number == 1
        parts = [
            f'{_CRUMBS}<header class="masthead"><h1 dir="auto">{html.escape(name)}</h1>'
            f'<p class="full-name">{works}, {years_of(author.papers)}</p></header>'
            f'<ol class="works" start="{leaf.first}">{renderer.works(leaf.members, leaf.address)}</ol>'
        ]
        if leaf.count > 1:
            parts.append(_pager(leaf, base))
        if first:
            parts.append(_around(author, links))
        title = leaf.titled(name)
        head = renderer.head(leaf.address, indexed=first)
        yield Page(leaf.address, _SHELL, "".join(parts), title, f"{works} by {name} on model inversion.", head)


def _around(author: Author, links: _Links) -> str:
    """Return coauthors, venues and spellings, and the way to Explore."""
    coauthors = _by_count(author.named)
    shown = [links.name(slug) for slug in coauthors if slug != author.slug]
    more = f" and {len(shown) - _COAUTHORS} more" if len(shown) > _COAUTHORS else ""
    venues = [links.venue(id) for id in _by_count([paper.venue for paper in author.papers if paper.venue])]
    rows = [("With", ", ".join(shown[:_COAUTHORS]) + more), ("At", ", ".join(filter(None, venues)))]
    if len(author.spellings) > 1:
        rows.append(("Written", html.escape(" · ".join(sorted(author.spellings)))))
    listed = "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in rows if value)
    profile = f'<dl class="profile">{listed}</dl>' if listed else ""
    quoted = author.name.replace('"', " ")
    query = html.escape(explore_address(f'author="{quoted}"'))
    return f'{profile}<p class="doors-line"><a href="{_ROOT}{query}">Open in Explore</a></p>{_SHARED}'


def _by_count(ids: list[str]) -> list[str]:
    """Return ids by how often they stand there; those of a single work stay in their order."""
    if len(set(ids)) == len(ids):
        return ids
    counts = Counter(ids)
    return sorted(counts, key=lambda id: (-counts[id], id))


def _pager(leaf: Leaf[Paper], base: str) -> str:
    others = [number for number in range(1, leaf.count + 1) if number != leaf.number]
    links = " ".join(f'<a href="{_ROOT}{leaf_address(base, number)}">Page {number}</a>' for number in others)
    return f'<p class="doors-line">{links}</p>'


def _count(works: int) -> str:
    return "1 work" if works == 1 else f"{works:,} works"
