"""Which state of the catalogue something was made from, so that the same commit gives the same bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from inversion_atlas.catalogue import Catalogue


@dataclass(frozen=True)
class Stamp:
    """`version` is a digest of the data files; commit and date (ISO 8601) are empty outside a git checkout."""

    version: str
    commit: str = ""
    date: str = ""
    root: Path | None = None

    @cached_property
    def changed(self) -> Mapping[str, str]:
        """When a commit last changed a file, in UTC, by the file's path; the history is read when this is asked."""
        return last_changes(self.root) if self.root else {}


def read_stamp(catalogue: Catalogue) -> Stamp:
    """Return the stamp of a catalogue: the digest of its files and what git knows of them."""
    answer = _git(catalogue.root, "log", "-1", "--format=%H %cI", "--", ".").split()
    commit, date = answer if len(answer) == 2 else ("", "")
    return Stamp(catalogue.version, commit, date, catalogue.root)


def last_changes(root: Path) -> Mapping[str, str]:
    """Return when each paper's file was last changed by a commit, in one pass over the history.

    A checkout that holds only the last commits would date every file by them, so it tells nothing.
    """
    if _git(root, "rev-parse", "--is-shallow-repository").strip() != "false":
        return {}
    log = _git(root, "log", "--format=%x00%cI", "--name-only", "--no-renames", "--relative", "--", "data/papers")
    changed: dict[str, str] = {}
    for commit in log.split("\0")[1:]:
        date, *paths = commit.splitlines()
        for path in filter(None, paths):
            changed.setdefault(path, utc(date))
    return changed


def utc(date: str) -> str:
    """Return an ISO 8601 date and time in UTC: `2026-11-21T14:33:00Z`."""
    return datetime.fromisoformat(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _git(root: Path, *arguments: str) -> str:
    """Return what git answers, or "" where there is no git or no repository."""
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
