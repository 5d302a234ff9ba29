"""What two states of the catalogue differ in: records added, changed in named fields, renamed, retired.

A state is a Catalogue, or a revision of git; a record that cannot be read in one of them is compared with nothing.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from inversion_atlas.catalogue import SETTINGS, Catalogue, read
from inversion_atlas.records.fields import Record
from inversion_atlas.records.findings import Finding
from inversion_atlas.records.source import Row, Source

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
Fields: TypeAlias = "dict[str, Value]"

# What a state is made of; other files of a revision are not read.
_FOLDERS = ("data", "taxonomy")
_REGULAR = ("100644", "100755")


class RevisionError(Exception):
    """git knows no such revision here, or there is no git; the message says which."""


class What(StrEnum):
    """What became of a record. `renamed`: its id is an alias of `Change.new_id` now."""

    ADDED = "added"
    CHANGED = "changed"
    RENAMED = "renamed"
    RETIRED = "retired"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, as `links.doi` or `taxonomy.family`; None where it was or is not given."""

    field: str
    before: Value
    after: Value

    @property
    def gained(self) -> list[Value]:
        """What a list holds that it did not."""
        return _without(self.after, self.before)

    @property
    def lost(self) -> list[Value]:
        """What a list held and does not."""
        return _without(self.before, self.after)

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.field}: {shown(self.after)}"
        if self.after is None:
            return f"{self.field}: {shown(self.before)} removed"
        if not (isinstance(self.before, list) and isinstance(self.after, list)):
            return f"{self.field}: {shown(self.before)} → {shown(self.after)}"
        parts = [f"+ {shown(value)}" for value in self.gained] + [f"- {shown(value)}" for value in self.lost]
        return f"{self.field}: {', '.join(parts) or 'in another order'}"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one record.

    `kind` is paper, dataset, metric, venue, facet, term, source, row or settings. The id of a term is `facet/term`,
    that of a row `source: place, title`. `path` is the file, relative to the root; `fields` holds all fields of what
    was added, none of what was retired.
    """

    kind: str
    id: str
    what: What
    label: str
    path: str
    fields: tuple[FieldChange, ...] = ()
    new_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return this change as plain data."""
        return {
            "kind": self.kind,
            "id": self.id,
            "what": self.what.value,
            "label": self.label,
            "path": self.path,
            "fields": [{"field": each.field, "before": each.before, "after": each.after} for each in self.fields],
            "new_id": self.new_id,
        }


def changes(before: Catalogue, after: Catalogue) -> tuple[Change, ...]:
    """Return what became of each record, in the order of kinds and ids; what stayed as it was is left out."""
    return tuple(
        change
        for old, new in zip(_tables(before), _tables(after), strict=True)
        if old.file not in before.broken and new.file not in after.broken
        for change in _changes_of(old, new, before.broken, after.broken)
    )


def changes_between(root: Path, before: str, after: str | None = None) -> tuple[Change, ...]:
    """Return what became of each record between two revisions of git, or up to the files as they are.

    Raises RevisionError where git does not know a revision.
    """
    old, _ = read_revision(root, before)
    new, _ = read(root) if after is None else read_revision(root, after)
    return changes(old, new)


def read_revision(root: Path, revision: str) -> tuple[Catalogue, list[Finding]]:
    """Return the catalogue as a revision of git holds it, with a finding for each file that cannot be read.

    Its `root` is a folder that is gone, so that positions in its files cannot be asked. Raises RevisionError.
    """
    with tempfile.TemporaryDirectory(prefix="atlas-revision-") as folder:
        for path, data in files_at(root, revision):
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return read(Path(folder))


def shown(value: Value) -> str:
    """Return a value as one line of plain text."""
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(str(value).split())


@dataclass(frozen=True, slots=True)
class _Item:
    """One record of a state: what a reader calls it, its fields, and the ids that it had before."""

    label: str
    path: str
    fields: Fields
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Table:
    """The records of one kind by id; `file` is the one that holds them all, if one does."""

    kind: str
    items: Mapping[str, _Item]
    file: str = ""


def _tables(catalogue: Catalogue) -> Iterator[_Table]:
    yield _records(catalogue, "paper", catalogue.papers)
    yield _records(catalogue, "dataset", catalogue.datasets, "data/datasets.yaml")
    yield _records(catalogue, "metric", catalogue.metrics, "data/metrics.yaml")
    yield _records(catalogue, "venue", catalogue.venues, "data/venues.yaml")
    yield _records(catalogue, "facet", catalogue.facets, leave_out="terms")
    terms = {
        f"{facet.id}/{id}": (term, facet) for facet in catalogue.facets.values() for id, term in facet.terms.items()
    }
    yield _Table(
        "term",
        {id: _Item(term.label, f"taxonomy/{facet.id}.yaml", _fields(term)) for id, (term, facet) in terms.items()},
    )
    yield _records(catalogue, "source", catalogue.sources, leave_out="rows")
    yield _Table("row", {id: item for source in catalogue.sources.values() for id, item in _rows(source)})
    yield _Table("settings", {"atlas": _Item(catalogue.settings.title, SETTINGS, _fields(catalogue.settings))})


def _records(
    catalogue: Catalogue, kind: str, records: Mapping[str, Any], file: str = "", leave_out: str = ""
) -> _Table:
    items = {
        id: _Item(
            _label(record), catalogue.place(record).path, _fields(record, leave_out), getattr(record, "aliases", ())
        )
        for id, record in records.items()
    }
    # A venue's aliases are spellings of its name.
    if kind == "venue":
        items = {id: _Item(item.label, item.path, item.fields) for id, item in items.items()}
    return _Table(kind, items, file)


def _rows(source: Source) -> Iterator[tuple[str, _Item]]:
    """Yield the rows of a ledger; where several have one place and title, those after the first are numbered."""
    met: Counter[str] = Counter()
    for row in source.rows:
        id = f"{source.id}: {row.place}, {row.title}"
        met[id] += 1
        numbered = id if met[id] == 1 else f"{id} ({met[id]})"
        yield numbered, _Item(row.title, f"data/sources/{source.id}.yaml", _fields(row))


def _label(record: Any) -> str:
    """Return what a reader calls a record: its title, name or label."""
    return next(str(getattr(record, key)) for key in ("title", "name", "label") if hasattr(record, key))


def _fields(record: Record | Row, leave_out: str = "") -> Fields:
    """Return the fields that are given; those of an inner mapping stand under `outer.inner`."""
    dumped = record.model_dump(mode="json", exclude={leave_out} if leave_out else None, exclude_defaults=True)
    fields: Fields = {}
    for key, value in dumped.items():
        if isinstance(value, dict):
            fields |= {f"{key}.{inner}": each for inner, each in value.items()}
        else:
            fields[key] = value
    return fields


def _changes_of(old: _Table, new: _Table, old_broken: frozenset[str], new_broken: frozenset[str]) -> Iterator[Change]:
    renamed = {alias: id for id, item in new.items.items() for alias in item.aliases}
    for id in sorted({*old.items, *new.items}):
        before, after = old.items.get(id), new.items.get(id)
        if before and after:
            if fields := _field_changes(before.fields, after.fields):
                yield Change(new.kind, id, What.CHANGED, after.label, after.path, fields)
        elif after and not _unread(new.kind, id, old_broken):
            fields = _field_changes({}, after.fields)
            yield Change(new.kind, id, What.ADDED, after.label, after.path, fields)
        elif before and _unread(new.kind, id, new_broken):
            yield Change(new.kind, id, What.UNREADABLE, before.label, before.path)
        elif before:
            what = What.RENAMED if id in renamed else What.RETIRED
            yield Change(new.kind, id, what, before.label, before.path, new_id=renamed.get(id))


def _unread(kind: str, id: str, broken: frozenset[str]) -> bool:
    """Tell whether a record, or the file that it stands in, could not be read."""
    holder = {"term": id.partition("/")[0], "row": id.partition(":")[0]}.get(kind, id)
    return holder in broken


def _field_changes(before: Fields, after: Fields) -> tuple[FieldChange, ...]:
    """Return the fields that differ, in the order of the record after, then those that are gone."""
    return tuple(
        FieldChange(field, before.get(field), after.get(field))
        for field in dict.fromkeys((*after, *before))
        if before.get(field) != after.get(field)
    )


def _without(values: Value, others: Value) -> list[Value]:
    """Return the values of a list that another lacks, each as often as it is missing there."""
    rest: list[Value] = list(others) if isinstance(others, list) else []
    missing: list[Value] = []
    for value in values if isinstance(values, list) else []:
        if value in rest:
            rest.remove(value)
        else:
            missing.append(value)
    return missing


def files_at(root: Path, revision: str) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of the data files of a revision: links are left out, and attributes of git unread.

    Raises RevisionError.
    """
    commit = (
        git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    )
    listed = [
        (entry.split(" ")[2], path)
        for line in git(root, "ls-tree", "-r", "-z", commit, "--", *_FOLDERS).decode("utf-8", "replace").split("\0")
        if line and (entry := line.partition("\t")[0]).split(" ")[0] in _REGULAR
        for path in [line.partition("\t")[2]]
        if ".." not in Path(path).parts
    ]
    blobs = _blobs(root, [blob for blob, _ in listed])
    yield from ((path, data) for (_, path), data in zip(listed, blobs, strict=True))


def _blobs(root: Path, names: Sequence[str]) -> Iterator[bytes]:
    """Yield the bytes of each blob, all of them read by one process."""
    answer = git(root, "cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode())
    at = 0
    for _ in names:
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        yield answer[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Return what git answers in `root`; raises RevisionError with what it said."""
    command = ["git", "-C", str(root), *arguments]
    try:
        answer = subprocess.run(command, input=given, capture_output=True, check=False)
    except OSError as error:
        raise RevisionError(f"git cannot be run: {error.strerror}") from None
    if answer.returncode:
        said = answer.stderr.decode("utf-8", "replace").strip() or "git knows no such revision here"
        raise RevisionError(f"{said} (git {arguments[0]} {arguments[-1]})")
    return answer.stdout
