"""What a bibliography calls a venue -> the key of `data/venues.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.folding import fold

_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth thirtieth fortieth fiftieth twenty thirty forty fifty"
).split()
_YEAR = re.compile(r"(?<![\w.])['’]?(?:19|20)?[0-9]{2}(?![\w.])|(?:19|20)[0-9]{2}")
_ORDINAL = re.compile(rf"\b(?:[0-9]+\s?(?:st|nd|rd|th)|{'|'.join(_ORDINAL_WORDS)})\b(?:-)?", re.IGNORECASE)
_PROCEEDINGS = re.compile(r"\b(?:in:?\s+)?(?:proceedings|proc\.?)\s+(?:of\s+)?(?:the\s+)?", re.IGNORECASE)
_TAIL = re.compile(r"[,;]\s*(?:vol(?:ume)?\.?|no\.?|pp?\.?|pages?|part|series|held|held at|[A-Z][\w. ]+, [A-Z]).*$")
_ARXIV = re.compile(r"\b(?:arxiv|corr|computing research repository)\b", re.IGNORECASE)
# Words that one spelling of a venue has and another lacks.
_LOOSE = frozenset(
    (
        "the",
        "of",
        "in",
        "on",
        "and",
        "sigsac",
        "advances",
        "annual",
        "international",
        "intl",
        "ieee",
        "cvf",
        "acm",
        "usenix",
        "conf",
        "conference",
    )
)
# No name is longer, and what is longer costs time.
_LONGEST = 300
_JOINING = frozenset(("the", "of", "in", "on", "and", "for", "&"))
_SHORT = re.compile(r"\(([^()]+)\)")


def find_venue(text: str, catalogue: Catalogue) -> str:
    """Return the key of the venue a text names, or nothing. Nothing is guessed: a spelling must be known."""
    spellings = catalogue.venue_spellings
    if not text:
        return ""
    if key := spellings.get(fold(text)):
        return key
    if _ARXIV.search(text) and "arxiv" in catalogue.venues:
        return "arxiv"
    workshop = "workshop" in text.lower()
    loose = _loose_spellings(tuple(spellings.items()))
    for candidate in _candidates(text):
        key = spellings.get(fold(candidate)) or loose.get(_loosened(candidate))
        # A workshop at a conference is not that conference.
        if key and (not workshop or "workshop" in f"{catalogue.venues[key].type} {catalogue.venues[key].name}".lower()):
            return key
    return "" if workshop else _abbreviated(text, spellings)


def _abbreviated(text: str, spellings: Mapping[str, str]) -> str:
    """Return the one venue of whose name each word begins as those of `text`: `IEEE Trans. Inf. Forensics Secur.`"""
    words = [
        word for word in _YEAR.sub(" ", text).strip(" ,;:").lower().replace(".", ". ").split() if word not in _JOINING
    ]
    if len(words) < 3 or "." in words or not any(word.endswith(".") for word in words):
        return ""
    pattern = re.compile(" ".join(re.escape(w[:-1]) + r"\S*" if w.endswith(".") else re.escape(w) for w in words))
    found = {key for spelling, key in spellings.items() if pattern.fullmatch(_without_joining(spelling))}
    return found.pop() if len(found) == 1 else ""


def _without_joining(spelling: str) -> str:
    return " ".join(word for word in spelling.split() if word not in _JOINING)


def _candidates(text: str) -> Iterator[str]:
    yield _YEAR.sub(" ", _ORDINAL.sub(" ", text))
    yield _stripped(text)
    yield _stripped(_TAIL.sub("", text))
    yield _stripped(_SHORT.sub(" ", text))
    yield _stripped(_SHORT.sub(" ", _TAIL.sub("", text)))
    for found in _SHORT.finditer(text):
        yield _stripped(found[1])
    for separator in (" - ", " – ", ": ", ", ", "/"):
        if separator in text:
            head, _, tail = text.partition(separator)
            yield _stripped(head)
            if separator != ", ":
                yield _stripped(tail)


def _stripped(text: str) -> str:
    text = _PROCEEDINGS.sub(" ", text)
    return _YEAR.sub(" ", _ORDINAL.sub(" ", text)).strip(" ,.:;-–'’&")


def _loosened(text: str) -> str:
    return " ".join(word for word in fold(text.replace("&", " and ")).split() if word not in _LOOSE)


@lru_cache(maxsize=4)
def _loose_spellings(spellings: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return loosened spelling -> key; what two venues share, or is a single word that was longer, stands for none."""
    found: dict[str, str | None] = {}
    for spelling, key in spellings:
        loose = _loosened(_stripped(spelling))
        if len(loose.split()) > 1 or loose == spelling:
            found[loose] = key if found.get(loose, key) == key else None
    return {loose: key for loose, key in found.items() if key and loose}
