"""The maps: research gaps, works per year, lineage, datasets by metrics, capability against what was recovered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, permutations

from markupsafe import Markup

from inversion_atlas.addresses import FAMILY, explore_address, gaps_address, relative, term_address
from inversion_atlas.catalogue import broader_terms
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.paper import Kind, Paper
from inversion_atlas.website import lineage, svg
from inversion_atlas.website.crossings import Crossings, Line, term_lines
from inversion_atlas.website.matrices import STEPS, Matrix, picture, table
from inversion_atlas.website.rendering import Page, Renderer, plural

# A shell per depth of address, since the links to styles are relative.
_SHELLS = {2: "maps/shell/", 3: "maps/shell/gap/"}
# More columns than this, and only the top-level terms are columns.
_MOST_COLUMNS = 24
_MOST_DATASETS = 60
_CAPABILITY, _RECOVERED = ("access", "adversary", "signal"), ("objective", "data-type")
# More pictures than this are more than one reads; the largest are drawn.
_MOST_PANELS = 20
# A list of relations longer than this is cut; the API has all of them.
_LISTED = 500
# Years before the first one in which this many works appeared share a bar.
_ENOUGH = 5
_BAR, _CHART_HEIGHT = 24, 112


@dataclass(frozen=True, slots=True)
class Below:
    """The part of a matrix below one top-level term, folded on the page."""

    title: str
    drawing: Markup
    count: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart of years: its label and query, and how high each of its parts is."""

    label: str
    query: str
    parts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(count for _, count in self.parts)


def map_pages(renderer: Renderer) -> Iterator[Page]:
    """Yield the overview of the maps and every map."""
    crossings = Crossings(renderer.catalogue, renderer.newest_first)
    lines = {facet.id: term_lines(facet) for facet in renderer.catalogue.facets.values()}
    yield Page("maps/", "maps/", renderer.render("maps.html", "maps/"))
    yield from gap_pages(renderer, crossings, lines)
    yield years_page(renderer)
    yield lineage_page(renderer)
    yield datasets_page(renderer, crossings)
    yield capability_page(renderer, crossings, lines)


def _page(renderer: Renderer, at: str, title: str, description: str, template: str, **context: object) -> Page:
    body = renderer.render(template, at, title=title, **context)
    return Page(at, _SHELLS[at.count("/")], body, title, description, renderer.head(at))


def gap_pages(renderer: Renderer, crossings: Crossings, lines: Mapping[str, list[Line]]) -> Iterator[Page]:
    """Yield the chooser of two facets, and the matrix of every two."""
    facets = [facet for facet in renderer.catalogue.facets.values() if lines[facet.id]]
    tops = {facet.id: [crossings.held(line) for line in lines[facet.id] if not line.depth] for facet in facets}
    empty = {}
    for first, second in permutations(tops, 2):
        cells = [row & column for row in tops[first] for column in tops[second]]
        empty[first, second] = (cells.count(0), len(cells))
    yield _page(
        renderer,
        "maps/gaps/",
        "Research gaps",
        "Any two facets of the taxonomy crossed: where works are many, and where there are none.",
        "gaps.html",
        facets=facets,
        empty=empty,
        gaps_address=gaps_address,
    )
    for rows, columns in permutations(facets, 2):
        yield _gap_page(renderer, crossings, lines, rows, columns, facets)


def _gap_page(
    renderer: Renderer,
    crossings: Crossings,
    lines: Mapping[str, list[Line]],
    rows: Facet,
    columns: Facet,
    facets: Sequence[Facet],
) -> Page:
    at = gaps_address(rows.id, columns.id)
    root = relative(at)
    title = f"Research gaps: {rows.label} × {columns.label}"
    top_rows = [line for line in lines[rows.id] if not line.depth]
    top_columns = [line for line in lines[columns.id] if not line.depth]
    wide = lines[columns.id] if len(lines[columns.id]) <= _MOST_COLUMNS else top_columns
    first = Matrix("top", title, _about_gaps(rows, columns), top_rows, top_columns)
    figures = []
    for row in top_rows:
        below = [line for line in lines[rows.id] if line.top == row.value]
        if len(below) > 1 or len(wide) > len(top_columns):
            matrix = Matrix(
                f"of-{row.value}", f"{row.label} × {columns.label}", _about_gaps(rows, columns), below, wide
            )
            count = plural(len(below) - 1, "narrower term") if len(below) > 1 else "all columns"
            drawn = picture(matrix, crossings, root)
            figures.append(Below(row.label, drawn, count))
    everything = Matrix("all", title, "", lines[rows.id], wide)
    return _page(
        renderer,
        at,
        title,
        f"How many works there are for each {rows.label.lower()} and {columns.label.lower()}; empty cells are gaps.",
        "gap.html",
        rows=rows,
        columns=columns,
        facets=facets,
        gaps_address=gaps_address,
        drawing=picture(first, crossings, root),
        figures=figures,
        table=table(everything, crossings, f"{rows.label} × {columns.label}"),
        steps=STEPS,
        narrowed=len(wide) < len(lines[columns.id]),
    )


def _about_gaps(rows: Facet, columns: Facet) -> str:
    row, column = rows.label.lower(), columns.label.lower()
    return f"A row per {row}, a column per {column}; each cell counts the works with both."


def datasets_page(renderer: Renderer, crossings: Crossings) -> Page:
    """Return the map of which metrics are measured on which datasets."""
    catalogue, at = renderer.catalogue, "maps/datasets/"
    together: Counter[tuple[str, str]] = Counter()
    for paper in renderer.newest_first:
        together.update((dataset, metric) for dataset in set(paper.datasets) for metric in set(paper.metrics))
    known = {
        (dataset, metric): count
        for (dataset, metric), count in together.items()
        if dataset in catalogue.datasets and metric in catalogue.metrics
    }
    uses: Counter[tuple[str, str]] = Counter()
    for (dataset, metric), count in known.items():
        uses["dataset", dataset] += count
        uses["metric", metric] += count
    rows = [
        Line("dataset", record.id, record.name, f"datasets/{record.id}/")
        for record in catalogue.datasets.values()
        if uses["dataset", record.id]
    ]
    columns = [
        Line("metric", record.id, record.name, f"metrics/{record.id}/")
        for record in catalogue.metrics.values()
        if uses["metric", record.id]
    ]
    rows, columns = (
        sorted(found, key=lambda line: (-uses[line.field, line.value], line.value)) for found in (rows, columns)
    )
    about = "A row per dataset, a column per metric; each cell counts the works that use the dataset with the metric."
    matrix = Matrix("usage", "Datasets by metrics", about, rows[:_MOST_DATASETS], columns[:_MOST_DATASETS])
    return _page(
        renderer,
        at,
        "Datasets by metrics",
        "Which metrics are measured on which datasets, and how often.",
        "map_datasets.html",
        drawing=picture(matrix, crossings, relative(at)),
        table=table(matrix, crossings, "Dataset × metric"),
        steps=STEPS,
        rows=len(rows),
        columns=len(columns),
        cut=len(matrix.rows) < len(rows) or len(matrix.columns) < len(columns),
        pairs=len(known),
        works=sum(bool(paper.datasets and paper.metrics) for paper in renderer.newest_first),
    )


def capability_page(renderer: Renderer, crossings: Crossings, lines: Mapping[str, list[Line]]) -> Page:
    """Return the map of what attacks recovered under which capability."""
    at, facets = "maps/capability/", renderer.catalogue.facets
    rows = [line for id in _CAPABILITY for line in lines.get(id, ())]
    columns = [line for id in _RECOVERED for line in lines.get(id, ())]
    names = {id: facets[id].label for id in (*_CAPABILITY, *_RECOVERED) if id in facets}
    about = (
        "Rows are what the adversary can do or see, columns what was recovered; each cell counts the attacks with both."
    )
    matrix = Matrix("capability", "Capability and what was recovered", about, rows, columns, kept="kind=attack")
    return _page(
        renderer,
        at,
        "Capability and what was recovered",
        "What attacks recovered, against the access, the role and the signal they needed.",
        "map_capability.html",
        drawing=picture(matrix, crossings, relative(at), names),
        table=table(matrix, crossings, "Capability × recovered"),
        attacks=sum(paper.kind is Kind.ATTACK for paper in renderer.newest_first),
    )


def years_page(renderer: Renderer) -> Page:
    """Return the charts of works per year: all by kind, then each family."""
    at, papers = "maps/years/", renderer.newest_first
    root = relative(at)
    facet = renderer.catalogue.facets.get(FAMILY)
    spans = year_spans(Counter(paper.year for paper in papers))
    kinds = _kind_bars(papers, spans)
    most = max((bar.total for bar in kinds), default=1)
    charts = []
    by_family = _families_by_year(papers, facet)
    tops = [term for term in facet.terms.values() if term.id in by_family] if facet else []
    bars_of = {term.id: _family_bars(term.id, by_family[term.id], spans) for term in tops}
    highest = max((bar.total for bars in bars_of.values() for bar in bars), default=1)
    for term in tops:
        bars = bars_of[term.id]
        drawn = chart(f"family-{term.id}", term.label, bars, highest, root)
        charts.append((term, sum(by_family[term.id].values()), drawn))
    return _page(
        renderer,
        at,
        "Works per year",
        "How many works appeared in each year, by kind and by method family.",
        "map_years.html",
        whole=chart("kinds", "All works by kind", kinds, most, root, wide=True) if kinds else "",
        kinds=kinds,
        charts=charts,
        bars=bars_of,
        total=len(papers),
        highest=highest,
        term_address=term_address,
    )


def year_spans(counts: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return the spans of years that have a bar of their own: the sparse early years share one."""
    if not counts:
        return []
    first, last = min(counts), max(counts)
    enough = min((year for year, count in counts.items() if count >= _ENOUGH), default=first)
    early = [(first, enough - 1)] if enough > first else []
    return early + [(year, year) for year in range(enough, last + 1)]


def _kind_bars(papers: Sequence[Paper], spans: Sequence[tuple[int, int]]) -> list[Bar]:
    counts = Counter((paper.year, _shown_kind(paper)) for paper in papers)
    return [
        Bar(
            _years(span),
            _year_query(span),
            tuple((kind, _within(span, counts, kind)) for kind in ("attack", "defense", "other")),
        )
        for span in spans
    ]


def _shown_kind(paper: Paper) -> str:
    return str(paper.kind) if paper.kind in (Kind.ATTACK, Kind.DEFENSE) else "other"


def _within(span: tuple[int, int], counts: Mapping[tuple[int, str], int], kind: str) -> int:
    return sum(counts.get((year, kind), 0) for year in range(span[0], span[1] + 1))


def _families_by_year(papers: Sequence[Paper], facet: Facet | None) -> dict[str, Counter[int]]:
    """Return top-level family -> year -> works."""
    found: dict[str, Counter[int]] = defaultdict(Counter)
    if facet:
        top = {term: list(broader_terms(facet, term))[-1] for term in facet.terms}
        for paper in papers:
            for family in {top[term] for term in paper.taxonomy.get(FAMILY, ()) if term in top}:
                found[family][paper.year] += 1
    return found


def _family_bars(family: str, counts: Mapping[int, int], spans: Sequence[tuple[int, int]]) -> list[Bar]:
    return [
        Bar(
            _years(span),
            f"{FAMILY}={family} {_year_query(span)}",
            (("family", sum(counts.get(year, 0) for year in range(span[0], span[1] + 1))),),
        )
        for span in spans
    ]


def _years(span: tuple[int, int]) -> str:
    return str(span[0]) if span[0] == span[1] else f"until {span[1]}"


def _year_query(span: tuple[int, int]) -> str:
    return f"year={span[0]}" if span[0] == span[1] else f"year=..{span[1]}"


def chart(id: str, title: str, bars: Sequence[Bar], most: int, root: str, *, wide: bool = False) -> Markup:
    """Return bars by year, each part of one a link to its works; counts stand on top."""
    pitch = 64 if wide else _BAR
    height = 220 if wide else _CHART_HEIGHT
    # Scales are shared, so a chart of few works needs less room above.
    base = round(max((bar.total for bar in bars), default=0) * height / max(1, most)) + 26
    marks = [svg.path(f"M0 {base}.5H{len(bars) * pitch}", "axis")]
    for at, bar in enumerate(bars):
        x = at * pitch
        marks += _bar(bar, x, pitch, base, height / max(1, most), root, title)
        marks.append(svg.label(x + pitch / 2, base + 17, _tick(bar.label, wide), "tick middle"))
    return svg.drawing(id, len(bars) * pitch, base + 26, title, "A bar per year; its height is a count.", marks)


def _tick(label: str, wide: bool) -> str:
    if wide:
        return label
    return f"≤{label[-2:]}" if label.startswith("until") else f"’{label[-2:]}"


def _bar(bar: Bar, x: float, pitch: float, base: float, scale: float, root: str, title: str) -> Iterator[str]:
    y = float(base)
    inset = pitch * 0.12
    for kind, count in bar.parts:
        if not count:
            continue
        query = bar.query if kind == "family" else f"{bar.query} kind={_kinds(kind)}"
        name = f"{title}, {bar.label}: {count:,}" if kind == "family" else f"{bar.label}, {_NOUNS[kind]}: {count:,}"
        tall = max(2.0, count * scale)
        y -= tall
        # One is too low to hit, so the place to click is as wide as the year and at least a finger high.
        area = svg.rectangle(x, min(y, base - 24) if kind == "family" else y, pitch, max(tall, 24.0), "area")
        shown = svg.rectangle(x + inset, y, pitch - 2 * inset, max(tall - 1, 1), f"bar {kind}")
        yield svg.link(root + explore_address(query), name, area if kind == "family" else "", shown)
    if bar.total:
        yield svg.label(x + pitch / 2, y - 5, f"{bar.total:,}", "value middle")


_NOUNS = {"attack": "attacks", "defense": "defenses", "other": "other works"}


def _kinds(kind: str) -> str:
    if kind != "other":
        return kind
    return ",".join(sorted(kind for kind in Kind if kind not in (Kind.ATTACK, Kind.DEFENSE, Kind.BACKGROUND)))


def lineage_page(renderer: Renderer) -> Page:
    """Return the lineage of attacks and defenses, in panels and as lists."""
    catalogue, at = renderer.catalogue, "maps/lineage/"
    steps = lineage.steps_of(catalogue)
    order: Callable[[lineage.Step], tuple[object, ...]] = lambda step: (  # noqa: E731
        lineage.VERBS.index(step.verb),
        catalogue.papers[step.target].year,
        step.target,
        catalogue.papers[step.source].year,
        step.source,
    )
    listed = sorted(steps, key=order)
    lists = [
        (verb, lineage.SAYS[verb], found[:_LISTED], len(found))
        for verb, found in ((verb, list(group)) for verb, group in groupby(listed, key=lambda step: step.verb))
    ]
    panels = lineage.panels(catalogue, steps)
    largest = sorted(panels, key=lambda panel: (-len(panel.steps), panel.id))[:_MOST_PANELS]
    drawn = [panel for panel in panels if panel in largest]
    return _page(
        renderer,
        at,
        "Lineage of attacks and defenses",
        "Which works improve, extend, break or defend against which, drawn by year.",
        "map_lineage.html",
        panels=[(panel, lineage.picture(catalogue, panel, relative(at))) for panel in drawn],
        left_out=len(panels) - len(drawn),
        lists=lists,
        says=lineage.SAYS,
        works=len({end for step in steps for end in (step.source, step.target)}),
        relations=len(steps),
    )
