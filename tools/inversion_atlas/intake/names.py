"""Lists of authors as bibliographies write them -> names as records hold them: `Family, Given`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from inversion_atlas.intake.entry import Problem
from inversion_atlas.intake.latex import clean, split_top, to_unicode

_SEMICOLON = re.compile(r"\s*;\s*")
_WORD_AND = re.compile(r"(?:\s+|(?<=,))and(?=\s|$)|^and\s+", re.IGNORECASE)
_COMMA = re.compile(r"\s*[,，]\s*")
_REST = re.compile(r"^(?:others|et\.? ?al\.?|and others|…|\.\.\.|etc\.?)$", re.IGNORECASE)
_ET_AL_END = re.compile(r"[\s,~]+(?:et\.?[\s~]?al\.?|and others|etc\.?)$", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:[JS]r\.?|I{2,3}|IV)", re.IGNORECASE)
_LEADING_AND = re.compile(r"^(?:and(?:\s+|$))+")
# What neither starts nor ends a name, and would turn `_others` into `others` on its way through BibTeX.
_NO_EDGE = " ,_~^`$%#&|<>="
_GAP = re.compile(r"[\s~]+")
_MOST = 5000


def read_bibtex(value: str, line: int = 0) -> tuple[tuple[str, ...], bool, list[Problem]]:
    """Return the names of a BibTeX author field, whether more are meant than named, and what was wrong with it."""
    if not value:
        return (), False, []
    value = re.sub(r"\s+", " ", value).strip().strip(",").strip()
    listed = split_top(value, _WORD_AND)
    if len(listed) == 1:
        listed = split_top(value, _SEMICOLON)
    problems: list[Problem] = []
    names: list[str] = []
    for part in listed:
        part = _LEADING_AND.sub("", part.strip())
        whole = _ET_AL_END.sub("", part)
        if whole != part:
            names.append("others")
        names += map(_one, _by_commas(whole, line, problems))
    return _checked(names, line, problems)


def read_list(
    names: Iterable[str], line: int = 0, *, parted: bool = False
) -> tuple[tuple[str, ...], bool, list[Problem]]:
    """Return names that stand one by one, as `Family, Given` or `Given Family`, checked as those of BibTeX are.

    `parted` says that persons are `Family, Given` already, so that one without a comma is a collective.
    """
    problems: list[Problem] = []
    if parted:
        return _checked(map(_text, names), line, problems)
    return _checked([_plain(_text(name)) for name in names], line, problems)


def family_given(family: str, given: str, suffix: str = "", particle: str = "") -> str:
    """Return a name from its parts, as records write it."""
    surname = clean(f"{particle} {family}")
    return ", ".join(part for part in (surname, clean(given), clean(suffix)) if part)


def _checked(names: Iterable[str], line: int, problems: list[Problem]) -> tuple[tuple[str, ...], bool, list[Problem]]:
    kept, cut_off = [], False
    for name in names:
        # Marks that part names elsewhere are none inside of one.
        name = re.sub(r"\s+", " ", name.replace("，", ", ").replace(";", " ")).strip(_NO_EDGE)
        shorter = _ET_AL_END.sub("", name)
        if _REST.match(name.strip()) or shorter != name:
            cut_off = True
            if _REST.match(name.strip()):
                continue
            name = _plain(shorter)
        if any(char.isalpha() for char in name):
            kept.append(name)
        elif name:
            problems.append(Problem("bad-name", f"{name[:60]!r} is no name and was left out", line))
    if cut_off:
        problems.append(Problem("et-al", "the authors are cut off (et al.); name all of them", line))
    if len(kept) > _MOST:
        problems.append(Problem("many-authors", f"only the first {_MOST} of {len(kept)} authors were taken", line))
        return tuple(kept[:_MOST]), True, problems
    return tuple(kept), cut_off, problems


def _by_commas(part: str, line: int, problems: list[Problem]) -> list[str]:
    """Return the names of a part between two `and`, which is one unless its commas stand for `and`."""
    pieces = [piece.strip() for piece in split_top(part, _COMMA)]
    # As in `A B, C D, and E F`, whose comma before `and` is no part of a name.
    listed = len(pieces) > 2 and not pieces[-1]
    pieces = [piece for piece in pieces if piece]
    if listed and all(len(piece.split()) > 1 for piece in pieces):
        return pieces
    if len(pieces) <= 1 or (len(pieces) == 3 and _SUFFIX.fullmatch(to_unicode(pieces[1]))):
        return [", ".join(pieces)] if pieces else []
    if len(pieces) == 2:
        rest = to_unicode(pieces[1])
        if _REST.match(rest):
            return pieces
        several = [len(piece.split()) > 1 and "{" not in piece for piece in pieces]
        if all(several) and not _initials(rest) and not _particle(pieces[0].split()[0]):
            message = f"is {to_unicode(part)[:80]!r} one author or two? It was read as `Family, Given`"
            problems.append(Problem("ambiguous-author", message, line))
        return [part]
    if len(pieces) == 3 and _SUFFIX.fullmatch(to_unicode(pieces[2])):
        return [part]
    problems.append(Problem("commas-for-and", "the authors are separated by commas instead of `and`", line))
    paired = len(pieces) % 2 == 0 and all(_initials(to_unicode(given)) for given in pieces[1::2])
    single = len(pieces) % 2 == 0 and all(len(piece.split()) == 1 for piece in pieces)
    if paired or single:
        return [f"{family}, {given}" for family, given in zip(pieces[::2], pieces[1::2], strict=True)]
    return pieces


def _one(name: str) -> str:
    """Return a name in BibTeX's own syntax as `Family, Given`; one in braces is a collective and stays whole."""
    name = name.strip()
    pieces = split_top(name, _COMMA)
    if len(pieces) > 1:
        return _from_commas([to_unicode(piece) for piece in pieces])
    words = [word for word in split_top(name, _GAP) if word]
    if len(words) == 1:
        return to_unicode(name)
    read = [(text, word.startswith("{")) for word in words if (text := to_unicode(word))]
    return _from_words([text for text, _ in read], [braced for _, braced in read]) if read else ""


def _plain(name: str) -> str:
    if "," in name:
        return _from_commas([piece.strip() for piece in name.split(",")])
    words = name.split()
    return _from_words(words, [False] * len(words)) if len(words) > 1 else name


def _from_commas(pieces: list[str]) -> str:
    pieces = [piece for piece in pieces if piece]
    if len(pieces) >= 3 and _SUFFIX.fullmatch(pieces[1]):
        pieces = [pieces[0], " ".join(pieces[2:]), pieces[1]]
    return ", ".join(pieces)


def _from_words(words: list[str], braced: list[bool]) -> str:
    """Return `Given von Family` as `von Family, Given`, after BibTeX's own rule."""
    suffix = ""
    if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) and not braced[-1]:
        *words, suffix = words
        braced = braced[:-1]
    if len(words) > 1 and words[-1].endswith(".") and _initials(words[-1]) and not _initials(words[0]):
        # `Zhu L.`, as indexes of medicine write it.
        return f"{' '.join(words[:-1])}, {words[-1]}"
    lower = [at for at, word in enumerate(words[:-1]) if at and not braced[at] and _particle(word)]
    at = lower[0] if lower else len(words) - 1
    if not lower and not braced[0] and _particle(words[0]):
        # Nothing stands before the particle: a family name alone.
        return " ".join(words)
    family, given = " ".join(words[at:]), " ".join(words[:at])
    return ", ".join(part for part in (family, given, suffix) if part)


def _text(name: str) -> str:
    """Return a name without LaTeX, which some services pass on as the authors typed it."""
    return to_unicode(name) if "\\" in name or "{" in name else clean(name)


def _initials(text: str) -> bool:
    letters = re.split(r"[\s.-]+", text)
    return all(len(part) < 3 and part.isupper() for part in letters if part)


def _particle(word: str) -> bool:
    letter = next((char for char in word if char.isalpha()), "")
    return letter.islower()
