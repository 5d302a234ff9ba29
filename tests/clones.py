"""A clone of this repository in which commands can be run as a contributor runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(sys.executable).parent


def cloned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with the files of this one on branch `main`, and its programs where `make` puts them."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tools"))
    clone = folder / "clone"
    git(folder, "clone", "--quiet", "--no-local", "--depth", "1", f"file://{ROOT}", "clone")
    # What is not committed yet is tested as well.
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for path in filter(None, listed):
        if (ROOT / path).is_file():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_bytes((ROOT / path).read_bytes())
    (clone / ".venv").mkdir()
    (clone / ".venv/bin").symlink_to(PROGRAMS)
    git(clone, "config", "user.name", "A")
    git(clone, "config", "user.email", "a@atlas.example")
    git(clone, "switch", "--quiet", "--force-create", "main")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "As it is")
    # Newer than what it depends on: make installs nothing.
    (clone / ".venv/installed").touch()
    return clone


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; return what it says."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300).stdout
