"""One work under two records: the same DOI, arXiv id or title. `not_duplicate_of` on either side says otherwise."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import combinations

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.checks.contents import LISTED_LINKS, papers
from inversion_atlas.checks.rule import Problem
from inversion_atlas.records.folding import fold
from inversion_atlas.records.paper import Paper

# Two authors of one work may share family name and initials.
_INITIALS = re.compile(r", (?:\w\.[ -]?)+$")
# Words that a title gains or loses between preprint and publication.
_SMALL_WORDS = frozenset(
    "a an and as at by for from in into of on or the to towards toward under using via with".split()
)
# A title of fewer telling words ("Model Inversion Attacks") may be anybody's.
_TELLING = 3
# Larger groups under one key are split by author before any pair is compared, which keeps the work linear.
_LARGE = 12


def same_doi(catalogue: Catalogue) -> Iterator[Problem]:
    """Two records with one DOI."""
    return _same(catalogue, "doi", lambda paper: paper.links.doi and paper.links.doi.lower())


def same_arxiv(catalogue: Catalogue) -> Iterator[Problem]:
    """Two records with one arXiv id."""
    return _same(catalogue, "arxiv", lambda paper: paper.links.arxiv and paper.links.arxiv.lower())


def same_title(catalogue: Catalogue) -> Iterator[Problem]:
    """Two records whose titles are equal but for case, accents and punctuation."""
    for first, second in _pairs(catalogue.papers, _equal_keys):
        yield _twin(catalogue, first, second, "has the same title")


def near_title(catalogue: Catalogue) -> Iterator[Problem]:
    """Two records with nearly the same title and an author in common."""
    equal = set(_pairs(catalogue.papers, _equal_keys))
    for first, second in _pairs(catalogue.papers, _near_keys):
        if (first, second) not in equal and _nearly_equal(catalogue.papers[first], catalogue.papers[second]):
            yield _twin(catalogue, first, second, "has nearly the same title and an author in common")


def twins(catalogue: Catalogue, paper: Paper) -> Iterator[tuple[Paper, str]]:
    """Yield the records that are the same work as `paper`, and why; `paper` need not be in the catalogue."""
    for other in catalogue.papers.values():
        if other.id != paper.id and (why := why_one_work(paper, other)):
            yield other, why


def why_one_work(paper: Paper, other: Paper) -> str:
    """Return why two records are of one work, or nothing where they are of two."""
    if _told_apart(paper, other):
        return ""
    if paper.links.doi and paper.links.doi.lower() == (other.links.doi or "").lower():
        return "the same DOI"
    if paper.links.arxiv and paper.links.arxiv.lower() == (other.links.arxiv or "").lower():
        return "the same arXiv id"
    if _equal_titles(paper, other) and _may_be_one(paper, other):
        return "the same title"
    if share_author(paper, other) and _nearly_equal(paper, other):
        return "nearly the same title and an author in common"
    return ""


def title_keys(title: str) -> Iterator[Hashable]:
    """Yield keys of which two titles that may be of one work share at least one."""
    yield from _equal_keys(title)
    yield from _near_keys(title)


def like_titles(first: str, second: str) -> bool:
    """Tell whether two titles are equal or nearly so, whoever wrote them."""
    return fold(first) == fold(second) or _near(first, second)


def within_lists(catalogue: Catalogue) -> Iterator[Problem]:
    """Something that stands twice in one list."""
    for place, paper in papers(catalogue):
        for key in (
            "authors",
            "methods",
            "datasets",
            "metrics",
            "other_titles",
            "aliases",
            "not_duplicate_of",
            "evidence",
        ):
            yield from _repeated(place / key, getattr(paper, key))
        for key in LISTED_LINKS:
            yield from _repeated(place / "links" / key, getattr(paper.links, key))
        for name, terms in paper.taxonomy.items():
            yield from _repeated(place / "taxonomy" / name, terms)
        for at, title in enumerate(paper.other_titles):
            if title == paper.title:
                yield Problem(place / "other_titles" / at, "this is the title itself", "remove it")
    for facet in catalogue.facets.values():
        for id, term in facet.terms.items():
            yield from _repeated(catalogue.place(facet) / "terms" / id / "aliases", term.aliases)
            yield from _repeated(catalogue.place(facet) / "terms" / id / "sources", term.sources)


def share_author(first: Paper, second: Paper) -> bool:
    """Tell whether two papers have a family name in common."""
    return not _families(first).isdisjoint(_families(second))


def _repeated(place: Place, items: tuple[str, ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, item in enumerate(items):
        if item in seen and not _INITIALS.search(item):
            yield Problem(place / at, f"{item} stands twice in this list", "remove one")
        seen.add(item)


def _same(catalogue: Catalogue, key: str, identifier: Callable[[Paper], str | None]) -> Iterator[Problem]:
    first: dict[str, Paper] = {}
    for place, paper in papers(catalogue):
        value = identifier(paper)
        if value and (other := first.setdefault(value, paper)) is not paper and not _told_apart(paper, other):
            yield Problem(place / "links" / key, f"{other.id} has the same {key}: {value}", _remedy(other))


def _twin(catalogue: Catalogue, first: str, second: str, why: str) -> Problem:
    other = catalogue.papers[first]
    return Problem(catalogue.place(catalogue.papers[second]) / "title", f"{first} {why}", _remedy(other))


def _remedy(other: Paper) -> str:
    return f"merge the two, or, if they are two works, write `not_duplicate_of: [{other.id}]`"


def _told_apart(first: Paper, second: Paper) -> bool:
    return any(
        not {there.id, *there.aliases}.isdisjoint(here.not_duplicate_of)
        for here, there in ((first, second), (second, first))
    )


def _pairs(records: Mapping[str, Paper], keys_of: Callable[[str], Iterable[Hashable]]) -> Iterator[tuple[str, str]]:
    """Yield pairs of ids, each once and in order, that share a key of a title and may be one work."""
    groups: defaultdict[Hashable, dict[str, Paper]] = defaultdict(dict)
    for paper in records.values():
        for title in (paper.title, *paper.other_titles):
            for key in keys_of(title):
                groups[key][paper.id] = paper
    seen: set[tuple[str, str]] = set()
    for group in groups.values():
        for part in _parts(group) if len(group) > 1 else ():
            for first, second in combinations(sorted(part), 2):
                if (first, second) not in seen:
                    seen.add((first, second))
                    if _may_be_one(group[first], group[second]) and not _told_apart(group[first], group[second]):
                        yield first, second


def _parts(group: dict[str, Paper]) -> Iterator[Iterable[str]]:
    if len(group) <= _LARGE:
        yield group
        return
    by_author: defaultdict[str, list[str]] = defaultdict(list)
    for id, paper in group.items():
        for family in _families(paper):
            by_author[family].append(id)
    # One prolific author of many works with one title is no reason for comparing all of them.
    yield from (ids[:_LARGE] for ids in by_author.values() if len(ids) > 1)


def _may_be_one(first: Paper, second: Paper) -> bool:
    return share_author(first, second) or (first.year == second.year and _equal_titles(first, second))


def _families(paper: Paper) -> frozenset[str]:
    return frozenset(fold(author.partition(",")[0]) for author in paper.authors)


def _folded_titles(paper: Paper) -> frozenset[str]:
    return frozenset(fold(title) for title in (paper.title, *paper.other_titles))


def _equal_titles(first: Paper, second: Paper) -> bool:
    shared = _folded_titles(first) & _folded_titles(second)
    return any(len(_telling(title)) >= _TELLING for title in shared) or (bool(shared) and share_author(first, second))


def _equal_keys(title: str) -> Iterator[Hashable]:
    yield fold(title)


def _near_keys(title: str) -> Iterator[Hashable]:
    """Yield what two spellings of a title share: its words, its letters, its parts, and it less one word."""
    words = _telling(fold(title))
    if len(words) < _TELLING:
        return
    yield tuple(sorted(words))
    yield "".join(words)
    for part in _halves(title):
        yield tuple(sorted(part))
    if len(words) > _TELLING:
        for at in range(len(words)):
            yield hash(tuple(words[:at] + words[at + 1 :]))


def _halves(title: str) -> Iterator[list[str]]:
    """Yield what stands before and after the colon, where each could be a title of its own."""
    head, colon, tail = title.partition(": ")
    if colon:
        for part in (head, tail):
            words = _telling(fold(part))
            if len(words) > _TELLING:
                yield words


def _nearly_equal(first: Paper, second: Paper) -> bool:
    return any(
        _near(one, other)
        for one in (first.title, *first.other_titles)
        for other in (second.title, *second.other_titles)
    )


def _near(one: str, other: str) -> bool:
    first, second = _telling(fold(one)), _telling(fold(other))
    if min(len(first), len(second)) < _TELLING:
        return False
    if sorted(first) == sorted(second) or "".join(first) == "".join(second):
        return True
    if any(sorted(part) == sorted(second) for part in _halves(one)):
        return True
    if any(sorted(part) == sorted(first) for part in _halves(other)):
        return True
    return len(first) == len(second) and len(first) > _TELLING and _one_word_misspelt(first, second)


def _one_word_misspelt(first: list[str], second: list[str]) -> bool:
    different = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
    if len(different) != 1:
        return False
    a, b = different[0]
    numbered = any(char.isdigit() for char in a + b) or max(len(a), len(b)) <= 4
    return not numbered and difflib.SequenceMatcher(None, a, b).ratio() > 0.8


def _telling(folded: str) -> list[str]:
    """Return the words of a folded title without small ones and plurals."""
    return [_singular(word) for word in folded.split() if word not in _SMALL_WORDS]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
