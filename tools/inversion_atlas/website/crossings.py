"""How many works hold two values at once: the counts behind the maps, the same as those of the filter language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from inversion_atlas.addresses import term_address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.facet import Facet, Term
from inversion_atlas.records.paper import Kind, Paper


class Counts(NamedTuple):
    """Works, and how many of them are attacks and defenses."""

    works: int
    attacks: int
    defenses: int


_NONE = Counts(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Line:
    """A row or column of a matrix: a value of a field, how deep it stands below broader ones, where it is explained."""

    field: str
    value: str
    label: str
    address: str
    depth: int = 0
    top: str = ""

    @property
    def query(self) -> str:
        return f"{self.field}={self.value}"


@dataclass(frozen=True)
class Crossings:
    """The works that lists show, as one bit each, so that a count is one operation at any size of the catalogue."""

    catalogue: Catalogue
    papers: Sequence[Paper]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {paper.id: at for at, paper in enumerate(self.papers)}

    @cached_property
    def _kinds(self) -> tuple[int, int]:
        attacks = (paper.id for paper in self.papers if paper.kind is Kind.ATTACK)
        return self._bits(attacks), self._bits(paper.id for paper in self.papers if paper.kind is Kind.DEFENSE)

    @cached_property
    def _held(self) -> dict[tuple[str, str], int]:
        return {key: self._bits(ids) for key, ids in self.catalogue.papers_with.items()}

    def _bits(self, ids: Iterable[str]) -> int:
        octets = bytearray(len(self.papers) // 8 + 1)
        for id in ids:
            at = self._numbers.get(id)
            if at is not None:
                octets[at >> 3] |= 1 << (at & 7)
        return int.from_bytes(octets, "little")

    def held(self, line: Line) -> int:
        """Return the works that hold the value of a line, a bit each."""
        return self._held.get((line.field, line.value), 0)

    def count(self, held: int) -> Counts:
        """Return how many works a number has bits of: those of a line, or what two lines have in common."""
        if not held:
            return _NONE
        attacks, defenses = self._kinds
        return Counts(held.bit_count(), (held & attacks).bit_count(), (held & defenses).bit_count())


def term_lines(facet: Facet) -> list[Line]:
    """Return a facet's terms in the order of their tree, each with the top-level term it stands below."""
    children: dict[str | None, list[Term]] = {}
    for term in facet.terms.values():
        children.setdefault(term.broader if term.broader in facet.terms else None, []).append(term)
    found: list[Line] = []

    def walk(broader: str | None, depth: int, top: str) -> None:
        for term in children.get(broader, ()):
            above = top or term.id
            found.append(Line(facet.id, term.id, term.label, term_address(facet.id, term.id), depth, above))
            walk(term.id, depth + 1, above)

    walk(None, 0, "")
    return found
