"""Identifiers, which are also permalinks and BibTeX keys: family name, year, first telling title word."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence

from anyascii import anyascii

STOP_WORDS = frozenset(
    "a an and are as at be but by can do does for from has have how if in into is it its nor not of on or our "
    "so than that the their these this those to towards toward under upon via was were what when where which "
    "who why will with within without you your".split()
)


def paper_id(authors: Sequence[str], year: int, title: str, taken: Container[str] = ()) -> str:
    """Return the first free id for a work, such as `zhu2019deep`.

    Where the id is taken the next title words replace it in turn; where all are, a letter is added.
    """
    stem = f"{family_slug(authors[0])}{year:04d}"
    words = list(_title_words(title))
    for word in words:
        if stem + word not in taken:
            return stem + word
    first = stem + words[0]
    return next(name for name in _suffixed(first) if name not in taken)


def family_slug(author: str) -> str:
    """Return the family name in lower-case ASCII letters, particles included: `van der Maaten` -> `vandermaaten`."""
    family = author.split(",")[0]
    return re.sub(r"[^a-z]", "", anyascii(family).lower()) or "anon"


def _title_words(title: str) -> Iterator[str]:
    found = False
    for chunk in re.split(r"[\s\u2010-\u2015/:;,.!?]+", anyascii(title.replace("'", "").replace("\u2019", ""))):
        word = _first_piece(chunk)
        if word and word not in STOP_WORDS and not word.isdigit():
            found = True
            yield word
    if not found:
        yield "untitled"


def _first_piece(chunk: str) -> str:
    """Join hyphenated pieces until the word has three letters: R-GAP -> rgap, Label-Only -> label."""
    word = ""
    for piece in re.split(r"-+", chunk.lower()):
        word += re.sub(r"[^a-z0-9]", "", piece)
        if len(word) >= 3:
            break
    return word


def _suffixed(stem: str) -> Iterator[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    yield from (stem + letter for letter in letters)
    yield from (f"{stem}{number}" for number in range(2, 10**6))
