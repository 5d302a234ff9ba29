"""Files: where they lie, and those that nobody reads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from inversion_atlas.catalogue import Catalogue, Place, paper_path
from inversion_atlas.checks.rule import Problem
from inversion_atlas.records.fields import PAPER_ID

_YEAR = re.compile(r"[0-9]{4}")
# What `data/` itself may hold besides its folders.
_DATA_FILES = frozenset(
    ("datasets.yaml", "metrics.yaml", "venues.yaml", "atlas.yaml", "discovery.yaml", "refused.yaml")
)


def wrong_folders(catalogue: Catalogue) -> Iterator[Problem]:
    """A paper outside the folder of its id's year."""
    for path in _listed(catalogue.root / "data" / "papers", depth=2):
        relative = path.relative_to(catalogue.root).as_posix()
        if path.suffix == ".yaml" and PAPER_ID.fullmatch(path.stem) and relative != (right := paper_path(path.stem)):
            yield Problem(Place(relative), "the file is in the wrong folder", f"move it to {right}", (1, 1))


def unexpected_files(catalogue: Catalogue) -> Iterator[Problem]:
    """Something among the records that is none."""
    root = catalogue.root
    for path in _listed(root / "data" / "papers"):
        if path.is_dir() and not _YEAR.fullmatch(path.name):
            yield _unexpected(root, path, "the folder is no year", "name it after the year of the ids in it")
        elif not path.is_dir():
            yield _unexpected(root, path, "nothing reads this here", "a paper's file lies in the folder of its year")
    for folder in ("taxonomy", "data/sources"):
        yield from _strangers(root, _listed(root / folder))
    yield from _strangers(root, _listed(root / "data" / "papers", depth=2))
    for path in _listed(root / "data"):
        if path.suffix in (".yaml", ".yml") and path.name not in _DATA_FILES:
            yield _unexpected(root, path, "nothing reads this file", f"known are {', '.join(sorted(_DATA_FILES))}")


def symlinks(catalogue: Catalogue) -> Iterator[Problem]:
    """A symbolic link among the records, save those that the reader has refused."""
    root = catalogue.root
    for folder, depth in (("data", 1), ("data/papers", 1), ("data/papers", 2), ("data/sources", 1), ("taxonomy", 1)):
        for path in _listed(root / folder, depth):
            if path.is_symlink() and path.suffix != ".yaml":
                yield _unexpected(root, path, "this is a symbolic link", "put the file itself here")


def unreadable_folders(catalogue: Catalogue) -> Iterator[Problem]:
    """A folder that cannot be listed."""
    papers = catalogue.root / "data" / "papers"
    for folder in (catalogue.root / "taxonomy", catalogue.root / "data" / "sources", papers, *_listed(papers)):
        if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
            yield _unexpected(catalogue.root, folder, "the folder cannot be read", "change its permissions")


def _strangers(root: Path, paths: Iterator[Path]) -> Iterator[Problem]:
    for path in paths:
        if path.suffix == ".yml":
            yield _unexpected(root, path, "nothing reads .yml files", f"rename it to {path.stem}.yaml")
        elif path.suffix != ".yaml":
            yield _unexpected(root, path, "nothing reads this", "remove it")


def _unexpected(root: Path, path: Path, message: str, hint: str) -> Problem:
    return Problem(Place(path.relative_to(root).as_posix()), message, hint, (1, 1))


def _listed(folder: Path, depth: int = 1) -> Iterator[Path]:
    """Yield what lies in a folder, or in its folders, save what keeps an empty folder in git."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for path in entries:
        if depth > 1:
            if path.is_dir():
                yield from _listed(path, depth - 1)
        elif path.name != ".gitkeep":
            yield path
