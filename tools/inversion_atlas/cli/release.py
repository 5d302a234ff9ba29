"""`atlas release`: a dated version of the data, ready to be tagged and deposited."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from inversion_atlas.cli.main import Session
from inversion_atlas.records.findings import CatalogueError, Severity, printable


@click.command(epilog="Exit codes: 0 done, 1 the release is refused, 2 wrong use, 130 interrupted.")
@click.argument("version", required=False)
@click.option("--since", metavar="REVISION", help="Compare with this revision. Default: the last release.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to make. Default: build/release/VERSION beside the records.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; print the section of the changelog.")
@click.pass_obj
def release(session: Session, version: str | None, since: str | None, out: Path | None, dry_run: bool) -> None:
    """Make a dated version of the data: changelog, checksums, citation, and an archive for Zenodo.

    \b
    atlas release --dry-run
    atlas release
    atlas release 2026.11.21 --since data-2026.10.01

    VERSION is a day, by default today; a second one of a day is 2026.11.21.1. data/CHANGELOG.md and CITATION.cff are
    changed in place, and the rest is written to a folder of its own. A tree that is not clean, a catalogue with errors
    and a version that exists are refused. Nothing is committed, tagged or pushed: what is left to do is said.
    """
    from inversion_atlas.release import making, notes
    from inversion_atlas.release.version import ReleaseError, Version, read_version

    today = date.today()
    catalogue = session.catalogue
    _stop_on_errors(session.root, today)
    try:
        chosen = read_version(version) if version else Version(today)
        folder = out or session.root / "build" / "release" / str(chosen)
        if folder.exists():
            raise ReleaseError(f"{folder} exists already; remove it, or choose another version")
        made = making.prepare(catalogue, chosen, since, today)
        if dry_run:
            click.echo(made.files["CHANGES.md"].decode(), nl=False)
            click.echo(f"Nothing was written (--dry-run); {folder} would hold:", err=True)
        else:
            making.write(made, session.root, folder)
            click.echo(f"{folder}:", err=True)
    except ReleaseError as error:
        raise click.ClickException(printable(str(error))) from None
    except OSError as error:
        raise click.ClickException(printable(f"cannot write the release: {error}")) from None
    for name, data in sorted(made.files.items()):
        click.echo(f"  {name}  {len(data):,} bytes", err=True)
    since_said = f"since {made.since}: {notes.summary(made.changes)}" if made.since else "the first version"
    click.echo(printable(f"{chosen}, {since_said}."), err=True)
    if not dry_run:
        click.echo("Next, after a look at the changes:", err=True)
        for step in making.next_steps(made, folder):
            click.echo(f"  {step}", err=True)


def _stop_on_errors(root: Path, today: date) -> None:
    from inversion_atlas.checks import check
    from inversion_atlas.cli.check import ALL_RULES

    errors = [finding for finding in check(root, today, ALL_RULES) if finding.severity is Severity.ERROR]
    if errors:
        raise CatalogueError(errors)
