"""What an editor is told: which schema checks which file, and which files it completes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from inversion_atlas import generated
from inversion_atlas.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = json.loads((ROOT / ".vscode/settings.json").read_text("utf-8"))["yaml.schemas"]


def pattern(glob: str) -> re.Pattern[str]:
    """Return a glob as the editor reads it: `**/` is any folders, `*` any name."""
    parts = {r"\*\*/": "(?:[^/]+/)*", r"\*": "[^/]*"}
    return re.compile(re.sub(r"\\\*\\\*/|\\\*", lambda found: parts[found[0]], re.escape(glob)))


def test_vs_code_checks_each_file_of_the_catalogue_by_one_schema() -> None:
    paths = [
        path.relative_to(ROOT).as_posix() for name in ("data", "taxonomy") for path in (ROOT / name).rglob("*.yaml")
    ]
    assert len(paths) > 700
    for path in paths:
        found = [schema for schema, glob in SETTINGS.items() if pattern(glob).fullmatch(path)]
        assert len(found) == 1, path


def test_the_schemas_of_vs_code_are_those_that_are_made(catalogue: Catalogue) -> None:
    made = {f"./{path}" for path in generated.files(catalogue) if path.startswith("schemas/")}
    assert set(SETTINGS) == made
    assert all((ROOT / path).is_file() for path in SETTINGS)


def test_the_extension_that_reads_them_is_recommended() -> None:
    recommended = json.loads((ROOT / ".vscode/extensions.json").read_text("utf-8"))["recommendations"]
    assert recommended == ["redhat.vscode-yaml"]
