"""`atlas review`: what the files at hand change against a revision of git, as the comment of a pull request says it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from inversion_atlas.atomic import write_atomic
from inversion_atlas.changes import RevisionError
from inversion_atlas.cli.main import Session


@click.command(epilog="Exit codes: 0 no errors, 1 the review shows errors, 2 wrong use.")
@click.argument("base", metavar="REVISION", default="main")
@click.option("--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", help="How to print.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file, and exit with 0."
)
@click.pass_obj
def review(session: Session, base: str, form: str, output: Path | None) -> None:
    """Show which records changed since REVISION, what the checks say of them, and how they will look.

    Compared are the files as they are now, committed or not, with the commit at which they left REVISION.

    \b
    atlas review
    atlas review origin/main
    atlas review HEAD^1 --format json -o review.json
    """
    from inversion_atlas.github.review import review as review_of

    try:
        found = review_of(session.root, base, date.today())
    except RevisionError as error:
        raise click.UsageError(str(error)) from None
    text = (found.model_dump_json(indent=2) if form == "json" else found.markdown()) + "\n"
    if output:
        write_atomic(output, text.encode())
        return
    click.echo(text, nl=False)
    if found.errors:
        raise SystemExit(1)
