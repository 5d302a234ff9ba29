"""Permanent moves, written into the records: the address is replaced in the text, every other byte stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag

import yaml
from pydantic import TypeAdapter, ValidationError

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.checks.links import private_host, session_token, tracking
from inversion_atlas.links.state import Class, State
from inversion_atlas.records.fields import Url
from inversion_atlas.records.yamlfile import Plain, YamlError, compose, parse, read_text

_URL: TypeAdapter[str] = TypeAdapter(Url)
# Where a visitor is asked who he is stands no page that a record means.
_DOORS = ("login", "signin", "sign_in", "sign-in", "sso", "consent", "captcha", "authenticate")


@dataclass(frozen=True, slots=True)
class Move:
    """An address in a record and the one it has moved to for good."""

    place: Place
    old: str
    new: str


def moves(catalogue: Catalogue, places: Mapping[str, Sequence[Place]], state: State) -> Iterator[Move]:
    """Yield what can be replaced: DOIs and arXiv ids are no addresses, and no new one may be worse than the old."""
    for url, where in places.items():
        known = state.of(url)
        if known is None or known.kind is not Class.MOVED or not _acceptable(known.to):
            continue
        for place in where:
            if place.keys[-1] in ("doi", "arxiv"):
                continue
            old = _scalar(catalogue.root, place)
            fragment = urldefrag(old).fragment if old else ""
            if old and urldefrag(old).url == url:
                yield Move(place, old, f"{known.to}#{fragment}" if fragment else known.to)


def moved_text(text: str, changes: Sequence[Move]) -> str:
    """Return the text of one file with its addresses replaced; raises ValueError where it would say anything else."""
    edits = []
    for move in changes:
        node = _node(compose(text), move.place.keys)
        start, end = (node.start_mark.index, node.end_mark.index) if node else (0, 0)
        written = text[start:end]
        if written.strip("\"'") != move.old:
            raise ValueError(f"{move.old} is not written in one piece")
        quote = written[0] if written[0] in "\"'" else ""
        edits.append((start, end, f"{quote}{move.new}{quote}" if quote or _plain_fits(move.new) else f'"{move.new}"'))
    edited = text
    for start, end, new in sorted(edits, reverse=True):
        edited = edited[:start] + new + edited[end:]
    if parse(edited) != _replaced(parse(text), {move.place.keys: move.new for move in changes}):
        raise ValueError("the edit does not read as the record with its new addresses")
    return edited


def _acceptable(url: str) -> bool:
    try:
        _URL.validate_python(url)
    except ValidationError:
        return False
    if session_token(url) or tracking(url) or private_host(url) or '"' in url or "\\" in url:
        return False
    return not any(door in url.lower() for door in _DOORS)


def _plain_fits(url: str) -> bool:
    """Tell whether an address needs no quotes, in a list in brackets either."""
    return not any(char in url for char in ",[]{}'") and not url.endswith(":") and " #" not in url


def _scalar(root: Path, place: Place) -> str:
    try:
        node = _node(compose(read_text(root / place.path)), place.keys)
    except (OSError, YamlError):
        return ""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _node(node: yaml.Node, keys: Sequence[str | int]) -> yaml.Node | None:
    found: yaml.Node | None = node
    for key in keys:
        if isinstance(found, yaml.MappingNode):
            found = next((value for name, value in found.value if name.value == str(key)), None)
        elif isinstance(found, yaml.SequenceNode) and isinstance(key, int) and key < len(found.value):
            found = found.value[key]
        else:
            return None
    return found


def _replaced(data: Plain, values: Mapping[tuple[str | int, ...], str], at: tuple[str | int, ...] = ()) -> Plain:
    if at in values:
        return values[at]
    if isinstance(data, dict):
        return {key: _replaced(value, values, (*at, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [_replaced(item, values, (*at, number)) for number, item in enumerate(data)]
    return data
