"""A finding: what is wrong, where, and what to do."""

from __future__ import annotations

import re
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
        return printable(
            f"{self.path}:{self.line}:{self.column}: {self.severity} [{self.code}] {self.message}.{self.advice}"
        )

    @property
    def advice(self) -> str:
        """The hint as a sentence of its own, or nothing."""
        if not self.hint:
            return ""
        stop = "" if self.hint.endswith(("?", ".", "!")) else "."
        return f" {self.hint[0].upper()}{self.hint[1:]}{stop}"


def printable(text: str) -> str:
    """Return `text` with everything escaped that a terminal or a CI log would obey instead of show."""
    return _COMMAND.sub(r"#\\x23[", _OBEYED.sub(_escaped, text))


# Control characters, half characters, and the marks that change the direction of writing.
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_COMMAND = re.compile(r"##\[")


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or f"\\u{ord(char):04x}"


class CatalogueError(Exception):
    """The catalogue cannot be used as it stands; `findings` says why."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))
