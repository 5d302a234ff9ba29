"""Checking a catalogue: every rule of the table over every record, each finding with its place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from inversion_atlas.catalogue import Catalogue, position, read
from inversion_atlas.checks.rule import Problem, Rule, problems
from inversion_atlas.checks.rules import RULES
from inversion_atlas.records.findings import Finding

__all__ = ["RULES", "Problem", "Rule", "check", "findings", "problems"]

# What the reader says of a file as a whole; whatever else is wrong with it shows once it can be read.
_WHOLE_FILE = ("yaml/", "file/")


def check(root: Path, today: date, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Return every finding about the catalogue at `root`, sorted by path, line, column and code."""
    catalogue, unread = read(root)
    return sorted([*unread, *findings(catalogue, today, rules, unread)], key=_order)


def findings(
    catalogue: Catalogue, today: date, rules: Iterable[Rule] = RULES, unread: Iterable[Finding] = ()
) -> list[Finding]:
    """Return what the rules find in a catalogue, in files other than those that could not be read."""
    skipped = {finding.path for finding in unread if finding.code.startswith(_WHOLE_FILE)}
    found = [pair for pair in problems(rules, catalogue, today) if pair[1].place.path not in skipped]
    # File by file, so that each is parsed once for the positions of all that is wrong with it.
    found.sort(key=lambda pair: pair[1].place.path)
    return [_located(catalogue.root, rule, problem) for rule, problem in found]


def _located(root: Path, rule: Rule, problem: Problem) -> Finding:
    path = problem.place.path
    line, column = problem.at or position(root, problem.place)
    return Finding(rule.code, path, line, column, problem.message, problem.hint, rule.severity)


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.path, finding.line, finding.column, finding.code, finding.message
