"""CSL-JSON, as reference managers and Crossref write it, -> entries: an array, one item, or one item a line."""

from __future__ import annotations

import json
import re
from typing import Any

from inversion_atlas.intake import identifiers, names
from inversion_atlas.intake.decoding import Text
from inversion_atlas.intake.entry import Entry, Problem, refused
from inversion_atlas.intake.latex import clean, from_markup


def read(text: Text, origin: str = "") -> list[Entry]:
    """Return the entries of a CSL-JSON file in their order; never raises."""
    try:
        data = json.loads(text.text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        what = getattr(error, "msg", "nested too deep")
        return [refused("not-json", f"the file is not JSON: {what}", line, origin=origin)]
    items = data if isinstance(data, list) else data.get("items", [data]) if isinstance(data, dict) else [data]
    if not isinstance(items, list):
        items = [data]
    lines = _lines(text.text, len(items))
    found = [item_entry(item, line, origin, text) for item, line in zip(items, lines, strict=True)]
    return found or [refused("no-entry", "the file holds no item", 1, origin=origin)]


def item_entry(item: Any, line: int = 0, origin: str = "", text: Text | None = None) -> Entry:
    """Return the entry of one item, as a file or Crossref's content negotiation gives it."""
    if not isinstance(item, dict) or not item:
        return refused("not-an-item", "this is no CSL item (an object with `title`, `author`, …)", line, origin=origin)
    problems: list[Problem] = []
    people = item.get("author")
    listed = [_name(person) for person in people] if isinstance(people, list) else []
    if people and not isinstance(people, list):
        problems.append(Problem("bad-author", "`author` is no list of names", line))
    authors, cut_off, wrong = names.read_list(filter(None, listed), line, parted=True)
    doi = identifiers.read_doi(_text(item, "DOI"))
    if _text(item, "DOI") and not doi:
        problems.append(Problem("bad-doi", f"{_text(item, 'DOI')[:80]!r} is no DOI", line))
    arxiv = identifiers.arxiv_of_doi(doi)
    if _text(item, "archive").lower() == "arxiv":
        arxiv = arxiv or identifiers.read_arxiv(_text(item, "archive_location"))
    for key in ("number", "URL", "note", "container-title"):
        arxiv = arxiv or identifiers.read_arxiv(_text(item, key))
    year = _year(item.get("issued")) or _year(item.get("published")) or _year(item.get("event-date"))
    if year is None and item.get("issued"):
        problems.append(Problem("bad-year", "`issued` holds no year", line))
    number = _text(item, "number")
    url = _text(item, "URL")
    venue = _text(item, "container-title", "event-title", "event", "publisher")
    return Entry(
        title=from_markup(_text(item, "title")),
        authors=authors,
        year=year,
        venue=from_markup(venue),
        volume=_text(item, "volume"),
        issue=_text(item, "issue") or (number if not number.lower().startswith("arxiv") else ""),
        pages=identifiers.read_pages(_text(item, "page")),
        doi="" if identifiers.arxiv_of_doi(doi) else doi,
        arxiv=arxiv,
        url=url if re.match(r"https?://\S+$", url) else "",
        abstract=from_markup(_text(item, "abstract")),
        line=line,
        key=_text(item, "citation-key", "id"),
        origin=origin,
        problems=(*problems, *wrong, *(text.between(line, line) if text else ())),
        cut_off=cut_off,
        preprint=bool(arxiv) and "arxiv" in f"{venue} {_text(item, 'publisher')}".lower(),
        left_out=tuple(clean(str(key))[:80] for key in item if key not in _HELD),
    )


# Properties that a record holds, or that are read for its venue and identifiers.
_HELD = frozenset(
    """id type citation-key title author issued published event-date DOI URL volume issue number page abstract archive
    archive_location container-title event event-title""".split()
)


def _text(item: dict[str, Any], *keys: str) -> str:
    for key in keys:
        value = item.get(key)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and (text := clean(str(value))):
            return text
    return ""


def _name(person: Any) -> str:
    if isinstance(person, str):
        return clean(person)
    if not isinstance(person, dict):
        return ""
    if whole := _text(person, "literal", "name"):
        return whole
    particle = " ".join(filter(None, (_text(person, "dropping-particle"), _text(person, "non-dropping-particle"))))
    return names.family_given(_text(person, "family"), _text(person, "given"), _text(person, "suffix"), particle)


def _year(date: Any) -> int | None:
    if not isinstance(date, dict):
        return identifiers.read_year(str(date)) if isinstance(date, (str, int)) else None
    parts = date.get("date-parts")
    if isinstance(parts, list) and parts and isinstance(parts[0], list) and parts[0]:
        return identifiers.read_year(str(parts[0][0]))
    return identifiers.read_year(_text(date, "literal", "raw", "year"))


def _lines(text: str, count: int) -> list[int]:
    """Return the line on which each item of the outermost array starts, or 1 where that cannot be told."""
    starts, depth, line, outer = [], 0, 1, 0 if text.lstrip()[:1] == "{" else 1
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}\n]', text, re.DOTALL):
        mark = found[0]
        if mark == "\n":
            line += 1
        elif mark[0] == '"':
            line += mark.count("\n")
        elif mark in "[{":
            if depth == outer and mark == "{":
                starts.append(line)
            depth += 1
        else:
            depth -= 1
    return starts if len(starts) == count else [1] * count
