"""`atlas new`: a draft of a record becomes a file of the catalogue."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import click
from pydantic import ValidationError

from inversion_atlas import checks
from inversion_atlas.atomic import create_atomic
from inversion_atlas.catalogue import Catalogue, paper_path, read
from inversion_atlas.checks import duplicates
from inversion_atlas.cli.main import Session
from inversion_atlas.records.explain import describe
from inversion_atlas.records.findings import Finding, Severity, printable
from inversion_atlas.records.folding import fold
from inversion_atlas.records.identifiers import paper_id
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.writing import to_yaml
from inversion_atlas.records.yamlfile import MAX_BYTES, YamlError, decode, locate, parse, read_text

_NO_ID_YET = "draft0000draft"


@click.command(epilog="Exit codes: 0 written, 1 the draft has errors or the work is in the catalogue, 2 wrong use.")
@click.argument("file", metavar="FILE|-", type=click.Path(allow_dash=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Print the record instead of writing it.")
@click.pass_obj
def new(session: Session, file: Path, dry_run: bool) -> None:
    """Add a paper from a draft: the YAML of a record (see docs/records.md), without an id.

    \b
    atlas new draft.yaml
    atlas new - < draft.yaml
    """
    name = "<stdin>" if str(file) == "-" else str(file)
    catalogue, unread = read(session.root)
    draft = _draft(file, name, catalogue)
    paper = _with_id(draft if draft.added else draft.model_copy(update={"added": date.today()}), catalogue)
    if twins := list(duplicates.twins(catalogue, paper)):
        _refuse_twins(name, twins, catalogue)
    path = paper_path(paper.id)
    if dry_run:
        click.echo(f"# {path}\n{to_yaml(paper)}", nl=False)
    else:
        _write(session.root / path, paper)
        click.echo(path)
    if unread:
        click.echo(f"The catalogue has {len(unread)} errors; duplicates in broken files go unseen.", err=True)
    for line in _remaining(catalogue, paper):
        click.echo(printable(line), err=True)


def _draft(file: Path, name: str, catalogue: Catalogue) -> Paper:
    """Return the record that a draft holds, any spelling of a venue put right; ends the command where it is none."""
    try:
        text = decode(sys.stdin.buffer.read(MAX_BYTES)) if name == "<stdin>" else read_text(file)
        data = parse(text)
    except YamlError as error:
        _refuse([error.finding(name)])
    except UnicodeDecodeError as error:
        _refuse([Finding("yaml/not-utf8", name, 1, 1, f"byte {error.start + 1} is not UTF-8", "save it as UTF-8")])
    except OSError as error:
        raise click.UsageError(f"cannot read {name}: {error.strerror}") from None
    if not isinstance(data, dict):
        _refuse([Finding("record/not-a-mapping", name, 1, 1, "the draft is no mapping", "write `key: value` lines")])
    if "id" in data:
        line, column = locate(text, ("id",))
        _refuse([Finding("record/id-inside", name, line, column, "the id is assigned by this command", "remove it")])
    fields = {key: value for key, value in data.items() if value is not None}
    if isinstance(venue := fields.get("venue"), str):
        fields["venue"] = catalogue.venue_spellings.get(fold(venue), venue)
    try:
        return Paper.model_validate({**fields, "id": _NO_ID_YET})
    except ValidationError as error:
        _refuse(_explained(detail, text, name) for detail in error.errors(include_url=False))


def _explained(detail: Any, text: str, name: str) -> Finding:
    code, message, hint = describe(detail, Paper)
    return Finding(f"record/{code}", name, *locate(text, detail["loc"]), message, hint)


def _with_id(draft: Paper, catalogue: Catalogue) -> Paper:
    taken = catalogue.papers.keys() | catalogue.redirects.keys() | catalogue.broken
    return draft.model_copy(update={"id": paper_id(draft.authors, draft.year, draft.title, taken)})


def _refuse_twins(name: str, twins: Iterable[tuple[Paper, str]], catalogue: Catalogue) -> None:
    _refuse(
        Finding(
            "duplicate/paper",
            name,
            1,
            1,
            f"{catalogue.place(twin).path} has {why}",
            f"complete that record, or, if they are two works, write `not_duplicate_of: [{twin.id}]`",
        )
        for twin, why in twins
    )


def _write(path: Path, paper: Paper) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        create_atomic(path, to_yaml(paper).encode())
    except FileExistsError:
        raise click.UsageError(f"{path} exists already; it is never overwritten") from None


def _remaining(catalogue: Catalogue, paper: Paper) -> Iterable[str]:
    """Yield what the checks say of the new record, in the order of their severity."""
    grown = replace(catalogue, papers={**catalogue.papers, paper.id: paper})
    path = grown.place(paper).path
    found = [
        (rule, problem)
        for rule, problem in checks.problems(checks.RULES, grown, date.today())
        if problem.place.path == path
    ]
    for rule, problem in sorted(found, key=lambda pair: list(Severity).index(pair[0].severity)):
        where = ".".join(map(str, problem.place.keys)) or path
        advice = Finding(rule.code, path, 1, 1, problem.message, problem.hint).advice
        yield f"{where}: {rule.severity} [{rule.code}] {problem.message}.{advice}"


def _refuse(findings: Iterable[Finding]) -> NoReturn:
    for finding in findings:
        click.echo(str(finding), err=True)
    raise SystemExit(1)
