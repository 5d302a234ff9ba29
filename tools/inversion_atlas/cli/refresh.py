"""`atlas refresh`: preprints of the catalogue that have been published, and the changes of their records."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from inversion_atlas.atomic import uninterrupted, write_atomic
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.cli.filters import FilterCommand, filter_text
from inversion_atlas.cli.main import Session
from inversion_atlas.cli.reader import open_reader
from inversion_atlas.freshness import report
from inversion_atlas.intake.update import edited, is_preprint
from inversion_atlas.query import select
from inversion_atlas.records.findings import printable
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.yamlfile import YamlError, read_text

if TYPE_CHECKING:
    from inversion_atlas.freshness.upgrades import Doubt, Refreshing, Upgrade

_CACHE_DAYS = 1.0


@click.command(
    cls=FilterCommand,
    epilog="Exit codes: 0 done, 1 a file was left as it is or the catalogue has errors, 2 wrong use, 3 a service "
    "failed and something may be missing, 130 interrupted: the same command goes on. Environment: as for `atlas add`.",
)
@click.argument("words", metavar="[QUERY…]", nargs=-1)
@click.option("--write", is_flag=True, help="Change the records; without it, the changes are only shown.")
@click.option("--limit", type=click.IntRange(1), help="Look at so many preprints at most, the oldest first.")
@click.option("--offline", is_flag=True, help="Use only what was read before.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of Markdown.")
@click.pass_obj
def refresh(
    session: Session, words: tuple[str, ...], write: bool, limit: int | None, offline: bool, as_json: bool
) -> None:
    """Ask whether preprints of the catalogue, or of what a query selects, have been published.

    arXiv, OpenAlex, DBLP and Crossref are asked. What contradicts a record is said and left to a curator; a record
    never becomes two.

    \b
    atlas refresh
    atlas refresh id=zhu2019deep
    atlas refresh family=gradient-inversion --write
    """
    catalogue = session.catalogue
    chosen = select(catalogue, filter_text(words)) if words else list(catalogue.papers.values())
    due = [paper for paper in chosen if is_preprint(paper, catalogue) and not paper.status]
    due = sorted(due, key=lambda paper: (paper.year, paper.id))[:limit]
    with ExitStack() as stack:
        run, found, interrupted = _run(catalogue, due, offline, stack)
    upgrades, doubts = _parted(found)
    if as_json:
        click.echo(
            json.dumps(report.refresh_json(upgrades, doubts, run.failed, catalogue), indent=1, ensure_ascii=False)
        )
    else:
        for line in report.refresh_markdown(upgrades, doubts, run.failed, len(due), catalogue):
            click.echo("\n".join(map(printable, line.split("\n"))))
    unwritten = sum(not _written(session, upgrade, catalogue) for upgrade in upgrades) if write else 0
    if upgrades and not write:
        click.echo(f"{len(upgrades)} records would change; --write changes them.", err=True)
    for line in run.failed:
        click.echo(printable(line), err=True)
    if interrupted:
        click.echo(f"Interrupted after {len(found)} of {len(due)}; the same command goes on.", err=True)
    raise SystemExit(130 if interrupted else 3 if run.failed else 1 if unwritten else 0)


def _run(
    catalogue: Catalogue, due: Sequence[Paper], offline: bool, stack: ExitStack
) -> tuple[Refreshing, list[Upgrade | Doubt | None], bool]:
    reader, services, mail = open_reader(catalogue.settings, stack, offline=offline, cache_days=_CACHE_DAYS)
    from inversion_atlas.freshness.asking import Asking
    from inversion_atlas.freshness.upgrades import Refreshing
    from inversion_atlas.intake.lookup import LookUp

    run = Refreshing(catalogue, Asking(reader, services, mail), LookUp(reader, services, mail))
    found: list[Upgrade | Doubt | None] = []
    shows = sys.stderr.isatty()
    try:
        for result in run.run(due):
            found.append(result)
            if shows:
                click.echo(f"\r\x1b[K{len(found)} of {len(due)} preprints", nl=False, err=True)
    except KeyboardInterrupt:
        return run, found, True
    finally:
        if shows:
            click.echo("\r\x1b[K", nl=False, err=True)
    return run, found, False


def _parted(found: Sequence[Upgrade | Doubt | None]) -> tuple[list[Upgrade], list[Doubt]]:
    from inversion_atlas.freshness.upgrades import Doubt, Upgrade

    return [each for each in found if isinstance(each, Upgrade)], [each for each in found if isinstance(each, Doubt)]


def _written(session: Session, upgrade: Upgrade, catalogue: Catalogue) -> bool:
    path = catalogue.place(upgrade.record).path
    try:
        text = edited(read_text(session.root / path), upgrade.record, upgrade.updated)
        with uninterrupted():
            write_atomic(session.root / path, text.encode())
    except (ValueError, OSError, YamlError) as error:
        click.echo(printable(f"{path} was left as it is, edit it by hand: {error}"), err=True)
        return False
    click.echo(f"changed {path}", err=True)
    return True
