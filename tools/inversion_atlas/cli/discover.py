"""`atlas discover`: works that the catalogue may lack, from arXiv and OpenAlex, as one list for a standing issue."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from inversion_atlas.atomic import uninterrupted
from inversion_atlas.catalogue import DISCOVERY, REFUSED, Catalogue, read
from inversion_atlas.cli.main import Session
from inversion_atlas.cli.reader import open_reader
from inversion_atlas.freshness import report
from inversion_atlas.freshness.memory import MEMORY, Memory, read_memory, write_memory
from inversion_atlas.records.findings import CatalogueError, Finding, printable

if TYPE_CHECKING:
    from inversion_atlas.freshness.discovering import Discovering

# The same day's answers are read again rather than asked for, which is how a run that was cut goes on.
_CACHE_DAYS = 0.5


@click.command(
    epilog="Exit codes: 0 done, 1 nothing was refused or the files have errors, 2 wrong use, 3 a service failed and "
    "the list is not whole, 130 interrupted: what was answered is remembered. Environment: ATLAS_OPENALEX_KEY, "
    "ATLAS_CACHE, ATLAS_DELAY, ATLAS_ALLOW_PRIVATE, ATLAS_ARXIV_URL, ATLAS_OPENALEX_URL (docs/adding.md)."
)
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), help="Ask for works from this day on. Default: what is new."
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Works listed.")
@click.option("--dry-run", is_flag=True, help="Remember nothing of this run.")
@click.option("--offline", is_flag=True, help="Use only what was remembered and read before.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of Markdown.")
@click.option("--refuse", "refused", metavar="ID", help="Never list this work again: arXiv id, DOI or OpenAlex id.")
@click.option("--because", "reason", metavar="TEXT", help="With --refuse: why.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day to remember. Default: today.")
@click.pass_obj
def discover(
    session: Session,
    since: datetime | None,
    limit: int,
    dry_run: bool,
    offline: bool,
    as_json: bool,
    refused: str | None,
    reason: str | None,
    today: datetime | None,
) -> None:
    """Ask arXiv and OpenAlex for works that the catalogue may lack.

    The questions stand in data/discovery.yaml. What is in the catalogue or was refused is left out; the rest is ranked
    by likeness to the catalogue and remembered in data/discovered.json until it is added or refused.

    \b
    atlas discover > new.md
    atlas discover --since 2026-01-01 --limit 20
    atlas discover --refuse arxiv:2401.01234 --because "about seismic inversion"
    """
    day = today.date() if today else date.today()
    if (refused is None) != (reason is None):
        raise click.UsageError("--refuse and --because go together")
    if refused is not None and reason is not None:
        _refuse(session, refused, reason, day, dry_run)
        return
    catalogue, broken = read(session.root)
    if any(finding.path in (DISCOVERY, REFUSED) for finding in broken):
        raise CatalogueError([finding for finding in broken if finding.path in (DISCOVERY, REFUSED)])
    settings = catalogue.discovery
    if not (settings.arxiv_queries or settings.openalex_queries or settings.core):
        raise click.UsageError(f"{DISCOVERY} asks nothing; it holds arxiv_queries, openalex_queries and core")
    memory = read_memory(session.root / MEMORY)
    with ExitStack() as stack:
        run, interrupted = _run(catalogue, memory, day, since.date() if since else None, offline, stack)
    if not dry_run and not offline:
        with uninterrupted():
            write_memory(session.root / MEMORY, run.remembered())
    _print(run, day, limit, as_json)
    _say(run, broken, interrupted)
    raise SystemExit(130 if interrupted else 3 if run.failed else 0)


def _run(
    catalogue: Catalogue, memory: Memory, day: date, since: date | None, offline: bool, stack: ExitStack
) -> tuple[Discovering, bool]:
    reader, services, mail = open_reader(catalogue.settings, stack, offline=offline, cache_days=_CACHE_DAYS)
    from inversion_atlas.freshness.asking import Asking
    from inversion_atlas.freshness.discovering import Discovering

    asking = Asking(reader, services, mail, catalogue.discovery.most)
    run = Discovering(catalogue, memory, asking, day, since, offline)
    try:
        run.run(_progress)
    except KeyboardInterrupt:
        return run, True
    finally:
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)
    return run, False


def _progress(question: str, works: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{works:,} works; {printable(question[:60])}", nl=False, err=True)


def _print(run: Discovering, day: date, limit: int, as_json: bool) -> None:
    candidates = run.candidates()
    notes = [*run.asking.cut, *(f"could not be judged: {line}" for line in run.unjudged())]
    if as_json:
        works = [report.as_json(candidate) for candidate in list(candidates.values())[:limit]]
        whole = {
            "day": day.isoformat(),
            "candidates": works,
            "all": len(candidates),
            "failed": run.failed,
            "notes": notes,
        }
        click.echo(json.dumps(whole, indent=1, ensure_ascii=False))
        return
    for line in report.markdown(candidates, day, limit, run.failed, notes):
        click.echo("\n".join(map(printable, line.split("\n"))))


def _say(run: Discovering, broken: Sequence[Finding], interrupted: bool) -> None:
    counts = run.sieve.counts
    told = ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts))
    click.echo(f"{counts.total():,} works read{f': {told}' if told else ''}.", err=True)
    for line in run.failed:
        click.echo(printable(line), err=True)
    if run.unread:
        click.echo(f"{run.unread} questions were not read before and not asked (--offline).", err=True)
    if broken:
        click.echo("The catalogue has errors; works in broken files may be listed.", err=True)
    if interrupted:
        click.echo("Interrupted: the same command goes on.", err=True)


def _refuse(session: Session, given: str, reason: str, day: date, dry_run: bool) -> None:
    from inversion_atlas.freshness.refusing import read_work_id, refusal, write_refusal

    id = read_work_id(given)
    if not id:
        raise click.UsageError(f"{given[:100]!r} is no arXiv id, DOI or OpenAlex id")
    memory = read_memory(session.root / MEMORY)
    own = [candidate for candidate in memory.candidates.values() if id.lower() in map(str.lower, candidate.ids)]
    known = {other.lower() for each in session.catalogue.refused.values() for other in (each.id, *each.also)}
    if id.lower() in known:
        click.echo(f"{id} was refused before.", err=True)
        return
    if own:
        id = next(each for each in own[0].ids if each.lower() == id.lower())
    try:
        new = refusal(id, own[0] if own else None, reason, day)
        if not dry_run:
            write_refusal(session.catalogue, new)
    except (ValueError, OSError) as error:
        click.echo(printable(f"{REFUSED} was left as it is: {error}"), err=True)
        raise SystemExit(1) from None
    title = f": {new.title}" if new.title else ""
    click.echo(printable(f"{'would refuse' if dry_run else 'refused'} {id}{title}"), err=True)
