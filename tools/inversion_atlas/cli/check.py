"""`atlas check`: every finding about the catalogue, and putting right what is mechanical."""

from __future__ import annotations

import difflib
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import click

from inversion_atlas import checks, generated
from inversion_atlas.atomic import write_atomic
from inversion_atlas.catalogue import read
from inversion_atlas.checks import style
from inversion_atlas.checks.rule import Rule
from inversion_atlas.cli.annotations import annotation
from inversion_atlas.cli.main import Session
from inversion_atlas.records.explain import did_you_mean
from inversion_atlas.records.findings import Finding, Severity, printable

ALL_RULES: tuple[Rule, ...] = (*checks.RULES, *generated.RULES)

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


@click.command(epilog="Exit codes: 0 nothing to mend, 1 findings, 2 wrong use.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", help="How to print.")
@click.option("--fix", is_flag=True, help="Put order, quotes and the spelling of venues, terms and identifiers right.")
@click.option("--diff", is_flag=True, help="With --fix: print what would change, and change nothing.")
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
@click.option("-v", "--notes", is_flag=True, help="Show notes, too.")
@click.option("--explain", metavar="CODE", help="Say what a code means.")
@click.option("--list", "listed", is_flag=True, help="List all codes.")
@click.pass_obj
def check(
    session: Session,
    paths: tuple[Path, ...],
    form: str,
    fix: bool,
    diff: bool,
    strict: bool,
    notes: bool,
    explain: str | None,
    listed: bool,
) -> None:
    """Check every file of the catalogue, or show the findings about some.

    \b
    atlas check
    atlas check data/papers/2019 --notes
    atlas check --fix --diff
    atlas check --explain duplicate/title
    """
    if listed or explain:
        _print_rules(_named(explain) if explain else ALL_RULES)
        return
    if diff and not fix:
        raise click.UsageError("--diff goes with --fix")
    wanted = [_within(session.root, path) for path in paths]
    if fix:
        changed = _fix(session.root, wanted, diff)
        if diff:
            raise SystemExit(1 if changed else 0)
    found = [each for each in checks.check(session.root, date.today(), ALL_RULES) if _is_wanted(each.path, wanted)]
    shown = [each for each in found if notes or each.severity is not Severity.NOTE]
    _print(shown, form)
    _print_summary(found, _files(session.root), notes)
    failing = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    if any(each.severity in failing for each in found):
        raise SystemExit(1)


def _named(code: str) -> list[Rule]:
    found = [rule for rule in ALL_RULES if rule.code == code]
    if not found:
        hint = did_you_mean(code, [rule.code for rule in ALL_RULES])
        raise click.UsageError(f"there is no code {code}; {hint}")
    return found


def _print_rules(rules: Sequence[Rule]) -> None:
    width = max(len(rule.code) for rule in rules)
    for rule in rules:
        click.echo(f"{rule.code:<{width}}  {rule.severity:<7}  {rule.says}")


def _within(root: Path, path: Path) -> str:
    """Return a path as findings name it; one that is not there may be given relative to the root."""
    for candidate in (path, root / path):
        absolute = Path(os.path.abspath(candidate))
        if os.path.lexists(candidate) and absolute.is_relative_to(os.path.abspath(root)):
            return absolute.relative_to(os.path.abspath(root)).as_posix()
    raise click.UsageError(f"there is no file {path} in the catalogue at {root}")


def _is_wanted(path: str, wanted: Iterable[str]) -> bool:
    wanted = list(wanted)
    return not wanted or any(each in (".", path) or path.startswith(f"{each}/") for each in wanted)


def _fix(root: Path, wanted: list[str], diff: bool) -> int:
    """Put files right, or print what would change; return how many."""
    catalogue, _ = read(root)
    fixes = [fix for fix in style.fixes(catalogue) if _is_wanted(fix.path, wanted)]
    for fix in fixes:
        if diff:
            _print_diff(fix)
        else:
            write_atomic(root / fix.path, fix.after.encode())
            click.echo(printable(f"{fix.path}: fixed {', '.join(fix.changes)}"), err=True)
    return len(fixes)


def _print_diff(fix: style.Fix) -> None:
    lines = difflib.unified_diff(
        fix.before.splitlines(), fix.after.splitlines(), f"a/{fix.path}", f"b/{fix.path}", lineterm=""
    )
    for line in lines:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        # A CI log obeys a line that starts with two colons, even behind spaces.
        click.echo(_coloured(printable(line).replace("::", ":\\x3a"), colour), color=_colour())


def _print(found: Sequence[Finding], form: str) -> None:
    if form == "json":
        # A CI log may obey what follows "##[", wherever it stands.
        click.echo(json.dumps([_as_json(each) for each in found], indent=2).replace("##[", "#\\u0023["))
    for each in found if form != "json" else ():
        click.echo(annotation(each) if form == "github" else _as_text(each), color=_colour())


def _as_json(finding: Finding) -> dict[str, str | int]:
    keys = ("code", "severity", "path", "line", "column", "message", "hint")
    return {key: getattr(finding, key) for key in keys}


def _as_text(finding: Finding) -> str:
    place, _, rest = str(finding).partition(f": {finding.severity} [")
    severity = _coloured(str(finding.severity), _COLOURS[finding.severity])
    return f"{_coloured(place, None, bold=True)}: {severity} [{rest}"


def _coloured(text: str, colour: str | None, *, bold: bool = False) -> str:
    return click.style(text, fg=colour, bold=bold or None)


def _colour() -> bool | None:
    """Colours are for terminals, and for those who want them (https://no-color.org)."""
    return False if os.environ.get("NO_COLOR") else None


def _print_summary(found: Sequence[Finding], files: int, notes: bool) -> None:
    count = Counter(each.severity for each in found)
    parts = [f"{count[each]} {each}{'' if count[each] == 1 else 's'}" for each in Severity]
    hidden = "" if notes or not count[Severity.NOTE] else " (--notes shows the notes)"
    click.echo(f"{', '.join(parts)} in {files} files{hidden}", err=True)


def _files(root: Path) -> int:
    return sum(1 for folder in ("data", "taxonomy") for _ in (root / folder).rglob("*.yaml"))
