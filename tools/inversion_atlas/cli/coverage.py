"""`atlas coverage`: how much of each source the catalogue holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from inversion_atlas import coverage as counts
from inversion_atlas.catalogue import Catalogue, position
from inversion_atlas.cli.main import Session
from inversion_atlas.records.explain import did_you_mean
from inversion_atlas.records.findings import printable

_COLUMNS = ("source", "rows", "resolved", "unresolved", "covered", "works", "unconfirmed", "errata")


@click.command()
@click.argument("sources", nargs=-1)
@click.option("--unresolved", is_flag=True, help="List the rows that lead to no record, each with file and line.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def coverage(session: Session, sources: Sequence[str], unresolved: bool, as_json: bool) -> None:
    """Count the rows of every source that lead to a record.

    \b
    atlas coverage
    atlas coverage yang-survey --unresolved
    atlas coverage --json

    `works` are the papers that a source names, `unconfirmed` those of which it alone asserts some field. Exit code 1
    while a row of the sources named (all, if none is) leads to no record.
    """
    catalogue = session.catalogue
    for id in sources:
        if id not in catalogue.sources:
            raise click.UsageError(f"no source {id!r}: {did_you_mean(id, catalogue.sources)}")
    found = [each for each in counts.coverage(catalogue) if not sources or each.source.id in sources]
    still_open = list(counts.open_rows(catalogue, sources)) if unresolved else []
    if as_json:
        click.echo(json.dumps(_as_json(catalogue, found, still_open, unresolved), ensure_ascii=False, indent=2))
    elif unresolved:
        for each in still_open:
            reason = f"{each.row.place}: {each.row.title} ({each.reason})"
            click.echo(printable(f"{_where(catalogue, each)}: {reason}"))
        click.echo(f"{len(still_open)} of {sum(each.rows for each in found)} rows lead to no record", err=True)
    else:
        _print_table(found)
    if any(not each.complete for each in found):
        raise SystemExit(1)


def _print_table(found: Sequence[counts.SourceCoverage]) -> None:
    rows = [_COLUMNS, *(_cells(each) for each in found)]
    if len(found) != 1:
        rows.append(_total(found))
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    for name, *numbers in rows:
        cells = [name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])]
        click.echo("  ".join(cells).rstrip())


def _cells(each: counts.SourceCoverage) -> tuple[str, ...]:
    numbers = (each.rows, each.resolved, each.unresolved)
    rest = (each.works, each.unconfirmed_works, sum(each.errata.values()))
    return (each.source.id, *map(str, numbers), f"{each.percent:.1f} %", *map(str, rest))


def _total(found: Sequence[counts.SourceCoverage]) -> tuple[str, ...]:
    rows, resolved = sum(each.rows for each in found), sum(each.resolved for each in found)
    percent = int(1000 * resolved / rows) / 10 if rows else 100.0
    unconfirmed = sum(each.unconfirmed_works for each in found)
    errata = sum(sum(each.errata.values()) for each in found)
    counted = (str(rows), str(resolved), str(rows - resolved), f"{percent:.1f} %")
    return ("all", *counted, "", str(unconfirmed), str(errata))


def _as_json(
    catalogue: Catalogue, found: Sequence[counts.SourceCoverage], still_open: Sequence[counts.OpenRow], listed: bool
) -> Mapping[str, Any]:
    document: dict[str, Any] = {
        "sources": [
            {
                "id": each.source.id,
                "title": each.source.title,
                "rows": each.rows,
                "resolved": each.resolved,
                "unresolved": each.unresolved,
                "percent": each.percent,
                "works": each.works,
                "unconfirmed": {"works": each.unconfirmed_works, "fields": each.unconfirmed},
                "errata": each.errata,
                "count": each.source.count,
            }
            for each in found
        ]
    }
    if listed:
        document["open"] = [
            {
                "source": each.source.id,
                "at": _where(catalogue, each),
                "place": each.row.place,
                "title": each.row.title,
                "reason": each.reason,
            }
            for each in still_open
        ]
    return document


def _where(catalogue: Catalogue, each: counts.OpenRow) -> str:
    place = catalogue.place(each.source) / "rows" / each.number
    line, _ = position(catalogue.root, place)
    return f"{place.path}:{line}"
