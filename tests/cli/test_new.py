"""`atlas new`: a draft becomes a record."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inversion_atlas.cli.main import atlas

DRAFT = """\
kind: attack
title: "iDLG: Improved Deep Leakage from Gradients"
authors: [ 'Zhao, Bo', 'Mopuri, Konda Reddy' ]
year: 2020
venue: arXiv preprint
links: {arxiv: 2001.02610}
"""
WRITTEN = f"""\
title: "iDLG: Improved Deep Leakage from Gradients"
authors: ["Zhao, Bo", "Mopuri, Konda Reddy"]
year: 2020
venue: arxiv
kind: attack
links:
  arxiv: "2001.02610"
added: {date.today()}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / "data/papers").mkdir(parents=True)
    venues = "arxiv:\n  name: arXiv\n  short: arXiv\n  type: preprint\n  aliases: [arXiv preprint]\n"
    (tmp_path / "data/venues.yaml").write_text(venues)
    return tmp_path


def new(root: Path, draft: str | bytes, *arguments: str) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(root), "new", "-", *arguments], input=draft)


def test_a_draft_is_written_canonically_under_its_id(root: Path) -> None:
    (root / "draft.yaml").write_text(DRAFT)
    result = CliRunner().invoke(atlas, ["--root", str(root), "new", str(root / "draft.yaml")])
    assert result.exit_code == 0
    assert result.stdout == "data/papers/2020/zhao2020idlg.yaml\n"
    assert (root / "data/papers/2020/zhao2020idlg.yaml").read_text() == WRITTEN
    assert "warning [complete/summary]" in result.stderr
    assert "warning [complete/evidence]" in result.stderr
    assert [path.name for path in (root / "data/papers/2020").iterdir()] == ["zhao2020idlg.yaml"]


def test_a_dry_run_prints_the_record_and_writes_nothing(root: Path) -> None:
    result = new(root, DRAFT, "--dry-run")
    assert result.exit_code == 0
    assert result.stdout == f"# data/papers/2020/zhao2020idlg.yaml\n{WRITTEN}"
    assert list((root / "data/papers").iterdir()) == []


def test_the_same_work_is_refused_and_the_record_named(root: Path) -> None:
    assert new(root, DRAFT).exit_code == 0
    for change in (
        ("Improved", "Entirely other"),
        ("2001.02610", "2001.02611"),
        ("{arxiv: 2001.02610}", "{doi: 10.1/x}"),
    ):
        result = new(root, DRAFT.replace(*change))
        assert result.exit_code == 1
    result = new(root, DRAFT.replace("2001.02610", "2001.02611").replace("Gradients", "Gradient"))
    assert result.exit_code == 1
    assert "data/papers/2020/zhao2020idlg.yaml has nearly the same title" in result.stderr
    apart = DRAFT.replace("2001.02610", "2001.02611") + "not_duplicate_of: [zhao2020idlg]\n"
    assert new(root, apart).stdout == "data/papers/2020/zhao2020improved.yaml\n"


def test_ids_of_the_past_and_of_broken_files_are_taken(root: Path) -> None:
    (root / "data/papers/2020").mkdir()
    (root / "data/papers/2020/zhao2020idlg.yaml").write_text("a: [")
    first = 'title: X\nauthors: ["X, Y"]\nyear: 2020\nkind: attack\naliases: [zhao2020improved]\n'
    (root / "data/papers/2020/x2020x.yaml").write_text(first)
    result = new(root, DRAFT)
    assert result.stdout == "data/papers/2020/zhao2020deep.yaml\n"
    assert "The catalogue has 1 errors" in result.stderr
    assert (root / "data/papers/2020/zhao2020idlg.yaml").read_text() == "a: ["


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        ("", "<stdin>:1:1: error [yaml/empty]"),
        ("- a\n", "<stdin>:1:1: error [record/not-a-mapping]"),
        ("id: a\n", "<stdin>:1:1: error [record/id-inside]"),
        (DRAFT.replace("attack", "atack"), "1:1: error [record/unknown-value] `kind` is 'atack'. Did you mean attack"),
        (DRAFT + "year: 2021\n", "<stdin>:7:1: error [yaml/duplicate-key]"),
        (DRAFT + "titel: x\n", "7:1: error [record/unknown-key] `titel` is no key of this record. Did"),
        ("title: Gürses".encode("latin-1"), "error [yaml/not-utf8]"),
        (b"\0" * 100, "error [yaml/nul]"),
    ],
)  # fmt: skip
def test_a_draft_with_errors_is_refused_with_their_places(root: Path, draft: str | bytes, said: str) -> None:
    result = new(root, draft)
    assert result.exit_code == 1
    assert said in result.stderr
    assert list((root / "data/papers").iterdir()) == []


def test_a_draft_that_is_not_there_is_wrong_use(root: Path) -> None:
    result = CliRunner().invoke(atlas, ["--root", str(root), "new", str(root / "none.yaml")])
    assert result.exit_code == 2
