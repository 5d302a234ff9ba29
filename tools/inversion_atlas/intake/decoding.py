"""Bytes of a file from anywhere as text: byte order marks, Latin-1 among UTF-8, NULs; what was odd is said by line."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
from dataclasses import dataclass

from inversion_atlas.intake.entry import Problem

MAX_BYTES = 256 * 2**20
_WIDE = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"))
_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Text:
    """Text with lines ended by newlines, without control characters, and the odd lines with their problems."""

    text: str
    problems: tuple[Problem, ...] = ()

    def between(self, first: int, last: int) -> tuple[Problem, ...]:
        """Return the problems of the lines from `first` to `last`."""
        found: list[Problem] = []
        at = bisect_left(self.problems, first, key=lambda problem: problem.line)
        while at < len(self.problems) and self.problems[at].line <= last:
            if all(known.code != self.problems[at].code for known in found):
                found.append(self.problems[at])
            at += 1
        return tuple(found)


def decode(data: bytes) -> Text:
    """Return the text of a file, whatever its encoding; nothing is refused."""
    for mark, encoding in (*_WIDE, (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return _cleaned(data.decode(encoding, "replace"), [])
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return _cleaned(data.decode("utf-8"), [])
    except UnicodeDecodeError:
        lines, problems = [], []
        for number, line in enumerate(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"), 1):
            try:
                lines.append(line.decode("utf-8"))
            except UnicodeDecodeError:
                lines.append(_western(line))
                problems.append(Problem("not-utf8", "this line is not UTF-8 and was read as Latin-1", number))
        return _cleaned("\n".join(lines), problems)


def _western(line: bytes) -> str:
    """Read a line as Windows-1252, and as Latin-1 what that does not know."""
    return "".join(_letter(byte) for byte in line)


def _letter(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _cleaned(text: str, problems: list[Problem]) -> Text:
    text = _ENDS.sub("\n", text).removeprefix("\ufeff")
    if _CONTROLS.search(text):
        lines = text.split("\n")
        for at, line in enumerate(lines):
            if _CONTROLS.search(line):
                lines[at] = _CONTROLS.sub("", line)
                message = "control characters (such as NUL) were taken out of this line"
                problems.append(Problem("control-character", message, at + 1))
        text = "\n".join(lines)
        problems.sort(key=lambda problem: problem.line)
    return Text(text, tuple(problems))
