"""What an answer means: a page, a page that says that it is none, a robot wall, a move."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from inversion_atlas.links.state import Answer, Class

PERMANENT = frozenset((301, 308))
REDIRECTS = frozenset((301, 302, 303, 307, 308))
# Statuses with which a server turns a program, or a visitor without an account, away from what is there.
_TURNED_AWAY = frozenset((401, 402, 403, 405, 406, 407, 418, 421, 425, 429, 451, 999))
# Publishers and others whose walls answer programs in any way but with the page; only "gone" is believed of them.
_WALLED = (
    "academia.edu",
    "acm.org",
    "computer.org",
    "ieee.org",
    "linkedin.com",
    "mdpi.com",
    "medium.com",
    "researchgate.net",
    "sciencedirect.com",
    "scribd.com",
    "springer.com",
    "ssrn.com",
    "tandfonline.com",
    "techrxiv.org",
    "wiley.com",
    "worldscientific.com",
)
# Hosts that say 404 when they mean it, so that a page of theirs need not be read.
_HONEST = ("aclanthology.org", "arxiv.org", "doi.org", "github.com", "github.io", "githubusercontent.com")

_THING = "(?:page|file|document|project|paper|article|repository|site|resource|content|item|url)"
_MISSING = re.compile(
    rf"(?:(?:http |error |status )*404(?: error)?[ :!.,]*(?:{_THING} )?(?:not found|missing|error)?[!.]?"
    rf"|(?:oops|sorry|whoops)?[!,. ]*(?:the |this |that |your )?(?:requested )?{_THING} (?:was |is |could |can )?"
    r"(?:not (?:be )?found|cannot be found|can't be found|does not exist|doesn't exist|no longer (?:exists|available)"
    r"|unavailable|not available)[!.]?"
    r"|not found[!.]?|we (?:can't|cannot|could not|couldn't) find (?:that|this|the) page[!.]?)"
)
_WALL = re.compile(
    r"just a moment\b.*|attention required! *\|? *cloudflare.*|access (?:to this page has been )?denied.*|robot check.*"
    r"|are you (?:a |not a )?(?:robot|human).*|verify (?:that )?you are (?:a )?human.*|validate user|security check.*"
    r"|checking your browser.*|making sure you're not a bot.*|pardon our interruption.*|client challenge.*"
)
_SEPARATOR = re.compile(r"\s+[|·•–—:»-]+\s+|\s*[|·•»]\s*")
# Bounded, since the page is a stranger's.
_HEADINGS = re.compile(r"<(title|h1)\b[^>]{0,300}>(.{0,600}?)</\1\s{0,9}>", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<[^>]*>")


def is_walled(host: str) -> bool:
    """Tell whether a host is known to turn programs away."""
    return _belongs(host, _WALLED)


def is_honest(host: str) -> bool:
    """Tell whether a host is known to answer 404 for what it lacks."""
    return _belongs(host, _HONEST)


def read_status(host: str, status: int, headers: Mapping[str, str]) -> Answer:
    """Return what a status says of a link; `ok` may still be a page that says it is none."""
    said = str(status)
    if status in (404, 410):
        return Answer(Class.GONE, said=said)
    if (
        status in _TURNED_AWAY
        or headers.get("cf-mitigated") == "challenge"
        or (status == 202 and "x-amzn-waf-action" in headers)
    ):
        return Answer(Class.BLOCKED, said=said)
    if 200 <= status < 300:
        return Answer(Class.OK)
    if is_walled(host):
        return Answer(Class.BLOCKED, said=said)
    if status >= 500:
        return Answer(Class.SERVER_ERROR, said=said)
    return Answer(Class.CLIENT_ERROR if status >= 400 else Class.BROKEN_ANSWER, said=said)


def read_page(text: str) -> Answer:
    """Return what the title and first heading of a page say of it; only what says nothing else counts."""
    for tag, inner in _HEADINGS.findall(text[:65536])[:3]:
        words = " ".join(html.unescape(_TAGS.sub(" ", inner)).replace("’", "'").split())
        for piece in (words, *_SEPARATOR.split(words)):
            said = f"{tag.lower()}: {words[:80]}"
            if _MISSING.fullmatch(piece.lower()):
                return Answer(Class.SOFT_404, said=said)
            if _WALL.fullmatch(piece.lower()):
                return Answer(Class.BLOCKED, said=said)
    return Answer(Class.OK)


def read_moves(url: str, moves: Sequence[tuple[int, str]]) -> Answer:
    """Return what the redirects to a page that is there say: moved where they begin with permanent ones.

    `moves` are statuses with the address that each led to. One of a site's pages that leads to its front page is gone.
    """
    if moves and _leads_home(url, moves[-1][1]):
        return Answer(Class.SOFT_404, said=f"leads to the front page {moves[-1][1]}")
    to = ""
    for status, target in moves:
        if status not in PERMANENT:
            break
        to = target
    return Answer(Class.MOVED, to) if to and to != url else Answer(Class.OK)


def _leads_home(url: str, final: str) -> bool:
    start, end = urlsplit(url), urlsplit(final)
    deep = len([part for part in start.path.split("/") if part]) >= 2
    return deep and end.path in ("", "/") and not end.query and _site(start.hostname) == _site(end.hostname)


def _site(host: str | None) -> str:
    return (host or "").removeprefix("www.")


def _belongs(host: str, sites: tuple[str, ...]) -> bool:
    return any(host == site or host.endswith("." + site) for site in sites)
