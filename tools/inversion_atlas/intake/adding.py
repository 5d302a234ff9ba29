"""What becomes of each entry: a new draft, an update that is offered, a duplicate, or refused with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from inversion_atlas.atomic import create_atomic
from inversion_atlas.catalogue import Catalogue, paper_path
from inversion_atlas.intake import draft, update
from inversion_atlas.intake.duplicates import Index
from inversion_atlas.intake.entry import Entry, Problem
from inversion_atlas.intake.suggest import Suggester
from inversion_atlas.intake.update import Change
from inversion_atlas.intake.venues import find_venue
from inversion_atlas.records.paper import Paper

NEW, UPDATE, DUPLICATE, REFUSED = "new", "update", "duplicate", "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of an entry. `paper` is its record as it is or would be, `path` the file of the record."""

    entry: Entry
    status: str
    paper: Paper | None = None
    path: str = ""
    why: str = ""
    changes: Sequence[Change] = ()
    todo: Sequence[str] = ()
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what `atlas add --json` says of the entry."""
        entry, links = self.entry, self.paper.links if self.paper and self.status == NEW else None
        return {
            "title": entry.title,
            "authors": list(entry.authors),
            "year": entry.year,
            "venue": (self.paper.venue if links and self.paper and self.paper.venue else entry.venue) or None,
            "doi": (links.doi if links else entry.doi) or None,
            "arxiv": (links.arxiv if links else entry.arxiv) or None,
            "url": entry.url or None,
            "archive": entry.archive or None,
            "status": self.status,
            "id": self.paper.id if self.paper else None,
            "file": self.path or None,
            "why": self.why or None,
            "changes": [{"field": c.field, "old": c.old or None, "new": c.new} for c in self.changes],
            "remaining": list(self.todo),
            "left_out": list(entry.left_out),
            "origin": entry.origin or None,
            "key": entry.key or None,
            "line": entry.line or None,
            "problems": [{"code": p.code, "message": p.message, "line": p.line or None} for p in entry.problems],
        }


@dataclass
class Adding:
    """Takes entries one by one; what it took is known to the next."""

    catalogue: Catalogue
    today: date
    dry_run: bool = False
    index: Index = field(init=False)
    _places: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index = Index(self.catalogue.papers.values())
        self.suggester = Suggester(self.catalogue)
        self._taken = set(self.catalogue.papers) | set(self.catalogue.redirects) | set(self.catalogue.broken)

    def take(self, entry: Entry) -> Outcome:
        """Return what becomes of an entry; a new one is written, whole or not at all."""
        venue = find_venue(entry.venue, self.catalogue)
        paper, entry = draft.paper_of(entry, self.catalogue, self.today)
        if paper is None:
            return Outcome(replace(entry, venue=venue or entry.venue), REFUSED)
        paper, problems = self.index.without_contradictions(paper, entry.line)
        entry = entry.with_problems(problems)
        entry = replace(entry, doi=paper.links.doi or "", arxiv=paper.links.arxiv or "")
        record, why = self.index.find(paper)
        if record is not None:
            return self._known(record, paper, replace(entry, venue=venue or entry.venue), why)
        return self._new(paper, replace(entry, venue=venue or entry.venue), entry)

    def page_of(self, entry: Entry) -> str:
        """Return the address of which a new record wants an archived copy; nothing where none would be written."""
        paper, _ = draft.paper_of(entry, self.catalogue, self.today)
        if paper is None:
            return ""
        paper, _ = self.index.without_contradictions(paper, entry.line)
        return "" if self.index.find(paper)[0] else draft.page_of(paper)

    def apply(self, outcome: Outcome) -> str:
        """Return the text of a record's file with the offered changes in it; raises ValueError or OSError."""
        record = self.catalogue.papers[outcome.paper.id] if outcome.paper else None
        if record is None or outcome.paper is None:
            raise ValueError("there is no record to update")
        current = (self.catalogue.root / outcome.path).read_text(encoding="utf-8")
        return update.edited(current, record, outcome.paper)

    def _known(self, record: Paper, paper: Paper, entry: Entry, why: str) -> Outcome:
        if place := self._places.get(record.id):
            return Outcome(entry, DUPLICATE, record, self._path(record.id), f"{why} as {place}")
        updated, changes, problems = update.offered(record, paper, self.catalogue, entry.line)
        entry = entry.with_problems(problems)
        why = f"{record.id} has {why}"
        if not changes:
            return Outcome(entry, DUPLICATE, record, self._path(record.id), why)
        return Outcome(entry, UPDATE, updated, self._path(record.id), why, changes)

    def _new(self, paper: Paper, shown: Entry, entry: Entry) -> Outcome:
        suggestions = self.suggester.suggest(entry.title, entry.abstract)
        while True:
            paper = draft.with_id(paper, self._taken)
            path = paper_path(paper.id)
            text = draft.text_of(paper, entry, self.catalogue, suggestions)
            if self.dry_run or self._written(self.catalogue.root / path, text):
                break
            # Somebody wrote that file meanwhile: it is never overwritten, and the next id is tried.
            self._taken.add(paper.id)
        self._taken.add(paper.id)
        self.index.add(paper)
        where = f"line {entry.line} of {entry.origin}" if entry.line else entry.origin
        self._places[paper.id] = where or "an earlier entry"
        return Outcome(shown, NEW, paper, path, "", (), draft.remaining(paper, entry), text)

    def _path(self, id: str) -> str:
        return self.catalogue.paths.get(id) or paper_path(id)

    @staticmethod
    def _written(path: Path, text: str) -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            create_atomic(path, text.encode())
        except FileExistsError:
            return False
        return True


def network_failed(entry: Entry) -> bool:
    """Tell whether an entry was refused since the network or a service failed."""
    return any(problem.code == "look-up" for problem in entry.problems)


def unread(origin: str, message: str) -> Entry:
    """Return what stands for a file that could not be opened."""
    return Entry(origin=origin, problems=(Problem("unreadable", message, 0),))
