"""Formats whose file is a head, a text per paper and a foot, so that a selection can be put together from its parts.

The website keeps the parts and joins them in the browser; `write` joins them here. Both give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from inversion_atlas.records.paper import Paper


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands around the texts of papers. One with `most` is for at most so many papers."""

    head: str = ""
    before: str = ""
    after: str = ""
    between: str = ""
    foot: str = ""
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Preamble:
    """What stands before the head if any text holds a letter that must be defined: a line for each such letter."""

    open: str
    define: Callable[[str], str]
    close: str


@dataclass(frozen=True, slots=True)
class Pieces:
    """A format in parts: its shapes, the shortest first, the text of a paper, and the letters it must define."""

    shapes: tuple[Shape, ...]
    text: Callable[[Paper], str]
    preamble: Preamble | None = None
    letters: Callable[[Paper, str], frozenset[str]] = field(default=lambda _paper, _text: frozenset())

    def render(self, papers: Iterable[Paper]) -> Rendered:
        """Return the texts of `papers`, each made once."""
        texts = {paper.id: (paper, self.text(paper)) for paper in papers}
        letters = {id: self.letters(paper, text) for id, (paper, text) in texts.items()} if self.preamble else {}
        return Rendered(
            self.shapes,
            {id: text for id, (_, text) in texts.items()},
            self.preamble,
            {id: found for id, found in letters.items() if found},
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """The texts of papers in one format, from which the file of any selection is joined."""

    shapes: tuple[Shape, ...]
    texts: Mapping[str, str]
    preamble: Preamble | None
    letters: Mapping[str, frozenset[str]]

    def file(self, ids: Sequence[str]) -> bytes:
        """Return the file that holds these papers, in this order."""
        shape = next(shape for shape in self.shapes if shape.most is None or len(ids) <= shape.most)
        texts = (f"{shape.before}{self.texts[id]}{shape.after}" for id in ids)
        return f"{self._preamble(ids)}{shape.head}{shape.between.join(texts)}{shape.foot}".encode()

    def _preamble(self, ids: Sequence[str]) -> str:
        letters = sorted(frozenset().union(*(self.letters.get(id, frozenset()) for id in ids)))
        if not letters or not self.preamble:
            return ""
        return f"{self.preamble.open}{''.join(map(self.preamble.define, letters))}{self.preamble.close}"

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON holds it, for the website."""
        made: dict[str, Any] = {"shapes": [asdict(shape) for shape in self.shapes], "texts": self.texts}
        if self.preamble:
            every = sorted(frozenset().union(*self.letters.values()))
            made["preamble"] = {
                "open": self.preamble.open,
                "define": {letter: self.preamble.define(letter) for letter in every},
                "close": self.preamble.close,
                "letters": {id: "".join(sorted(found)) for id, found in self.letters.items()},
            }
        return made
