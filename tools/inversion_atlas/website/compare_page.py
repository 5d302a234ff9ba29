"""The page that shows papers side by side, and the letters that its LaTeX export needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from inversion_atlas.addresses import compare_address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import tex
from inversion_atlas.exports.citation import short_authors
from inversion_atlas.records.paper import Paper
from inversion_atlas.website import lineage
from inversion_atlas.website.rendering import Page, Renderer

AT = "compare/"
LETTERS = f"{AT}letters.json"
_MOST_EXAMPLES, _MOST_PAPERS = 3, 8
# A letter with its marks, as `tex.escape` takes them.
_CLUSTER = re.compile("[^\x00-\x7f][\u0300-\u036f]*|[A-Za-z][\u0300-\u036f]+")
_ASCII = '\\{}~^<>|`"%&#$_@'


def compare_page(renderer: Renderer) -> Page:
    """Return the page, which its script fills from the API."""
    catalogue = renderer.catalogue
    # Pairs, since an object would lose the order of the facets.
    facets = [(id, facet.label) for id, facet in catalogue.facets.items()]
    sample = next(iter(catalogue.papers), "zhu2019deep")
    examples = list(_examples(catalogue))
    return Page(AT, AT, renderer.render("compare.html", AT, facets=facets, sample=sample, examples=examples))


def _examples(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield the works that most others improve or extend, each with these, as comparisons to begin with."""
    after: dict[str, dict[str, None]] = {}
    for step in lineage.steps_of(catalogue):
        if step.verb in ("improves", "extends"):
            after.setdefault(step.target, {})[step.source] = None
    for id in sorted(after, key=lambda id: (-len(after[id]), id))[:_MOST_EXAMPLES]:
        paper = catalogue.papers[id]
        name = paper.methods[0] if paper.methods else paper.title
        ids = [id, *sorted(after[id])][:_MOST_PAPERS]
        title = f"{name} ({short_authors(paper)}, {paper.year}) beside what improves or extends it"
        yield title, compare_address(ids)


def compare_files(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield what the script of the page loads: how LaTeX writes every letter of the catalogue beyond ASCII."""
    clusters = (*_ASCII, *sorted(_clusters(catalogue)))
    letters = {cluster: _written(cluster) for cluster in clusters}
    yield LETTERS, json.dumps(letters, ensure_ascii=False, separators=(",", ":")) + "\n"


def _written(cluster: str) -> str:
    # A space alone would be taken for one at the end of a line.
    return tex.escape(f"x{cluster}x")[1:-1] if cluster.isspace() else tex.escape(cluster)


def _clusters(catalogue: Catalogue) -> set[str]:
    found: set[str] = set()
    for text in _texts(catalogue):
        if not text.isascii():
            found.update(_CLUSTER.findall(text))
    return found


def _texts(catalogue: Catalogue) -> Iterator[str]:
    """Yield every text that can stand in a cell of the comparison."""
    for paper in catalogue.papers.values():
        yield from _texts_of(paper)
    yield from (dataset.name for dataset in catalogue.datasets.values())
    yield from (metric.name for metric in catalogue.metrics.values())
    for venue in catalogue.venues.values():
        yield from (venue.name, venue.short)
    for source in catalogue.sources.values():
        yield source.title
    for facet in catalogue.facets.values():
        yield facet.label
        yield from (term.label for term in facet.terms.values())
    # What the script itself writes between values.
    yield "–≠"


def _texts_of(paper: Paper) -> Iterator[str]:
    yield from (paper.title, paper.summary or "", *paper.authors, *paper.methods, *paper.other_titles)
    yield from (paper.volume or "", paper.issue or "", paper.pages or "")
    for relation in paper.relations:
        yield relation.how or ""
    for number in paper.reported:
        yield from (number.unit or "", number.target or "", number.method or "", number.setting or "")
    if paper.status:
        yield paper.status.reason
    links = paper.links
    yield from (links.paper or "", links.pdf or "", links.doi or "", *links.code, *links.reimplementation)
