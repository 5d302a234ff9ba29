"""A curator's refusal, written into `data/refused.yaml` beside those that are there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from inversion_atlas.atomic import write_atomic
from inversion_atlas.catalogue import REFUSED, Catalogue
from inversion_atlas.freshness.memory import Candidate
from inversion_atlas.intake import identifiers
from inversion_atlas.records.discovery import WORK_ID, Refusal
from inversion_atlas.records.fields import Record
from inversion_atlas.records.writing import to_yaml
from inversion_atlas.records.yamlfile import Plain, YamlError, compose, parse, read_text

_HEAD = "# Works that `atlas discover` found and a curator did not want.\n"
_PLAIN_KEY = re.compile(r"[A-Za-z][\w./:()-]*[\w/)]")


def read_work_id(text: str) -> str:
    """Return `arxiv:…`, `doi:…` or `openalex:W…` for an id in any of its spellings, or nothing."""
    text = text.strip()
    if WORK_ID.fullmatch(text):
        return text
    if found := re.fullmatch(r"(?:https?://openalex\.org/|openalex:)?(W[0-9]+)", text, re.IGNORECASE):
        return f"openalex:{found[1].upper()}"
    if id := identifiers.read_arxiv(text) or identifiers.arxiv_of_doi(identifiers.read_doi(text)):
        return f"arxiv:{id}"
    doi = identifiers.read_doi(text)
    return f"doi:{doi}" if doi else ""


def refusal(id: str, candidate: Candidate | None, reason: str, today: date) -> Refusal:
    """Return the refusal of a work; raises ValueError where the reason is empty or holds what no file may."""
    fields: dict[str, object] = {"id": id, "reason": " ".join(reason.split()), "date": today}
    if candidate:
        also = tuple(other for other in candidate.ids if other.lower() != id.lower() and WORK_ID.fullmatch(other))
        fields |= {"title": candidate.title, "authors": candidate.authors, "also": also}
    return Refusal.model_validate(fields)


def write_refusal(catalogue: Catalogue, new: Refusal) -> None:
    """Add a refusal to the file, every other line as it was; raises ValueError or OSError and then writes nothing."""
    path = catalogue.root / REFUSED
    entry = f"{_key(new.id)}:\n" + "".join(f"  {line}\n" for line in to_yaml(new).splitlines())
    # The braces of an empty mapping make place for its first entry.
    lines = re.sub(r"(?m)^\{\}[ \t]*$", "", _text(path)).rstrip("\n").splitlines(keepends=True)
    lines[-1:] = [f"{line.rstrip()}\n" for line in lines[-1:]]
    try:
        at = _place("".join(lines), new.id)
        text = "".join([*lines[:at], entry, *lines[at:]])
        written = parse(text)
    except YamlError as error:
        raise ValueError(f"the edit does not read as YAML: {error}") from error
    expected = {**catalogue.refused, new.id: new}
    if not isinstance(written, dict) or _refusals(written) != expected:
        raise ValueError("the edit does not read as the refusals before and the new one")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.encode())


def _place(text: str, id: str) -> int:
    """Return the line before which an entry belongs, so that ids stand in order and comments with their entries."""
    lines = text.splitlines()
    if not any(line.strip() and not line.startswith("#") for line in lines):
        return len(lines)
    later = [key.start_mark.line for key, _ in compose(text).value if str(key.value) > id]
    at = min(later, default=len(lines))
    first = min(key.start_mark.line for key, _ in compose(text).value)
    while at > first and (not lines[at - 1].strip() or lines[at - 1].startswith("#")):
        at -= 1
    return at


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except FileNotFoundError:
        return _HEAD
    except YamlError as error:
        raise ValueError(str(error)) from error


def _refusals(data: Mapping[str, Plain]) -> dict[str, Record]:
    return {id: Refusal.model_validate({**item, "id": id}) for id, item in data.items() if isinstance(item, dict)}


def _key(id: str) -> str:
    return id if _PLAIN_KEY.fullmatch(id) and "//" not in id else json.dumps(id)
