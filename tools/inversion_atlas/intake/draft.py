"""An entry as a draft record: its facts filled in, what a curator decides left as commented choices."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from textwrap import wrap
from typing import Any

from pydantic import ValidationError

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import arxiv_address, doi_address
from inversion_atlas.intake.entry import Entry, Problem
from inversion_atlas.intake.suggest import Suggestion, suggested_kind
from inversion_atlas.intake.venues import find_venue
from inversion_atlas.records.explain import describe
from inversion_atlas.records.identifiers import paper_id
from inversion_atlas.records.paper import Kind, Paper
from inversion_atlas.records.writing import WIDTH, to_yaml

_NO_ID_YET = "draft0000draft"
# What a record may lack; anything else that does not fit leaves no record.
_OPTIONAL = frozenset(("volume", "issue", "pages", "venue", "links", "evidence"))


def paper_of(entry: Entry, catalogue: Catalogue, today: date | None = None) -> tuple[Paper | None, Entry]:
    """Return the record of an entry, without its id yet, and the entry with what was wrong; refused ones have none."""
    entry = entry.complete()
    venue = find_venue(entry.venue, catalogue)
    if not venue and not entry.venue and entry.arxiv and "arxiv" in catalogue.venues:
        venue = "arxiv"
    if entry.venue and not venue:
        message = f"{entry.venue[:120]!r} is not in data/venues.yaml; add it there, or an alias to one that is"
        entry = entry.with_problems([Problem("unknown-venue", message, entry.line)])
    if entry.refused:
        return None, entry
    fields = _fields(entry, venue, today)
    for _ in range(2):
        try:
            return Paper.model_validate(fields), entry
        except ValidationError as error:
            entry, fields = _without_misfits(entry, fields, error)
            if entry.refused:
                break
    return None, entry.with_problems([Problem("bad-record", "no record can be made of this entry", entry.line)])


def page_of(paper: Paper) -> str:
    """Return the address of which an archived copy is wanted: the paper's page, else its PDF, arXiv or DOI."""
    links = paper.links
    arxiv = arxiv_address(links.arxiv) if links.arxiv else ""
    return links.paper or links.pdf or arxiv or (doi_address(links.doi) if links.doi else "")


def with_id(paper: Paper, taken: Container[str]) -> Paper:
    """Return the record under the first free id for it."""
    return paper.model_copy(update={"id": paper_id(paper.authors, paper.year, paper.title, taken)})


def text_of(paper: Paper, entry: Entry, catalogue: Catalogue, suggestions: Sequence[Suggestion]) -> str:
    """Return the draft as YAML, with the choices that are left to a curator as comments."""
    lines = to_yaml(paper).splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("kind:"))
    _, reason = suggested_kind(entry.title, entry.abstract)
    head = [f"# {line}" for line in wrap(f"Choose the kind: {', '.join(Kind)}. {_comment(reason)}", WIDTH - 2)]
    return "".join(
        f"{line}\n"
        for line in [*lines[:at], *head, lines[at], *_choices(entry, catalogue, suggestions), *lines[at + 1 :]]
    )


def remaining(paper: Paper, entry: Entry) -> list[str]:
    """Return what a curator has still to do."""
    todo = [
        "choose `kind`",
        "write `summary`",
        "choose the terms of `taxonomy`",
        "name `methods`, `datasets`, `metrics`",
    ]
    if entry.cut_off:
        todo.insert(0, "name all authors")
    if not paper.venue:
        todo.insert(0, "set `venue`" if not entry.venue else f"add {entry.venue!r} to data/venues.yaml and set `venue`")
    if not paper.links.archive:
        todo.append("give an archived copy in `links.archive`")
    if not paper.evidence:
        todo.append("give in `evidence` the pages on which you saw the facts")
    return todo


def _fields(entry: Entry, venue: str, today: date | None) -> dict[str, Any]:
    links = {"doi": entry.doi, "arxiv": entry.arxiv, "paper": _own_page(entry), "pdf": entry.pdf}
    links["archive"] = entry.archive
    kind, _ = suggested_kind(entry.title, entry.abstract)
    fields: dict[str, Any] = {
        "id": _NO_ID_YET,
        "title": entry.title,
        "authors": entry.authors,
        "year": entry.year,
        "venue": venue,
        "volume": entry.volume,
        "issue": entry.issue,
        "pages": entry.pages,
        "kind": kind,
        "links": {name: value for name, value in links.items() if value},
        "added": today,
        "evidence": entry.evidence,
    }
    return {name: value for name, value in fields.items() if value}


def _own_page(entry: Entry) -> str:
    """Return the address of the paper's page, unless DOI or arXiv id say the same."""
    known = {doi_address(entry.doi).lower(), arxiv_address(entry.arxiv).lower()}
    url = entry.url.replace("http://dx.doi.org/", "https://doi.org/").replace("http://doi.org/", "https://doi.org/")
    if url.lower().rstrip("/") in known or (entry.arxiv and "arxiv.org/" in url) or (entry.doi and "doi.org/" in url):
        return ""
    return url


def _without_misfits(entry: Entry, fields: dict[str, Any], error: ValidationError) -> tuple[Entry, dict[str, Any]]:
    """Take out optional values that no record may hold, and say so."""
    kept, problems = dict(fields), []
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0]) if detail["loc"] else ""
        _, message, _ = describe(detail, Paper)
        if name not in _OPTIONAL:
            problems.append(Problem("bad-record", f"{name}: {message}", entry.line))
        elif name == "links" and len(detail["loc"]) > 1:
            link = str(detail["loc"][1])
            problems.append(Problem("bad-link", f"`{link}` was left out: {message}", entry.line))
            kept["links"] = {key: value for key, value in kept.get("links", {}).items() if key != link}
        else:
            problems.append(Problem("bad-value", f"`{name}` was left out: {message}", entry.line))
            kept.pop(name, None)
    return entry.with_problems(problems), kept


def _choices(entry: Entry, catalogue: Catalogue, suggestions: Sequence[Suggestion]) -> Iterator[str]:
    """Yield the comments that stand for the fields a curator decides, in the order of a record."""
    if entry.venue and not find_venue(entry.venue, catalogue):
        yield f"# venue: {_comment(entry.venue)}  (not in data/venues.yaml yet)"
    by_facet: dict[str, list[Suggestion]] = {}
    for suggestion in suggestions:
        by_facet.setdefault(suggestion.facet, []).append(suggestion)
    yield "# methods: []  the names the paper gives its techniques"
    yield "# summary: >-"
    yield "#   One or two sentences of your own: what is new, and what it needs to work."
    yield "# taxonomy:"
    for facet in catalogue.facets.values():
        found = by_facet.get(facet.id, [])
        yield f"#   {facet.id}: [{', '.join(suggestion.term for suggestion in found)}]"
        yield from (f"#     suggested: {s.term}, since {_comment(s.reason)}" for s in found)
        choices = f"{_comment(facet.question)} One or more of: {', '.join(facet.terms)}"
        yield from (f"#     {line}" for line in wrap(choices, WIDTH - 6, break_on_hyphens=False))
    for name in ("datasets", "metrics"):
        found = by_facet.get(name, [])
        yield f"# {name}: [{', '.join(suggestion.term for suggestion in found)}]  ids in data/{name}.yaml"
        yield from (f"#   suggested: {s.term}, since {_comment(s.reason)}" for s in found)


def _comment(text: str) -> str:
    """Return a text that stays inside a comment, whatever a stranger wrote into it."""
    if text.isprintable():
        return text[:200]
    plain = "".join(char if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else " " for char in text)
    return plain[:200]


def merged(entry: Entry, other: Entry) -> Entry:
    """Return `entry` with what only `other` knows, and both their evidence and problems."""
    own: Mapping[str, Any] = {
        name: getattr(other, name)
        for name in (
            "title",
            "authors",
            "year",
            "venue",
            "volume",
            "issue",
            "pages",
            "doi",
            "arxiv",
            "url",
            "pdf",
            "abstract",
        )
        if not getattr(entry, name)
    }
    evidence = tuple(dict.fromkeys((*entry.evidence, *other.evidence)))
    return replace(entry, **own, evidence=evidence).with_problems(other.problems)
