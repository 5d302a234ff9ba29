"""A finding: what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error stops a build, a warning does not, a note is for whoever has time."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong at one place. `path` is relative to the catalogue's root; lines and columns start at 1."""

    code: str
    path: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        hint = f" {self.hint[0].upper()}{self.hint[1:]}." if self.hint else ""
        return f"{self.path}:{self.line}:{self.column}: {self.severity} [{self.code}] {self.message}.{hint}"


class CatalogueError(Exception):
    """The catalogue cannot be used as it stands; `findings` says why."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))
