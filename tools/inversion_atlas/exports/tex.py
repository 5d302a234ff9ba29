"""Text as LaTeX: inert, on one line, its braces balanced, and compiled by pdflatex whatever it holds.

`escape` writes pure ASCII, `keep` leaves letters as they are, and `preamble` tells pdflatex how to print those.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from anyascii import anyascii

PUNCTUATION = {
    "\\": r"{\textbackslash}",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
    "<": r"{\textless}",
    ">": r"{\textgreater}",
    "|": r"{\textbar}",
    "`": r"{\textasciigrave}",
    '"': r"{\textquotedbl}",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "_": r"\_",
    # Some readers take an at sign before a brace for the start of the next entry.
    "@": "{@}",
}
ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0323": "d",
    "\u0326": "textcommabelow",
    "\u0327": "c",
    "\u0328": "k",
    "\u0331": "b",
}
# Accents that stand by themselves; those without a command that biber leaves alone become the sign they look like.
ALONE = {
    "¯": r"{\textasciimacron}", "¨": r"{\textasciidieresis}", "´": r"{\textasciiacute}", "˘": r"{\textasciibreve}",
    "ˇ": r"{\textasciicaron}", "˝": r"{\textacutedbl}",
}  # fmt: skip
SPACING = ALONE | {
    "¸": r"{\quotesinglbase}", "˛": r"{\quotesinglbase}", "˙": r"{\textperiodcentered}", "˚": r"{\textdegree}",
    "˜": r"{\textasciitilde}", "ˉ": r"{\textasciimacron}", "‾": r"{\textasciimacron}",
}  # fmt: skip
_SPACING_MARKS = {unicodedata.normalize("NFKC", char)[-1]: code for char, code in reversed(SPACING.items())}
_BELOW = frozenset("dckb") | {"textcommabelow"}
_MATH_ACCENTS = {"\u0300": "grave", "\u0301": "acute", "\u0303": "tilde", "\u0304": "bar", "\u0308": "ddot"}
LETTERS = {
    "ß": r"{\ss}", "ø": r"{\o}", "Ø": r"{\O}", "ł": r"{\l}", "Ł": r"{\L}", "đ": r"{\dj}", "Đ": r"{\DJ}",
    "ı": r"{\i}", "ȷ": r"{\j}", "œ": r"{\oe}", "Œ": r"{\OE}", "æ": r"{\ae}", "Æ": r"{\AE}", "å": r"{\aa}",
    "Å": r"{\AA}", "þ": r"{\th}", "Þ": r"{\TH}", "ð": r"{\dh}", "Ð": r"{\DH}", "ŋ": r"{\ng}", "Ŋ": r"{\NG}",
    "‘": "`", "’": "'", "“": "``", "”": "''", "ʻ": "`", "ʼ": "'", "„": r"{\quotedblbase}",
    "‚": r"{\quotesinglbase}", "«": r"{\guillemotleft}", "»": r"{\guillemotright}", "‹": r"{\guilsinglleft}",
    "›": r"{\guilsinglright}", "‐": "-", "‑": "-", "‒": "--", "–": "--", "—": "---", "―": "---", "…": r"{\dots}",
    "•": r"{\textbullet}", "·": r"{\textperiodcentered}", "°": r"{\textdegree}", "†": r"{\dag}", "‡": r"{\ddag}",
    "§": r"{\S}", "¶": r"{\P}", "©": r"{\textcopyright}", "®": r"{\textregistered}", "™": r"{\texttrademark}",
    "£": r"{\pounds}", "€": r"{\texteuro}", "¥": r"{\textyen}", "¢": r"{\textcent}", "¡": r"{\textexclamdown}",
    "¿": r"{\textquestiondown}", "ª": r"{\textordfeminine}", "º": r"{\textordmasculine}", "⟨": r"{\textlangle}",
    "⟩": r"{\textrangle}", "\u00a0": "~",
    "\u202f": "~",
}  # fmt: skip
SIGNS = {
    **{chr(code): rf"\{name}" for code, name in (
        (0x3B1, "alpha"), (0x3B2, "beta"), (0x3B3, "gamma"), (0x3B4, "delta"), (0x3B5, "varepsilon"),
        (0x3B6, "zeta"), (0x3B7, "eta"), (0x3B8, "theta"), (0x3B9, "iota"), (0x3BA, "kappa"), (0x3BB, "lambda"),
        (0x3BC, "mu"), (0x3BD, "nu"), (0x3BE, "xi"), (0x3C0, "pi"), (0x3C1, "rho"), (0x3C2, "varsigma"),
        (0x3C3, "sigma"), (0x3C4, "tau"), (0x3C5, "upsilon"), (0x3C6, "varphi"), (0x3C7, "chi"), (0x3C8, "psi"),
        (0x3C9, "omega"), (0x3D1, "vartheta"), (0x3D5, "phi"), (0x3D6, "varpi"), (0x3F1, "varrho"),
        (0x3F5, "epsilon"), (0x393, "Gamma"), (0x394, "Delta"), (0x398, "Theta"), (0x39B, "Lambda"), (0x39E, "Xi"),
        (0x3A0, "Pi"), (0x3A3, "Sigma"), (0x3A5, "Upsilon"), (0x3A6, "Phi"), (0x3A8, "Psi"), (0x3A9, "Omega"),
    )},
    # Capitals that look like Latin ones have no command of their own.
    **{greek: rf"\mathrm{{{latin}}}" for greek, latin in zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True)},
    "µ": r"\mu", "−": "-", "×": r"\times", "÷": r"\div", "±": r"\pm", "∓": r"\mp", "∞": r"\infty", "≤": r"\leq",
    "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "≡": r"\equiv", "∼": r"\sim", "≃": r"\simeq", "≅": r"\cong",
    "∝": r"\propto", "∇": r"\nabla", "∂": r"\partial", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "√": r"\surd",
    "∈": r"\in", "∉": r"\notin", "∋": r"\ni", "⊂": r"\subset", "⊆": r"\subseteq", "⊃": r"\supset",
    "⊇": r"\supseteq", "∪": r"\cup", "∩": r"\cap", "∅": r"\emptyset", "∀": r"\forall", "∃": r"\exists", "¬": r"\neg",
    "∧": r"\wedge", "∨": r"\vee", "⊕": r"\oplus", "⊗": r"\otimes", "⊙": r"\odot", "⊥": r"\perp", "∥": r"\parallel",
    "∘": r"\circ", "∗": r"\ast", "⋅": r"\cdot", "⋆": r"\star", "★": r"\star", "→": r"\rightarrow",
    "←": r"\leftarrow", "↔": r"\leftrightarrow", "⇒": r"\Rightarrow", "⇐": r"\Leftarrow", "⇔": r"\Leftrightarrow",
    "↑": r"\uparrow", "↓": r"\downarrow", "↦": r"\mapsto", "ℓ": r"\ell",
    "ℏ": r"\hbar", "ℜ": r"\Re", "ℑ": r"\Im", "ℵ": r"\aleph", "≪": r"\ll", "≫": r"\gg", "⋯": r"\cdots", "′": "'",
    "″": "''", "∆": r"\Delta", "∣": r"\mid", "⊤": r"\top", "‖": r"\Vert",
    **{char: f"^{{{plain}}}" for char, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ", "0123456789n", strict=True)},
    **{char: f"_{{{plain}}}" for char, plain in zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)},
}  # fmt: skip
_MARKS = "\u0300-\u036f"
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 .:;()/+*=\[\]-]|--")
_CLUSTER = re.compile(rf"[^\x00-\x7f][{_MARKS}]*|[A-Za-z][{_MARKS}]+|[\\{{}}~^<>|`\"%&#$_@]")
_KEPT = re.compile(r"[\\{}~^<>|`\"%&#$_@]")
# Characters that TeX would join into another one when they meet: dashes, quotes, commas, ?` and !`.
_RUN = re.compile(r"[-‐‑‒–—―'‘’“”ʻʼ,?!]{2,}")
_SPACE = re.compile(r"[\s\u2028\u2029]+")
# What inputenc prints under T1 without help, as far as titles and names go.
_KNOWN = re.compile(r"[\x00-\u0125\u0128-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e‐-―‘-‚“-„†-•…]")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")


def escape(text: str) -> str:
    """Return `text` as one line of ASCII that LaTeX prints as it reads; scripts LaTeX lacks are transliterated."""
    if not _NOT_PLAIN.search(text):
        return text
    return _converted(text, _CLUSTER, _escaped_cluster)


def escape_name(text: str) -> str:
    """Return a name as `escape` does, but Greek and signs as letters: an initial cannot be half a formula."""
    if not _NOT_PLAIN.search(text):
        return text
    return escape("".join(map(_in_name, text)))


def keep(text: str) -> str:
    """Return `text` with its letters as they are and only what LaTeX would act on escaped."""
    if not _NOT_PLAIN.search(text):
        return text
    return _converted(text, _KEPT, PUNCTUATION.__getitem__)


# Defines a letter unless the document can print it already; engines other than pdflatex ignore all of it.
DEFINE_LETTER = r"\providecommand{\atlasletter}[2]{\expandafter\gdef\csname u8:\detokenize{#1}\endcsname{#2}}"


def preamble(text: str) -> str:
    """Return TeX that lets pdflatex print every letter of `text` it does not know, or nothing if it knows all."""
    strange = sorted(strange_letters(text))
    return "\n".join([DEFINE_LETTER, *map(define_letter, strange)]) if strange else ""


def strange_letters(text: str) -> frozenset[str]:
    """Return the letters of `text` that pdflatex cannot print without a definition."""
    if text.isascii():
        return frozenset()
    letters = set(unicodedata.normalize("NFC", text))
    return frozenset({char for char in letters if not _KNOWN.match(char)} | _left_over(letters))


def define_letter(char: str) -> str:
    """Return the TeX that defines a letter with what `DEFINE_LETTER` brought."""
    octets = "".join(f"^^{octet:02x}" for octet in char.encode())
    set_letter = rf"\atlasletter{{{octets}}}{{{escape(char)}}}"
    known = r"T@T2A" if _CYRILLIC.match(char) else rf"u8:\detokenize{{{octets}}}"
    return rf"\ifcsname {known}\endcsname\else{set_letter}\fi"


def one_line(text: str) -> str:
    """Return `text` without line breaks and without marks that do not show."""
    if not text.isprintable():
        text = "".join(char for char in text if not _invisible(char))
    return _SPACE.sub(_one_space, text).strip()


def _converted(text: str, pattern: re.Pattern[str], convert: Callable[[str], str]) -> str:
    text = one_line(unicodedata.normalize("NFC", text))

    def piece(part: str) -> str:
        return pattern.sub(lambda found: convert(found[0]), part)

    def run(found: re.Match[str]) -> str:
        pieces = [piece(char) for char in found[0]]
        return "".join(
            before + ("{}" if _ligature(before, after) else "")
            for before, after in zip(pieces, [*pieces[1:], ""], strict=True)
        )

    parts, at = [], 0
    for found in _RUN.finditer(text):
        parts += [piece(text[at : found.start()]), run(found)]
        at = found.end()
    return _SPACE.sub(_one_space, "".join([*parts, piece(text[at:])])).strip()


def _ligature(before: str, after: str) -> bool:
    meet = before[-1:] + after[:1]
    return meet in ("--", "''", "``", ",,", "?`", "!`")


@lru_cache(maxsize=4096)
def _escaped_cluster(cluster: str) -> str:
    """Return a letter with its combining marks, or a single character, as LaTeX."""
    if cluster in PUNCTUATION:
        return PUNCTUATION[cluster]
    if found := _known(cluster):
        return found
    decomposed = unicodedata.normalize("NFD", cluster)
    base, marks = decomposed[0], decomposed[1:]
    if base in SIGNS and marks:
        return f"{{${_math_accented(SIGNS[base], marks)}$}}"
    if marks and (base.isascii() or base in LETTERS):
        return _accented(base, marks) if base.isalpha() else escape(base)
    compatible = unicodedata.normalize("NFKC", cluster)
    if compatible[:1].isspace() and (alone := "".join(_SPACING_MARKS.get(mark, "") for mark in compatible)):
        return alone
    if compatible != cluster and compatible.strip():
        return escape(compatible)
    return escape(_transliterated(cluster[0]))


def _known(char: str) -> str | None:
    if found := LETTERS.get(char) or SPACING.get(char):
        return found
    return f"{{${SIGNS[char]}$}}" if char in SIGNS else None


def _in_name(char: str) -> str:
    # A comma would part the name.
    if not char.isascii() and "," in anyascii(char):
        return " "
    return _transliterated(char) if _known_as_math(char) else char


def _known_as_math(char: str) -> bool:
    return not char.isascii() and unicodedata.normalize("NFD", char)[0] in SIGNS


def _transliterated(char: str) -> str:
    # Arabic and Hebrew letters become backticks, which no reader of BibTeX takes well at the start of a name.
    return anyascii(char).replace("`", "'")


def _accented(base: str, marks: str) -> str:
    accents = [ACCENTS[mark] for mark in marks if mark in ACCENTS]
    above = any(accent not in _BELOW for accent in accents)
    plain_dot = accents[:1] in (["'"], ["`"], ["^"], ['"'])
    body = rf"\{base}" if base in "ij" and above and not plain_dot else LETTERS.get(base, base).strip("{}")
    for accent in sorted(accents, key=_BELOW.__contains__):
        simple = len(body) == 1 and not accent.isalpha()
        # Without the empty group biber takes the braces off an accented letter below another accent.
        inner = body + "{}" if body.startswith("\\") and body[1:] not in "ij" else body
        body = rf"\{accent}{body}" if simple else rf"\{accent}{{{inner}}}"
    return f"{{{body}}}" if accents else LETTERS.get(base, base)


def _math_accented(body: str, marks: str) -> str:
    for mark in marks:
        if mark in _MATH_ACCENTS:
            body = rf"\{_MATH_ACCENTS[mark]}{{{body}}}"
    return body


def _left_over(letters: Iterable[str]) -> set[str]:
    """Return the marks that biber cannot join to their letter again where it reads LaTeX accents."""
    split = (list(unicodedata.normalize("NFD", char)) for char in letters if not char.isascii())
    return {mark for base, *marks in split if len(marks) > 1 or base in "ij" for mark in marks if mark in ACCENTS}


def _invisible(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) in ("Cf", "Cc", "Cs", "Co", "Cn")


def _one_space(found: re.Match[str]) -> str:
    space = found[0]
    return space if space in ("\u00a0", "\u202f") else " "
