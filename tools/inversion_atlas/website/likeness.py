"""Which works are alike: by the methods, terms, datasets and relations they share, the rare ones counting most."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.folding import fold
from inversion_atlas.records.paper import Paper

Feature = tuple[str, str]

_PAIR = "family and access"
# What two works can share -> how much that says. A facet that is not named here says little.
_WEIGHTS = {"method": 3.0, "relation": 2.0, "family": 2.0, _PAIR: 1.5, "dataset": 0.8, "objective": 0.8}
_OTHERS = 0.5
# A work is compared with this many others, found through what it shares with fewest: so the cost grows with the number
# of works and not with its square.
_COMPARED = 18
_SHOWN = 6
_REASONS = 2
# Works that share none of these are not alike.
_TELLING = frozenset(("method", "relation", "family", _PAIR))


@dataclass(frozen=True, slots=True)
class Alike:
    """Another work, and what it shares that tells most."""

    paper: Paper
    shared: tuple[Feature, ...]


class Likeness:
    """An index of what works share. Works and features are numbers in it, which compare fastest."""

    def __init__(self, catalogue: Catalogue, papers: Sequence[Paper]) -> None:
        # By year, so that neighbors in a long list are of the same time.
        self._papers = sorted(papers, key=lambda paper: (paper.year, paper.id))
        self._numbers = {paper.id: number for number, paper in enumerate(self._papers)}
        numbers = self._numbers
        self._related = [
            {numbers[edge.other] for edge in catalogue.edges.get(each.id, ()) if edge.other in numbers}
            for each in self._papers
        ]
        self._names: list[Feature] = []
        self._held: list[frozenset[int]] = []
        self._holders: list[list[int]] = []
        known: dict[Feature, int] = {}
        for number, paper in enumerate(self._papers):
            features = [known.setdefault(feature, len(known)) for feature in _features(catalogue, paper)]
            self._holders += [[] for _ in range(len(known) - len(self._holders))]
            self._held.append(frozenset(features))
            for feature in self._held[-1]:
                self._holders[feature].append(number)
        self._names = list(known)
        total = len(self._papers) + 1
        self._weights = [
            _WEIGHTS.get(name[0], _OTHERS) * math.log(total / len(holders))
            for name, holders in zip(self._names, self._holders, strict=True)
        ]
        # Features by what they tell, so that sorting compares whole numbers.
        ranked = sorted(range(len(self._names)), key=lambda each: (-self._weights[each], self._names[each]))
        self._order = {feature: rank for rank, feature in enumerate(ranked)}
        self._telling = frozenset(feature for feature, (kind, _) in enumerate(self._names) if kind in _TELLING)

    def alike(self, paper: Paper) -> list[Alike]:
        """Return the works most like a paper, without those it is related to, which its page shows anyway."""
        number = self._numbers.get(paper.id)
        if number is None:
            return []
        held, weight = self._held, self._weights.__getitem__
        features = held[number]
        scored = []
        for other in self._candidates(number):
            shared = features & held[other]
            scored.append((-sum(map(weight, shared)), abs(other - number), other, shared))
        scored.sort()
        return [self._told(shared, other) for *_, other, shared in scored[:_SHOWN]]

    def _candidates(self, number: int) -> set[int]:
        """Return works that share what tells most, those of about the same time where many do."""
        found: set[int] = set()
        for feature in sorted(self._held[number] & self._telling, key=self._order.__getitem__):
            holders = self._holders[feature]
            room = _COMPARED - len(found)
            if room <= 0:
                break
            start = max(0, bisect_left(holders, number) - room // 2) if len(holders) > room else 0
            found.update(holders[start : start + room])
        found.discard(number)
        return found - self._related[number]

    def _told(self, shared: frozenset[int], other: int) -> Alike:
        names = [self._names[feature] for feature in sorted(shared, key=self._order.__getitem__)]
        return Alike(self._papers[other], tuple([name for name in names if name[0] != _PAIR][:_REASONS]))


def _features(catalogue: Catalogue, paper: Paper) -> Iterator[Feature]:
    for method in paper.methods:
        yield "method", fold(method)
    for edge in catalogue.edges.get(paper.id, ()):
        yield "relation", edge.other
    for dataset in paper.datasets:
        yield "dataset", dataset
    for facet, terms in paper.taxonomy.items():
        for term in terms:
            yield facet, term
    for family in paper.taxonomy.get("family", ()):
        for access in paper.taxonomy.get("access", ()):
            yield _PAIR, f"{family} {access}"
