"""Whether a work is in the catalogue already, or came earlier in the same input.

The rules are those of `checks.duplicates`; an index keeps them fast. An identifier whose owner has another title and
no author in common contradicts the entry: it is reported and taken off, never attached.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

from inversion_atlas.checks.duplicates import like_titles, share_author, title_keys, why_one_work
from inversion_atlas.intake.entry import Problem
from inversion_atlas.records.paper import Paper

# Of works that share a key of their title, so many are compared; more share it only by ill will.
_MOST_COMPARED = 200


class Index:
    """Records by DOI, arXiv id and title."""

    def __init__(self, papers: Iterable[Paper] = ()) -> None:
        self._papers: dict[str, Paper] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._titles: defaultdict[Hashable, dict[str, None]] = defaultdict(dict)
        for paper in papers:
            self.add(paper)

    def add(self, paper: Paper) -> None:
        """Let a record be found from now on; one of the same id is replaced."""
        self._papers[paper.id] = paper
        for key in _identifiers(paper):
            self._ids.setdefault(key, paper.id)
        for title in (paper.title, *paper.other_titles):
            for title_key in title_keys(title):
                self._titles[title_key][paper.id] = None

    def find(self, paper: Paper) -> tuple[Paper | None, str]:
        """Return the record of the same work, if there is one, and why it is the same."""
        for key in _identifiers(paper):
            if (id := self._ids.get(key)) and (why := why_one_work(paper, self._papers[id])):
                return self._papers[id], why
        ids = dict.fromkeys(
            id for key in title_keys(paper.title) for id in list(self._titles.get(key, ()))[:_MOST_COMPARED]
        )
        for id in list(ids)[:_MOST_COMPARED]:
            if why := why_one_work(paper, self._papers[id]):
                return self._papers[id], why
        return None, ""

    def without_contradictions(self, paper: Paper, line: int) -> tuple[Paper, list[Problem]]:
        """Return the record without identifiers that belong to another work, and a problem for each."""
        problems = []
        for kind, value in _identifiers(paper):
            owner = self._papers.get(self._ids.get((kind, value), ""))
            if owner is not None and contradicts(paper.title, paper.authors, owner):
                problems.append(contradiction(kind, value, owner.title, line))
                links = paper.links.model_copy(update={kind: None})
                paper = paper.model_copy(update={"links": links})
        return paper, problems


def contradicts(title: str, authors: Iterable[str], owner: Paper) -> bool:
    """Tell whether a work of that title and those authors cannot be the owner of an identifier."""
    work = owner.model_copy(update={"authors": tuple(authors)})
    titles = (owner.title, *owner.other_titles)
    return not share_author(work, owner) and not any(like_titles(title, other) for other in titles)


def contradiction(kind: str, value: str, title: str, line: int) -> Problem:
    """Return what is said of an identifier that belongs to another work."""
    name = {"doi": "DOI", "arxiv": "arXiv id"}[kind]
    return Problem(
        "id-contradicts-title", f"the {name} {value} is of another work, {title[:120]!r}; it was left out", line
    )


def _identifiers(paper: Paper) -> list[tuple[str, str]]:
    pairs = (("doi", paper.links.doi), ("arxiv", paper.links.arxiv))
    return [(kind, value.lower()) for kind, value in pairs if value]
