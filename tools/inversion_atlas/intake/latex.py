r"""LaTeX and HTML as they stand in bibliographies -> Unicode text on one line.

The letters are those that `exports.tex` writes, read backwards. Nothing is lost: a bare percent sign is a percent
sign, and an unknown command leaves its name. Braces go. (pylatexenc, tried, takes `50% of {DNN}s` for a comment after
`50` and drops commands it does not know.)
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

from inversion_atlas.exports import tex

_TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?[ \t\n]*|[\s\S]|$)|[{}$~^_]|---?|``|''|[^\\{}$~^_`'-]+|[-`']")
_ENTITY = re.compile(r"\\?&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_LATEX = re.compile(r"[\\{}$]")
_MARKS = {accent: mark for mark, accent in tex.ACCENTS.items()} | {"t": "\u0361", "U": "\u030e", "G": "\u030f"}
_MARKS |= {name: mark for mark, name in tex._MATH_ACCENTS.items()} | {"hat": "\u0302", "check": "\u030c"}
_LETTERS = {
    # Of two signs with one command the first stands for it.
    **{code[1:]: sign for sign, code in reversed(tex.SIGNS.items()) if code.startswith("\\")},
    **{code[2:-1]: char for char, code in tex.LETTERS.items() if code.startswith("{\\")},
    **{code[2:-1]: char for char, code in tex.ALONE.items()},
    **{code[2:-1]: char for char, code in tex.PUNCTUATION.items() if code.startswith("{\\")},
    "i": "ı", "j": "ȷ", "S": "§", "P": "¶", "ss": "ß", "SS": "SS", "ldots": "…", "textellipsis": "…",
    "textendash": "–", "textemdash": "—", "textquoteleft": "‘", "textquoteright": "’", "textquotedblleft": "“",
    "textquotedblright": "”", "lq": "‘", "rq": "’", "slash": "/", "LaTeX": "LaTeX", "TeX": "TeX", "BibTeX": "BibTeX",
    "epsilon": "ϵ", "le": "≤", "ge": "≥", "ne": "≠", "to": "→", "gets": "←", "dag": "†", "ddag": "‡",
    "textasciitilde": "~", "textsuperscript": "", "textregistered": "®", "copyright": "©", "textmu": "µ",
    "quad": " ", "qquad": " ", "space": " ", "newline": " ", "linebreak": " ", "par": " ", "textdegree": "°",
    "degree": "°", "infinity": "∞", "sim": "∼", "textsubscript": "",
}  # fmt: skip
# Commands that only change how their argument looks.
_LOOKS = frozenset(
    """emph textit textbf textsc textrm textsf texttt textsl textmd textup textnormal it bf sc rm sf tt sl em mathrm
    mathbf mathit mathsf mathtt mathcal mathbb mathfrak mathscr boldsymbol bm text mbox hbox ensuremath uppercase
    lowercase MakeUppercase MakeLowercase underline uline tiny small large Large normalsize left right big Big
    bigl bigr protect relax noopsort url path nolinkurl displaystyle textstyle bfseries itshape scshape upshape
    mdseries rmfamily sffamily ttfamily null noindent xspace ignorespaces mathring operatorname""".split()
)
# Commands whose first argument is not what is read.
_SKIP_FIRST = frozenset(("href", "texorpdfstring", "textcolor", "color", "hspace", "vspace"))
_PLAIN = {**dict.fromkeys("-/@!", ""), **dict.fromkeys("\\,;: \n\t>", " ")}
_MOST_MARKS = 4
_HIGH = dict(zip("0123456789n+-", "⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ⁺⁻", strict=True))
_LOW = dict(zip("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋", strict=True))
_PUNCTUATION = {"``": "“", "''": "”", "--": "–", "---": "—", "`": "‘", "~": " "}
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9:-]*(?:\s[^<>]*)?/?>")


def to_unicode(text: str) -> str:
    """Return what a BibTeX value reads as, on one line, in NFC."""
    if not text:
        return ""
    if not _LATEX.search(text):
        return clean(_plain_punctuation(text) if any(mark in text for mark in ("--", "``", "''", "~")) else text)
    return clean(_Reading().read(text))


def from_markup(text: str) -> str:
    """Return what a title or abstract in HTML, JATS or MathML reads as, on one line."""
    return clean(_TAG.sub("", html.unescape(text)) if "&" in text else _TAG.sub("", text))


def clean(text: str) -> str:
    """Return `text` on one line in NFC, its HTML entities read, without characters that do not show."""
    for _ in range(2):
        if "&" not in text:
            break
        text = _ENTITY.sub(lambda found: html.unescape(f"&{found[1]};"), text)
    if not text.isascii() or not text.isprintable():
        text = "".join(char for char in unicodedata.normalize("NFC", text) if char.isspace() or not _hidden(char))
        # What was taken out may have stood between a letter and its accent.
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def split_top(text: str, separator: re.Pattern[str]) -> list[str]:
    """Split text where `separator` matches outside of braces."""
    parts, depth, start, at = [], 0, 0, 0
    for found in _braces_or(separator).finditer(text):
        if found["split"] is not None:
            if depth == 0 and found.start() >= at:
                parts.append(text[start : found.start()])
                start = at = found.end()
        elif found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth = max(0, depth - 1)
    return [*parts, text[start:]]


@cache
def _braces_or(separator: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"\\.|[{{}}]|(?P<split>{separator.pattern})", separator.flags | re.DOTALL)


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Cc", "Cs", "Co", "Cn")


def _plain_punctuation(text: str) -> str:
    return re.sub("---?|``|''|~", lambda found: _PUNCTUATION[found[0]], text)


class _Reading:
    """One pass over the tokens; accents wait for their letter, groups remember what waits for their end."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.waiting: list[str] = []
        # Of each open group: where it starts, and what is to be done with it.
        self.groups: list[tuple[int, list[str]]] = []
        self.math = False
        self.skip = 0

    def read(self, text: str) -> str:
        for found in _TOKEN.finditer(text):
            self._token(found[0])
        while self.groups:
            self._close()
        return "".join(self.out)

    def _token(self, token: str) -> None:
        if token[0] == "\\":
            self._command(token[1:])
        elif token == "{":
            self.groups.append((len(self.out), self.waiting))
            self.waiting = []
        elif token == "}":
            if self.groups:
                self._close()
        elif token == "$":
            self.math = not self.math
        elif token in ("^", "_"):
            if self.math:
                self._wait(token)
            else:
                self._put(token)
        else:
            self._put(_PUNCTUATION.get(token, token))

    def _command(self, name: str) -> None:
        word = name.rstrip(" \t\n").rstrip("*")
        if word in _MARKS:
            self._wait(_MARKS[word])
        elif word in _LETTERS:
            letter = _LETTERS[word]
            if letter:
                self._put(letter)
        elif word in _SKIP_FIRST:
            self._wait("skip")
        elif word in _LOOKS:
            return
        elif (len(word) == 1 and not word.isalnum()) or not word:
            self._put(_PLAIN.get(name, name))
        else:
            self._put(name)

    def _wait(self, mark: str) -> None:
        # No letter bears more; a file may hold a million.
        if len(self.waiting) < _MOST_MARKS:
            self.waiting.append(mark)

    def _put(self, text: str) -> None:
        if self.waiting and text.isspace():
            return
        if self.waiting:
            text = _marked(text.lstrip(" \t\n"), self.waiting)
            self.waiting = []
        self.out.append(text)

    def _close(self) -> None:
        start, waiting = self.groups.pop()
        self.waiting = []
        if waiting:
            inner = "".join(self.out[start:])
            del self.out[start:]
            self.out.append(_marked(inner, waiting, whole=True))


def _marked(text: str, marks: list[str], *, whole: bool = False) -> str:
    """Return text with what waited for it: accents on its first letter, nothing of what is skipped, small digits."""
    for mark in reversed(marks):
        if mark == "skip":
            text = "" if whole else text[1:]
        elif mark in "^_":
            text = _small(text, _HIGH if mark == "^" else _LOW, mark, whole)
        else:
            first = {"ı": "i", "ȷ": "j"}.get(text[:1], text[:1])
            text = unicodedata.normalize("NFC", first + mark) + text[1:] if first else text
    return text


def _small(text: str, digits: dict[str, str], mark: str, whole: bool) -> str:
    part, rest = (text, "") if whole else (text[:1], text[1:])
    if part and all(char in digits for char in part):
        return "".join(digits[char] for char in part) + rest
    return f"{mark}{text}"
