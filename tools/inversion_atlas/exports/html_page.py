"""One HTML page that stands alone: no script, nothing loaded, everything from a record escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import parse_name, web_address
from inversion_atlas.records.paper import Paper
from inversion_atlas.stamp import read_stamp

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding-bottom: .75rem; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .4rem .6rem; }
th, td { text-align: left; vertical-align: top; }
"""


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return the page: a table of the papers, in UTF-8."""
    return "".join(f"{line}\n" for line in _page(catalogue, papers)).encode()


def _page(catalogue: Catalogue, papers: Sequence[Paper]) -> Iterator[str]:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    title, stamp = escape(catalogue.settings.title), read_stamp(catalogue)
    facets = list(catalogue.facets.values())[:4]
    labels = ["Title", "Authors", "Year", "Venue", "Kind", *(facet.label for facet in facets), "Links"]
    state = f"State {escape(stamp.version)}" + (f" of {escape(stamp.date[:10])}" if stamp.date else "")
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield f"<h1>{title}</h1>"
    yield "<table>"
    yield f"<caption>{len(papers)} {'paper' if len(papers) == 1 else 'papers'}. {state}.</caption>"
    yield "<thead><tr>" + "".join(f'<th scope="col">{escape(label)}</th>' for label in labels) + "</tr></thead>"
    yield "<tbody>"
    for paper in papers:
        cells = "".join(f"<td>{cell}</td>" for cell in _cells(catalogue, paper, [facet.id for facet in facets]))
        yield f'<tr id="{escape(paper.id)}">{cells}</tr>'
    yield from ("</tbody>", "</table>", "</body>", "</html>")


def _cells(catalogue: Catalogue, paper: Paper, facets: Sequence[str]) -> Iterator[str]:
    venue = catalogue.venues.get(paper.venue or "")
    title = _link(f"<bdi>{escape(paper.title)}</bdi>", web_address(paper))
    yield f"{title} <strong>({escape(paper.status.state)})</strong>" if paper.status else title
    yield ", ".join(f"<bdi>{escape(_author(author))}</bdi>" for author in paper.authors)
    yield str(paper.year)
    yield escape(venue.short) if venue else ""
    yield escape(paper.kind)
    for facet in facets:
        terms = catalogue.facets[facet].terms
        yield escape(", ".join(terms[id].label if id in terms else id for id in paper.taxonomy.get(facet, ())))
    links = paper.links
    named = [("PDF", links.pdf), ("project", links.project), ("video", links.video), ("slides", links.slides)]
    named += [("code", url) for url in links.code] + [("reimplementation", url) for url in links.reimplementation]
    yield ", ".join(_link(label, url) for label, url in named if url)


def _author(author: str) -> str:
    name = parse_name(author)
    return " ".join(part for part in (name.given, name.surname, name.suffix) if part)


def _link(html: str, url: str) -> str:
    return f'<a href="{escape(url)}" rel="noopener noreferrer">{html}</a>' if url else html
