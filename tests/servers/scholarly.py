"""arXiv, OpenAlex, DBLP and Crossref as far as they are searched, over works that a test makes up.

Parameters, paging and shapes are those of info.arxiv.org/help/api/user-manual, developers.openalex.org,
dblp.org/faq/13501473 and api.crossref.org, in our own words: arXiv pages with `start` and `max_results` and says
`opensearch:totalResults`; OpenAlex pages with `cursor` (which wants a key) or `page`, filters by `cites:W1|W2`,
`doi:a|b`, `from_publication_date` and `title_and_abstract.search`; DBLP gives one author as an object and several as a
list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from tests.servers.playing import Answer, Played


@dataclass(frozen=True)
class Work:
    """A work as all services know it. `cites` are OpenAlex ids."""

    title: str
    authors: tuple[str, ...] = ("Ada Wax",)
    day: str = "2026-11-10"
    arxiv: str = ""
    doi: str = ""
    abstract: str = ""
    venue: str = ""
    openalex: str = ""
    cites: tuple[str, ...] = ()
    journal_ref: str = ""
    kind: str = "preprint"
    pages: str = ""


def serve(played: Played, works: Iterable[Work], *, key: str = "") -> None:
    """Let the four services know these works; with `key`, OpenAlex pages by cursor only for who sends it."""
    known = list(works)
    played.answer("/arxiv/api/query", Answer(lambda asked: arxiv_feed(known, asked)))
    played.answer("/openalex/works", Answer(lambda asked: openalex_list(known, asked)))
    played.answer("/dblp/search/publ/api", Answer(lambda asked: dblp_hits(known, asked)))
    played.answer("/crossref/works", Answer(lambda asked: crossref_items(known, asked)))
    for work in known:
        if work.doi:
            played.answer(f"/crossref/works/{work.doi}", json.dumps({"message": _crossref(work)}))


def arxiv_feed(works: Iterable[Work], asked: dict[str, str]) -> bytes:
    """Return an Atom feed of the works that are listed by id, or match the phrases and the days of a search."""
    if "id_list" in asked:
        ids = asked["id_list"].split(",")
        found = [work for id in ids for work in works if work.arxiv == id]
    else:
        found = [work for work in works if work.arxiv and _matches(asked["search_query"], work)]
    start, most = int(asked.get("start", "0")), int(asked.get("max_results", "10"))
    entries = "".join(map(_atom, found[start : start + most]))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        '<title type="html">ArXiv Query</title>'
        '<opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
        f"{len(found)}</opensearch:totalResults>{entries}</feed>"
    ).encode()


def _matches(query: str, work: Work) -> bool:
    days = re.search(r"submittedDate:\[(\d{8})\d{4} TO (\d{8})\d{4}\]", query)
    phrases = re.findall(r'(?:abs|ti|all):"?([^"()]+?)"?(?=[ )]|$)', query)
    text = f"{work.title} {work.abstract}".lower()
    within = not days or days[1] <= work.day.replace("-", "") <= days[2]
    return within and any(phrase.lower() in text for phrase in phrases)


def _atom(work: Work) -> str:
    people = "".join(f"<author><name>{escape(name)}</name></author>" for name in work.authors)
    doi = f'<arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">{escape(work.doi)}</arxiv:doi>' if work.doi else ""
    said = escape(work.journal_ref)
    journal = f'<arxiv:journal_ref xmlns:arxiv="http://arxiv.org/schemas/atom">{said}</arxiv:journal_ref>'
    return (
        f"<entry><id>http://arxiv.org/abs/{work.arxiv}v1</id><updated>{work.day}T00:00:00Z</updated>"
        f"<published>{work.day}T00:00:00Z</published><title>{escape(work.title)}</title>"
        f"<summary>{escape(work.abstract)}</summary>{people}{doi}{journal if said else ''}</entry>"
    )


def openalex_list(works: Iterable[Work], asked: dict[str, str]) -> bytes:
    """Return a list of works that pass every filter, by page or by cursor."""
    found = [work for work in works if all(_passes(work, *each.split(":", 1)) for each in _filters(asked["filter"]))]
    size = int(asked.get("per_page", "25"))
    if "cursor" in asked:
        start = 0 if asked["cursor"] == "*" else int(asked["cursor"].removeprefix("C"))
        following = f"C{start + size}" if start < len(found) else None
    else:
        start, following = (int(asked.get("page", "1")) - 1) * size, None
    results = [openalex_work(work) for work in found[start : start + size]]
    meta = {"count": len(found), "per_page": size, "next_cursor": following}
    return json.dumps({"meta": meta, "results": results}).encode()


def _filters(text: str) -> list[str]:
    return text.split(",")


def _passes(work: Work, name: str, value: str) -> bool:
    match name:
        case "cites":
            return not set(work.cites).isdisjoint(value.split("|"))
        case "doi":
            return not {work.doi.lower(), f"10.48550/arxiv.{work.arxiv}"}.isdisjoint(value.lower().split("|"))
        case "from_publication_date":
            return work.day >= value
        case "title_and_abstract.search":
            phrases = [phrase.strip(' "()').lower() for phrase in value.split(" OR ")]
            return any(phrase in f"{work.title} {work.abstract}".lower() for phrase in phrases)
    raise KeyError(name)


def openalex_work(work: Work) -> dict[str, Any]:
    """Return a work as OpenAlex writes it."""
    places: dict[str, list[int]] = {}
    for at, word in enumerate(work.abstract.split()):
        places.setdefault(word, []).append(at)
    doi = work.doi or (f"10.48550/arxiv.{work.arxiv}" if work.arxiv else "")
    landing = f"https://doi.org/{doi}" if doi else None
    locations = [{"landing_page_url": landing, "source": {"display_name": work.venue} if work.venue else None}]
    if work.arxiv and work.doi:
        locations.append(
            {"landing_page_url": f"http://arxiv.org/abs/{work.arxiv}", "source": {"display_name": "arXiv"}}
        )
    return {
        "id": f"https://openalex.org/{work.openalex or 'W999'}",
        "doi": landing,
        "title": work.title,
        "publication_year": int(work.day[:4]),
        "publication_date": work.day,
        "type": work.kind,
        "authorships": [{"author": {"display_name": name}} for name in work.authors],
        "primary_location": locations[0],
        "locations": locations,
        "biblio": {"volume": None, "issue": None, "first_page": None, "last_page": None},
        "abstract_inverted_index": places or None,
        "referenced_works": [f"https://openalex.org/{id}" for id in work.cites],
    }


def dblp_hits(works: Iterable[Work], asked: dict[str, str]) -> bytes:
    """Return the hits of a search for the words of a title; preprints are those in CoRR."""
    wanted = set(asked["q"].lower().split())
    hits = [
        {"@score": "9", "@id": str(at), "info": _dblp(work), "url": f"URL#{at}"}
        for at, work in enumerate(works)
        if work.venue and wanted <= set(re.findall(r"\w+", work.title.lower()))
    ]
    found: dict[str, Any] = {"@total": str(len(hits)), "@sent": str(len(hits)), "@first": "0"}
    return json.dumps(
        {"result": {"status": {"@code": "200"}, "hits": found | ({"hit": hits} if hits else {})}}
    ).encode()


def _dblp(work: Work) -> dict[str, Any]:
    people = [{"@pid": f"1/{at}", "text": f"{name} 0001"} for at, name in enumerate(work.authors)]
    facts = {
        "authors": {"author": people if len(people) > 1 else people[0]},
        "title": escape(work.title) + ".",
        "venue": work.venue,
        "year": work.day[:4],
        "type": "Conference and Workshop Papers" if work.venue != "CoRR" else "Informal and Other Publications",
        "pages": work.pages,
        "doi": work.doi,
        "ee": f"https://doi.org/{work.doi}" if work.doi else "",
        "url": "https://dblp.org/rec/conf/x/" + work.title[:5],
    }
    return {name: value for name, value in facts.items() if value}


def crossref_items(works: Iterable[Work], asked: dict[str, str]) -> bytes:
    """Return what a bibliographic search finds, the nearest first; anything with a word in common is found."""
    wanted = set(asked["query.bibliographic"].lower().split())
    scored = [(len(wanted & set(work.title.lower().split())), work) for work in works if work.doi]
    found = [work for score, work in sorted(scored, key=lambda each: -each[0]) if score][: int(asked["rows"])]
    items = [_crossref(work) for work in found]
    return json.dumps({"status": "ok", "message-type": "work-list", "message": {"items": items}}).encode()


def _crossref(work: Work) -> dict[str, Any]:
    people = [name.rpartition(" ") for name in work.authors]
    return {
        "DOI": work.doi,
        "type": "posted-content" if not work.venue else "proceedings-article",
        "title": [work.title],
        "author": [{"given": given, "family": family} for given, _, family in people],
        "container-title": [work.venue] if work.venue else [],
        "issued": {"date-parts": [[int(part) for part in work.day.split("-")]]},
        **({"page": work.pages} if work.pages else {}),
    }
