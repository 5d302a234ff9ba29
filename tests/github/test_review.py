"""`atlas review` on real git repositories: what changed, what the checks say, how it will look."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.github.conftest import RECORD, VENUES
from tests.github.harmless import PARSER, acting
from tests.github.test_text import HOSTILE

from inversion_atlas.cli.main import atlas
from inversion_atlas.github.review import Review

DEEP = "data/papers/2019/zhu2019deep.yaml"
WAX = """\
title: Sealing Wax
authors: ["Li, Bo"]
year: 2020
venue: ccs
kind: defense
summary: Seals gradients with wax.
taxonomy:
  family: [wax]
links:
  paper: https://example.org/paper
evidence: [https://example.org/seen]
"""
FACET = """\
label: Family
question: Which?
order: 1
terms:
  wax: {label: Wax, definition: It seals., sources: [s]}
"""


@pytest.fixture
def repository(root: Path) -> Path:
    (root / "taxonomy/family.yaml").write_text(FACET)
    (root / "README.md").write_text("# Atlas\n")
    git(root, "init", "--quiet", "--initial-branch", "main")
    commit(root)
    git(root, "switch", "--quiet", "--create", "work")
    return root


def git(root: Path, *arguments: str) -> str:
    names = ("-c", "user.name=A", "-c", "user.email=a@atlas.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(root), *names, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A step")


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(root), "review", *arguments])


def reviewed(root: Path, base: str = "main") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(root, base, "--format", "json").stdout)
    return found


def add_wax(root: Path, text: str = WAX) -> None:
    (root / "data/papers/2020").mkdir(exist_ok=True)
    (root / "data/papers/2020/li2020sealing.yaml").write_text(text)


def test_without_changes_it_says_so(repository: Path) -> None:
    result = run(repository)
    assert result.exit_code == 0, result.output
    assert "No record changes." in result.stdout
    assert "Nothing to mend in the changed files." in result.stdout


@pytest.mark.parametrize("committed", [True, False])
def test_a_new_paper_is_shown_as_it_will_look(repository: Path, committed: bool) -> None:
    add_wax(repository)
    if committed:
        commit(repository)
    text = run(repository).stdout
    assert "- **added** `li2020sealing`: Sealing Wax" in text
    assert "- [Sealing Wax](https://example.org/paper) - CCS 2020. Seals gradients with wax." in text
    assert "| Family | Wax |" in text
    assert "- <https://example.org/seen>" in text
    assert "Leave them out" not in text


def test_changed_fields_are_shown_before_and_after(repository: Path) -> None:
    changed = RECORD.replace("year: 2019", "year: 2018").replace("Liu, Zhijian", "Li, Z.")
    (repository / DEEP).write_text(changed.replace('arxiv: "1906.08935"', 'arxiv: "1906.08936"'))
    text = run(repository).stdout
    assert "- **changed** `zhu2019deep`: Deep Leakage from Gradients" in text
    assert "  - `year`: 2019 → 2018" in text
    assert "  - `authors`: Liu, Zhijian → Li, Z." in text
    assert "  - `links.arxiv`: 1906.08935 → 1906.08936" in text


def test_terms_venues_and_retired_records_are_shown(repository: Path) -> None:
    (repository / "taxonomy/family.yaml").write_text(FACET.replace("It seals.", "It melts."))
    (repository / "data/venues.yaml").write_text(VENUES + "x: {name: X, short: X, type: workshop}\n")
    (repository / DEEP).unlink()
    text = run(repository).stdout
    assert "- **changed** term `family/wax`: Wax\n  - `definition`: It seals. → It melts." in text
    assert "- **added** venue `x`: X" in text
    assert "- **retired** `zhu2019deep`: Deep Leakage from Gradients" in text


def test_findings_are_those_of_changed_files_and_new_ones_elsewhere(repository: Path) -> None:
    (repository / DEEP).write_text(RECORD.replace("year: 2019", "year: 2999"))
    commit(repository)
    git(repository, "switch", "--quiet", "-c", "more")
    add_wax(repository, WAX.replace("family: [wax]", "family: [vax]"))
    (repository / "data/venues.yaml").write_text(VENUES.replace("arxiv:", "axriv:"))
    found = reviewed(repository, "work")
    here = {(each["path"], each["code"], each["line"]) for each in found["findings"]}
    assert ("data/papers/2020/li2020sealing.yaml", "reference/unknown-term", 8) in here
    assert (DEEP, "reference/venue-alias", 4) in {(e["path"], e["code"], e["line"]) for e in found["elsewhere"]}
    assert "year/future" not in {each["code"] for each in (*found["findings"], *found["elsewhere"])}
    assert found["rest"]["error"] == 2
    result = run(repository, "work")
    assert result.exit_code == 1
    assert "- error `data/papers/2020/li2020sealing.yaml:8` `reference/unknown-term`:" in result.stdout
    assert "Elsewhere, as before: 2 errors" in result.stdout


def test_a_record_that_cannot_be_read_is_a_finding(repository: Path) -> None:
    (repository / DEEP).write_text(RECORD + "bogus: [\n")
    found = reviewed(repository)
    assert [(each["what"], each["id"]) for each in found["records"]] == [("unreadable", "zhu2019deep")]
    assert found["findings"][0]["code"].startswith("yaml/")


def test_generated_files_are_to_be_left_out(repository: Path) -> None:
    (repository / "README.md").write_text("# Another\n")
    (repository / "schemas").mkdir()
    (repository / "schemas/paper.schema.json").write_text("{}")
    text = run(repository).stdout
    assert "`README.md` `schemas/paper.schema.json`" in text
    assert "git checkout origin/main -- README.md schemas" in text


def test_only_the_work_since_the_fork_counts(repository: Path) -> None:
    git(repository, "switch", "--quiet", "main")
    (repository / DEEP).write_text(RECORD.replace("year: 2019", "year: 2018"))
    commit(repository)
    git(repository, "switch", "--quiet", "work")
    add_wax(repository)
    commit(repository)
    assert [each["id"] for each in reviewed(repository)["records"]] == ["li2020sealing"]


def test_the_merge_that_github_checks_out_is_enough(repository: Path, tmp_path: Path) -> None:
    add_wax(repository)
    commit(repository)
    git(repository, "switch", "--quiet", "main")
    (repository / DEEP).write_text(RECORD.replace("year: 2019", "year: 2018"))
    commit(repository)
    git(repository, "merge", "--quiet", "--no-edit", "work")
    git(tmp_path, "clone", "--quiet", "--depth", "2", f"file://{repository}", "shallow")
    assert [each["id"] for each in reviewed(tmp_path / "shallow", "HEAD^1")["records"]] == ["li2020sealing"]


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "HEAD:README.md", ""])
def test_an_unknown_revision_is_wrong_use(repository: Path, revision: str) -> None:
    result = run(repository, "--", revision)
    assert result.exit_code == 2
    assert result.stderr
    assert not (repository / "x").exists()


def test_outside_of_a_repository_it_says_so(root: Path) -> None:
    result = run(root)
    assert result.exit_code == 2
    assert "not a git repository" in result.stderr


def test_a_huge_change_is_cut_and_counted(repository: Path) -> None:
    for number in range(200):
        text = WAX.replace("Sealing Wax", f"Wax number {number}").replace("seals", "seals " * 50)
        folder = repository / "data/papers/2020"
        folder.mkdir(exist_ok=True)
        (folder / f"li2020wax{number}.yaml").write_text(text + f"methods: [{'M' * 300}]\n")
    text = run(repository).stdout
    assert len(text) < 65_536
    assert "and 140 more records" in text
    assert "192 more papers are not shown." in text or "too long for a comment" in text


@pytest.mark.parametrize("hostile", HOSTILE[:7])
def test_a_hostile_record_keeps_the_shape_of_the_comment(repository: Path, hostile: str) -> None:
    plain = shape(repository, "A plain title")
    assert shape(repository, " ".join(hostile.split())) == plain


def shape(root: Path, title: str) -> list[str]:
    quoted = json.dumps(title)
    (root / DEEP).write_text(RECORD.replace("Deep Leakage from Gradients", quoted))
    # What findings there are depends on the title; everything else does not.
    found = Review.model_validate(reviewed(root) | {"findings": []})
    assert acting(found.markdown()) == []
    tokens = PARSER.parse(found.markdown())
    return [f"{token.type} {token.tag}" for token in tokens]


def test_a_review_goes_to_a_file(repository: Path, tmp_path: Path) -> None:
    add_wax(repository, WAX.replace("year: 2020", "year: 2999"))
    result = run(repository, "main", "--format", "json", "-o", str(tmp_path / "review.json"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert Review.model_validate_json((tmp_path / "review.json").read_text()).errors
