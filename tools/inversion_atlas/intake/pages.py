"""What a publisher's page says of its paper: Highwire tags, as Zotero and Scholar read them, else BibTeX on it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from inversion_atlas.intake import bibtex, identifiers, names
from inversion_atlas.intake.decoding import decode
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.latex import clean, from_markup, to_unicode
from inversion_atlas.network.polite import Page

_OPENREVIEW = ("openreview.net", "www.openreview.net")
_CHARSET = re.compile(rb"charset=[\"']?([A-Za-z0-9_-]+)", re.IGNORECASE)
_VENUE_TAGS = ("citation_conference_title", "citation_journal_title", "citation_inbook_title", "citation_conference")


def is_openreview(host: str) -> bool:
    """Tell whether a host is OpenReview, whose pages hold nothing without scripts."""
    return host.lower() in _OPENREVIEW


def openreview_id(url: str) -> str:
    """Return the id of the paper in an address of OpenReview, or nothing."""
    id = (parse_qs(urlsplit(url).query).get("id") or [""])[0]
    return id if re.fullmatch(r"[\w-]{4,64}", id) else ""


def metadata_address(url: str) -> str:
    """Return the address that describes the paper which `url` leads to: a file's page, the Anthology's own BibTeX."""
    parts = urlsplit(url)
    host, path = (parts.hostname or "").lower(), parts.path
    if host.endswith("aclanthology.org"):
        id = path.strip("/").removesuffix(".pdf").removesuffix(".bib")
        return f"https://aclanthology.org/{id}.bib"
    if host == "openaccess.thecvf.com" and path.endswith(".pdf"):
        return url.replace("/papers/", "/html/").removesuffix(".pdf") + ".html"
    if host == "proceedings.mlr.press" and path.endswith(".pdf"):
        volume, name = path.strip("/").split("/")[0], path.rsplit("/", 1)[1].removesuffix(".pdf")
        return f"https://proceedings.mlr.press/{volume}/{name}.html"
    if host.endswith("neurips.cc") and path.endswith(".pdf"):
        changed = path.replace("/file/", "/hash/").replace("-Paper", "-Abstract").removesuffix(".pdf")
        return f"https://{host}{changed}.html"
    return url


def read(page: Page) -> Entry | None:
    """Return the work that a page describes; raises ValueError where it describes none."""
    text = _decoded(page)
    if not re.search(r"<(?:html|head|meta|body|!doctype)", text[:5000], re.IGNORECASE) and "@" in text:
        return _of_bibtex(text, page.url)
    tags = _Tags()
    tags.feed(text)
    found = _of_tags(tags.meta, page.url) if tags.meta.get("citation_title") else None
    return found or _of_bibtex(tags.bibtex(), page.url)


def read_openreview(page: Page) -> Entry | None:
    """Return the paper of an answer of OpenReview's API, whose newer version wraps each value."""
    notes = json.loads(page.body)["notes"]
    if not notes:
        return None
    note = notes[0]
    content = {key: _unwrapped(value) for key, value in note["content"].items()}
    people = content.get("authors") or []
    authors, cut_off, problems = names.read_list([str(person) for person in people])
    cited = bibtex.read(decode(str(content.get("_bibtex") or "").encode()))
    cited_entry = cited[0] if cited and cited[0].title else Entry()
    venue = str(content.get("venue") or "")
    dated = note.get("pdate") or note.get("odate") or note.get("cdate")
    year = identifiers.read_year(venue) or cited_entry.year or _year_of(dated)
    accepted = not re.search(r"submitted|withdrawn|reject", venue, re.IGNORECASE)
    return Entry(
        title=to_unicode(str(content["title"])),
        authors=authors,
        year=year,
        venue=re.sub(r"\s+(?:poster|oral|spotlight|notable.*)$", "", venue, flags=re.I) if accepted else "",
        url=f"https://openreview.net/forum?id={note.get('forum') or note.get('id')}",
        abstract=to_unicode(str(content.get("abstract") or "")),
        problems=tuple(problems),
        cut_off=cut_off,
    )


class _Tags(HTMLParser):
    """Collects meta tags and the text of `pre`, `textarea` and classes that hold BibTeX."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.meta: defaultdict[str, list[str]] = defaultdict(list)
        self._texts: list[str] = []
        self._at = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = (named.get("name") or named.get("property") or "").lower()
            if value := clean(named.get("content", "")):
                self.meta[name].append(value)
        elif tag == "br" and self._texts:
            self._texts.append("\n")

    def handle_data(self, data: str) -> None:
        # The texts of a page in which one could be BibTeX: from the first `@` on.
        if self._at or re.search(r"@[A-Za-z]+\s*\{", data):
            self._at = True
            self._texts.append(data)

    def bibtex(self) -> str:
        return "".join(self._texts)


def _of_tags(meta: dict[str, list[str]], base: str) -> Entry:
    def first(*tags: str) -> str:
        return next((value for tag in tags for value in meta.get(tag, ())), "")

    people = meta.get("citation_author") or re.split(r"\s*;\s*", first("citation_authors"))
    authors, cut_off, problems = names.read_list(filter(None, map(from_markup, people)))
    doi = identifiers.read_doi(first("citation_doi"))
    pages = "--".join(dict.fromkeys(filter(None, (first("citation_firstpage"), first("citation_lastpage")))))
    return Entry(
        title=from_markup(first("citation_title")),
        authors=authors,
        year=identifiers.read_year(first("citation_publication_date", "citation_date", "citation_year")),
        venue=from_markup(first(*_VENUE_TAGS)),
        volume=first("citation_volume"),
        issue=first("citation_issue"),
        pages=identifiers.read_pages(pages),
        doi="" if identifiers.arxiv_of_doi(doi) else doi,
        arxiv=identifiers.read_arxiv(first("citation_arxiv_id")) or identifiers.arxiv_of_doi(doi),
        url=base if not first("citation_public_url") else urljoin(base, first("citation_public_url")),
        pdf=urljoin(base, first("citation_pdf_url")) if first("citation_pdf_url") else "",
        abstract=from_markup(first("citation_abstract", "dc.description")),
        problems=tuple(problems),
        cut_off=cut_off,
    )


def _of_bibtex(text: str, base: str) -> Entry:
    entries = [entry for entry in bibtex.read(decode(text.encode())) if entry.title and entry.authors]
    if not entries:
        raise ValueError("the page describes no paper: it has neither Highwire tags nor BibTeX")
    return entries[0]


def _decoded(page: Page) -> str:
    declared = _CHARSET.search(page.content_type.encode()) or _CHARSET.search(page.body[:4096])
    try:
        return page.body.decode(declared[1].decode() if declared else "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode(page.body).text


def _unwrapped(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and "value" in value else value


def _year_of(milliseconds: Any) -> int | None:
    """Return the year of a moment given in milliseconds since 1970."""
    return 1970 + int(milliseconds // 31_556_952_000) if isinstance(milliseconds, int) and milliseconds > 0 else None
