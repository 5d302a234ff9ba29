"""Folding text for comparison: case, accents and punctuation away, letters and digits of any script kept."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters that Unicode does not decompose into a base letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_GAPS = re.compile(r"[\W_]+")


# The sources write the same few words in thousands of rows.
@lru_cache(maxsize=2**14)
def fold(text: str) -> str:
    """Return `text` in lower case without accents, its words joined by single spaces."""
    return _GAPS.sub(" ", strip_accents(text)).strip()


def strip_accents(text: str) -> str:
    """Return `text` in lower case with accented letters replaced by their base letters."""
    if text.isascii():
        return text.lower()
    # Once before the case is folded, as a mathematical A is a letter only then, and once for what that leaves.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).translate(_LETTERS)
