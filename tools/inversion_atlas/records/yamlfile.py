"""One YAML file as plain data: scalars as they are written, positions on demand, hostile input refused.

PyYAML alone does silent damage (a duplicate key wins, `2401.01230` loses its zero, `no` becomes false), so
every scalar stays the text it is and the models convert it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml._yaml import CParser

from inversion_atlas.records.findings import Finding

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain] | None"
KeyPath: TypeAlias = Sequence[str | int]

MAX_BYTES = 16 * 1024 * 1024
# Records nest five levels deep; the parser behind PyYAML recurses in C, where depth ends the process.
MAX_DEPTH = 40
# A node costs about 300 bytes of memory, and a file can hold one in every two bytes.
MAX_NODES = 500_000
_NULL = "tag:yaml.org,2002:null"
_STR = "tag:yaml.org,2002:str"
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_DEFAULT_TAGS = {yaml.MappingNode: "map", yaml.SequenceNode: "seq", yaml.ScalarNode: "str"}


class YamlError(Exception):
    """The text is no YAML that a record may be written in; `line` and `column` start at 1."""

    def __init__(self, code: str, line: int, column: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.line, self.column, self.message, self.hint = code, line, column, message, hint

    def finding(self, path: str) -> Finding:
        """Return this error as a finding about the file at `path`."""
        return Finding(f"yaml/{self.code}", path, self.line, self.column, self.message, self.hint)


class _Loader(CParser):
    """libyaml's composer with a resolver that leaves every scalar a string, save the plain nulls."""

    depth = 0
    nodes = 0

    def __init__(self, text: str) -> None:
        super().__init__(text)

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return _NULL if implicit[0] and value in _NULLS else _STR
        return "tag:yaml.org,2002:" + _DEFAULT_TAGS[kind]

    def descend_resolver(self, parent: yaml.Node | None, _index: object) -> None:
        self.depth += 1
        self.nodes += 1
        if self.nodes > MAX_NODES:
            mark = parent.start_mark if parent else None
            raise _at(mark, "too-large", f"the file holds more than {MAX_NODES:,} values", "split or remove it")
        if self.depth > MAX_DEPTH:
            mark = parent.start_mark if parent else None
            raise _at(mark, "too-deep", f"the file nests more than {MAX_DEPTH} levels deep", "flatten it")

    def ascend_resolver(self) -> None:
        self.depth -= 1


def read_text(path: Path) -> str:
    """Return the file's text.

    Raises YamlError where it is no regular UTF-8 text file of at most `MAX_BYTES`, OSError where it cannot be read.
    """
    info = path.lstat()
    # What a link leads to may be any file of whoever checks a stranger's records.
    if stat.S_ISLNK(info.st_mode):
        raise YamlError("not-a-file", 1, 1, "this is a symbolic link", "put the file itself here")
    if not stat.S_ISREG(info.st_mode):
        raise YamlError("not-a-file", 1, 1, "this is no regular file", "replace it by a text file")
    if info.st_size > MAX_BYTES:
        size = f"{info.st_size / 1e6:.0f} MB"
        raise YamlError("too-large", 1, 1, f"the file has {size}; a record has a few kB", "split or remove it")
    # Some files hold more than their size says (those in /proc), and a pipe put here meanwhile must not block.
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        raw = file.read(info.st_size + 1)
        if len(raw) > info.st_size:
            raw += file.read(MAX_BYTES + 1 - len(raw))
    if len(raw) > MAX_BYTES:
        raise YamlError("too-large", 1, 1, "the file has more than a record can hold", "split or remove it")
    try:
        return decode(raw)
    except UnicodeDecodeError as error:
        line, column = _byte_position(raw, error.start)
        raise YamlError(
            "not-utf8", line, column, f"byte 0x{raw[error.start]:02X} is not UTF-8", "save the file as UTF-8"
        ) from None


def decode(raw: bytes) -> str:
    """Return the bytes as text; raises UnicodeDecodeError, or YamlError for a NUL or a byte order mark."""
    for mark, name in ((b"\xef\xbb\xbf", "UTF-8"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if raw.startswith(mark):
            raise YamlError(
                "byte-order-mark", 1, 1, f"the file starts with a {name} byte order mark", "save it as plain UTF-8"
            )
    if (at := raw.find(b"\0")) >= 0:
        line, column = _byte_position(raw, at)
        raise YamlError("nul", line, column, "the file holds a NUL byte, so it is no text", "write it again as text")
    return raw.decode("utf-8")


def parse(text: str) -> Plain:
    """Return the one document in `text` as dicts, lists, strings and None; raises YamlError."""
    if "*" in text and "&" in text:
        _refuse_alias(text)
    return _plain(compose(text))


def compose(text: str) -> yaml.Node:
    """Return the node tree of the one document in `text`; raises YamlError."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(text, error) from None
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise YamlError("not-utf8", line, 1, "half a character (a surrogate) stands here", "remove it") from None
    except yaml.YAMLError as error:
        raise _unreadable_character(text, error) from None
    if node is None:
        raise YamlError("empty", 1, 1, "the file holds nothing", "write the record or remove the file")
    return node


def locate(text: str, path: KeyPath) -> tuple[int, int]:
    """Return line and column (from 1) of what `path` leads to, or of the deepest part of it that exists."""
    node = _composed(text)
    mark = node.start_mark
    for key in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if pair is None:
                break
            mark, node = pair[0].start_mark, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1


@lru_cache(maxsize=4)
def _composed(text: str) -> yaml.Node:
    """Many findings about one file are located one after the other."""
    return compose(text)


def _refuse_alias(text: str) -> None:
    loader = _Loader(text)
    try:
        while event := loader.get_event():
            if isinstance(event, yaml.AliasEvent):
                raise _at(
                    event.start_mark, "alias", "the file uses a YAML alias (*name)", "write the value out instead"
                )
    except yaml.YAMLError:
        return
    finally:
        loader.dispose()


def _plain(node: yaml.Node) -> Plain:
    kind, tag = type(node), node.tag
    if kind is yaml.ScalarNode and tag == _STR:
        return str(node.value)
    if kind is yaml.ScalarNode and tag == _NULL:
        return None
    if tag != "tag:yaml.org,2002:" + _DEFAULT_TAGS[kind]:
        raise _at(node.start_mark, "tag", f"the YAML tag {tag!r} is not allowed", "remove the tag")
    if kind is yaml.SequenceNode:
        return [_plain(item) for item in node.value]
    assert isinstance(node, yaml.MappingNode)
    return _mapping(node)


def _mapping(node: yaml.MappingNode) -> dict[str, Plain]:
    result: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        if type(key_node) is not yaml.ScalarNode:
            raise _at(key_node.start_mark, "bad-key", "a key is a list or a mapping", "write a plain word as key")
        if key in result:
            hint = "keep one and remove the other"
            raise _at(key_node.start_mark, "duplicate-key", f"the key {key!r} stands twice", hint)
        result[key] = _plain(value_node)
    return result


def _byte_position(raw: bytes, at: int) -> tuple[int, int]:
    start = raw.rfind(b"\n", 0, at) + 1
    return raw.count(b"\n", 0, at) + 1, len(raw[start:at].decode("utf-8", "replace")) + 1


def _at(mark: Any, code: str, message: str, hint: str) -> YamlError:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return YamlError(code, line, column, message, hint)


def _syntax_error(text: str, error: yaml.MarkedYAMLError) -> YamlError:
    mark = error.problem_mark or error.context_mark
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    if mark and line and "\t" in line[0][: mark.column + 1]:
        return _at(mark, "tab", "a tab stands where YAML wants spaces", "indent with two spaces")
    if error.problem and "found undefined alias" in error.problem:
        return _at(mark, "alias", "the file uses a YAML alias (*name)", "quote the text if it starts with a star")
    if error.context and "single document" in error.context:
        return _at(mark, "documents", "the file holds more than one document (---)", "keep one record per file")
    problem = error.problem or "the text is not YAML"
    return _at(mark, "syntax", f"not YAML: {problem}", "check indentation, colons and quotes on this line")


def _unreadable_character(text: str, error: yaml.YAMLError) -> YamlError:
    position = getattr(error, "position", None)
    for at, char in enumerate(text if position is None else text[position:], position or 0):
        if not (char in "\t\n\r\x85" or " " <= char <= "~" or char >= "\xa0"):
            line = text.count("\n", 0, at) + 1
            return YamlError(
                "control-character",
                line,
                at - text.rfind("\n", 0, at),
                f"the control character U+{ord(char):04X} is not allowed",
                "remove it",
            )
    return YamlError("syntax", 1, 1, f"not YAML: {error}", "check the file in a text editor")
