"""The name of a release: the day it is made, and a number where a day has several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from inversion_atlas.changes import git

TAG = "data-"
_VERSION = re.compile(r"([0-9]{4})\.([0-9]{2})\.([0-9]{2})(?:\.([1-9][0-9]?))?")


class ReleaseError(Exception):
    """No release can be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """`2026.11.21`, or `2026.11.21.1` for a second one of that day."""

    day: date
    number: int = 0

    def __str__(self) -> str:
        return self.day.strftime("%Y.%m.%d") + (f".{self.number}" if self.number else "")

    @property
    def tag(self) -> str:
        """The tag of git that marks this release."""
        return f"{TAG}{self}"


def read_version(text: str) -> Version:
    """Return the version that `text` names; raises ReleaseError."""
    if found := _VERSION.fullmatch(text):
        year, month, day, number = (int(part or 0) for part in found.groups())
        try:
            return Version(date(year, month, day), number)
        except ValueError:
            pass
    raise ReleaseError(f"{text[:40]!r} is no version; write the day as 2026.11.21, a second one as 2026.11.21.1")


def released(root: Path) -> list[Version]:
    """Return the versions that tags of git mark, the earliest first; raises RevisionError."""
    found = []
    for tag in git(root, "tag", "--list", f"{TAG}*").decode("utf-8", "replace").split():
        try:
            found.append(read_version(tag.removeprefix(TAG)))
        except ReleaseError:
            continue
    return sorted(found)
