"""What Explore reads: every work in columns of integers and dictionaries, the texts that follow, parts of exports.

`explore/works.json` holds what filtering, facets, sorting and lists need, works newest first. `explore/texts.json`
follows it, in the same order, with what only words are looked for in and what only an open list shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from inversion_atlas import query
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import arxiv_address, doi_address, web_address
from inversion_atlas.exports.formats import FORMATS, Format
from inversion_atlas.exports.pieces import Rendered
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.folding import fold
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import PASSIVE, VERBS, Kind, Paper, State
from inversion_atlas.website.rendering import Page, Renderer

EXPLORE = "explore/"
# Works on the page before its script has read the catalogue, and where scripts are off.
FIRST = 20
# Formats that the page offers, the usual first.
OFFERED = ("bibtex", "biblatex", "ris", "csl-json", "csv", "latex", "markdown")


def explore_page(renderer: Renderer) -> Page:
    """Return the page itself, with the newest works for readers without scripts."""
    body = renderer.render(
        "explore.html",
        EXPLORE,
        newest=renderer.newest_first[:FIRST],
        web_address=web_address,
        total=len(renderer.newest_first),
        fields=list(query.fields(renderer.catalogue)),
        has=list(query.HAS),
        verbs=list(VERBS),
        formats=[FORMATS[name] for name in OFFERED],
    )
    return Page(EXPLORE, EXPLORE, body)


def explore_files(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield the two files that the page reads; each names the works it is about, so that no two builds mix."""
    papers = query.newest_first(catalogue.papers.values())
    key = hashlib.sha256("\n".join(paper.id for paper in papers).encode()).hexdigest()[:12]
    yield f"{EXPLORE}works.json", _json({"key": key, **vocabulary(catalogue), "works": works(catalogue, papers)})
    yield f"{EXPLORE}texts.json", _json({"key": key, "spellings": spellings(catalogue), **texts(papers)})


def export_file(format: Format, rendered: Rendered) -> tuple[str, str]:
    """Return the file from which the browser joins the export of a selection."""
    made = {"extension": format.extension, "type": format.media_type, **rendered.plain()}
    return f"{EXPLORE}{format.name}.json", _json(made)


def vocabulary(catalogue: Catalogue) -> dict[str, Any]:
    """Return what a clause of the filter language can name, by id and label, in the order in which errors list it."""
    return {
        "longest": query.MAX_LENGTH,
        "fields": list(query.fields(catalogue)),
        "kinds": list(Kind),
        "states": list(State),
        "has": list(query.HAS),
        "verbs": list(VERBS.items()),
        "facets": [_facet(facet) for facet in catalogue.facets.values()],
        "datasets": [[dataset.id, dataset.name] for dataset in catalogue.datasets.values()],
        "metrics": [[metric.id, metric.name] for metric in catalogue.metrics.values()],
        "venues": [[venue.id, venue.short] for venue in catalogue.venues.values()],
        "sources": [[source.id, source.title] for source in catalogue.sources.values()],
    }


def spellings(catalogue: Catalogue) -> dict[str, Any]:
    """Return the other spellings by which a clause can name the same things, in the same order."""
    return {
        "facets": [[term.aliases for term in facet.terms.values()] for facet in catalogue.facets.values()],
        "datasets": _spelled(catalogue.datasets),
        "metrics": _spelled(catalogue.metrics),
        "venues": [[venue.name, *venue.aliases] for venue in catalogue.venues.values()],
    }


def works(catalogue: Catalogue, papers: list[Paper]) -> dict[str, Any]:
    """Return the columns of works; a column of several values is [how many each has, the values]."""
    index = {paper.id: at for at, paper in enumerate(papers)}
    venues = {id: at for at, id in enumerate(catalogue.venues)}
    datasets = {id: at for at, id in enumerate(catalogue.datasets)}
    metrics = {id: at for at, id in enumerate(catalogue.metrics)}
    sources = {id: at for at, id in enumerate(catalogue.sources)}
    kinds, states = list(Kind), list(State)
    names, authors = _first_seen(paper.authors for paper in papers)
    families = [name.partition(", ")[0] for name in names]
    return {
        "ids": [_short_id(paper) for paper in papers],
        "titles": [paper.title for paper in papers],
        "years": [paper.year for paper in papers],
        "kinds": [kinds.index(paper.kind) for paper in papers],
        "states": [states.index(paper.status.state) if paper.status else -1 for paper in papers],
        "venues": [venues.get(paper.venue or "", -1) for paper in papers],
        "has": [sum(1 << bit for bit, test in enumerate(query.HAS.values()) if test(paper)) for paper in papers],
        "families": families,
        "authors": authors,
        "methods": {at: paper.methods for at, paper in enumerate(papers) if paper.methods},
        "terms": [_terms(facet, papers) for facet in catalogue.facets.values()],
        "datasets": _column([datasets[id] for id in paper.datasets if id in datasets] for paper in papers),
        "metrics": _column([metrics[id] for id in paper.metrics if id in metrics] for paper in papers),
        "sources": _column(
            list(dict.fromkeys(sources[source.id] for source, _ in catalogue.listed_by.get(paper.id, ())))
            for paper in papers
        ),
        "titled": {at: paper.other_titles for at, paper in enumerate(papers) if paper.other_titles},
        "aliases": {at: paper.aliases for at, paper in enumerate(papers) if paper.aliases},
        "edges": list(_edges(catalogue, index)),
    }


def texts(papers: list[Paper]) -> dict[str, Any]:
    """Return what follows: given names, summaries, DOIs, arXiv ids, and where each work and its code are found."""
    names, _ = _first_seen(paper.authors for paper in papers)
    return {
        "given": [name.partition(", ")[2] for name in names],
        "summaries": [paper.summary or "" for paper in papers],
        "dois": [paper.links.doi or "" for paper in papers],
        "arxivs": [paper.links.arxiv or "" for paper in papers],
        "urls": [_address(paper) for paper in papers],
        "code": {at: paper.links.code[0] for at, paper in enumerate(papers) if paper.links.code},
    }


def _short_id(paper: Paper) -> str | int:
    """Return which word of the title ends the id, where it is made as most are (family, year, word); else the id."""
    family = fold(paper.authors[0].partition(", ")[0]).replace(" ", "") if paper.authors else ""
    start, words = f"{family}{paper.year}", fold(paper.title).split(" ")
    word = paper.id.removeprefix(start)
    return words.index(word) if word in words and paper.id == start + word else paper.id


def _address(paper: Paper) -> str | int:
    """Return where a work is found: 1 for the page of its DOI, 2 for that of its arXiv id, else the address."""
    url, links = web_address(paper), paper.links
    if links.doi and url == doi_address(links.doi):
        return 1
    return 2 if links.arxiv and url == arxiv_address(links.arxiv) else url


def _facet(facet: Facet) -> dict[str, Any]:
    places = {id: at for at, id in enumerate(facet.terms)}
    return {
        "id": facet.id,
        "label": facet.label,
        "question": facet.question,
        "terms": [[term.id, places.get(term.broader or "", -1), term.label] for term in facet.terms.values()],
    }


def _spelled(records: Mapping[str, Dataset] | Mapping[str, Metric]) -> list[list[str]]:
    return [[record.full_name or record.name, *record.other_names, *record.aliases] for record in records.values()]


def _terms(facet: Facet, papers: Iterable[Paper]) -> list[Any]:
    places = {id: at for at, id in enumerate(facet.terms)}
    return _column([places[term] for term in paper.taxonomy.get(facet.id, ()) if term in places] for paper in papers)


def _column(lists: Iterable[list[int]]) -> list[Any]:
    counts: list[int] = []
    values: list[int] = []
    for found in lists:
        counts.append(len(found))
        values += found
    return [counts, values]


def _first_seen(lists: Iterable[Iterable[str]]) -> tuple[list[str], list[Any]]:
    """Return names in the order they first appear, and a column of them: 0 is the next new name, others count from 1.

    Most authors appear once, so most of the column is zeros and costs next to nothing.
    """
    places: dict[str, int] = {}
    rows = []
    for found in lists:
        row = []
        for name in found:
            row.append(places.get(name, 0))
            places.setdefault(name, len(places) + 1)
        rows.append(row)
    return list(places), _column(rows)


def _edges(catalogue: Catalogue, index: Mapping[str, int]) -> Iterator[int]:
    """Yield work, verb, work for every relation, as its acting end reads it."""
    verbs = {verb: at for at, verb in enumerate(VERBS)}
    for id, edges in catalogue.edges.items():
        for edge in edges:
            if edge.verb not in PASSIVE and id in index and edge.other in index:
                yield from (index[id], verbs[edge.verb], index[edge.other])


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
