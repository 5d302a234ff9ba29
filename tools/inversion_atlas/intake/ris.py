"""RIS as it is found -> entries: records without their end, Latin-1, wrapped lines.

A reader of our own: rispy makes one record of two where `ER` is missing and stops at a wrapped first line.
"""

from __future__ import annotations

import re
from collections import defaultdict

from inversion_atlas.intake import identifiers, names
from inversion_atlas.intake.decoding import Text
from inversion_atlas.intake.entry import Entry, Problem, refused
from inversion_atlas.intake.latex import clean

_TAG = re.compile(r"([A-Z][A-Z0-9])(?:  ?-(?: |$)(.*)|  ?-$()|  -(.*))")
# Tags that may stand more than once; of every other the first holds.
_LISTED = frozenset(("AU", "A1", "KW", "UR", "L1", "L2", "N1", "C1"))
_VENUE = {"CONF": ("T2", "BT", "C3", "JF", "JO"), "CPAPER": ("T2", "BT", "C3"), "THES": ("PB",), "RPRT": ("PB", "T2")}
_ANY_VENUE = ("JF", "JO", "T2", "JA", "J1", "J2", "BT", "C3", "T3")


def looks_like(text: str) -> bool:
    """Tell whether a text is RIS."""
    return bool(re.search(r"^\s*TY  ?-", text, re.MULTILINE))


def read(text: Text, origin: str = "") -> list[Entry]:
    """Return the entries of a RIS file in their order; never raises."""
    found: list[Entry] = []
    record: dict[str, list[str]] = {}
    start, tag, stray = 0, "", False
    lines = text.text.split("\n")
    early: list[Problem] = []
    for number, line in enumerate(lines, 1):
        match = _TAG.fullmatch(line.strip(" \t"))
        if match is None:
            if record and tag and line.strip():
                record[tag][-1] = f"{record[tag][-1]} {line.strip()}"
            continue
        tag, value = match[1], (match[2] or match[4] or "").strip()
        if tag == "ER":
            if record:
                found.append(_entry(record, start, number, early, text, origin))
            record, tag, early, stray = {}, "", [], False
        elif tag == "TY":
            if record:
                early.append(Problem("no-end", "the record has no `ER`", start))
                found.append(_entry(record, start, number - 1, early, text, origin))
            record, start, early, stray = defaultdict(list, {"TY": [value]}), number, [], False
        elif record:
            if tag in record and tag not in _LISTED:
                early.append(Problem("field-twice", f"`{tag}` stands twice; the first holds", number))
            record[tag].append(value)
        elif not stray:
            stray = True
            found.append(refused("stray-text", "fields stand outside of any record; is `TY` missing?", number))
    if record:
        early.append(Problem("no-end", "the record has no `ER`", start))
        found.append(_entry(record, start, len(lines), early, text, origin))
    if not found and text.text.strip():
        found.append(refused("no-entry", "no RIS record (`TY  - …`) was found", 1, origin=origin))
    return found


# Tags whose values a record holds, or that are read for its venue and identifiers.
_HELD = frozenset(
    """TY ID TI T1 CT AU A1 PY Y1 DA Y2 DO VL IS SP EP UR L1 L2 AB N2 AN C1 M3 L3 JO JF JA J1 J2 T2 BT PB ER""".split()
)


def _entry(record: dict[str, list[str]], start: int, end: int, early: list[Problem], text: Text, origin: str) -> Entry:
    def first(*tags: str) -> str:
        return next((clean(value) for tag in tags for value in record.get(tag, ())[:1] if value.strip()), "")

    problems = list(early)
    authors, cut_off, wrong = names.read_list([*record.get("AU", ()), *record.get("A1", ())], start)
    kind = first("TY").upper()
    doi = identifiers.read_doi(first("DO", "M3", "L3"))
    if first("DO") and not doi:
        problems.append(Problem("bad-doi", f"{first('DO')[:80]!r} is no DOI", start))
    arxiv = identifiers.arxiv_of_doi(doi)
    urls = [clean(url) for url in (*record.get("UR", ()), *record.get("L2", ()))]
    for said in (first("AN"), first("C1"), *urls, first("VL"), *(first(tag) for tag in _ANY_VENUE)):
        arxiv = arxiv or identifiers.read_arxiv(said)
    pages = "-".join(page for page in (first("SP"), first("EP")) if page)
    date = first("PY", "Y1", "DA", "Y2")
    year = identifiers.read_year(date)
    if year is None and date:
        problems.append(Problem("bad-year", f"{date[:40]!r} is no year", start))
    venue = first(*_VENUE.get(kind, _ANY_VENUE))
    return Entry(
        title=first("TI", "T1", "CT"),
        authors=authors,
        year=year,
        venue=venue,
        volume=first("VL") if not first("VL").startswith("abs/") else "",
        issue=first("IS"),
        pages=identifiers.read_pages(pages.replace("-", "--", 1) if first("EP") else pages),
        doi="" if identifiers.arxiv_of_doi(doi) else doi,
        arxiv=arxiv,
        url=next((url for url in urls if url.startswith(("https://", "http://"))), ""),
        pdf=next((clean(url) for url in record.get("L1", ()) if url.startswith(("https://", "http://"))), ""),
        abstract=first("AB", "N2"),
        line=start,
        key=first("ID"),
        origin=origin,
        problems=(*text.between(start, end), *problems, *wrong),
        cut_off=cut_off,
        preprint=bool(arxiv) and (not venue or "arxiv" in venue.lower()),
        left_out=tuple(tag for tag in record if tag not in _HELD and any(map(str.strip, record[tag]))),
    )
