"""What programs read of a work: Highwire tags and JSON-LD on its own page, COinS beside it in lists."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

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


_PERSONS = 15
# What `quote_plus` makes of ASCII, many times faster.
_QUOTED = {code: quoted for code in range(128) if (quoted := quote_plus(chr(code))) != chr(code)}
_LICENSE = "https://creativecommons.org/licenses/by/4.0/"


def _genre(format: str, genre: str, title: str, container: str) -> tuple[str, str, str]:
    kind = f"&amp;rft.genre={genre}" if genre else ""
    start = f"ctx_ver=Z39.88-2004&amp;rft_val_fmt=info%3Aofi%2Ffmt%3Akev%3Amtx%3A{format}{kind}"
    return start, f"rft.{title}", f"rft.{container}"


# How OpenURL calls a form of publication: how its context starts, the key of the title and that of the container.
_GENRES = {
    Form.ARTICLE: _genre("journal", "article", "atitle", "jtitle"),
    Form.PROCEEDINGS: _genre("book", "proceeding", "atitle", "btitle"),
    Form.CHAPTER: _genre("book", "bookitem", "atitle", "btitle"),
    Form.BOOK: _genre("book", "book", "btitle", "series"),
    Form.THESIS: _genre("dissertation", "", "title", "inst"),
    Form.REPORT: _genre("book", "report", "btitle", "pub"),
    Form.PREPRINT: _genre("journal", "preprint", "atitle", "jtitle"),
    Form.OTHER: _genre("book", "document", "btitle", "pub"),
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


def coins(catalogue: Catalogue, paper: Paper) -> str:
    """Return a work as a COinS span, by which reference managers take it from a list."""
    venue = catalogue.venues.get(paper.venue or "")
    start, title, container = _GENRES[citation.publication_form(venue, paper)]
    first, _, last = citation.page_range(paper.pages or "").partition("–")
    url = f"info:doi/{paper.links.doi}" if paper.links.doi else citation.web_address(paper)
    pairs = (
        (title, paper.title),
        (container, venue.name if venue else ""),
        ("rft.date", str(paper.year)),
        ("rft.volume", paper.volume),
        ("rft.issue", paper.issue),
        ("rft.spage", first),
        ("rft.epage", last),
        ("rft_id", url),
    )
    context = [start, *(f"{key}={_quoted(value)}" for key, value in pairs if value)]
    context += [f"rft.au={_quoted(author)}" for author in paper.authors]
    return f'<span class="Z3988" title="{"&amp;".join(context)}"></span>'


# Authors and venues come again and again.
@lru_cache(maxsize=2**16)
def _quoted(text: str) -> str:
    return text.translate(_QUOTED) if text.isascii() else quote_plus(text, errors="replace")


def paper_json_ld(catalogue: Catalogue, paper: Paper) -> Markup:
    """Return a work as schema.org JSON-LD, with the first of very many authors; the meta tags name all."""
    venue = catalogue.venues.get(paper.venue or "")
    links = paper.links
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Thesis" if venue and venue.type is VenueType.THESIS else "ScholarlyArticle",
        "name": paper.title,
        "author": [_person(author) for author in paper.authors[:_PERSONS]],
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


def catalogue_json_ld(catalogue: Catalogue, files: Iterable[tuple[str, str]], version: str) -> Markup:
    """Return the catalogue itself as schema.org JSON-LD; `files` are its downloads: address and media type."""
    settings = catalogue.settings
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": settings.title,
        "description": " ".join(settings.description.split()),
        "license": _LICENSE,
        "version": version,
        "isAccessibleForFree": True,
    }
    if settings.site:
        found["url"] = f"{settings.site}/"
        found["distribution"] = [
            {"@type": "DataDownload", "contentUrl": f"{settings.site}/{path}", "encodingFormat": kind}
            for path, kind in files
        ]
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
