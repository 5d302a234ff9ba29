"""`atlas links`: how the catalogue's links answer, what is remembered of that, and moves written into the records."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

import click

from inversion_atlas.atomic import write_atomic
from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.cli.annotations import annotation
from inversion_atlas.cli.filters import FilterCommand, filter_text
from inversion_atlas.cli.main import Session
from inversion_atlas.links import report as reports
from inversion_atlas.links.fixing import Move, moved_text, moves
from inversion_atlas.links.places import link_places
from inversion_atlas.links.state import STATE, Answer, Class, State, read_state, remembered, write_state
from inversion_atlas.query import select
from inversion_atlas.records.findings import printable
from inversion_atlas.records.yamlfile import YamlError, read_text

if TYPE_CHECKING:
    from inversion_atlas.links.checking import Pace

_INSTALL = "checking links needs httpx: pip install 'inversion-atlas[intake]'"
# Not one answer from so many hosts: the network is down, and the links are not to blame.
_SILENT_HOSTS = 5
_SAVE_SECONDS = 5.0
_CODES = "Exit codes: 0 no link fails, 1 links fail or the catalogue has errors, 2 wrong use, 3 the network failed, "
_STATE_OPTION = click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), help=f"What is remembered. Default: {STATE}."
)

_FORMAT_OPTION = click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown", "github"]), help="How to print. Default: text."
)


@click.group(name="links")
def links() -> None:
    """Check the links of the catalogue, and remember how they answered.

    \b
    atlas links check
    atlas links report
    atlas links fix --write
    """


@links.command(cls=FilterCommand, epilog=f"{_CODES}130 interrupted: the same command goes on.")
@click.argument("words", metavar="[QUERY…]", nargs=-1)
@click.option("--host", "hosts", multiple=True, help="Only links to this host and hosts below it; repeatable.")
@_STATE_OPTION
@click.option("--allow-private", is_flag=True, help="Also ask loopback and private addresses.")
@click.option("--max-age", type=click.IntRange(0), default=1, show_default=True, metavar="DAYS")
@click.option(
    "--delay", type=click.FloatRange(0), default=1.0, show_default=True, help="Seconds between two to a host."
)
@click.option("--timeout", type=click.FloatRange(0.1), default=20.0, show_default=True, help="Seconds for an answer.")
@click.option("--longest-wait", type=click.FloatRange(0), default=120.0, show_default=True, metavar="SECONDS")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day to remember. Default: today.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with one object per link.")
@_FORMAT_OPTION
@click.pass_obj
def check(
    session: Session,
    words: tuple[str, ...],
    hosts: tuple[str, ...],
    state: Path | None,
    allow_private: bool,
    max_age: int,
    delay: float,
    timeout: float,
    longest_wait: float,
    today: datetime | None,
    as_json: bool,
    form: str | None,
) -> None:
    """Ask every link of the catalogue, or of the papers a query selects, how it is.

    Links asked less than --max-age days ago are not asked again; so a run that was cut goes on where it stopped, and
    `--max-age 0` asks all. A host that wants a longer pause than --longest-wait is left for another run.
    """
    try:
        from inversion_atlas.links.checking import Pace
    except ModuleNotFoundError as error:
        raise click.UsageError(f"{_INSTALL} ({error.name} is missing)") from None
    form = _form(form, json=as_json)
    day = today.date() if today else date.today()
    path = state or session.root / STATE
    known = read_state(path)
    places = _places(session, words, hosts)
    since = day - timedelta(days=max_age)
    due = [url for url in places if (last := known.of(url)) is None or last.checked <= since or last.checked > day]
    settings = session.catalogue.settings
    contact = settings.contact or settings.repository or ""
    run = _Run(path, known, day, len(due))
    gc.enable()
    left = run.ask(due, allow_private, Pace(delay=delay, timeout=timeout, longest_wait=longest_wait, contact=contact))
    if not (words or hosts or run.interrupted):
        run.forget(places)
    if not run.silent:
        run.save()
    asked = reports.links_of({url: places[url] for url in places if url not in run.unasked}, run.state)
    _print(session.catalogue, asked, form)
    raise SystemExit(run.exit_code(asked, left, len(places) - len(due)))


@links.command(epilog=f"{_CODES}130 interrupted.")
@_STATE_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with one object per link.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown for a standing issue.")
@_FORMAT_OPTION
@click.pass_obj
def report(session: Session, state: Path | None, as_json: bool, as_markdown: bool, form: str | None) -> None:
    """Say what is remembered of the links; nothing is asked.

    \b
    atlas links report
    atlas links report --format github    # annotations beside the lines of a pull request
    """
    form = _form(form, json=as_json, markdown=as_markdown)
    found = _remembered(session, state)
    _print(session.catalogue, found, form)
    raise SystemExit(1 if any(link.standing in ("dead", "failing") for link in found) else 0)


@links.command(epilog="Exit codes: 0 done, 1 the catalogue has errors, 2 wrong use or no list of issues.")
@click.argument("issues", type=click.File("rb"))
@_STATE_OPTION
@click.option("--author", default="github-actions[bot]", show_default=True, help="Who writes the issue.")
@click.pass_obj
def issue(session: Session, issues: IO[bytes], state: Path | None, author: str) -> None:
    """Decide what becomes of the one issue about links, as JSON: {action, number, title, body}.

    \b
    gh issue list --state all --limit 1000 --json number,state,title,body,author > issues.json
    atlas links issue issues.json > verdict.json

    ISSUES is what GitHub lists, open and closed, or - for the standard input. The action is create, update, reopen,
    close or nothing; the issue stands open while a link is dead or has moved for good.
    """
    from inversion_atlas.links.issue import IssuesError, verdict

    try:
        listed = json.loads(issues.read())
        decided = verdict(_remembered(session, state), listed, author)
    except (IssuesError, ValueError, RecursionError) as error:
        message = str(error) if isinstance(error, IssuesError) else "it is no JSON"
        raise click.BadParameter(printable(message), param_hint="ISSUES") from None
    click.echo(json.dumps(decided.as_json(), indent=1, ensure_ascii=False))


@links.command(epilog="Exit codes: 0 done, 1 a file was left as it is, 2 wrong use, 130 interrupted.")
@_STATE_OPTION
@click.option("--write", is_flag=True, help="Change the records; without it, the moves are only shown.")
@click.pass_obj
def fix(session: Session, state: Path | None, write: bool) -> None:
    """Replace addresses that have moved for good, as the last check found them."""
    catalogue = session.catalogue
    found = list(moves(catalogue, link_places(catalogue), read_state(state or session.root / STATE)))
    failed = 0
    for path, group in groupby(sorted(found, key=lambda move: move.place.path), key=lambda move: move.place.path):
        changes = list(group)
        for move in changes:
            click.echo(printable(f"{path} {reports.field(move.place)}: {move.old} -> {move.new}"))
        failed += write and not _written(session.root / path, changes)
    if found and not write:
        click.echo(f"{len(found)} moves; --write applies them.", err=True)
    elif not found:
        click.echo("No link is known to have moved for good.", err=True)
    raise SystemExit(1 if failed else 0)


def _form(form: str | None, *, json: bool = False, markdown: bool = False) -> str:
    """Return the one format that the options name."""
    named = [name for name, wanted in ((form, form), ("json", json), ("markdown", markdown)) if wanted]
    if len(set(named)) > 1:
        raise click.UsageError("name one format: --json, --markdown and --format exclude each other")
    return named[0] or "text" if named else "text"


def _print(catalogue: Catalogue, found: Sequence[reports.Link], form: str) -> None:
    match form:
        case "json":
            click.echo(json.dumps([link.as_json() for link in found], indent=1, ensure_ascii=False))
        case "github":
            for finding in reports.findings(catalogue, found):
                click.echo(annotation(finding))
            click.echo(printable(reports.counted(found)), err=True)
        case _:
            for line in reports.markdown(found) if form == "markdown" else reports.text(found):
                click.echo(printable(line))


def _remembered(session: Session, state: Path | None) -> list[reports.Link]:
    return reports.links_of(link_places(session.catalogue), read_state(state or session.root / STATE))


def _written(path: Path, changes: Sequence[Move]) -> bool:
    try:
        write_atomic(path, moved_text(read_text(path), changes).encode())
    except (ValueError, OSError, YamlError) as error:
        click.echo(printable(f"{path} was left as it is, edit it by hand: {error}"), err=True)
        return False
    return True


def _places(session: Session, words: Sequence[str], hosts: Sequence[str]) -> dict[str, list[Place]]:
    catalogue = session.catalogue
    papers = select(catalogue, filter_text(words)) if words else None
    places = link_places(catalogue, papers)
    return {url: where for url, where in places.items() if _belongs(url, hosts)} if hosts else places


def _belongs(url: str, hosts: Sequence[str]) -> bool:
    parts = urlsplit(url)
    return any(
        host.lower() == parts.netloc.lower() or f".{parts.hostname}".endswith(f".{host.lower()}") for host in hosts
    )


class _Run:
    """One check under way: what it has learned is remembered as it comes, and saved every few seconds."""

    def __init__(self, path: Path, state: State, day: date, total: int) -> None:
        self.state = state
        self.interrupted = False
        self.unasked: set[str] = set()
        self._path = path
        self._day = day
        self._total = total
        self._asked: dict[str, Class] = {}
        self._failing = 0
        self._saved = time.monotonic()
        self._shows = sys.stderr.isatty()

    def ask(self, due: Sequence[str], allow_private: bool, pace: Pace) -> list[str]:
        """Ask what is due until all is asked or somebody interrupts; return what was left for another day."""
        from inversion_atlas.links.checking import Services, check_links
        from inversion_atlas.network.guard import Guard

        left: list[str] = []
        try:
            guard = Guard(allow_private=allow_private)
            left = asyncio.run(check_links(due, self._learn, guard, pace, Services.from_environment()))
        except KeyboardInterrupt:
            self.interrupted = True
        self.unasked = set(due) - set(self._asked)
        if self._shows and due:
            click.echo("\r\x1b[K", nl=False, err=True)
        return left

    @property
    def silent(self) -> bool:
        """Whether nothing at all answered where several hosts were asked."""
        lost = (Class.DNS, Class.NO_CONNECTION, Class.TIMEOUT)
        hosts = {urlsplit(url).netloc for url in self._asked}
        return len(hosts) >= _SILENT_HOSTS and all(kind in lost for kind in self._asked.values())

    def save(self) -> None:
        """Write what is remembered."""
        write_state(self._path, self.state)

    def forget(self, places: dict[str, list[Place]]) -> None:
        """Drop what no record links any more."""
        for url in [url for url in self.state if url not in places]:
            del self.state[url]

    def exit_code(self, asked: Sequence[reports.Link], left: Sequence[str], fresh: int) -> int:
        """Say what was not asked, and return what the command returns."""
        if fresh:
            click.echo(f"{fresh:,} links were asked lately and not again (--max-age 0 asks all).", err=True)
        if left:
            hosts = ", ".join(sorted({urlsplit(url).netloc for url in left})[:10])
            click.echo(printable(f"{len(left):,} links were left for another run: {hosts} wants a pause."), err=True)
        if self.silent:
            click.echo("Nothing answered: is the network up? Nothing was remembered.", err=True)
            return 3
        if self.interrupted:
            click.echo(
                f"Interrupted after {len(self._asked):,} of {self._total:,}; the same command goes on.", err=True
            )
            return 130
        return 1 if any(link.standing in ("dead", "failing") for link in asked) else 0

    def _learn(self, url: str, answer: Answer) -> None:
        self.state[url] = remembered(self.state.get(url), answer, self._day)
        self._asked[url] = answer.kind
        self._failing += answer.kind.failing
        if self._shows:
            told = f"{len(self._asked):,} of {self._total:,} links, {self._failing:,} failing"
            click.echo(f"\r\x1b[K{told}", nl=False, err=True)
        if time.monotonic() - self._saved > _SAVE_SECONDS and not self.silent:
            self.save()
            self._saved = time.monotonic()
