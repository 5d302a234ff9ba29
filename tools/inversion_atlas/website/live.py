"""Following the sources of a served site: what changed is stamped again, the record one edits first."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from inversion_atlas.catalogue import Catalogue, read
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.fields import Record
from inversion_atlas.records.findings import Finding
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.venue import Venue
from inversion_atlas.records.yamlfile import Plain, YamlError, parse, read_text
from inversion_atlas.stamp import read_stamp
from inversion_atlas.website.build import site_files, themed
from inversion_atlas.website.formulas import formula_findings
from inversion_atlas.website.pages import renderer_for
from inversion_atlas.website.publish import update_file
from inversion_atlas.website.shells import Shell
from inversion_atlas.website.theme import source_folder

_RECORDS = ("data/", "taxonomy/")
_TEMPLATES = "site/templates/"
_BATCH = 25
_COLLECTIONS: dict[str, tuple[str, type[Record]]] = {
    "data/datasets.yaml": ("datasets", Dataset),
    "data/metrics.yaml": ("metrics", Metric),
    "data/venues.yaml": ("venues", Venue),
}
R = TypeVar("R", bound=Record)


Seen = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Written:
    """Files of the site that are new now, by their paths."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The catalogue cannot be read as it stands; the site stays as it was."""

    findings: tuple[Finding, ...]


class LiveSite:
    """A built site and the state of the sources it was built from.

    Its pages keep the stamp of the build, or every one of them would change with every record.
    """

    def __init__(self, catalogue: Catalogue, out: Path, shells: dict[str, Shell], seen: Seen) -> None:
        self.catalogue, self.out, self.shells, self.seen = catalogue, out, shells, seen
        self.source = source_folder(catalogue.root)
        self.stamp = read_stamp(catalogue)

    def changes(self) -> set[str]:
        """Return the sources that changed since the last look, as paths relative to the root."""
        before, self.seen = self.seen, look(self.catalogue.root)
        return {path for path, _ in before.items() ^ self.seen.items()}

    def refresh(self, changed: Collection[str]) -> Iterator[Written | Broken]:
        """Bring the site up to date after changes of sources; yield what was written as soon as it is.

        Whoever stops half-way, because more has changed, hands these changes in again with the next.
        """
        first: set[str] = set()
        if any(path.startswith(_RECORDS) for path in changed):
            catalogue, findings = reread(self.catalogue, changed) or read(self.catalogue.root)
            findings = findings or list(formula_findings(catalogue))
            if findings:
                yield Broken(tuple(findings))
                return
            first, self.catalogue = changed_ids(self.catalogue, catalogue), catalogue
        if any(_is_prose(path) for path in changed):
            self.shells = themed(self.source, self.out, self.catalogue)
        yield from self._stamp(first)
        if any(path.startswith("site/assets/") for path in changed):
            yield Written(("*",))

    def _stamp(self, first: Collection[str]) -> Iterator[Written]:
        renderer = renderer_for(self.catalogue, self.source)
        made: set[str] = set()
        fresh: list[str] = []
        for path, content in site_files(renderer, self.shells, self.stamp, first):
            made.add(path)
            if update_file(self.out / path, content):
                fresh.append(path)
            if len(made) <= len(first) or len(made) % _BATCH == 0:
                yield Written(tuple(fresh))
                fresh = []
        self._remove_others(made)
        yield Written(tuple(fresh))

    def _remove_others(self, made: Collection[str]) -> None:
        """Remove the pages of records that are gone; what the theme brought stays."""
        for path in sorted(self.out.rglob("*"), reverse=True):
            relative = path.relative_to(self.out).as_posix()
            if relative.startswith("assets/") or relative in made or relative == "assets":
                continue
            if path.is_file() and (
                relative.endswith((".html", ".json")) or relative.startswith(("downloads/", "feeds/"))
            ):
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def look(root: Path) -> Seen:
    """Return every source of the site of the catalogue at `root`, with its time and size."""
    source = source_folder(root)
    parts = ((root, "data"), (root, "taxonomy"), (source, "site"), (source, "mkdocs.yml"))
    return {path: state for folder, name in parts for path, state in _files(folder, name)}


def reread(catalogue: Catalogue, changed: Collection[str]) -> tuple[Catalogue, list[Finding]] | None:
    """Return a catalogue with its changed records read anew, or None where only a full reading will do.

    That is many times faster, and enough while known papers, datasets, metrics or venues change and can be read.
    """
    papers, collections = dict(catalogue.papers), dict[str, Any]()
    for path in changed:
        id = PurePosixPath(path).stem
        try:
            written = parse(read_text(catalogue.root / path))
            if not isinstance(written, dict):
                return None
            if path in _COLLECTIONS:
                name, model = _COLLECTIONS[path]
                collections[name] = {id: _built(model, id, fields) for id, fields in sorted(written.items())}
            elif id in papers and catalogue.paths.get(id) == path:
                papers[id] = _built(Paper, id, written)
            else:
                return None
        except (OSError, ValueError, YamlError):
            return None
    return replace(catalogue, papers=papers, **collections), []


def _built(model: type[R], id: str, fields: Plain) -> R:
    if not isinstance(fields, dict) or "id" in fields:
        raise ValueError(f"{id} is no record")
    return model.model_validate({**{key: value for key, value in fields.items() if value is not None}, "id": id})


def changed_ids(before: Catalogue, after: Catalogue) -> set[str]:
    """Return the ids of records that differ between two states of a catalogue."""
    pairs = (
        (before.papers, after.papers),
        (before.datasets, after.datasets),
        (before.metrics, after.metrics),
        (before.venues, after.venues),
        (before.facets, after.facets),
        (before.sources, after.sources),
    )
    return {id for old, new in pairs for id in new if old.get(id) != new[id]}


def _is_prose(path: str) -> bool:
    return path == "mkdocs.yml" or (path.startswith("site/") and not path.startswith(_TEMPLATES))


def _files(root: Path, name: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield every file under `root/name` with its time and size; editors' hidden files are left out."""
    try:
        if os.path.isfile(root / name):
            info = os.stat(root / name)
            yield name, (info.st_mtime_ns, info.st_size)
            return
        with os.scandir(root / name) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.startswith(".") or entry.name == "__pycache__":
                    continue
                if entry.is_dir():
                    yield from _files(root, f"{name}/{entry.name}")
                elif not entry.name.endswith("~"):
                    info = entry.stat()
                    yield f"{name}/{entry.name}", (info.st_mtime_ns, info.st_size)
    except FileNotFoundError:
        # A file can go away between the listing and the look.
        return
