"""Templates are compiled once, and nothing that lies in the cache makes a page say something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from inversion_atlas.website.compiled import CompiledTemplates, cache_folder


def rendered(templates: Path, folder: Path | None) -> str:
    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, bytecode_cache=CompiledTemplates(folder)
    )
    return environment.get_template("a.html").render(x="<b>")


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_text("one {{ x }}")
    return tmp_path / "templates"


def test_another_process_finds_the_template_compiled(
    templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rendered(templates, tmp_path / "cache") == "one &lt;b&gt;"
    assert len(list((tmp_path / "cache").iterdir())) == 1
    monkeypatch.setattr(Environment, "compile", lambda *_: pytest.fail("compiled again"))
    assert rendered(templates, tmp_path / "cache") == "one &lt;b&gt;"


def test_a_changed_template_is_compiled_anew(templates: Path, tmp_path: Path) -> None:
    rendered(templates, tmp_path / "cache")
    (templates / "a.html").write_text("two {{ x }}")
    assert rendered(templates, tmp_path / "cache") == "two &lt;b&gt;"


@pytest.mark.parametrize("damage", [lambda made: b"", lambda made: made[:-30], lambda made: b"x" * 200])
def test_a_damaged_file_is_compiled_anew(templates: Path, tmp_path: Path, damage: object) -> None:
    rendered(templates, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))  # type: ignore[operator]
    assert rendered(templates, tmp_path / "cache") == "one &lt;b&gt;"
    assert kept.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_done_without(templates: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert rendered(templates, tmp_path / "file" / "cache") == "one &lt;b&gt;"


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "inversion-atlas" / "templates"
