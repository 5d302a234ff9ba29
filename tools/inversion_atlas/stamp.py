"""Which state of the catalogue something was made from, so that the same commit gives the same bytes."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from inversion_atlas.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Stamp:
    """`version` is a digest of the data files; commit and date (ISO 8601) are empty outside a git checkout."""

    version: str
    commit: str = ""
    date: str = ""


def read_stamp(catalogue: Catalogue) -> Stamp:
    """Return the stamp of a catalogue: the digest of its files and the commit that is checked out there."""
    command = ["git", "-C", str(catalogue.root), "log", "-1", "--format=%H %cI", "--", "."]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        answer = []
    commit, date = answer if len(answer) == 2 else ("", "")
    return Stamp(catalogue.version, commit, date)
