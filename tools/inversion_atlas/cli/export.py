"""`atlas export` and `atlas schema`: the catalogue in the formats of others, and the form of its own files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from inversion_atlas.atomic import write_atomic
from inversion_atlas.cli.filters import FilterCommand, filter_text
from inversion_atlas.cli.main import Session
from inversion_atlas.query import select
from inversion_atlas.records.explain import did_you_mean

OUTPUT = click.option(
    "-o", "--output", metavar="FILE", default="-", help="Write to FILE, at once or not at all. Default: - (the shell)."
)


def _list_formats(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from inversion_atlas.exports.formats import FORMATS

    for format in FORMATS.values():
        click.echo(f"{format.name:<10} {format.describe}")
    ctx.exit()


@click.command(cls=FilterCommand)
@click.argument("format", metavar="FORMAT")
@click.argument("filter", nargs=-1, metavar="[FILTER]...")
@OUTPUT
@click.option("--all", "everything", is_flag=True, help="Include works of kind background.")
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_formats, help="List the formats and stop."
)
@click.pass_context
def export(ctx: click.Context, format: str, filter: tuple[str, ...], output: str, everything: bool) -> None:
    """Write papers in another format: all of them, or those a filter names.

    \b
    atlas export bibtex access=label-only "year>=2022" -o label-only.bib
    atlas export latex family=gradient-inversion has:code > table.tex
    atlas export csl-json id=zhu2019deep
    atlas export csv -kind:survey -o atlas.csv
    atlas export sqlite --all -o atlas.sqlite

    The filter is the language of `atlas search`. Without one, everything but background works is written.
    """
    from inversion_atlas.exports.formats import FORMATS
    from inversion_atlas.exports.missing import MissingPackageError

    chosen = FORMATS.get(format)
    if not chosen:
        raise click.UsageError(f"there is no format {format!r}; {did_you_mean(format, FORMATS)}")
    if chosen.binary and output == "-" and _on_terminal():
        raise click.UsageError(f"{format} is no text; name a file: -o atlas.{chosen.extension}")
    session: Session = ctx.obj
    papers = select(session.catalogue, filter_text(filter), background=everything)
    if not papers:
        click.echo("No paper matches, so nothing was written.", err=True)
        ctx.exit(1)
    try:
        data = chosen.write(session.catalogue, papers)
    except MissingPackageError as error:
        raise click.ClickException(str(error)) from None
    _deliver(data, output)
    if output != "-":
        click.echo(f"{len(papers)} {'paper' if len(papers) == 1 else 'papers'} in {output}", err=True)


@click.command()
@click.argument("name", required=False)
@OUTPUT
@click.pass_context
def schema(ctx: click.Context, name: str | None, output: str) -> None:
    """Print the JSON Schema of a kind of file, for an editor that completes and checks while you write.

    \b
    atlas schema                                     names the kinds
    atlas schema paper -o paper.schema.json
    # yaml-language-server: $schema=paper.schema.json    (first line of a record)
    """
    from inversion_atlas.exports.schema import SCHEMAS
    from inversion_atlas.exports.schema import schema as schema_of

    if name is None:
        click.echo("\n".join(SCHEMAS))
        return
    if name not in SCHEMAS:
        raise click.UsageError(f"there is no schema {name!r}; {did_you_mean(name, SCHEMAS)}")
    session: Session = ctx.obj
    made = schema_of(session.catalogue, name)
    _deliver((json.dumps(made, ensure_ascii=False, indent=2) + "\n").encode(), output)


def _deliver(data: bytes, output: str) -> None:
    if output == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        write_atomic(Path(output), data)
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from None


def _on_terminal() -> bool:
    return sys.stdout.isatty()
