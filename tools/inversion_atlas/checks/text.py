"""What copying, PDF extraction and markup leave in titles, names and prose."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.checks.rule import Problem
from inversion_atlas.records.paper import Paper

Said = tuple[str, str] | None

# Accents that stand beside their letter, or a space away, instead of on it.
_LOOSE_ACCENT = re.compile(r"[^\W\d_] ?[¨´ˇ˘˙˚˛˜˝¯¸ˆ]|[¨´ˇ˘˙˚˛˜˝¯¸ˆ] ?[^\W\d_]")
_LIGATURE = re.compile("[\ufb00-\ufb06]")
_LOST = re.compile("[\ufffd\ue000-\uf8ff]")
# UTF-8 read as Latin-1 or Windows-1252: the first byte of a letter, and what its second byte became.
_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]+")
_ENTITY = re.compile(r"&(?:#[0-9]+|#x[0-9a-f]+|[a-z][a-z0-9]+);", re.IGNORECASE)
_TAG = re.compile(r"</?(?:i|b|em|strong|su[bp]|span|scp|mml:[a-z]+|jats:[a-z]+|p|br)\b[^>]*>", re.IGNORECASE)
_LATEX = re.compile(r"\\[a-zA-Z\"'`^~=.]|\$[^$]+\$|[{}]|``|''|(?<!-)---?(?!-)")
_ET_AL = re.compile(r"\bet\.? ?al\b|\band others\b|^others$", re.IGNORECASE)
_COLLECTIVE = re.compile(
    r"\b(?i:and|association|board|center|centre|collaboration|committee|community|company|consortium|contributors|"
    r"corporation|council|developers|foundation|group|inc|initiative|institute|lab|laboratory|labs|ltd|of|office|"
    r"organi[sz]ation|parliament|project|research|society|team|the|union|university|workshop)\b|[A-Z]{3,}|[a-z][A-Z]"
)


def loose_accent(text: str) -> Said:
    """An accent beside its letter, as PDF extraction leaves it."""
    if text.isascii() or not (found := _LOOSE_ACCENT.search(text)):
        return None
    return f"an accent stands beside its letter: “{_around(text, found)}”", "write the letter with its accent: ü, ć, ö"


def ligature(text: str) -> Said:
    """A ligature that PDF extraction left as one character."""
    if text.isascii() or not (found := _LIGATURE.search(text)):
        return None
    letters = unicodedata.normalize("NFKC", found[0])
    return f"“{_around(text, found)}” holds a ligature", f"write {letters} as {len(letters)} letters"


def lost_character(text: str) -> Said:
    """A character that stands for one that was lost."""
    if text.isascii() or not (found := _LOST.search(text)):
        return None
    return f"a character was lost: “{_around(text, found)}”", "look it up at the publisher"


def mojibake(text: str) -> Said:
    """UTF-8 that was read as Latin-1."""
    if text.isascii():
        return None
    for found in _MOJIBAKE.finditer(text):
        if meant := _reread(found[0]):
            return f"“{_around(text, found)}” was read in the wrong encoding", f"write {meant}"
    return None


def markup(name: str) -> Said:
    """HTML or LaTeX in a title or name."""
    if found := _ENTITY.search(name):
        return f"{found[0]} is an HTML entity", f"write {html.unescape(found[0])}"
    if found := _TAG.search(name):
        return f"{found[0]} is HTML", "write plain text"
    if found := _LATEX.search(name):
        return f"“{found[0]}” is LaTeX", "write the characters themselves"
    return None


def double_space(text: str) -> Said:
    """Two spaces in a row."""
    return ("two spaces stand in a row", "keep one") if "  " in text else None


def full_stop(title: str) -> Said:
    """A title that ends like a sentence."""
    if not title.endswith(".") or title.endswith("..") or re.search(r"\b\w\.$|\.\w+\.$", title):
        return None
    return "the title ends in a full stop", "remove it"


def capitals(title: str) -> Said:
    """A title in capitals throughout."""
    if title.isupper() and len(title) > 12 and " " in title:
        return "the title is in capitals", "write it as the paper does, or in title case"
    return None


def et_al(author: str) -> Said:
    """“et al.” in place of authors."""
    found = _ET_AL.search(author)
    return (f"“{found[0]}” is no author", "name all authors") if found else None


def author_order(author: str) -> Said:
    """A person's name that is not written `Family, Given`."""
    if _ET_AL.search(author):
        return None
    family, comma, given = author.partition(",")
    if not comma and 2 <= len(author.split()) <= 4 and not _COLLECTIVE.search(author):
        first, _, last = author.rpartition(" ")
        return f"{author} has no comma", f"write “{last}, {first}” (or ignore this for a group)"
    if comma and (not family.strip() or not given.strip() or not given.startswith(" ")):
        return f"{author} is not written as family name, comma, space, given name", "rewrite it"
    return None


def split_authors(catalogue: Catalogue) -> Iterator[Problem]:
    """Authors cut apart at their commas, because the quotes are missing."""
    for paper in catalogue.papers.values():
        if len(paper.authors) > 1 and len(paper.authors) % 2 == 0 and _looks_cut(paper):
            yield Problem(
                catalogue.place(paper) / "authors",
                "the names are cut apart at their commas",
                'quote each author: ["Zhu, Ligeng", "Liu, Zhijian"]',
            )


def _looks_cut(paper: Paper) -> bool:
    return not any("," in author or _COLLECTIVE.search(author) for author in paper.authors)


def _around(text: str, found: re.Match[str]) -> str:
    return text[max(0, found.start() - 10) : found.end() + 10]


def _reread(broken: str) -> str:
    """Return what the bytes behind `broken` say in UTF-8, or nothing."""
    try:
        raw = b"".join(_byte(char) for char in broken)
        return raw.decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        return ""


def _byte(char: str) -> bytes:
    return char.encode("latin-1" if char <= "\xff" else "cp1252")
