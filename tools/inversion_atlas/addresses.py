"""Where a record's page is, relative to the top of the website: one place decides for pages, exports and API."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from anyascii import anyascii

from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.fields import Record
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.source import Source
from inversion_atlas.records.venue import Venue

# The facet whose terms are the method families; they have addresses of their own.
FAMILY = "family"
SECTIONS: dict[type[Record], str] = {
    Paper: "papers",
    Dataset: "datasets",
    Metric: "metrics",
    Venue: "venues",
    Source: "sources",
}
ERRATA = "errata/"
DISAGREEMENTS = "disagreements/"
COVERAGE = "coverage/"
AUTHORS = "authors/"

_LONGEST_SLUG = 80
# What `quote` makes of ASCII, many times faster.
_QUOTED = {code: made for code in range(128) if (made := quote(chr(code), safe="")) != chr(code)}
_NO_SLUG = re.compile(r"[^a-z0-9]+")


def address(record: Paper | Dataset | Metric | Venue | Source | Facet) -> str:
    """Return the address of a record's page: `papers/zhu2019deep/`."""
    if isinstance(record, Facet):
        return facet_address(record.id)
    return f"{SECTIONS[type(record)]}/{record.id}/"


def facet_address(facet: str) -> str:
    """Return the address of the page that lists a facet's terms."""
    return "families/" if facet == FAMILY else f"terms/{facet}/"


def term_address(facet: str, term: str) -> str:
    """Return the address of a term's page: `families/defense/`, `terms/access/white-box/`."""
    return f"{facet_address(facet)}{term}/"


def author_address(author: str) -> str:
    """Return the address of an author's page: `authors/zhu-ligeng/`."""
    return f"{AUTHORS}{author_slug(author)}/"


# Every author is named on several pages.
@lru_cache(maxsize=2**17)
def author_slug(author: str) -> str:
    """Return what an author is called in addresses, which depends on the name alone: `Øster, Åsa` -> `oster-asa`.

    Names that differ in case, accents or punctuation only share one. What is too long, or holds nothing that ASCII
    can tell, ends in a digest of the name.
    """
    slug = _NO_SLUG.sub("-", (author if author.isascii() else anyascii(author)).lower()).strip("-")
    if slug and len(slug) <= _LONGEST_SLUG:
        return slug
    digest = hashlib.sha256(author.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{slug[: _LONGEST_SLUG - 9].strip('-') or 'author'}-{digest}"


def errata_address(source: str, anchor: str = "") -> str:
    """Return where the errata of a source are, or one of them: `errata/yang-survey/#row-12`."""
    return f"{ERRATA}{source}/" + (f"#{anchor}" if anchor else "")


def disagreements_address(field: str) -> str:
    """Return where the disagreements on a facet or field are: `disagreements/access/`."""
    return f"{DISAGREEMENTS}{field}/"


def explore_address(query: str) -> str:
    """Return the address at which Explore shows what a query selects: `explore/?q=access%3Dwhite-box`."""
    return f"explore/?q={quoted(query)}"


def quoted(text: str) -> str:
    """Return text as a value in an address, letter by letter."""
    return text.translate(_QUOTED) if text.isascii() else quote(text, safe="")


def feed_address(facet: str = "", term: str = "") -> str:
    """Return the address of the Atom feed of a facet's term, or of the one of everything."""
    return f"feeds/{facet}/{term}.xml" if facet else "feeds/all.xml"


def gaps_address(rows: str, columns: str) -> str:
    """Return the address of the matrix of two facets: `maps/gaps/family-access/`."""
    return f"maps/gaps/{rows}-{columns}/"


def compare_address(ids: Iterable[str]) -> str:
    """Return the address that shows papers side by side: `compare/?ids=zhu2019deep,zhao2020idlg`."""
    return f"compare/?ids={','.join(ids)}"


def relative(from_address: str, to_address: str = "") -> str:
    """Return the way from one page to another, so that links hold under any prefix."""
    return "../" * from_address.partition("?")[0].count("/") + to_address or "./"
