"""What programs read of a work: Highwire tags and JSON-LD on its own page, COinS beside it in lists."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from inversion_atlas.addresses import address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import citation
from inversion_atlas.exports.citation import Form
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.venue import VenueType

# The one tag that names where a work appeared: reference managers take the last of several.
_CONTAINERS = {
    VenueType.CONFERENCE: "citation_conference_title",
    VenueType.WORKSHOP: "citation_conference_title",
    VenueType.JOURNAL: "citation_journal_title",
    VenueType.BOOK: "citation_inbook_title",
    VenueType.THESIS: "citation_dissertation_institution",
    VenueType.REPORT: "citation_technical_report_institution",
}
# OpenURL's name for a form of publication: its format, its genre, the key of the title and of the container.
_GENRES = {
    Form.ARTICLE: ("journal", "article", "rft.atitle", "rft.jtitle"),
    Form.PROCEEDINGS: ("book", "proceeding", "rft.atitle", "rft.btitle"),
    Form.CHAPTER: ("book", "bookitem", "rft.atitle", "rft.btitle"),
    Form.BOOK: ("book", "book", "rft.btitle", "rft.series"),
    Form.THESIS: ("dissertation", "", "rft.title", "rft.inst"),
    Form.REPORT: ("book", "report", "rft.btitle", "rft.pub"),
    Form.PREPRINT: ("journal", "preprint", "rft.atitle", "rft.jtitle"),
    Form.OTHER: ("book", "document", "rft.btitle", "rft.pub"),
}


def citation_tags(catalogue: Catalogue, paper: Paper) -> Iterator[tuple[str, str]]:
    """Yield the meta tags by which reference managers and Google Scholar read a page: name and content."""
    venue = catalogue.venues.get(paper.venue or "")
    links = paper.links
    # Zotero would take what has no container for an article in a journal.
    if citation.publication_form(venue, paper) is Form.PREPRINT:
        yield "z:itemType", "preprint"
    yield "citation_title", paper.title
    for author in paper.authors:
        yield "citation_author", author
    yield "citation_publication_date", str(paper.year)
    if venue and venue.type in _CONTAINERS:
        yield _CONTAINERS[venue.type], venue.name
    if venue and venue.publisher:
        yield "citation_publisher", venue.publisher
    first, _, last = citation.page_range(paper.pages or "").partition("–")
    for name, value in (("volume", paper.volume), ("issue", paper.issue), ("firstpage", first), ("lastpage", last)):
        if value:
            yield f"citation_{name}", value
    if links.doi:
        yield "citation_doi", links.doi
    if links.arxiv:
        yield "citation_arxiv_id", links.arxiv
    if pdf := links.pdf or (links.arxiv and f"https://arxiv.org/pdf/{links.arxiv}"):
        yield "citation_pdf_url", pdf
    if catalogue.settings.site:
        yield "citation_public_url", f"{catalogue.settings.site}/{address(paper)}"


def coins(catalogue: Catalogue, paper: Paper) -> Markup:
    """Return a work as a COinS span, by which reference managers take it from a list."""
    fact = citation.cite(catalogue, paper)
    format, genre, title, container = _GENRES[fact.form]
    first, _, last = fact.pages.partition("–")
    pairs = [
        ("ctx_ver", "Z39.88-2004"),
        ("rft_val_fmt", f"info:ofi/fmt:kev:mtx:{format}"),
        ("rft.genre", genre),
        (title, fact.title),
        (container, fact.container),
        ("rft.date", str(fact.year)),
        ("rft.volume", fact.volume),
        ("rft.issue", fact.issue),
        ("rft.spage", first),
        ("rft.epage", last),
        ("rft_id", f"info:doi/{fact.doi}" if fact.doi else fact.url),
        *(("rft.au", author) for author in paper.authors),
    ]
    context = urlencode([(key, value) for key, value in pairs if value], errors="replace")
    return Markup('<span class="Z3988" title="{}"></span>').format(context)


def paper_json_ld(catalogue: Catalogue, paper: Paper) -> Markup:
    """Return a work as schema.org JSON-LD."""
    venue = catalogue.venues.get(paper.venue or "")
    links = paper.links
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Thesis" if venue and venue.type is VenueType.THESIS else "ScholarlyArticle",
        "name": paper.title,
        "author": [_person(author) for author in paper.authors],
        "datePublished": str(paper.year),
    }
    if venue:
        kind = "Periodical" if venue.type is VenueType.JOURNAL else "CreativeWork"
        found["isPartOf"] = {"@type": kind, "name": venue.name}
    same = [citation.doi_address(links.doi)] if links.doi else []
    same += [citation.arxiv_address(links.arxiv)] if links.arxiv else []
    if same:
        found["sameAs"] = same
    if catalogue.settings.site:
        found["url"] = f"{catalogue.settings.site}/{address(paper)}"
    return script(found)


def dataset_json_ld(catalogue: Catalogue, dataset: Dataset) -> Markup:
    """Return a dataset as schema.org JSON-LD."""
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": dataset.name,
        "description": " ".join(dataset.description.split()),
    }
    names = [name for name in (dataset.full_name, *dataset.other_names) if name]
    if names:
        found["alternateName"] = names
    if dataset.license:
        found["license"] = dataset.license
    if dataset.homepage:
        found["sameAs"] = dataset.homepage
    if catalogue.settings.site:
        found["url"] = f"{catalogue.settings.site}/{address(dataset)}"
    return script(found)


def script(document: dict[str, Any]) -> Markup:
    """Return JSON-LD as a script element that no text in it can end."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        if char in text:
            text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(f'<script type="application/ld+json">{text}</script>')


def meta(name: str, content: str) -> str:
    """Return one meta element."""
    return f'<meta name="{name}" content="{html.escape(content)}">'


def _person(author: str) -> dict[str, str]:
    family, comma, given = author.partition(", ")
    if not comma:
        return {"@type": "Organization", "name": author}
    return {"@type": "Person", "name": f"{given} {family}"}
