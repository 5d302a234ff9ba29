"""A booktabs table that cites every paper, to go with the BibTeX export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.pieces import Pieces, Shape
from inversion_atlas.exports.tex import escape
from inversion_atlas.records.paper import Paper

FACETS = ("access", "family", "data-type")
# A table that fits a page floats; a longer one must break over pages, which a float cannot.
_LONGEST_FLOAT = 8


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return the table, with a comment that says what its document must load."""
    return pieces(catalogue).render(papers).file([paper.id for paper in papers])


def pieces(catalogue: Catalogue) -> Pieces:
    """Return the parts of the table: one that floats, one that breaks over pages."""
    facets = [facet for facet in FACETS if facet in catalogue.facets]
    labels = ["Paper", "Venue", "Year", *(escape(catalogue.facets[facet].label) for facet in facets), "Code"]
    widths = [0.3, 0.1, 0, *(0.36 / len(facets) for _ in facets), 0]
    spec = "".join(rf">{{\raggedright\arraybackslash}}p{{{width:.2f}\linewidth}}" if width else "l" for width in widths)
    header = " & ".join(labels) + r" \\"
    return Pieces(
        (_float(spec, header), _long(spec, header)),
        lambda paper: " & ".join(_cells(catalogue, paper, facets)) + r" \\",
    )


def _cells(catalogue: Catalogue, paper: Paper, facets: Sequence[str]) -> Iterator[str]:
    venue = catalogue.venues.get(paper.venue or "")
    yield rf"{escape(paper.title)}~\cite{{{paper.id}}}"
    yield escape(venue.short) if venue else ""
    yield str(paper.year)
    for facet in facets:
        terms = catalogue.facets[facet].terms
        yield escape(", ".join(terms[id].label if id in terms else id for id in paper.taxonomy.get(facet, ())))
    yield r"\checkmark" if paper.links.code else ""


def _float(spec: str, header: str) -> Shape:
    head = (*_needs("array, booktabs, amssymb"), r"\begin{table*}", r"  \centering\small",
            rf"  \begin{{tabular}}{{@{{}}{spec}@{{}}}}", r"    \toprule", f"    {header}", r"    \midrule")  # fmt: skip
    foot = (r"    \bottomrule", r"  \end{tabular}", r"\end{table*}")
    return Shape(_lines(head), before="    ", after="\n", foot=_lines(foot), most=_LONGEST_FLOAT)


def _long(spec: str, header: str) -> Shape:
    head = (*_needs("array, booktabs, longtable, amssymb; longtable wants one column of text"), r"{\small",
            rf"\begin{{longtable}}{{@{{}}{spec}@{{}}}}", r"  \toprule", f"  {header}", r"  \midrule", r"  \endhead",
            r"  \bottomrule", r"  \endlastfoot")  # fmt: skip
    return Shape(_lines(head), before="  ", after="\n", foot=_lines((r"\end{longtable}", "}")))


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _needs(packages: str) -> Iterator[str]:
    yield rf"% Needs \usepackage[T1]{{fontenc}} and the packages {packages}."
    yield "% The keys are those of `atlas export bibtex` and `atlas export biblatex`."
