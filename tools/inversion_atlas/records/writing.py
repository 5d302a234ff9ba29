"""Records as YAML text: a new record in the canonical form, and the least edits that bring a file to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

import yaml
from pydantic import BaseModel

from inversion_atlas.records.fields import Record
from inversion_atlas.records.folding import fold
from inversion_atlas.records.paper import PASSIVE, VERBS, Paper, Relation
from inversion_atlas.records.yamlfile import Plain, YamlError, compose, parse

WIDTH = 110
# Fields whose texts always stand in double quotes: they look like numbers or hold commas.
QUOTED = frozenset(("authors", "doi", "arxiv"))
# A longer key must stand behind a question mark.
_LONGEST_KEY = 1000
_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`")
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
# Not allowed bare in YAML, or invisible there.
_ESCAPED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_BREAKABLE = re.compile(r"(?<=[^ ]) (?=[^ ])")


def to_yaml(record: Record) -> str:
    """Return the canonical text of a record, without its id, which is its name."""
    return "".join(f"{line}\n" for line in _mapping_lines(_plain_record(record), 0))


class Misplaced(NamedTuple):
    """Something in a text that is not in canonical form; line and column start at 1."""

    what: str
    line: int
    column: int


KEY_ORDER, QUOTES, VENUE, ENTRY_ORDER = "key order", "quotes", "venue", "order of entries"


def format_text(
    text: str, model: type[Record], *, collection: bool = False, venues: Mapping[str, str] | None = None
) -> str:
    """Return `text` in canonical order, quoting and venue spelling, every other byte as it was.

    `venues` maps folded spellings to the key of a venue. What the text says does not change, save for that key; a
    text where that cannot be had is returned as it is. Raises YamlError where the text cannot be parsed.
    """
    meaning = parse(text)
    edited = _in_order(_flow_in_order(_requoted(text, model, collection), model, collection), model, collection)
    try:
        if parse(edited) != meaning:
            edited = text
    except YamlError:
        edited = text
    return _with_known_venue(edited, model, collection, venues or {})


def misplaced(
    text: str, model: type[Record], *, collection: bool = False, venues: Mapping[str, str] | None = None
) -> Iterator[Misplaced]:
    """Yield what `format_text` would change; raises YamlError."""
    tree = compose(text)
    for node, owner in _records(tree, model, collection):
        if (first := _first_out_of_order(node, _ranks(node, owner))) is not None:
            yield _misplaced(KEY_ORDER, node.value[first][0])
        yield from (_misplaced(QUOTES, scalar) for scalar in _unquoted(node, owner))
        if owner is Paper and (found := _venue_alias(node, venues or {})):
            yield _misplaced(VENUE, found[0])
    if collection and isinstance(tree, yaml.MappingNode):
        entry = _first_out_of_order(tree, [str(key.value) for key, _ in tree.value])
        if entry is not None:
            yield _misplaced(ENTRY_ORDER, tree.value[entry][0])


# A record as plain data, in the order of its model


def _plain_record(record: Record) -> dict[str, Plain]:
    if isinstance(record, Relation):
        return {record.verb: record.target, **({"how": record.how} if record.how is not None else {})}
    fields = type(record).model_fields
    values = ((name, getattr(record, name)) for name, field in fields.items() if not field.exclude)
    return {name: _plain(value) for name, value in values if value != fields[name].get_default()}


def _plain(value: Any) -> Plain:
    match value:
        case Record():
            return _plain_record(value)
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and 0 < abs(value) < 1e15 else repr(value)
        case date():
            return value.isoformat()
        case StrEnum():
            return value.value
    return str(value)


# Plain data as lines of YAML


def _mapping_lines(mapping: dict[str, Plain], indent: int) -> Iterator[str]:
    for key, value in mapping.items():
        name = _scalar(key)
        pad = " " * indent
        if len(name) > _LONGEST_KEY:
            yield f"{pad}? {name}"
            yield from _entry_lines(f"{pad}:", value, indent, False)
        else:
            yield from _entry_lines(f"{pad}{name}:", value, indent, key in QUOTED)


def _entry_lines(head: str, value: Plain, indent: int, quoted: bool) -> Iterator[str]:
    """Yield what `head` (a key with its colon, or a dash) introduces."""
    if isinstance(value, dict):
        if not value:
            yield f"{head} {{}}"
            return
        yield head
        yield from _mapping_lines(value, indent + 2)
    elif isinstance(value, list):
        flow = _flow(value, quoted)
        if flow is not None and (not value or len(head) + 1 + len(flow) <= WIDTH):
            yield f"{head} {flow}"
            return
        yield head
        for item in value:
            yield from _item_lines(item, indent + 2, quoted)
    else:
        yield from _text_lines(head, value or "", indent, quoted)


def _item_lines(item: Plain, indent: int, quoted: bool) -> Iterator[str]:
    pad = " " * indent
    if not isinstance(item, dict) or not item:
        yield from _entry_lines(f"{pad}-", item, indent, quoted)
        return
    flow = _flow_mapping(item)
    if flow is not None and len(pad) + 2 + len(flow) <= WIDTH:
        yield f"{pad}- {flow}"
        return
    first, *rest = _mapping_lines(item, indent + 2)
    yield f"{pad}- {first[indent + 2 :]}"
    yield from rest


def _text_lines(head: str, text: str, indent: int, quoted: bool) -> Iterator[str]:
    inline = _double_quoted(text) if quoted else _scalar(text)
    fits = "\n" not in text and (len(head) + 1 + len(inline) <= WIDTH or not _BREAKABLE.search(text))
    if quoted or fits or _ESCAPED.search(text.replace("\n", "")):
        yield f"{head} {inline}"
    elif any(line != line.strip(" ") for line in text.split("\n")):
        yield f"{head} {_double_quoted(text)}"
    else:
        yield f"{head} >-"
        yield from _folded(text, indent + 2)


def _folded(text: str, indent: int) -> Iterator[str]:
    """Yield the lines of a folded block: a break within it reads as a space, so a real one takes an empty line."""
    pad = " " * indent
    for number, paragraph in enumerate(text.split("\n")):
        if number:
            yield ""
        yield from (pad + line if line else "" for line in _wrapped(paragraph, WIDTH - indent))


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in _BREAKABLE.split(text):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    if line:
        yield line


def _flow(items: list[Plain], quoted: bool) -> str | None:
    if not all(isinstance(item, str) for item in items):
        return None
    return "[" + ", ".join(_double_quoted(str(i)) if quoted else _scalar(str(i), flow=True) for i in items) + "]"


def _flow_mapping(mapping: dict[str, Plain]) -> str | None:
    """A relation fits on a line; longer records do not read well there."""
    if len(mapping) > 2 or not all(isinstance(value, str) for value in mapping.values()):
        return None
    return "{" + ", ".join(f"{_scalar(k, flow=True)}: {_scalar(str(v), flow=True)}" for k, v in mapping.items()) + "}"


def _scalar(text: str, flow: bool = False) -> str:
    return _double_quoted(text) if _needs_quotes(text, flow) else text


def _needs_quotes(text: str, flow: bool) -> bool:
    return (
        text in _NULLS
        or (text[0] in _INDICATORS and not re.match(r"-[^\s-]", text))
        or text != text.strip(" ")
        or text.startswith("...")
        or ": " in text
        or " #" in text
        or text.endswith(":")
        or bool(_ESCAPED.search(text))
        # Readers of YAML 1.1 take it for an octal number.
        or bool(re.fullmatch(r"0\d+", text))
        or (flow and any(char in ",[]{}?" for char in text))
    )


def _double_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _ESCAPED.sub(lambda found: _escape(found[0]), escaped) + '"'


def _escape(char: str) -> str:
    return "\\n" if char == "\n" else f"\\u{ord(char):04X}"


# What of a text is a record, and which


class _Inner(NamedTuple):
    model: type[Record]
    by_name: bool


@cache
def _inner_records(model: type[Record]) -> dict[str, _Inner]:
    """Key of a model -> the model of the records it holds, and whether they stand under names."""
    found = {}
    for name, field in model.model_fields.items():
        if inner := _record_in(field.annotation):
            found[name] = _Inner(inner, _is_mapping(field.annotation))
    return found


def _record_in(annotation: Any) -> type[Record] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation if issubclass(annotation, Record) else None
    return next((found for part in get_args(annotation) if (found := _record_in(part))), None)


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(_is_mapping(part) for part in get_args(annotation))


def _records(node: yaml.Node, model: type[Record], collection: bool) -> Iterator[tuple[yaml.MappingNode, type[Record]]]:
    """Yield every mapping of a tree that holds a record, the outer one first, with the record's model."""
    if not isinstance(node, yaml.MappingNode):
        return
    if collection:
        for _, value in node.value:
            yield from _records(value, model, False)
        return
    if not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
        return
    yield node, model
    inner = _inner_records(model)
    for key, value in node.value:
        if key.value in inner:
            held = inner[key.value]
            if isinstance(value, yaml.SequenceNode):
                for item in value.value:
                    yield from _records(item, held.model, False)
            else:
                yield from _records(value, held.model, held.by_name)


def _ranks(node: yaml.MappingNode, model: type[Record]) -> list[int]:
    """Return the place of each key in the model's order; an unknown key stays behind the one before it."""
    order = _order(model)
    ranks: list[int] = []
    for key, _ in node.value:
        ranks.append(order.get(key.value, ranks[-1] if ranks else -1))
    return ranks


@cache
def _order(model: type[Record]) -> dict[str, int]:
    if model is Relation:
        return dict.fromkeys((*VERBS, *PASSIVE), 0) | {"verb": 0, "target": 1, "how": 2}
    return {name: rank for rank, name in enumerate(model.model_fields)}


def _first_out_of_order(node: yaml.MappingNode, ranks: Sequence[Any]) -> int | None:
    if len(node.value) < 2:
        return None
    return next((at for at in range(1, len(ranks)) if ranks[at] < ranks[at - 1]), None)


def _misplaced(what: str, node: yaml.Node) -> Misplaced:
    return Misplaced(what, node.start_mark.line + 1, node.start_mark.column + 1)


# Quotes and the spelling of venues


def _requoted(text: str, model: type[Record], collection: bool) -> str:
    edits = [
        (scalar, _double_quoted(scalar.value))
        for node, owner in _records(compose(text), model, collection)
        for scalar in _unquoted(node, owner)
    ]
    return _edited(text, edits)


def _unquoted(node: yaml.MappingNode, model: type[Record]) -> Iterator[yaml.ScalarNode]:
    for key, value in node.value:
        if key.value in QUOTED and key.value in model.model_fields:
            items = value.value if isinstance(value, yaml.SequenceNode) else [value]
            yield from (item for item in items if _lacks_quotes(item))


def _lacks_quotes(node: yaml.Node) -> bool:
    return (
        isinstance(node, yaml.ScalarNode)
        and node.style not in ('"', "|", ">")
        and node.value not in _NULLS
        and node.start_mark.line == node.end_mark.line
    )


def _with_known_venue(text: str, model: type[Record], collection: bool, venues: Mapping[str, str]) -> str:
    if model is not Paper or not venues:
        return text
    found = (_venue_alias(node, venues) for node, owner in _records(compose(text), model, collection) if owner is Paper)
    return _edited(text, [edit for edit in found if edit])


def _venue_alias(node: yaml.MappingNode, venues: Mapping[str, str]) -> tuple[yaml.ScalarNode, str] | None:
    for key, value in node.value:
        if key.value == "venue" and isinstance(value, yaml.ScalarNode) and value.style not in ("|", ">"):
            known = venues.get(fold(value.value), value.value)
            one_line = value.start_mark.line == value.end_mark.line
            return (value, known) if known != value.value and one_line else None
    return None


def _edited(text: str, edits: Iterable[tuple[yaml.Node, str]]) -> str:
    for node, replacement in sorted(edits, key=lambda edit: -edit[0].start_mark.index):
        text = text[: node.start_mark.index] + replacement + text[node.end_mark.index :]
    return text


# The order of keys on one line


def _flow_in_order(text: str, model: type[Record], collection: bool) -> str:
    for node, owner in reversed(list(_records(compose(text), model, collection))):
        if node.flow_style and node.start_mark.line == node.end_mark.line:
            text = _with_sorted_pieces(text, node, _ranks(node, owner))
    return text


def _with_sorted_pieces(text: str, node: yaml.MappingNode, ranks: list[int]) -> str:
    if _first_out_of_order(node, ranks) is None:
        return text
    spans = [(key.start_mark.index, value.end_mark.index) for key, value in node.value]
    pieces = [text[start:end] for start, end in spans]
    pieces = [pieces[at] for at in sorted(range(len(pieces)), key=ranks.__getitem__)]
    for (start, end), piece in zip(reversed(spans), reversed(pieces), strict=True):
        text = text[:start] + piece + text[end:]
    return text


# The order of keys that stand on lines of their own


def _in_order(text: str, model: type[Record], collection: bool) -> str:
    tree = compose(text)
    wrong: list[tuple[yaml.MappingNode, Sequence[Any]]] = [
        (node, ranks)
        for node, owner in _records(tree, model, collection)
        if not node.flow_style and _first_out_of_order(node, ranks := _ranks(node, owner)) is not None
    ]
    if collection and isinstance(tree, yaml.MappingNode) and not tree.flow_style:
        ids = [str(key.value) for key, _ in tree.value]
        wrong[:0] = [(tree, ids)] if _first_out_of_order(tree, ids) is not None else []
    if not wrong:
        return text
    lines = text.splitlines(keepends=True)
    unended = not text.endswith(("\n", "\r"))
    if unended:
        lines[-1] += "\r\n" if "\r\n" in text else "\n"
    # Inner mappings first: sorting an outer one moves their lines as they then are.
    for node, ranks in reversed(wrong):
        _sort_blocks(lines, node, ranks)
    return "".join(lines)


class _Block(NamedTuple):
    """A key with its value: the lines from `first` up to `end`, and the empty lines up to `next` after them."""

    first: int
    key: int
    end: int
    next: int


def _sort_blocks(lines: list[str], node: yaml.MappingNode, ranks: Sequence[Any]) -> None:
    column = node.value[0][0].start_mark.column
    blocks = list(_blocks(lines, node, column))
    order = sorted(range(len(blocks)), key=ranks.__getitem__)
    dash = lines[blocks[0].key][:column]
    moved = [lines[block.first : block.end] for block in blocks]
    if dash.strip():
        # The first key of a list's item stands behind the dash.
        if blocks[order[0]].first != blocks[order[0]].key:
            return
        moved[0][0] = " " * column + moved[0][0][column:]
        moved[order[0]][0] = dash + moved[order[0]][0][column:]
    if any(lines[block.key][:column].strip() for block in blocks[1:]):
        return
    result: list[str] = []
    for slot, block in enumerate(blocks):
        result += moved[order[slot]] + lines[block.end : block.next]
    lines[blocks[0].first : blocks[-1].next] = result


def _blocks(lines: list[str], node: yaml.MappingNode, column: int) -> Iterator[_Block]:
    keys = [key.start_mark.line for key, _ in node.value]
    ends = [_last_line(value) + 1 for _, value in node.value]
    firsts = [_comment_start(lines, key, column, ([0, *ends])[at]) for at, key in enumerate(keys)]
    if lines[keys[0]][:column].strip():
        firsts[0] = keys[0]
    limits = [*firsts[1:], _tail_end(lines, ends[-1], column)]
    for first, key, end, following in zip(firsts, keys, ends, limits, strict=True):
        limit = following
        while limit > end and not lines[limit - 1].strip():
            limit -= 1
        yield _Block(first, key, limit, following)


def _comment_start(lines: list[str], key: int, column: int, floor: int) -> int:
    """Return the first of the comment lines that stand right above a key, at its column."""
    while key > floor and lines[key - 1].startswith(" " * column + "#"):
        key -= 1
    return key


def _tail_end(lines: list[str], end: int, column: int) -> int:
    """Return where the comments end that follow a value and are indented as parts of it."""
    while end < len(lines) and re.match(rf" {{{column + 1},}}#", lines[end]):
        end += 1
    return end


def _last_line(node: yaml.Node) -> int:
    """Return the last line of a value; a collection's own end mark stands behind the comments after it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return max(_last_line(part) for part in last) if isinstance(last, tuple) else _last_line(last)
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return int(node.end_mark.line) - (1 if block and node.end_mark.column == 0 else 0)
