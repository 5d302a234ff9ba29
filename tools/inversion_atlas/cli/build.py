"""`atlas build` and `atlas serve`: everything that is made from the records, and the website on localhost."""

from __future__ import annotations

import errno
import gc
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.cli.main import Session
from inversion_atlas.records.findings import CatalogueError, Severity

if TYPE_CHECKING:
    from inversion_atlas.website.build import Report
    from inversion_atlas.website.live import LiveSite
    from inversion_atlas.website.server import News, SiteServer

_INTERRUPTED = 130
_LOOK_SECONDS = 0.1
_OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the website. Default: build/site beside the records.",
)
_CHECK = click.option(
    "--check/--no-check", "checked", default=True, help="Stop on errors that `atlas check` finds. Default: check."
)


@click.command()
@_OUT
@_CHECK
@click.option(
    "--shells",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder where another builder has rendered mkdocs.yml; default: MkDocs renders it now.",
)
@click.option("--no-site", is_flag=True, help="Build README.md and schemas/ only.")
@click.pass_context
def build(ctx: click.Context, out: Path | None, checked: bool, shells: Path | None, no_site: bool) -> None:
    """Build README.md, schemas/ and the website.

    \b
    atlas build
    atlas build --out public --no-check
    atlas build --no-site
    zensical build && atlas build --shells build/shells

    The website replaces the previous one only when it is whole: a build that is interrupted or fails changes nothing.
    """
    session: Session = ctx.obj
    if no_site and (out or shells):
        raise click.UsageError("--out and --shells are for the website, which --no-site leaves out")
    with _interruptible(ctx):
        if no_site:
            _build_generated(session, checked)
        else:
            build_all(session, out or _default_out(session), checked, shells)


@click.command()
@_OUT
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.pass_context
def serve(ctx: click.Context, out: Path | None, port: int, host: str) -> None:
    """Build the website, serve it on localhost, and reload open pages when a record changes.

    \b
    atlas serve
    atlas serve --port 8123

    A record that cannot be read is reported here and on open pages, which stay as they were. Ctrl-C ends it.
    """
    from inversion_atlas.website.live import LiveSite, look
    from inversion_atlas.website.server import News

    session: Session = ctx.obj
    out = out or _default_out(session)
    news = News()
    server = _listen(host, port, out, news)
    with _interruptible(ctx):
        seen = look(session.root)
        report = build_all(session, out, False, None)
    _report_errors(session.catalogue)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # A long preview makes and drops records again and again.
    gc.enable()
    try:
        click.echo(f"Serving http://{host}:{server.server_port}/ from {out}; Ctrl-C ends.", err=True)
        _follow(LiveSite(session.catalogue, out, report.shells, seen), news)
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
    finally:
        news.close()
        server.shutdown()
        server.server_close()


def build_all(session: Session, out: Path, checked: bool, shells: Path | None) -> Report:
    """Build everything, saying on stderr how far it is; raises CatalogueError or click.ClickException."""
    from inversion_atlas.website.build import build_site
    from inversion_atlas.website.publish import BusyError, NotOursError
    from inversion_atlas.website.shells import ShellError
    from inversion_atlas.website.theme import ThemeError

    started, processor = time.perf_counter(), time.process_time()
    catalogue = session.catalogue
    if checked:
        _stop_on_errors(catalogue)
    try:
        report = build_site(catalogue, out, progress=_say, shells=shells)
    except (BusyError, NotOursError, ShellError, ThemeError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot write the website: {error}") from None
    _write_generated(catalogue)
    seconds, used = time.perf_counter() - started, time.process_time() - processor
    click.echo(
        f"{out}: {report.files:,} files, {report.size / 1e6:.1f} MB from {len(catalogue.papers):,} papers in "
        f"{seconds:.1f} s ({used:.1f} s of CPU without the theme)",
        err=True,
    )
    return report


def _build_generated(session: Session, checked: bool) -> None:
    if checked:
        _stop_on_errors(session.catalogue)
    _write_generated(session.catalogue)


def _write_generated(catalogue: Catalogue) -> None:
    from inversion_atlas.generated import files
    from inversion_atlas.website.publish import update_file

    for path, text in files(catalogue).items():
        update_file(catalogue.root / path, text)


def _follow(live: LiveSite, news: News) -> None:
    """Stamp what changes until interrupted."""
    waiting: set[str] = set()
    while True:
        if changed := live.changes() | waiting:
            waiting = _refresh(live, changed, news)
        else:
            time.sleep(_LOOK_SECONDS)


def _refresh(live: LiveSite, changed: set[str], news: News) -> set[str]:
    """Bring the site up to date; return what is still to be done because something else changed meanwhile."""
    from inversion_atlas.website.live import Broken

    started, pages = time.perf_counter(), 0
    try:
        for event in live.refresh(changed):
            if isinstance(event, Broken):
                text = "\n".join(map(str, event.findings))
                click.echo(f"{text}\nThe last good pages stay until this is mended.", err=True)
                news.broken(text)
                return set()
            if event.paths:
                pages += len(event.paths)
                news.written(event.paths)
            if more := live.changes():
                return changed | more
    except Exception as error:  # A template in the middle of an edit may fail in any way; the preview goes on.
        text = f"{type(error).__name__}: {error}"
        click.echo(text, err=True)
        news.broken(text)
        return set()
    news.broken("")
    shown = ", ".join(sorted(changed)[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
    _say(f"{shown}: {pages} files new in {time.perf_counter() - started:.2f} s")
    return set()


def _stop_on_errors(catalogue: Catalogue) -> None:
    from inversion_atlas.checks import findings

    found = findings(catalogue, date.today())
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if errors:
        raise CatalogueError(errors)
    warnings = sum(finding.severity is Severity.WARNING for finding in found)
    _say(f"checks: no errors, {warnings} {'warning' if warnings == 1 else 'warnings'}")


def _report_errors(catalogue: Catalogue) -> None:
    from inversion_atlas.checks import findings

    for finding in findings(catalogue, date.today()):
        if finding.severity is Severity.ERROR:
            click.echo(str(finding), err=True)


def _listen(host: str, port: int, out: Path, news: News) -> SiteServer:
    from inversion_atlas.website.server import SiteServer

    try:
        return SiteServer((host, port), out, news)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} is taken; name another with --port, or 0 for any") from None
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


@contextmanager
def _interruptible(ctx: click.Context) -> Iterator[None]:
    """Let Ctrl-C and a polite kill end the work by the same clean way."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # Handlers can be set in the main thread only, and tests may run commands in another.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Interrupted; the previous site stays as it was.", err=True)
        ctx.exit(_INTERRUPTED)


def _default_out(session: Session) -> Path:
    return session.root / "build" / "site"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
