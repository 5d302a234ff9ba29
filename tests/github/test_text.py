"""What strangers wrote, in Markdown for GitHub."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.github.harmless import PARSER, acting

from inversion_atlas.github import text

HOSTILE = [
    "@octocat and @atlas/team",
    "fixes #12, GH-34, atlas/atlas#56, ghsa-xxxx-yyyy-zzzz",
    "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
    "<script>alert(1)</script><img src=x onerror=y>",
    "![a](https://evil.example/p.png) [b](javascript:alert(1)) <https://evil.example>",
    "| a | b |\n| --- | --- |\n\n# Heading\n\n- item\n\n```\nx",
    "https://evil.example/?x=@a www.evil.example mail@evil.example",
    "::error file=a::b\n##[error]c",
    "\x1b[31mred\x1b[0m \u202egnp \u200b \x00",
    "&lt;b&gt; \\* `code` ``two`` $x$",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_text_shows_and_acts_on_nothing(hostile: str) -> None:
    made = text.shown(hostile)
    assert "\n" not in made
    assert acting(f"x {made}") == []
    assert len(PARSER.parse(f"- x {made}")) == len(PARSER.parse("- x y"))
    assert "\x1b" not in made


@given(st.text(max_size=80))
def test_any_text_stays_a_text(given_text: str) -> None:
    for made in (text.shown(given_text), text.code(given_text)):
        assert len(PARSER.parse(f"x {made}")) == 3
    assert acting(f"x {text.shown(given_text)}") == []


@given(st.text(alphabet="`a\n @", max_size=60))
def test_code_stays_code(given_text: str) -> None:
    tokens = PARSER.parse(f"x {text.code(given_text)} y")[1].children or []
    assert [token.type for token in tokens] == ["text", "code_inline", "text"]
    (fence,) = PARSER.parse(text.block(given_text))
    assert fence.type == "fence"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https://a.example/>x", "ftp://a.example", "https://u:p@a.example", "x", "https://", "https://ä.example"],
)  # fmt: skip
def test_what_is_no_plain_address_is_no_link(url: str) -> None:
    assert text.address(url).startswith("`")
    assert text.address("https://a.example/b?c=d") == "<https://a.example/b?c=d>"


@pytest.mark.parametrize(
    "markdown",
    [
        "x @octocat",
        "fixes #1",
        "GH-12",
        "x deadbeef1",
        "<b>x</b>",
        "<details>\n",
        "https://a.example",
        "[a](https://b.example)",
        "![a](https://b.example)",
        "<ftp://a.example>",
    ],
)
def test_what_acts_is_seen_as_acting(markdown: str) -> None:
    assert acting(markdown)
    assert acting("plain \\#<!-- -->1 `@octocat` <https://a.example/b>\n\n```\n<b> @octocat\n```") == []


def test_a_long_text_is_cut() -> None:
    assert len(text.shown("a " * 5000)) < 400
    assert text.cut("abc", 3) == "abc"
    assert text.cut("abcd", 3) == "ab…"
