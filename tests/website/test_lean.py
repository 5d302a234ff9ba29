"""Scripts and styles as they travel."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from inversion_atlas.website.lean import lean

from .conftest import ROOT

# Where a backquote begins and ends no text: escaped, in a text of another kind, in a class of a pattern.
WITHIN = re.compile(r"""\\.|"[^"]*"|\[[^\]\s(]*\]""")
ASSETS = sorted(path for path in (ROOT / "site" / "assets").rglob("*") if path.suffix in (".js", ".css"))


def test_comments_on_lines_of_their_own_and_indentation_go() -> None:
    source = '// one\n/** Two\n * three */\nconst a = "// kept"; // kept, too\n  f(a);\n\n  // four\n/* 5 */ g();\n'
    assert lean(source) == 'const a = "// kept"; // kept, too\nf(a);\n/* 5 */ g();\n'


@pytest.mark.parametrize("path", ASSETS, ids=lambda path: path.name)
def test_no_text_of_our_assets_spans_lines(path: Path) -> None:
    assert ASSETS
    for line in path.read_text(encoding="utf-8").splitlines():
        assert WITHIN.sub("", line).count("`") % 2 == 0, line


def test_scripts_are_still_scripts(tmp_path: Path, program: Callable[[str], str]) -> None:
    for path in ASSETS:
        if path.suffix == ".js":
            made = tmp_path / path.with_suffix(".mjs").name
            made.write_text(lean(path.read_text(encoding="utf-8")), encoding="utf-8")
            subprocess.run([program("node"), "--check", str(made)], check=True, timeout=60)
