"""Where a record's page is, relative to the top of the website: one place decides for pages, exports and API."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

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


def explore_address(query: str) -> str:
    """Return the address at which Explore shows what a query selects: `explore/?q=access%3Dwhite-box`."""
    return f"explore/?q={quote(query, safe='')}"


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
