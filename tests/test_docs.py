"""What the documentation shows can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from inversion_atlas.cli.main import atlas

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    (page.name, line)
    for page in PAGES
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
    if re.match(r"atlas (search|show|stats|export|schema|check) ?(?!.*(--fix|new))", line)
]


@pytest.mark.usefixtures("read_once")
@pytest.mark.parametrize(("page", "line"), EXAMPLES, ids=lambda value: value)
def test_the_example_runs(page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(atlas, ["--root", str(ROOT), *shlex.split(line, comments=True)[1:]])
    assert result.exit_code == 0, f"{page}: {line}\n{result.output}"
