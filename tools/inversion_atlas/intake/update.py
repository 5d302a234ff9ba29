"""What a description of a work adds to its record: a list of field, old and new value, and the edit of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.intake.entry import Problem
from inversion_atlas.records.folding import fold
from inversion_atlas.records.paper import Links, Paper
from inversion_atlas.records.venue import VenueType
from inversion_atlas.records.writing import format_text, to_yaml
from inversion_atlas.records.yamlfile import YamlError, compose, parse

_FACTS = ("venue", "volume", "issue", "pages")
_LINKS = ("doi", "arxiv", "paper", "pdf")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a record: `links.doi`, what it holds and what it would hold."""

    field: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.field}: {self.old or '(nothing)'} -> {self.new}"


def offered(
    record: Paper, new: Paper, catalogue: Catalogue, line: int = 0
) -> tuple[Paper, list[Change], list[Problem]]:
    """Return the record as it would be, what changes, and what contradicts it and is left to a curator.

    Nothing known is overwritten, save a preprint's venue, year and numbers by those of its publication.
    """
    published = is_preprint(record, catalogue) and not is_preprint(new, catalogue)
    earlier = not is_preprint(record, catalogue) and is_preprint(new, catalogue)
    update: dict[str, Any] = {}
    problems: list[Problem] = []
    if published:
        update |= {"year": new.year, "venue": new.venue, "volume": new.volume, "issue": new.issue, "pages": new.pages}
        if fold(new.title) != fold(record.title):
            others = tuple(dict.fromkeys((*record.other_titles, record.title)))
            update |= {"title": new.title, "other_titles": tuple(title for title in others if title != new.title)}
    elif not earlier and (not record.venue or record.venue == new.venue):
        update |= {name: getattr(new, name) for name in _FACTS if not getattr(record, name) and getattr(new, name)}
    links: dict[str, Any] = {}
    for name in _LINKS:
        old, given = getattr(record.links, name), getattr(new.links, name)
        if given and not old:
            links[name] = given
        elif given and old and name in ("doi", "arxiv") and given.lower() != old.lower():
            message = f"{record.id} has the {name} {old}, this entry says {given}; look which is right"
            problems.append(Problem("id-differs", message, line))
    if links:
        update["links"] = record.links.model_copy(update=links)
    changes = list(_changes(record, update, links))
    if changes and (evidence := [url for url in new.evidence if url not in record.evidence]):
        update["evidence"] = (*record.evidence, *evidence)
        changes.append(Change("evidence", "", ", ".join(evidence)))
    return record.model_copy(update=update), changes, problems


def edited(text: str, record: Paper, updated: Paper) -> str:
    """Return the file of a record with the changed fields and every other line as it was; raises ValueError.

    The new lines come from the canonical text of the updated record. What comes out must read as that record.
    """
    canonical = to_yaml(updated)
    for path in _changed_paths(record, updated):
        text = _with_block(text, canonical, path)
    try:
        text = format_text(text, Paper)
        data = parse(text)
        read = Paper.model_validate({**data, "id": record.id}) if isinstance(data, dict) else None
    except (YamlError, ValueError) as error:
        raise ValueError(f"the edit does not read as a record: {error}") from error
    if read != updated:
        raise ValueError("the edit does not read as the updated record")
    return text


def is_preprint(paper: Paper, catalogue: Catalogue) -> bool:
    """Tell whether a paper names no venue, or one that is a preprint server."""
    venue = catalogue.venues.get(paper.venue or "")
    return venue is None or venue.type is VenueType.PREPRINT


def _changes(record: Paper, update: Mapping[str, Any], links: Mapping[str, str]) -> Iterator[Change]:
    for name, value in update.items():
        old = getattr(record, name)
        if name == "links":
            yield from (Change(f"links.{key}", getattr(record.links, key) or "", given) for key, given in links.items())
        elif value != old and value:
            yield Change(name, _shown(old), _shown(value))


def _shown(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, tuple) else str(value or "")


def _changed_paths(record: Paper, updated: Paper) -> Iterator[tuple[str, ...]]:
    for name in Paper.model_fields:
        old, new = getattr(record, name), getattr(updated, name)
        if old == new:
            continue
        if name == "links" and old != Links():
            yield from (("links", key) for key in Links.model_fields if getattr(old, key) != getattr(new, key))
        else:
            yield (name,)


def _with_block(text: str, canonical: str, path: tuple[str, ...]) -> str:
    """Put the lines of one key, as the canonical text has them, in the place of the text's own, or after its last."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    block = _block(canonical, path)
    new = canonical.splitlines(keepends=True)[block[0] : block[1]] if block else []
    if old := _block(text, path):
        lines[old[0] : old[1]] = new
    elif outer := _block(text, path[:-1]):
        lines[outer[1] : outer[1]] = new
    else:
        # After the last value; what stands behind it is no part of a record.
        end = len(lines)
        while end and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
            end -= 1
        lines[end:end] = new
    return "".join(lines)


def _block(text: str, path: tuple[str, ...]) -> tuple[int, int] | None:
    """Return the first line of a key and the line after its value, without the comments and gaps that follow it."""
    if not path:
        return None
    lines = text.splitlines()
    node, end = compose(text), len(lines)
    start = 0
    for key in path:
        pairs = node.value if hasattr(node, "value") and isinstance(node.value, list) else []
        at = next((at for at, pair in enumerate(pairs) if pair[0].value == key), None)
        if at is None:
            return None
        start = pairs[at][0].start_mark.line
        end = pairs[at + 1][0].start_mark.line if at + 1 < len(pairs) else end
        node = pairs[at][1]
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return start, end
