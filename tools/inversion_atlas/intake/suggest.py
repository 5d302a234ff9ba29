"""Terms, datasets and metrics that a title and an abstract suggest, each with the reason, and the likely kind.

Three simple rules, in this order: a term's label or alias stands in the text; a method of the catalogue is named and
has the term; a word stands mostly in titles of papers that have the term. docs/adding.md says how often they are right.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from inversion_atlas.catalogue import Catalogue, broader_terms
from inversion_atlas.records.folding import fold
from inversion_atlas.records.identifiers import STOP_WORDS
from inversion_atlas.records.paper import Kind, Paper

# Spellings of fewer letters ("FL", "MI") mean too much.
_SHORTEST = 4
_SHORTEST_METHOD = 3
# A word speaks for a term if it stands in so many titles, and so large a part of them has the term.
_TITLES = 5
# A spelling that so many records use speaks for its term only if so large a part of them has it.
_USERS = 4
_RIGHT = 0.5
_SHARE = 0.75
# Facets in which a word would only repeat what nearly every paper has.
_MOST_COMMON = 0.5
_KINDS = (
    (Kind.SURVEY, r"\b(?:survey|review|overview|systemati[sz]ation|sok|taxonomy|tutorial|roadmap)\b"),
    (Kind.BENCHMARK, r"\b(?:benchmark|benchmarking|toolbox evaluation|empirical comparison)\b"),
    (
        Kind.DEFENSE,
        r"\b(?:defen[sc]e|defend(?:ing|s)?|mitigat\w+|protect\w*|privacy[- ]preserving|robust against|"
        r"against \w+ inversion|countermeasures?)\b",
    ),
    (Kind.TOOL, r"\b(?:library|toolkit|toolbox|framework for evaluating|open[- ]source)\b"),
    (Kind.ATTACK, r"\b(?:attack\w*|inver(?:sion|ting|t)|leak\w*|reconstruct\w*|recover\w*|steal\w*|extract\w*)\b"),
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A term of a facet, or an id under `datasets` or `metrics`, and why."""

    facet: str
    term: str
    reason: str


def suggested_kind(title: str, abstract: str = "") -> tuple[Kind, str]:
    """Return the likely kind and the reason as a sentence; `background` where nothing speaks for another."""
    for text, where in ((title, "title"), (abstract, "abstract")):
        for kind, pattern in _KINDS:
            if found := re.search(pattern, text, re.IGNORECASE):
                return kind, f"Suggested, since the {where} says “{found[0]}”."
    return Kind.BACKGROUND, "Nothing in title or abstract suggests one."


class Suggester:
    """What a catalogue knows, made ready for suggesting; made once, used for every draft."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._used: dict[str, list[Paper]] = {}

    def suggest(self, title: str, abstract: str = "", but: Paper | None = None) -> list[Suggestion]:
        """Return suggestions in the order of facets; `but` is left out of what is learned, to try the rules on it."""
        text = f" {fold(title)} · {fold(abstract)} "
        found: dict[tuple[str, str], str] = {}
        for spelling, targets in self._spellings.items():
            if spelling in text:
                for key in targets:
                    if not self._misleads(spelling, key, but):
                        found.setdefault(key, f"“{spelling.strip()}” stands in title or abstract")
        self._by_methods(title, abstract, but, found)
        self._by_words(title, but, found)
        return [Suggestion(facet, term, reason) for (facet, term), reason in self._narrowest(found).items()]

    def _misleads(self, spelling: str, key: tuple[str, str], but: Paper | None) -> bool:
        """Tell whether most papers of the catalogue that use the spelling do not have the term ("training", "data")."""
        users = [paper for paper in self._users(spelling) if paper is not but]
        right = sum(key in self._held[paper.id] for paper in users)
        return len(users) >= _USERS and right < _RIGHT * len(users)

    def _users(self, spelling: str) -> list[Paper]:
        if spelling not in self._used:
            self._used[spelling] = [paper for paper, text in self._texts if spelling in text]
        return self._used[spelling]

    def _by_methods(self, title: str, abstract: str, but: Paper | None, found: dict[tuple[str, str], str]) -> None:
        words = set(re.findall(r"[^\W_][\w+-]*[^\W_]", f"{title} {abstract}"))
        for method in sorted(words & self._methods.keys()):
            papers = [paper for paper in self._methods[method] if paper is not but]
            for paper in papers[:1]:
                for term in paper.taxonomy.get("family", ()):
                    found.setdefault(("family", term), f"it names {method}, the method of {paper.id}")

    def _by_words(self, title: str, but: Paper | None, found: dict[tuple[str, str], str]) -> None:
        for word in sorted(_words(title)):
            total = self._titles[word] - (but is not None and word in _words(but.title))
            if total < _TITLES:
                continue
            for (facet, term), count in self._word_terms[word].items():
                own = but is not None and word in _words(but.title) and (facet, term) in self._held[but.id]
                share = (count - own) / total
                if share >= _SHARE and (facet, term) not in self._common:
                    reason = f"of {total} titles in the catalogue with “{word}”, {count - own} have it"
                    found.setdefault((facet, term), reason)

    def _narrowest(self, found: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
        """Leave out a term where a narrower one is suggested; facets in their order."""
        wider = {
            (facet, term)
            for facet, narrow in found
            if facet in self._catalogue.facets
            for term in list(broader_terms(self._catalogue.facets[facet], narrow))[1:]
        }
        order = [*self._catalogue.facets, "datasets", "metrics"]
        kept = sorted((key for key in found if key not in wider), key=lambda key: (order.index(key[0]), key[1]))
        return {key: found[key] for key in kept}

    @cached_property
    def _spellings(self) -> dict[str, list[tuple[str, str]]]:
        spelled: defaultdict[str, dict[tuple[str, str], None]] = defaultdict(dict)

        def add(names: Iterable[str], facet: str, id: str, shortest: int = _SHORTEST) -> None:
            for name in names:
                folded = fold(name)
                if len(folded) >= shortest and not folded.isdigit():
                    spelled[f" {folded} "][facet, id] = None

        for facet in self._catalogue.facets.values():
            for term in facet.terms.values():
                add((term.label, *term.aliases), facet.id, term.id)
        for dataset in self._catalogue.datasets.values():
            add((dataset.name, *dataset.other_names), "datasets", dataset.id)
        for metric in self._catalogue.metrics.values():
            add((metric.name,), "metrics", metric.id)
        # A spelling that several terms of one facet share speaks for none.
        return {
            spelling: [key for key in targets if sum(other[0] == key[0] for other in targets) == 1]
            for spelling, targets in spelled.items()
        }

    @cached_property
    def _methods(self) -> dict[str, list[Paper]]:
        named: defaultdict[str, list[Paper]] = defaultdict(list)
        for paper in self._catalogue.papers.values():
            for method in paper.methods:
                # Names such as `Mirror` are words of everyday unless written with further capitals or digits.
                if len(method) >= _SHORTEST_METHOD and any(char.isupper() or char.isdigit() for char in method[1:]):
                    named[method].append(paper)
        return named

    @cached_property
    def _curated(self) -> list[Paper]:
        return [paper for paper in self._catalogue.papers.values() if paper.taxonomy]

    @cached_property
    def _texts(self) -> list[tuple[Paper, str]]:
        return [(paper, f" {fold(paper.title)} · {fold(paper.summary or '')} ") for paper in self._curated]

    @cached_property
    def _held(self) -> dict[str, frozenset[tuple[str, str]]]:
        """Id of a paper -> its terms and their broader ones, datasets and metrics."""
        facets = self._catalogue.facets
        return {
            paper.id: frozenset(
                [
                    (facet, wider)
                    for facet, terms in paper.taxonomy.items()
                    if facet in facets
                    for term in terms
                    for wider in broader_terms(facets[facet], term)
                ]
                + [("datasets", id) for id in paper.datasets]
                + [("metrics", id) for id in paper.metrics]
            )
            for paper in self._catalogue.papers.values()
        }

    @cached_property
    def _titles(self) -> Counter[str]:
        return Counter(word for paper in self._curated for word in _words(paper.title))

    @cached_property
    def _word_terms(self) -> dict[str, Counter[tuple[str, str]]]:
        counted: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        for paper in self._curated:
            for word in _words(paper.title):
                counted[word].update(self._held[paper.id])
        return counted

    @cached_property
    def _common(self) -> frozenset[tuple[str, str]]:
        held = Counter(key for paper in self._curated for key in self._held[paper.id])
        return frozenset(key for key, count in held.items() if count > _MOST_COMMON * len(self._curated))


def _words(title: str) -> frozenset[str]:
    return frozenset(word for word in fold(title).split() if word not in STOP_WORDS and len(word) > 2)
