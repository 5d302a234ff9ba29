"""README.md as GitHub and awesome-lint read it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.query import select
from inversion_atlas.readme.awesome import MAX_BYTES, markdown_text, render

LINT = Path(__file__).with_name("awesome_lint.mjs")

HOSTILE = [
    "[Not](https://evil.example) a link",
    "What?? Really!! ~~struck~~",
    'An "unbalanced quote and a “curly one',
    "It’s ’90s ‘style’ — em–dash",
    "<script>alert(1)</script> & <b>bold</b>",
    "`code` *star* _under_ $x^2$ #hash @someone :smile: | pipe \\ slash",
    "https://bare.example/address and www.example.org",
    "- dash * star + plus 1. one",
    "\u202b\u05e9\u05dc\u05d5\u05dd\u202c".replace("\u202b", "").replace("\u202c", "") + " 😀 中文（题",
    "lower case start with node.js and Github",
]


def lint(node_modules: Path, text: str, folder: Path) -> str:
    (folder / "readme.md").write_text(text, encoding="utf-8")
    (folder / "contributing.md").write_text("How to contribute.\n", encoding="utf-8")
    command = ["node", str(LINT), str(node_modules), str(folder / "readme.md")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).stdout


def with_titles(catalogue: Catalogue, titles: list[str]) -> Catalogue:
    changed = dict(catalogue.papers)
    for id, title in zip([paper.id for paper in select(catalogue, "has:summary")], titles, strict=False):
        changed[id] = changed[id].model_copy(update={"title": title, "summary": title, "methods": (title,)})
    return replace(catalogue, papers=changed)


def visible(markdown: str) -> str:
    """Return the text that a reader of the rendered line sees."""
    (inline,) = (
        token for token in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown) if token.type == "inline"
    )
    return "".join(child.content for child in inline.children or () if child.type == "text")


def with_plain_quotes(text: str) -> str:
    return re.sub("[‘’“”\"']", "'", text).replace("（", "(")


def test_the_real_readme_passes_awesome_lint(catalogue: Catalogue, node_modules: Path, tmp_path: Path) -> None:
    assert lint(node_modules, render(catalogue), tmp_path) == ""


def test_a_bad_readme_does_not_pass(node_modules: Path, tmp_path: Path) -> None:
    assert "awesome-badge" in lint(node_modules, "# X\n\n- [A](https://a.example) – b\n", tmp_path)


def test_hostile_titles_pass_awesome_lint(catalogue: Catalogue, node_modules: Path, tmp_path: Path) -> None:
    assert lint(node_modules, render(with_titles(catalogue, HOSTILE)), tmp_path) == ""


def test_each_paper_stands_exactly_once(catalogue: Catalogue) -> None:
    text = render(catalogue)
    for paper in select(catalogue):
        bullets = re.findall(rf"^- \[?{re.escape(markdown_text(paper.title))}[\] ]", text, re.MULTILINE)
        assert len(bullets) == sum(other.title == paper.title for other in select(catalogue)), paper.id


def test_background_works_stay_out(catalogue: Catalogue) -> None:
    text = render(catalogue)
    for paper in select(catalogue, "kind=background"):
        assert f"[{markdown_text(paper.title)}]" not in text


def test_the_quick_start_comes_before_the_contents(catalogue: Catalogue) -> None:
    text = render(catalogue)
    assert text.index("make site") < text.index("make test") < text.index("## Contents")


def test_summaries_go_before_the_readme_grows_too_large(catalogue: Catalogue) -> None:
    papers = {
        id: paper.model_copy(update={"summary": "A long sentence about nothing. " * 400})
        for id, paper in catalogue.papers.items()
    }
    text = render(replace(catalogue, papers=papers))
    assert len(text.encode()) <= MAX_BYTES
    assert "A long sentence" not in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_not_obeyed(text: str) -> None:
    shown = visible(f"- {markdown_text(text)} - x").removesuffix(" - x").replace("\u2060", "")
    assert with_plain_quotes(shown) == with_plain_quotes(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=80))
def test_any_text_renders_as_text_alone(text: str) -> None:
    (inline,) = (t for t in MarkdownIt("commonmark").parse(f"x {markdown_text(text)} x") if t.type == "inline")
    others = [child for child in inline.children or () if child.type not in ("text", "text_special")]
    # An empty comment keeps a bare address from becoming a link.
    assert {child.content for child in others} <= {"<!-- -->"}
