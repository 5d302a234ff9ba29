"""The command `atlas`: what every command shares, and which module holds which command."""

from __future__ import annotations

import gc
import importlib
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click

from inversion_atlas.catalogue import Catalogue, find_root, is_catalogue, load
from inversion_atlas.query import QueryError
from inversion_atlas.records.findings import CatalogueError

# Command -> module under inversion_atlas.cli; imported only when the command runs, so that `atlas search` is quick.
_COMMANDS = {
    "search": "search",
    "show": "search",
    "stats": "search",
    "coverage": "coverage",
    "check": "check",
    "new": "new",
    "add": "add",
    "links": "links",
    "review": "review",
    "github": "github",
    "discover": "discover",
    "refresh": "refresh",
    "export": "export",
    "schema": "export",
    "build": "build",
    "serve": "build",
    "release": "release",
    "attack": "attack",
    "target": "attack",
    "bench": "attack",
}
_SHOWN_FINDINGS = 20
_INTERRUPTED = 130


@dataclass(frozen=True)
class Session:
    """What the options before the command say."""

    given_root: Path | None

    @cached_property
    def root(self) -> Path:
        """The folder of the catalogue to work on; raises click.UsageError where there is none."""
        if self.given_root and not is_catalogue(self.given_root):
            raise click.UsageError(f"{self.given_root} holds no catalogue (data/papers and taxonomy)")
        try:
            return self.given_root or find_root()
        except FileNotFoundError as error:
            raise click.UsageError(str(error)) from None

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue, read on first use; raises CatalogueError."""
        return load(self.root)


class _Commands(click.Group):
    """Finds commands by name and turns the errors a user can act on into one message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"inversion_atlas.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except CatalogueError as error:
            for finding in error.findings[:_SHOWN_FINDINGS]:
                click.echo(str(finding), err=True)
            rest = len(error.findings) - _SHOWN_FINDINGS
            more = f"{rest} more; " if rest > 0 else ""
            click.echo(f"The catalogue has errors: {more}`atlas check` lists them all.", err=True)
            ctx.exit(1)
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            ctx.exit(_INTERRUPTED)
        except QueryError as error:
            raise click.UsageError(f"{error.message} (at character {error.position + 1}); {error.hint}") from None


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 the catalogue has errors or nothing was found, 2 wrong use, "
    "3 an extra is not installed, 130 interrupted.",
)
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ATLAS_ROOT",
    help="Folder of the catalogue. Default: the one around the current folder, else the one installed with atlas.",
)
@click.version_option(package_name="inversion-atlas", prog_name="atlas")
@click.pass_context
def atlas(ctx: click.Context, root: Path | None) -> None:
    """The living map of model inversion.

    \b
    atlas search access=label-only domain=face "year>=2022" has:code
    atlas show zhu2019deep
    atlas export bibtex family=gradient-inversion -o gradient.bib
    atlas coverage
    atlas check
    """
    ctx.obj = Session(root)


def main() -> None:
    """Run the command; the entry point that `pip` installs."""
    # Titles hold letters that an ASCII or Latin-1 terminal cannot show; replace them rather than stop.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    # A command builds its records once and ends; looking for garbage among them costs a fifth of its time.
    gc.disable()
    atlas(prog_name="atlas")
