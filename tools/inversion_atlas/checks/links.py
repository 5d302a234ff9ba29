"""Addresses: what should not be in them, and what they say about the record they stand in."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.checks.contents import papers
from inversion_atlas.checks.duplicates import share_author
from inversion_atlas.checks.rule import Problem
from inversion_atlas.records.fields import ARXIV_DOI
from inversion_atlas.records.paper import Links

Said = tuple[str, str] | None

_SESSION = re.compile(
    r"[?&;/](casa_token|[a-z]*sess(?:ion)?_?id|sid|phpsessid|(?:access_|auth_|id_)?token|sig|signature|x-amz-[a-z-]+"
    r"|x-goog-[a-z-]+|awsaccesskeyid|api_?key|key-pair-id)=",
    re.IGNORECASE,
)
_TRACKING = re.compile(
    r"[?&](utm_[a-z]+|fbclid|gclid|msclkid|dclid|mc_[ce]id|igshid|ref_src|_hs[a-z]+)=", re.IGNORECASE
)
_ARXIV = re.compile(
    r"https?://(?:[a-z]+\.)?arxiv\.org/(?:abs|pdf|html|format)/(.+?)(?:v\d+)?(?:\.pdf)?/?(?:[?#].*)?", re.I
)
_DOI = re.compile(r"https?://(?:dx\.|www\.)?doi\.org/(10\..+)", re.IGNORECASE)
_NUMERIC = re.compile(r"[0-9.]+|.*:.*|0x[0-9a-f.x]+")
_HOST = re.compile(r"https?://([A-Za-z0-9.-]+)(?:[:/?#]|$)")
_PRIVATE = (".local", ".localhost", ".internal", ".lan", ".home", ".test", ".invalid", ".example")
_GITHUB = re.compile(r"https?://(?:www\.)?github\.com/", re.IGNORECASE)


def session_token(url: str) -> Said:
    """An address that carries somebody's session or signature."""
    found = _SESSION.search(url)
    return (f"the address carries a session token ({found[1]})", "remove it from the address") if found else None


def tracking(url: str) -> Said:
    """An address that tells where its reader came from."""
    found = _TRACKING.search(url)
    return (f"the address tracks its reader ({found[1]})", "remove that part of the address") if found else None


def private_host(url: str) -> Said:
    """An address that only its author's network knows."""
    found = _HOST.match(url)
    host = (found[1] if found else urlsplit(url).hostname or "").lower().rstrip(".")
    if not host or not _is_private(host):
        return None
    return f"nobody else can reach {host}", "give the public address"


def plain_http(url: str) -> Said:
    """An address without encryption."""
    if not url.startswith("http:"):
        return None
    return "the address starts with http://", "write https:// if the site answers there"


def code_is_paper(catalogue: Catalogue) -> Iterator[Problem]:
    """A code link that leads to the paper."""
    for place, paper in papers(catalogue):
        readable = {same_page(url) for url in (paper.links.paper, paper.links.pdf) if url}
        for key in ("code", "reimplementation"):
            for at, url in enumerate(getattr(paper.links, key)):
                if same_page(url) in readable:
                    yield Problem(
                        place / "links" / key / at, "the code link is the paper's", "link the code or remove it"
                    )


def paper_of_another(catalogue: Catalogue) -> Iterator[Problem]:
    """A link to the page, file, project or talk of a paper that another record has, too."""
    first: dict[str, str] = {}
    for place, paper in papers(catalogue):
        for key in ("paper", "pdf", "project", "video", "slides", "poster"):
            url = getattr(paper.links, key)
            if url and (other := first.setdefault(same_page(url), paper.id)) != paper.id:
                yield Problem(place / "links" / key, f"{other} has the same link", "find out whose it is")


def code_of_another(catalogue: Catalogue) -> Iterator[Problem]:
    """A code link that a record of other authors has, too."""
    yield from _shared_code(catalogue, by_authors_in_common=False)


def shared_code(catalogue: Catalogue) -> Iterator[Problem]:
    """A code link that two records with an author in common have."""
    yield from _shared_code(catalogue, by_authors_in_common=True)


def arxiv_of_another(catalogue: Catalogue) -> Iterator[Problem]:
    """A link to an arXiv page that is not this record's."""
    owners = {paper.links.arxiv: paper.id for paper in catalogue.papers.values() if paper.links.arxiv}
    for place, paper in papers(catalogue):
        own = paper.links.arxiv
        for at, id in _identifiers(paper.links, place, _ARXIV):
            if own and id.lower() != own.lower():
                whose = f"{owners[id]}" if id in owners else "another work"
                yield Problem(at, f"this is the arXiv page of {whose}: {id}, not {own}", "correct the link or the id")
            elif not own and id in owners:
                yield Problem(at, f"this is the arXiv page of {owners[id]}", "correct the link")


def doi_of_another(catalogue: Catalogue) -> Iterator[Problem]:
    """A doi.org link with another DOI than the record's."""
    for place, paper in papers(catalogue):
        own = paper.links.doi
        for at, doi in _identifiers(paper.links, place, _DOI):
            if own and unquote(doi).lower() != own.lower() and not ARXIV_DOI.match(doi):
                yield Problem(at, f"this links {doi}, the record's DOI is {own}", "correct one of them")


def missing_identifiers(catalogue: Catalogue) -> Iterator[Problem]:
    """A link that holds a DOI or arXiv id which the record does not give."""
    owned = {paper.links.arxiv for paper in catalogue.papers.values()}
    for place, paper in papers(catalogue):
        if not paper.links.arxiv:
            for at, id in _identifiers(paper.links, place, _ARXIV):
                if id not in owned:
                    yield Problem(at, f"the link holds the arXiv id {id}", f'write it under links: `arxiv: "{id}"`')
        if not paper.links.doi:
            for at, doi in _identifiers(paper.links, place, _DOI):
                yield Problem(at, f"the link holds the DOI {doi}", f'write it under links: `doi: "{doi}"`')


def arxiv_dois(catalogue: Catalogue) -> Iterator[Problem]:
    """A DOI that arXiv gave, where the arXiv id says the same."""
    for place, paper in papers(catalogue):
        if found := ARXIV_DOI.match(paper.links.doi or ""):
            hint = "remove it" if paper.links.arxiv else f'write `arxiv: "{found[1]}"` instead'
            yield Problem(place / "links" / "doi", "the DOI is arXiv's own", hint)


def github_forms(catalogue: Catalogue) -> Iterator[Problem]:
    """A GitHub address of one file or of a clone, where the repository's page is meant."""
    for place, paper in papers(catalogue):
        for key in ("code", "reimplementation"):
            for at, url in enumerate(getattr(paper.links, key)):
                path = urlsplit(url).path
                if _GITHUB.match(url) and ("/blob/" in path or path.endswith(".git")):
                    owner_and_name = "/".join(path.split("/")[1:3]).removesuffix(".git")
                    hint = f"write https://github.com/{owner_and_name}"
                    yield Problem(place / "links" / key / at, "this is no repository's page", hint)


@lru_cache(maxsize=1 << 16)
def same_page(url: str) -> str:
    """Return what two addresses of one page have in common."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    path = parts.path.rstrip("/").removesuffix(".git")
    return f"{host}{path.lower() if host == 'github.com' else path}?{parts.query}"


def _shared_code(catalogue: Catalogue, *, by_authors_in_common: bool) -> Iterator[Problem]:
    first: defaultdict[str, list[str]] = defaultdict(list)
    for place, paper in papers(catalogue):
        for at, url in enumerate(paper.links.code):
            others = first[same_page(url)]
            if others and others[0] != paper.id:
                other = catalogue.papers[others[0]]
                if share_author(paper, other) == by_authors_in_common:
                    message = f"{other.id} has the same code link"
                    yield Problem(place / "links" / "code" / at, message, "make sure that it holds the code of both")
            others.append(paper.id)


def _identifiers(links: Links, place: Place, pattern: re.Pattern[str]) -> Iterator[tuple[Place, str]]:
    for key in ("paper", "pdf"):
        if (url := getattr(links, key)) and (found := pattern.fullmatch(url)):
            yield place / "links" / key, found[1]


def _is_private(host: str) -> bool:
    if _NUMERIC.fullmatch(host):
        try:
            return not ipaddress.ip_address(host).is_global
        except ValueError:
            return True
    return "." not in host or host.endswith(_PRIVATE)
