"""Text as LaTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion_atlas.exports import tex

ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0323\u0327\u0328\u0331"
# The long s and z are written as plain ones; pylatexenc sets a dot under each of the two characters that a letter
# with macron is to it.
KEPT = [
    char
    for char in map(chr, [*range(0xC0, 0x250), *range(0x1E00, 0x1F00)])
    if (marks := unicodedata.normalize("NFD", char)[1:]) and not set(marks) - set(ACCENTS) and char not in "ǮǯḸḹṜṝẛ"
]
SPECIAL = list("ßøØłŁđĐıœŒæÆåÅþÞðÐŋŊ«»…†§©£€°αβγπσΔΣΩ×≤≥≠≈∞∇∈→")
ASCII = [chr(code) for code in range(0x21, 0x7F)]
PRINTABLE = st.text(st.sampled_from([*ASCII, *KEPT, *SPECIAL, "–", "—", " "]), min_size=1).map(
    lambda text: " ".join(unicodedata.normalize("NFC", text).split())
)


def balanced(latex: str) -> bool:
    depth = 0
    for char in latex:
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    return depth == 0


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("Nguyễn Tọ", r"Nguy{\~{\^e{}}}n T{\d{o}}"),
        ("Gürses, Škoda", r"G{\"u}rses, {\v{S}}koda"),
        ("ậ", r"{\d{\^a{}}}"),
        ("ï", r"{\"i}"),
        ("ǐ", r"{\v{\i}}"),
        ("ș", r"{\textcommabelow{s}}"),
        ("α-fair", r"{$\alpha$}-fair"),
        ("x²", "x{$^{2}$}"),
        ("50 % & more_", r"50 \% \& more\_"),
        ("張三", "ZhangSan"),
        ("a–b—c", "a--b---c"),
        ("a--b", "a-{}-b"),
        ("“‘quoted’”", "``{}`quoted'{}''"),
        ("a\u200fb\u00adc", "abc"),
        ("\\input{x}", r"{\textbackslash}input{\textbraceleft}x{\textbraceright}"),
        ("G¯ d H¨ e", r"G{\textasciimacron} d H{\textasciidieresis} e"),
        ("a¸ b", r"a{\quotesinglbase} b"),
        ("@article{x", r"{@}article{\textbraceleft}x"),
    ],
)
def test_text_becomes_latex(text: str, latex: str) -> None:
    assert tex.escape(text) == latex


@given(PRINTABLE)
def test_what_latex_prints_reads_as_it_was_written(read_latex: Callable[[str], str], text: str) -> None:
    assert read_latex(tex.escape(text)).replace("’", "'").replace("‘", "`") == text


@given(st.text())
def test_latex_is_ascii_on_one_line_with_balanced_braces(text: str) -> None:
    latex = tex.escape(text)
    assert latex.isascii()
    assert latex.isprintable()
    assert balanced(latex)
    assert balanced(tex.keep(text))
    assert "\n" not in tex.keep(text)


@given(st.lists(st.sampled_from([*"\\{}%$&#_^~ab1 \n", "\\input", "\\write18", "\\end{document}"])).map("".join))
def test_no_command_comes_from_the_text(text: str) -> None:
    for latex in (tex.escape(text), tex.keep(text)):
        allowed = r"\\text(?:backslash|brace(?:left|right)|ascii(?:tilde|circum))\}|\\[%$&#_]"
        assert "\\" not in re.sub(allowed, "", latex)
        assert not re.search(r"(?<!\\)[%$&#_^~]", latex)


@given(st.text(st.characters(min_codepoint=0xA0, exclude_categories=["Cc", "Cs", "Cf", "Co", "Cn", "Z"])))
def test_letters_are_kept_for_those_who_read_unicode(text: str) -> None:
    assert tex.keep(text) == unicodedata.normalize("NFC", text)


def test_only_letters_that_pdflatex_does_not_know_are_defined() -> None:
    assert tex.preamble("Gürses “Škoda” – Łukasz") == ""
    assert r"{{\d{o}}}" in tex.preamble("Tọ")
