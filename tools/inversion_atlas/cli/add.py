"""`atlas add`: papers from identifiers, addresses and bibliographies become draft records."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion_atlas.atomic import uninterrupted, write_atomic
from inversion_atlas.catalogue import Catalogue, read
from inversion_atlas.cli.main import Session
from inversion_atlas.cli.reader import open_reader, whisper
from inversion_atlas.intake import files
from inversion_atlas.intake.adding import DUPLICATE, NEW, REFUSED, UPDATE, Adding, Outcome, network_failed, unread
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.identifiers import read_arxiv
from inversion_atlas.records.findings import printable

if TYPE_CHECKING:
    from inversion_atlas.intake.archive import Archive
    from inversion_atlas.intake.lookup import LookUp

_FILE_ENDINGS = (".bib", ".bibtex", ".ris", ".json", ".txt", ".nbib", ".enw")
# With more new records than this, what remains to be done is said once for all.
_SHOWN_TODO = 5
_SHOWN_FIELDS = 12
_PROGRESS_EVERY = 100
_KEYS = (
    "--archive has copies made by an account of the Internet Archive: set ATLAS_ARCHIVE_KEYS to its access:secret "
    "(https://archive.org/account/s3.php)"
)


@click.command(
    epilog="Exit codes: 0 done, 1 entries were refused, 2 wrong use, 3 the network or a service failed, "
    "130 interrupted. Environment: ATLAS_CACHE (folder of look-ups), ATLAS_DELAY (seconds between questions to a "
    "host), ATLAS_ALLOW_PRIVATE=1 (look-ups may reach private addresses), ATLAS_CROSSREF_URL … (docs/adding.md)."
)
@click.argument("things", metavar="THING…", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be written.")
@click.option("--offline", is_flag=True, help="Use only files and what was looked up before.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with one object per entry read.")
@click.option(
    "--archive", "archiving", is_flag=True, help="Have archived copies made where there are none (ATLAS_ARCHIVE_KEYS)."
)
@click.option("--update", "updating", is_flag=True, help="Apply what is offered for records that exist, after asking.")
@click.option("--yes", is_flag=True, help="With --update: do not ask.")
@click.pass_obj
def add(
    session: Session,
    things: tuple[str, ...],
    dry_run: bool,
    offline: bool,
    as_json: bool,
    archiving: bool,
    updating: bool,
    yes: bool,
) -> None:
    """Add papers as draft records.

    A THING is a DOI, an arXiv id or address, an address at OpenReview, the ACL Anthology, CVF, USENIX, PMLR, NeurIPS
    or DBLP, a file of BibTeX, RIS or CSL-JSON, or - for what is pasted.

    \b
    atlas add 10.1145/2810103.2813677
    atlas add arXiv:1906.08935 https://openreview.net/forum?id=rkgn1h4twH
    atlas add references.bib --dry-run
    """
    if yes and not updating:
        raise click.UsageError("--yes goes with --update")
    if updating and not yes and ("-" in things or not sys.stdin.isatty()):
        raise click.UsageError("--update asks before each change; where nobody can answer, add --yes")
    keys = os.environ.get("ATLAS_ARCHIVE_KEYS", "") if archiving else ""
    if archiving and (offline or dry_run):
        raise click.UsageError("--archive goes neither with --offline nor with --dry-run")
    if archiving and not re.fullmatch(r"[!-9;-~]+:[!-9;-~]+", keys):
        raise click.UsageError(_KEYS)
    catalogue, broken = read(session.root)
    with ExitStack() as stack:
        asking = Asking(catalogue, offline, stack, keys)
        entries = list(_entries(things, asking))
        adding = Adding(catalogue, date.today(), dry_run)
        report = _JsonReport() if as_json else _TextReport(dry_run, updating)
        outcomes, interrupted = _taken(entries, asking, adding, report, updating, yes)
    report.end(outcomes, len(entries), interrupted)
    if broken:
        click.echo(f"The catalogue has {len(broken)} errors; duplicates in broken files go unseen.", err=True)
    raise SystemExit(130 if interrupted else _exit_code(outcomes))


def _taken(
    entries: Sequence[Callable[[], Entry]],
    asking: Asking,
    adding: Adding,
    report: _JsonReport | _TextReport,
    updating: bool,
    yes: bool,
) -> tuple[list[Outcome], bool]:
    """Take entry after entry until all are taken or somebody interrupts, which waits only while one is written."""
    outcomes: list[Outcome] = []
    try:
        for number, given in enumerate(entries, 1):
            entry = asking.complete(given())
            if not adding.dry_run:
                entry = asking.archived(entry, adding)
            with uninterrupted():
                outcome = adding.take(entry)
                outcomes.append(outcome)
                report.tell(outcome)
            if updating and outcome.status == UPDATE and not adding.dry_run:
                _update(adding, outcome, yes)
            if number % _PROGRESS_EVERY == 0 and number < len(entries):
                click.echo(f"{number} of {len(entries)} entries", err=True)
    except (KeyboardInterrupt, click.Abort):
        return outcomes, True
    return outcomes, False


def _entries(things: Sequence[str], asking: Asking) -> Iterator[Callable[[], Entry]]:
    """Yield for each entry what gives it: those of files are at hand, those to be looked up are asked for in turn."""
    for thing in things:
        if thing == "-":
            data = sys.stdin.buffer.read(files.MAX_BYTES + 1)
            pasted = list(files.pasted_things(data))
            yield from (
                (asking.later(line) for line in pasted) if pasted else map(asking.given, files.read(data, "<stdin>"))
            )
        elif (path := Path(thing)).is_file():
            yield from map(asking.given, _file(path))
        elif thing.lower().endswith(_FILE_ENDINGS) and "://" not in thing:
            raise click.UsageError(f"there is no file {thing}")
        else:
            yield asking.later(thing)


def _file(path: Path) -> list[Entry]:
    try:
        with path.open("rb") as file:
            return files.read(file.read(files.MAX_BYTES + 1), str(path))
    except OSError as error:
        return [unread(str(path), f"cannot read {path}: {error.strerror}")]


class Asking:
    """Looks things up, with a client that is made when first needed."""

    def __init__(self, catalogue: Catalogue, offline: bool, stack: ExitStack, keys: str = "") -> None:
        self._catalogue = catalogue
        self._keys = keys
        self._archive: Archive | None = None
        self._offline = offline
        self._stack = stack
        self._look_up: LookUp | None = None
        self._expected: list[str] = []

    def later(self, thing: str) -> Callable[[], Entry]:
        """Return what looks a thing up when its turn comes."""
        self._expected.append(read_arxiv(thing))
        return lambda: self._made().thing(thing)

    def given(self, entry: Entry) -> Callable[[], Entry]:
        """Return what gives an entry that is at hand."""
        if not self._offline and not entry.refused:
            self._expected.append(entry.arxiv)
        return lambda: entry

    def complete(self, entry: Entry) -> Entry:
        """Return an entry of a file with what its identifiers lead to; offline, and looked up already, as it is."""
        if self._offline or entry.refused or entry.evidence or not (entry.doi or entry.arxiv):
            return entry
        return self._made().complete(entry)

    def archived(self, entry: Entry, adding: Adding) -> Entry:
        """Return an entry that will be a new record with the address of an archived copy, where there is one."""
        if self._offline or entry.refused or not (page := adding.page_of(entry)):
            return entry
        archive = self._archives()
        return replace(entry, archive=archive.copy_of(page)) if archive else entry

    def _made(self) -> LookUp:
        if self._look_up is None:
            reader, services, mail = open_reader(self._catalogue.settings, self._stack, offline=self._offline)
            from inversion_atlas.intake.lookup import LookUp

            self._look_up = LookUp(reader, services, mail)
            for id in self._expected:
                self._look_up.expect(id)
        return self._look_up

    def _archives(self) -> Archive | None:
        if self._archive is None:
            try:
                from inversion_atlas.intake.archive import Archive
            except ModuleNotFoundError:
                # A file is read without what look-ups need.
                return None
            # A copy is welcome and never worth a long wait.
            patience = {"tries": 1, "read_timeout": 8.0, "deadline": 12.0}
            reader, services, _ = open_reader(self._catalogue.settings, self._stack, patience=patience)
            self._archive = Archive(reader, services.archive, services.archive_web, self._keys, whisper)
        return self._archive


def _update(adding: Adding, outcome: Outcome, yes: bool) -> None:
    if not yes and not click.confirm(f"Change {outcome.path}?", err=True):
        return
    try:
        text = adding.apply(outcome)
        with uninterrupted():
            write_atomic(adding.catalogue.root / outcome.path, text.encode())
    except (ValueError, OSError) as error:
        click.echo(printable(f"{outcome.path} was left as it is, edit it by hand: {error}"), err=True)
    else:
        click.echo(f"changed {outcome.path}", err=True)


class _JsonReport:
    """A JSON array, item by item, closed even where the command is interrupted."""

    def __init__(self) -> None:
        self._opened = False

    def tell(self, outcome: Outcome) -> None:
        click.echo(
            ("[" if not self._opened else ",") + "\n  " + json.dumps(outcome.as_json(), ensure_ascii=False), nl=False
        )
        self._opened = True

    def end(self, outcomes: Sequence[Outcome], total: int, interrupted: bool) -> None:
        click.echo("\n]" if self._opened else "[]")
        if interrupted:
            click.echo(f"Interrupted after {len(outcomes)} of {total} entries.", err=True)


class _TextReport:
    """A line for each entry, its problems under it, and in the end what remains to be done."""

    def __init__(self, dry_run: bool, updating: bool) -> None:
        self._dry_run = dry_run
        self._updating = updating

    def tell(self, outcome: Outcome) -> None:
        entry = outcome.entry
        at = f"{entry.origin}:{entry.line}" if entry.line else entry.origin
        name = entry.title or entry.key or "(no title)"
        where = outcome.path or at
        color = {NEW: "green", UPDATE: "yellow", REFUSED: "red"}.get(outcome.status)
        head = click.style(f"{outcome.status:<9}", fg=color)
        click.echo(f"{head} {printable(where)}  {printable(name[:120])}")
        if outcome.why:
            click.echo(f"          {printable(outcome.why)}")
        for change in outcome.changes:
            click.echo(f"          {printable(str(change))}")
        for problem in entry.problems:
            place = f"{entry.origin}:{problem.line}: " if problem.line else ""
            click.echo(printable(f"          {place}[{problem.code}] {problem.message}"), err=True)

    def end(self, outcomes: Sequence[Outcome], total: int, interrupted: bool) -> None:
        counts = {status: sum(o.status == status for o in outcomes) for status in (NEW, UPDATE, DUPLICATE, REFUSED)}
        if total > 1:
            click.echo(", ".join(f"{count} {status}" for status, count in counts.items() if count), err=True)
        if interrupted:
            rest = total - len(outcomes)
            click.echo(f"Interrupted: {rest} entries were not begun; the same command goes on with them.", err=True)
        if left_out := Counter(name for outcome in outcomes for name in outcome.entry.left_out):
            named = ", ".join(f"{name} ({count})" for name, count in left_out.most_common(_SHOWN_FIELDS))
            more = f" and {len(left_out) - _SHOWN_FIELDS} others" if len(left_out) > _SHOWN_FIELDS else ""
            click.echo(printable(f"Left out, since records hold no such fields: {named}{more}."), err=True)
        written = [outcome for outcome in outcomes if outcome.status == NEW]
        for outcome in written[:_SHOWN_TODO]:
            click.echo(f"Remains in {outcome.path}: {printable('; '.join(outcome.todo))}.", err=True)
        if len(written) > _SHOWN_TODO:
            click.echo("In each of the others likewise; each file names the choices.", err=True)
        if written and self._dry_run:
            click.echo("Nothing was written (--dry-run).", err=True)
        elif written:
            click.echo("Then: atlas check", err=True)
        if counts[UPDATE] and not self._updating:
            click.echo("Records that exist were not changed; --update applies what is offered.", err=True)


def _exit_code(outcomes: Sequence[Outcome]) -> int:
    refused = [outcome for outcome in outcomes if outcome.status == REFUSED]
    if any(network_failed(outcome.entry) for outcome in refused):
        return 3
    return 1 if refused else 0
