"""`atlas export` and `atlas schema`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.cli import export
from inversion_atlas.cli.main import atlas
from inversion_atlas.exports.formats import FORMATS

PAPER = {"title": "Deep Leakage", "authors": ["Zhu, Ligeng"], "year": 2019, "kind": "attack"}
PAPERS = {
    "zhu2019deep": PAPER,
    "zhao2020idlg": {**PAPER, "title": "iDLG", "year": 2020, "links": {"code": ["https://a.example/x"]}},
    "dibbo2023sok": {**PAPER, "title": "A Survey", "year": 2023, "kind": "survey"},
    "lecun1998gradient": {**PAPER, "title": "MNIST", "year": 1998, "kind": "background"},
}


@pytest.fixture
def run(make_catalogue: Callable[..., Catalogue]) -> Callable[..., Result]:
    """Return a function that runs a command on a small catalogue."""
    root = make_catalogue(PAPERS).root
    return lambda *words: CliRunner().invoke(atlas, ["--root", str(root), *words])


def test_background_works_are_left_out_unless_named(run: Callable[..., Result]) -> None:
    assert "lecun1998gradient" not in run("export", "bibtex").stdout
    assert "lecun1998gradient" in run("export", "bibtex", "--all").stdout
    assert "lecun1998gradient" in run("export", "bibtex", "id=lecun1998gradient").stdout


def test_the_words_of_a_filter_all_hold(run: Callable[..., Result]) -> None:
    result = run("export", "csl-json", "year>=2020", "-kind:survey", "has:code")
    assert [item["id"] for item in json.loads(result.stdout)] == ["zhao2020idlg"]
    assert result.exit_code == 0
    assert result.stderr == ""


def test_nothing_found_writes_nothing(run: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "none.bib"
    path.write_text("old")
    result = run("export", "bibtex", "year=1900", "-o", str(path))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "No paper matches" in result.stderr
    assert path.read_text() == "old"


def test_a_file_is_written_and_its_papers_counted(run: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "atlas.sqlite"
    result = run("export", "sqlite", "-o", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"3 papers in {path}\n"
    assert path.read_bytes().startswith(b"SQLite format 3\0")


def test_a_dash_is_the_standard_output(run: Callable[..., Result]) -> None:
    assert run("export", "sqlite", "-o", "-").stdout_bytes.startswith(b"SQLite format 3\0")


def test_a_terminal_is_spared_what_is_no_text(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_on_terminal", lambda: True)
    result = run("export", "parquet")
    assert result.exit_code == 2
    assert "-o atlas.parquet" in result.stderr
    assert run("export", "ris").exit_code == 0


def test_a_misspelt_format_is_guessed(run: Callable[..., Result]) -> None:
    result = run("export", "bibtx")
    assert result.exit_code == 2
    assert "did you mean bibtex?" in result.stderr


def test_a_folder_that_is_not_there_is_named(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("export", "bibtex", "-o", str(tmp_path / "no" / "atlas.bib"))
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
    assert "No such file" in result.stderr


def test_the_formats_are_listed(run: Callable[..., Result]) -> None:
    result = run("export", "--list")
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(FORMATS)


def test_help_teaches_by_example(run: Callable[..., Result]) -> None:
    assert 'atlas export bibtex access=label-only "year>=2022" -o label-only.bib' in run("export", "--help").stdout


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_comes_out_of_the_shell(run: Callable[..., Result], tmp_path: Path, name: str) -> None:
    path = tmp_path / f"out.{FORMATS[name].extension}"
    assert run("export", name, "-o", str(path)).exit_code == 0
    assert path.stat().st_size > 0


def test_a_schema_is_printed(run: Callable[..., Result]) -> None:
    made = json.loads(run("schema", "paper").stdout)
    assert "title" in made["required"]
    assert run("schema").stdout.split()[0] == "paper"
    result = run("schema", "papr")
    assert result.exit_code == 2
    assert "did you mean paper?" in result.stderr
