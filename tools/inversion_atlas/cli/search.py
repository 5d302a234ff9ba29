"""Looking things up: `atlas search`, `atlas show`, `atlas stats`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from inversion_atlas import query
from inversion_atlas.catalogue import Catalogue, Edge
from inversion_atlas.cli.filters import FilterCommand, filter_text
from inversion_atlas.cli.main import Session
from inversion_atlas.records.explain import did_you_mean
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.writing import to_yaml


@click.command(cls=FilterCommand)
@click.argument("words", nargs=-1)
@click.option("--all", "background", is_flag=True, help="Include works that are cited only as background.")
@click.option("--limit", type=click.IntRange(min=1), default=None, metavar="N", help="Show at most N works.")
@click.option("--ids", is_flag=True, help="Print ids only, one a line.")
@click.option("--fields", "list_fields", is_flag=True, help="List the fields a query may use, and end.")
@click.pass_obj
def search(
    session: Session, words: Sequence[str], background: bool, limit: int | None, ids: bool, list_fields: bool
) -> None:
    """Print the papers that a query names, newest first.

    A query is words, "phrases" and clauses: field, operator (= : != > >= < <=) and values; a comma means or, a
    minus before a clause means not. Broader terms include narrower ones. Quote what holds > or <, which the shell
    reads itself.

    \b
    atlas search access=label-only domain=face "year>=2022" has:code
    atlas search family=gradient-inversion -kind:survey "batch normalization"
    atlas search dataset=celeba,ffhq year=2021..2023
    atlas search --fields
    """
    catalogue = session.catalogue
    if list_fields:
        _print_pairs(query.fields(catalogue).items())
        return
    hits = query.newest_first(query.select(catalogue, filter_text(words), background=background))
    shown = hits[:limit]
    if ids:
        click.echo("".join(f"{paper.id}\n" for paper in shown), nl=False)
    elif shown:
        _print_papers(catalogue, shown)
    counted = f"{len(hits)} of {len(catalogue.papers)} works" + (f", {limit} shown" if len(shown) < len(hits) else "")
    click.echo(counted, err=True)
    if not hits:
        raise SystemExit(1)


@click.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the website's API gives it.")
@click.pass_obj
def show(session: Session, id: str, as_json: bool) -> None:
    """Print the record of a paper, dataset, metric or venue.

    \b
    atlas show zhu2019deep
    atlas show celeba --json
    """
    catalogue = session.catalogue
    id = catalogue.redirects.get(id, id)
    for records in (catalogue.papers, catalogue.datasets, catalogue.metrics, catalogue.venues):
        if id in records:
            click.echo(_as_json(catalogue, id) if as_json else _as_text(catalogue, id), nl=False)
            return
    known = [*catalogue.papers, *catalogue.datasets, *catalogue.metrics, *catalogue.venues]
    raise click.UsageError(f"no record {id!r}: {did_you_mean(id, known)}")


@click.command(cls=FilterCommand)
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def stats(session: Session, words: Sequence[str], as_json: bool) -> None:
    """Count works by kind, year, venue and every facet; a query narrows what is counted.

    \b
    atlas stats
    atlas stats domain=face
    """
    catalogue = session.catalogue
    counts = count(catalogue, query.select(catalogue, filter_text(words)))
    if as_json:
        click.echo(json.dumps(counts, ensure_ascii=False, indent=2))
        return
    for name, values in counts.items():
        click.echo(click.style(name, bold=True))
        width = max((len(value) for value in values), default=0)
        for value, number in values.items():
            click.echo(f"  {value:<{width}}  {number:>5}")


def count(catalogue: Catalogue, papers: Sequence[Paper]) -> dict[str, dict[str, int]]:
    """Return field -> value -> number of papers; a broader term counts the papers of its narrower ones."""
    chosen = {paper.id for paper in papers}
    counts = {
        "records": {
            "papers": len(papers),
            "datasets": len(catalogue.datasets),
            "metrics": len(catalogue.metrics),
            "venues": len(catalogue.venues),
        },
        "kind": _sorted(Counter(str(paper.kind) for paper in papers)),
        "year": dict(sorted(Counter(str(paper.year) for paper in papers).items())),
        "venue": _sorted(Counter(paper.venue or "none" for paper in papers)),
    }
    for facet in catalogue.facets.values():
        holding = {term: catalogue.papers_with.get((facet.id, term), ()) for term in facet.terms}
        counts[facet.id] = {term: sum(id in chosen for id in ids) for term, ids in holding.items()}
    return counts


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _print_papers(catalogue: Catalogue, papers: Sequence[Paper]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        click.echo("".join("\t".join(map(_one_line, _row(catalogue, paper))) + "\n" for paper in papers), nl=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, ratio in (("id", None), ("year", None), ("venue", None), ("title", 3), ("access", 1), ("code", None)):
        table.add_column(heading, ratio=ratio, no_wrap=ratio is None)
    for paper in papers:
        table.add_row(*(Text(_one_line(cell)) for cell in _row(catalogue, paper)))
    console.print(table)


def _row(catalogue: Catalogue, paper: Paper) -> Iterator[str]:
    venue = catalogue.venues.get(paper.venue or "")
    status = f" [{paper.status.state}]" if paper.status else ""
    yield from (paper.id, str(paper.year), venue.short if venue else paper.venue or "", paper.title + status)
    yield ", ".join(paper.taxonomy.get("access", ()))
    yield "code" if paper.links.code else ""


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split(" "))


def _print_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    pairs = list(pairs)
    width = max(len(name) for name, _ in pairs)
    for name, meaning in pairs:
        click.echo(f"{name:<{width}}  {meaning}")


def _as_text(catalogue: Catalogue, id: str) -> str:
    if id not in catalogue.papers:
        return to_yaml(catalogue.datasets.get(id) or catalogue.metrics.get(id) or catalogue.venues[id])
    lines = [f"# {catalogue.place(catalogue.papers[id]).path}", to_yaml(catalogue.papers[id]).rstrip()]
    lines += [f"# {edge.verb} {edge.other}" + (f": {edge.how}" if edge.how else "") for edge in _derived(catalogue, id)]
    lines += [f"# listed by {source.id}: {row.place}" for source, row in catalogue.listed_by.get(id, ())]
    return "\n".join(lines) + "\n"


def _derived(catalogue: Catalogue, id: str) -> Iterator[Edge]:
    written = {(relation.verb, relation.target) for relation in catalogue.papers[id].relations}
    return (edge for edge in catalogue.edges.get(id, ()) if (edge.verb, edge.other) not in written)


def _as_json(catalogue: Catalogue, id: str) -> str:
    from inversion_atlas.exports import json_record

    if id in catalogue.papers:
        record = json_record.paper_json(catalogue, catalogue.papers[id])
    elif id in catalogue.datasets:
        record = json_record.dataset_json(catalogue, catalogue.datasets[id])
    elif id in catalogue.metrics:
        record = json_record.metric_json(catalogue, catalogue.metrics[id])
    else:
        record = json_record.venue_json(catalogue, catalogue.venues[id])
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"
