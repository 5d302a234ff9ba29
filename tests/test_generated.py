"""The files that are made from the records and kept in the repository."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from inversion_atlas import checks, generated
from inversion_atlas.catalogue import Catalogue, load
from inversion_atlas.records.findings import Severity

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the records with every generated file as it should be."""
    for folder in ("data", "taxonomy"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for path, text in generated.files(load(tmp_path)).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def found(root: Path) -> list[tuple[str, str, Severity]]:
    findings = checks.findings(load(root), date(2026, 11, 21), generated.RULES)
    return [(finding.code, finding.path, finding.severity) for finding in findings]


def test_fresh_files_are_no_finding(repository: Path) -> None:
    assert found(repository) == []


def test_a_changed_record_makes_the_readme_stale_and_stops_nothing(repository: Path) -> None:
    record = repository / "data/papers/2019/zhu2019deep.yaml"
    record.write_text(record.read_text("utf-8").replace("Leakage from", "Leakages from"), encoding="utf-8")
    assert found(repository) == [("generated/stale", "README.md", Severity.WARNING)]


def test_a_missing_schema_is_stale(repository: Path) -> None:
    (repository / "schemas" / "paper.schema.json").unlink()
    assert found(repository) == [("generated/stale", "schemas/paper.schema.json", Severity.WARNING)]


def test_a_readme_that_github_would_cut_is_an_error(repository: Path) -> None:
    (repository / "README.md").write_text("x" * 450_001, encoding="utf-8")
    assert ("readme/too-large", "README.md", Severity.ERROR) in found(repository)


def test_a_catalogue_without_a_readme_owes_none(make_catalogue: Callable[..., Catalogue]) -> None:
    paper = {"title": "Deep Leakage", "authors": ["Zhu, Ligeng"], "year": 2019, "kind": "attack"}
    catalogue = make_catalogue({"zhu2019deep": paper})
    assert list(generated.stale(catalogue)) == []
