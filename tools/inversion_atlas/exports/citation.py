"""What every citation format needs of a paper: parts of names, kind of publication, container, pages, address."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.venue import Venue, VenueType

_SUFFIX = re.compile(r"(?:[JS]r\.?|I{2,3}|IV)")
_SUFFIXED = re.compile(rf"(.*\S)\s+({_SUFFIX.pattern})")
_DASH = re.compile(r"\s*[\u2010-\u2015-]+\s*")
_LONG_DASH = re.compile(r"\s*(?:[\u2012-\u2015]|--+)\s*")
_ENDS = (".", "?", "!")
# The Publication Manual prints nineteen authors, an ellipsis and the last one of more than twenty.
_MOST_AUTHORS = 20


class Form(StrEnum):
    """How a work was published, which decides the entry type of every format."""

    ARTICLE = "article"
    PROCEEDINGS = "proceedings"
    CHAPTER = "chapter"
    BOOK = "book"
    THESIS = "thesis"
    REPORT = "report"
    PREPRINT = "preprint"
    OTHER = "other"


class Name(NamedTuple):
    """An author's name in parts. One without a given name is a collective, or a single name, kept whole."""

    family: str
    given: str = ""
    particle: str = ""
    suffix: str = ""

    @property
    def whole(self) -> bool:
        """Whether the name must not be taken apart."""
        return not self.given

    @property
    def surname(self) -> str:
        """The family name with its particle."""
        return f"{self.particle} {self.family}".strip()


class Citation(NamedTuple):
    """Everything a bibliography says of a paper; what is not known is empty."""

    id: str
    form: Form
    names: tuple[Name, ...]
    title: str
    year: int
    container: str = ""
    short_container: str = ""
    publisher: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    doi: str = ""
    arxiv: str = ""
    url: str = ""
    note: str = ""
    keywords: tuple[str, ...] = ()


def cite(catalogue: Catalogue, paper: Paper) -> Citation:
    """Return the bibliographic facts of a paper."""
    venue = catalogue.venues.get(paper.venue or "")
    form = publication_form(venue, paper)
    return Citation(
        id=paper.id,
        form=form,
        names=tuple(map(parse_name, paper.authors)),
        title=paper.title,
        year=paper.year,
        container=venue.name if venue else "",
        short_container=venue.short if venue else "",
        publisher=(venue.publisher if venue else None) or "",
        volume=paper.volume or "",
        issue=paper.issue or "",
        pages=page_range(paper.pages or ""),
        doi=paper.links.doi or "",
        arxiv=paper.links.arxiv or "",
        url=web_address(paper),
        note=status_note(paper),
        keywords=tuple(
            dict.fromkeys([str(paper.kind), *(term for terms in paper.taxonomy.values() for term in terms)])
        ),
    )


def publication_form(venue: Venue | None, paper: Paper) -> Form:
    """Return how a paper was published: its venue's type decides, and for a book whether it has pages of one."""
    match venue.type if venue else None:
        case VenueType.CONFERENCE | VenueType.WORKSHOP:
            return Form.PROCEEDINGS
        case VenueType.JOURNAL:
            return Form.ARTICLE
        case VenueType.BOOK:
            return Form.CHAPTER if paper.pages else Form.BOOK
        case VenueType.THESIS:
            return Form.THESIS
        case VenueType.REPORT:
            return Form.REPORT
        case VenueType.PREPRINT:
            return Form.PREPRINT
        case None:
            return Form.PREPRINT if paper.links.arxiv else Form.OTHER


# Most authors write more than one paper, and each paper is cited in several places.
@lru_cache(maxsize=2**16)
def parse_name(author: str) -> Name:
    """Return the parts of a name written `Family, Given`, with `Jr.` wherever its writer put it."""
    parts = [part.strip() for part in author.split(",")]
    family, rest = parts[0], [part for part in parts[1:] if part]
    if not family or not rest:
        return Name(author)
    suffix = next((part for part in rest if _SUFFIX.fullmatch(part)), "") if len(rest) > 1 else ""
    if suffix:
        rest.remove(suffix)
    given = ", ".join(rest)
    if not suffix and (found := _SUFFIXED.fullmatch(family)):
        family, suffix = found[1], found[2]
    if not suffix and (found := _SUFFIXED.fullmatch(given)):
        given, suffix = found[1], found[2]
    words = family.split()
    leading = 0
    while leading < len(words) - 1 and _starts_lower(words[leading]):
        leading += 1
    return Name(" ".join(words[leading:]), given, " ".join(words[:leading]), suffix)


def initials(given: str) -> str:
    """Return the initials of given names: `Jean-Pierre K.` -> `J.-P. K.`."""
    return " ".join("-".join(f"{part[0].upper()}." for part in word.split("-") if part) for word in given.split())


def page_range(pages: str) -> str:
    """Return pages with an en dash in each range: `12-19` -> `12–19`; `7-1–7-9` keeps the hyphens of its numbers."""
    return ", ".join(_one_range(part.strip()) for part in pages.split(",")) if pages else ""


def web_address(paper: Paper) -> str:
    """Return the address a reader should follow: the official page, else DOI, arXiv, PDF, project, archive, code."""
    links = paper.links
    choices = (
        links.paper,
        doi_address(links.doi) if links.doi else None,
        arxiv_address(links.arxiv) if links.arxiv else None,
        links.pdf,
        links.project,
        links.archive,
        *links.code,
    )
    return next((address for address in choices if address), "")


def doi_address(doi: str) -> str:
    """Return the page that a DOI leads to."""
    return f"https://doi.org/{doi}"


def arxiv_address(id: str) -> str:
    """Return the page of an arXiv id."""
    return f"https://arxiv.org/abs/{id}"


def short_authors(paper: Paper) -> str:
    """Return the family names of a paper's authors, from four on `Zhu et al.`."""
    families = [author.split(",")[0] or author for author in paper.authors]
    return ", ".join(families) if len(families) <= 3 else f"{families[0]} et al."


def status_note(paper: Paper) -> str:
    """Return the word that a citation must carry: Retracted, Withdrawn or Rejected."""
    return str(paper.status.state).capitalize() if paper.status else ""


def plain(catalogue: Catalogue, paper: Paper) -> str:
    """Return the citation as one line of plain text, after the manner of the APA."""
    return plain_text(cite(catalogue, paper))


def plain_text(fact: Citation) -> str:
    """Return what is known of a paper as `plain` does."""
    title = fact.title if not fact.note else f"{fact.title} [{fact.note}]"
    parts = [_closed(_plain_authors(fact.names)) + f" ({fact.year}).", _closed(title), _plain_source(fact)]
    address = doi_address(fact.doi) if fact.doi else fact.url
    return " ".join(part for part in (*parts, address) if part)


def _plain_authors(names: tuple[Name, ...]) -> str:
    shown = [_plain_name(name) for name in names]
    if len(shown) > _MOST_AUTHORS:
        return f"{', '.join(shown[: _MOST_AUTHORS - 1])}, … {shown[-1]}"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])}, & {shown[-1]}"


def _plain_name(name: Name) -> str:
    if name.whole:
        return name.family
    return ", ".join(part for part in (name.surname, initials(name.given), name.suffix) if part)


def _plain_source(fact: Citation) -> str:
    if fact.form is Form.PREPRINT:
        return f"arXiv:{fact.arxiv}." if fact.arxiv else _closed(fact.container)
    issue = f"({fact.issue})" if fact.issue else ""
    if fact.form in (Form.PROCEEDINGS, Form.CHAPTER):
        pages = f" (pp. {fact.pages})" if fact.pages else ""
        return _closed(f"In {fact.container}{pages}")
    if fact.form is Form.ARTICLE:
        parts = (fact.container, f"{fact.volume}{issue}", fact.pages)
        return _closed(", ".join(part for part in parts if part))
    return _closed(fact.publisher or fact.container)


def _closed(text: str) -> str:
    return text if not text or text.endswith(_ENDS) else f"{text}."


def _one_range(pages: str) -> str:
    if _LONG_DASH.search(pages):
        return _LONG_DASH.sub("–", pages)
    return _DASH.sub("–", pages) if len(_DASH.findall(pages)) == 1 else pages


def _starts_lower(word: str) -> bool:
    letter = next((char for char in word if char.isalpha()), "")
    return letter.islower()
