"""What was asked when, and which works were found and not yet decided on: `data/discovered.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from inversion_atlas.atomic import write_atomic
from inversion_atlas.intake.entry import Entry
from inversion_atlas.records.discovery import WorkId
from inversion_atlas.records.fields import ArxivId, Day, Doi, Line, Number, PaperId, Record, Text, Url, Year
from inversion_atlas.records.findings import CatalogueError, Finding

MEMORY = "data/discovered.json"


class Asked(Record):
    """The last time that a question was answered whole, and from which day on works were asked for."""

    since: Day
    day: Day


class Candidate(Record):
    """A work that the catalogue lacks. Abstracts are read and not kept; `cites` and `nearest` are ids of papers."""

    title: Line
    authors: tuple[Line, ...]
    year: Year
    venue: Text | None = None
    doi: Doi | None = None
    arxiv: ArxivId | None = None
    openalex: str | None = None
    url: Url | None = None
    found: Day
    likeness: Number
    words: tuple[Line, ...] = ()
    nearest: tuple[PaperId, ...] = ()
    cites: tuple[PaperId, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id of the work, the one it goes by first."""
        pairs = (("arxiv", self.arxiv), ("doi", self.doi), ("openalex", self.openalex))
        return tuple(f"{kind}:{value}" for kind, value in pairs if value)

    def entry(self) -> Entry:
        """Return the work as importers describe one."""
        return Entry(
            title=self.title,
            authors=self.authors,
            year=self.year,
            venue=self.venue or "",
            doi=self.doi or "",
            arxiv=self.arxiv or "",
            url=self.url or "",
            preprint=not self.doi,
        )


@dataclass
class Memory:
    """Question -> when it was asked; id of a work -> what is known of it."""

    asked: dict[str, Asked] = field(default_factory=dict)
    candidates: dict[str, Candidate] = field(default_factory=dict)

    def since(self, question: str, today: date, look_back: int, first_days: int) -> date:
        """Return from which day on a question is asked: some days before it was last, as indexes learn late."""
        last = self.asked.get(question)
        days = look_back if last else first_days
        return date.fromordinal((min(last.day, today) if last else today).toordinal() - days)


_FORM: TypeAdapter[dict[str, dict[str, Asked]]] = TypeAdapter(dict[str, dict[str, Asked]])
_WORKS: TypeAdapter[dict[WorkId, Candidate]] = TypeAdapter(dict[WorkId, Candidate])


def read_memory(path: Path) -> Memory:
    """Return what is remembered, nothing where there is no file; raises CatalogueError where it is not understood."""
    try:
        data = json.loads(path.read_bytes())
        if not isinstance(data, dict) or data.keys() != {"asked", "candidates"}:
            raise ValueError("the file holds something else than `asked` and `candidates`")
        asked = _FORM.validate_python({"asked": data["asked"]})["asked"]
        return Memory(asked, _WORKS.validate_python(data["candidates"]))
    except FileNotFoundError:
        return Memory()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (OSError, ValueError, RecursionError) as error:
        message = str(error)
    hint = "take it from the last commit, or remove it: then the first days are asked again"
    raise CatalogueError([Finding("discovery/memory", str(path), 1, 1, message[:300], hint)])


def write_memory(path: Path, memory: Memory) -> None:
    """Write what is remembered, a line for each question and work, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f'{{"asked": {_lines(memory.asked)},\n"candidates": {_lines(memory.candidates)}}}\n'
    write_atomic(path, text.encode())


def _lines(records: Mapping[str, Record]) -> str:
    lines = [
        f" {json.dumps(key)}: {json.dumps(record.model_dump(mode='json', exclude_defaults=True), ensure_ascii=False)}"
        for key, record in sorted(records.items())
    ]
    return "{\n" + ",\n".join(lines) + "\n}" if lines else "{}"
