"""`atlas github`: what the workflows in `.github/workflows` run, each reading its event from the file GitHub wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import NoReturn

import click

from inversion_atlas.atomic import write_atomic
from inversion_atlas.catalogue import read
from inversion_atlas.cli.add import Asking
from inversion_atlas.cli.main import Session
from inversion_atlas.records.findings import printable

_EVENT = click.option(
    "--event",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="GITHUB_EVENT_PATH",
    required=True,
    help="File of the event. Default: the one that GITHUB_EVENT_PATH names.",
)
_EPILOG = (
    "Exit codes: 0 done, or nothing to do, 1 the input is refused, 2 wrong use, 3 GitHub did not do what it was asked. "
    "Environment: GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_TOKEN, GITHUB_API_URL, as in a workflow."
)


@click.group()
def github() -> None:
    """What the workflows on GitHub run.

    \b
    atlas github draft -o proposal.json     (reads a form and looks up; needs no token)
    atlas github propose proposal.json      (opens the pull request and answers the issue)
    atlas github comment                    (posts the review of a pull request)
    atlas github issue verdict.json         (does with an issue what `atlas links issue` decided)
    atlas github list new.md --title "…"    (keeps the one issue that shows a list up to date)
    """


@github.command(epilog=_EPILOG)
@_EVENT
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@click.pass_obj
def draft(session: Session, event: Path, output: Path) -> None:
    """Turn the form in an issue into a proposal: a record's file, and the words of a pull request and of an answer.

    Nothing is written but the proposal, and nothing at all where the issue is no form, or one for a curator.

    \b
    atlas github draft -o proposal.json
    """
    from inversion_atlas.github import proposal
    from inversion_atlas.github.events import EventError, read_issue_event
    from inversion_atlas.github.forms import FormError, read_answers, read_forms

    try:
        found = read_issue_event(event)
    except EventError as error:
        _stop(1, error)
    issue, body = found.issue, found.issue.body or ""
    if found.action not in ("opened", "edited", "reopened") or issue.state != "open" or issue.pull_request:
        click.echo(f"Nothing to do: the issue was {printable(found.action[:40])}.", err=True)
        return
    try:
        answers = read_answers(body, read_forms(session.root)) if len(body) <= proposal.MAX_BODY else None
        if answers is None:
            click.echo("Nothing to do: the issue was not made by a form.", err=True)
            return
        catalogue, _ = read(session.root)
        with ExitStack() as stack:
            asking = Asking(catalogue, False, stack)
            made = proposal.proposed(issue.number, answers, catalogue, asking, date.today())
    except FormError as error:
        made = proposal.refused(issue.number, str(error))
    if made is None:
        click.echo("Nothing to do: a curator reads this form.", err=True)
        return
    write_atomic(output, (made.model_dump_json(indent=2) + "\n").encode())
    click.echo(printable(f"{output}: {made.path or 'an answer and no file'}"), err=True)


@github.command(epilog=_EPILOG)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_EVENT
def propose(file: Path, event: Path) -> None:
    """Bring a proposal to GitHub: branch, pull request, and one comment on its issue, which is kept up to date.

    A proposal is for the issue of the event, and holds the record of one paper at its place; another is refused.

    \b
    atlas github propose proposal.json
    """
    with _speaking_http():
        from inversion_atlas.github.api import GitHub, GitHubError
        from inversion_atlas.github.events import EventError, read_issue_event
        from inversion_atlas.github.proposing import bring, read_proposal

    try:
        made = read_proposal(file, read_issue_event(event).issue.number)
        with GitHub.from_environment() as hub:
            click.echo(printable(bring(made, hub)), err=True)
    except (EventError, ValueError, OSError) as error:
        _stop(1, error)
    except GitHubError as error:
        _stop(3, error)


@github.command(epilog=_EPILOG)
@_EVENT
def comment(event: Path) -> None:
    """Post the review that a run wrote as the one comment of its pull request, or bring that up to date.

    The review is data of a run that is not trusted: it is read with limits, and goes to the pull request whose head
    is the commit that was run, whatever it says.

    \b
    atlas github comment
    """
    with _speaking_http():
        from inversion_atlas.github.api import GitHub, GitHubError
        from inversion_atlas.github.commenting import comment_on
        from inversion_atlas.github.events import EventError, read_run_event

    try:
        run = read_run_event(event).workflow_run
        with GitHub.from_environment() as hub:
            click.echo(printable(comment_on(run, hub)), err=True)
    except (EventError, ValueError) as error:
        _stop(1, error)
    except GitHubError as error:
        _stop(3, error)


@github.command(epilog=_EPILOG)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def issue(file: Path) -> None:
    """Open, change, reopen or close an issue, as the verdict in FILE says.

    \b
    atlas links issue issues.json > verdict.json
    atlas github issue verdict.json
    """
    with _speaking_http():
        from inversion_atlas.github.api import GitHub, GitHubError
        from inversion_atlas.github.standing import carry_out, read_verdict

    try:
        verdict = read_verdict(file)
        with GitHub.from_environment() as hub:
            click.echo(printable(carry_out(verdict, hub)), err=True)
    except (ValueError, OSError) as error:
        _stop(1, error)
    except GitHubError as error:
        _stop(3, error)


@github.command(name="list", epilog=_EPILOG)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--title", required=True, help="Title of the issue, by which it is known again.")
def keep(file: Path, title: str) -> None:
    """Let one issue say what FILE, a list in Markdown, says; it is opened, changed or reopened.

    \b
    atlas discover > new.md
    atlas github list new.md --title "Works that the catalogue may lack"
    """
    with _speaking_http():
        from inversion_atlas.github.api import GitHub, GitHubError
        from inversion_atlas.github.standing import keep_list

    try:
        with GitHub.from_environment() as hub:
            click.echo(printable(keep_list(file, title, hub)), err=True)
    except (ValueError, OSError) as error:
        _stop(1, error)
    except GitHubError as error:
        _stop(3, error)


@contextmanager
def _speaking_http() -> Iterator[None]:
    """Say what to install where httpx is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"speaking to GitHub needs httpx: pip install 'inversion-atlas[intake]' ({error.name} is missing)"
        raise click.UsageError(message) from None


def _stop(code: int, error: Exception) -> NoReturn:
    # A log of GitHub obeys lines that start with two colons.
    click.echo(printable(str(error)).replace("::", ":\\x3a"), err=True)
    raise SystemExit(code)
