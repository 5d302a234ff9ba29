"""Findings as commands of a GitHub workflow, which it shows beside the lines that they are about."""

from __future__ import annotations

from inversion_atlas.records.findings import Finding, Severity, printable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def annotation(finding: Finding) -> str:
    """Return the finding as one command; whatever it quotes, it stays one line and one command."""
    properties = {"file": finding.path, "line": finding.line, "col": finding.column, "title": finding.code}
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(f'{finding.message}.{finding.advice}')}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
