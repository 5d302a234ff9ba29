"""DOI, arXiv ids, pages and years out of whatever they are written in."""

from __future__ import annotations

import re
from urllib.parse import unquote

from inversion_atlas.intake.latex import clean
from inversion_atlas.records.fields import ARXIV, ARXIV_DOI, DOI

_DOI_PREFIX = re.compile(r"^(?:https?://)?(?:(?:dx|www)\.)?doi\.org/|^doi\s*[:=]?\s*", re.IGNORECASE)
_ARXIV_ID = r"[0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7}"
_ARXIV_URL = re.compile(
    rf"(?:^|//|\.)arxiv\.org/(?:abs|pdf|html|format|e-print)/({_ARXIV_ID})(?:v[0-9]+)?(?:\.pdf)?(?![0-9])", re.I
)
_ARXIV_SAID = re.compile(rf"\barxiv(?:\.org)?\s*[:\s]\s*(?:abs/)?({_ARXIV_ID})(?:v[0-9]+)?(?![0-9])", re.IGNORECASE)
_CORR = re.compile(rf"\babs/({_ARXIV_ID})(?:v[0-9]+)?(?![0-9])", re.IGNORECASE)
_VERSION = re.compile(r"v[0-9]+$")
_YEAR = re.compile(r"(?<![0-9])(1[5-9][0-9]{2}|20[0-9]{2})(?![0-9])")
_DASHES = re.compile(r"\s*(?:-{2,3}|[\u2010-\u2015\u2212])\s*")
_HYPHEN = re.compile(r"\s*-\s*")


def read_doi(text: str) -> str:
    """Return the bare DOI in a text in lower case, in which every spelling of it is the same; or nothing."""
    text = _DOI_PREFIX.sub("", text.strip().replace("\\_", "_").replace("\\", ""))
    if "%2f" in text.lower():
        text = unquote(text)
    text = text.replace("{", "").replace("}", "")
    found = DOI.match(text) or DOI.search(text)
    if not found:
        return ""
    doi = found[0].rstrip(".,;:'")
    while doi.endswith(")") and doi.count("(") < doi.count(")"):
        doi = doi[:-1]
    # The classes in ids of arXiv, `cs.CR/0601001`, are in capitals.
    return (doi if ARXIV_DOI.fullmatch(doi) else doi.lower()) if DOI.fullmatch(doi) else ""


def arxiv_of_doi(doi: str) -> str:
    """Return the arXiv id that a DOI of arXiv stands for, or nothing."""
    found = ARXIV_DOI.fullmatch(doi)
    return read_arxiv(found[1]) if found else ""


def read_arxiv(text: str) -> str:
    """Return the arXiv id, without its version, that a text is or an address leads to, or nothing."""
    text = clean(text).removeprefix("{").removesuffix("}")
    bare = _VERSION.sub("", re.sub(r"^arxiv\s*:?\s*", "", text, flags=re.IGNORECASE))
    if ARXIV.fullmatch(bare):
        return bare
    # Older ids without their archive's subject class are written with it as well.
    found = _ARXIV_URL.search(text) or _ARXIV_SAID.search(text) or _CORR.search(text)
    return found[1] if found and ARXIV.fullmatch(found[1]) else ""


def read_year(text: str) -> int | None:
    """Return the year in a date or a year field."""
    found = _YEAR.search(text)
    return int(found[1]) if found else None


def read_pages(text: str) -> str:
    """Return pages with an en dash in each range; `7-1--7-9` keeps the hyphens of its numbers."""
    text = re.sub(r"^(?:pp?\.|pages?)\s*", "", clean(text), flags=re.IGNORECASE).strip(" ,.")
    return ", ".join(_range(part.strip()) for part in re.split(r"[,;]", text) if part.strip())


def _range(pages: str) -> str:
    if _DASHES.search(pages):
        return _DASHES.sub("–", pages).strip("–")
    return _HYPHEN.sub("–", pages).strip("–") if pages.count("-") == 1 else pages
