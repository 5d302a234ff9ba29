"""`atlas release`: what it makes, what it refuses, and that the same commit gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inversion_atlas.cli.main import atlas

RECORD = """\
title: {title}
authors: ["Zhu, Ligeng"]
year: 2019
kind: attack
links:
  arxiv: "{arxiv}"
"""
CITATION = """\
cff-version: 1.2.0
message: Cite it.
title: Inversion Atlas
type: dataset
authors:
  - name: The contributors
license: CC-BY-4.0
"""
FACET = """\
label: Access
question: What can the adversary reach?
order: 1
terms:
  white-box: {label: White box, definition: Everything inside., sources: [a-survey]}
"""
SOURCE = """\
title: A survey
kind: survey
rows:
  - {place: Table 1, title: DLG, paper: zhu2019deep}
"""
ATLAS = [sys.executable, "-c", "from inversion_atlas.cli.main import main; main()"]
DEEP, INVERTING = "data/papers/2019/zhu2019deep.yaml", "data/papers/2019/zhu2019inverting.yaml"


def git(root: Path, *arguments: str) -> str:
    named = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    day = {"GIT_AUTHOR_DATE": "2026-10-01T12:00:00+02:00", "GIT_COMMITTER_DATE": "2026-10-01T12:00:00+02:00"}
    command = ["git", "-C", str(root), *named, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **day}).stdout


def commit(root: Path, message: str = "A step") -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A catalogue in a repository with one commit."""
    root = tmp_path / "atlas"
    files = {
        DEEP: RECORD.format(title="Deep Leakage from Gradients", arxiv="1906.08935"),
        INVERTING: RECORD.format(title="Inverting All of Them", arxiv="1906.08936"),
        "taxonomy/access.yaml": FACET,
        "data/sources/a-survey.yaml": SOURCE,
        "data/LICENSE": "CC-BY-4.0\n",
        "CITATION.cff": CITATION,
        ".gitignore": "/build/\n",
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    git(root, "init", "-q")
    commit(root)
    return root


def release(root: Path, *words: str) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(root), "release", *words])


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def state(root: Path) -> str:
    return git(root, "status", "--porcelain", "--ignored") + git(root, "log", "--oneline") + git(root, "tag")


def test_a_release_holds_archive_checksums_citation_metadata_and_changes(root: Path) -> None:
    result = release(root, "2026.10.02")
    assert result.exit_code == 0, result.output
    folder = root / "build/release/2026.10.02"
    archive = folder / "inversion-atlas-2026.10.02.zip"
    assert {path.name for path in folder.iterdir()} == {
        archive.name,
        ".zenodo.json",
        "CITATION.cff",
        "CHANGES.md",
        "SHA256SUMS",
    }
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        names = {name.partition("/")[2] for name in opened.namelist()}
        assert {DEEP, "taxonomy/access.yaml", "data/LICENSE", "data/CHANGELOG.md", "CITATION.cff"} <= names
        assert {"exports/inversion-atlas.bib", "exports/inversion-atlas.sqlite", "schemas/paper.schema.json"} <= names
        assert opened.read(f"inversion-atlas-2026.10.02/{DEEP}") == (root / DEEP).read_bytes()
        sums = opened.read("inversion-atlas-2026.10.02/SHA256SUMS").decode().splitlines()
        assert {line.partition("  ")[2] for line in sums} == names - {"SHA256SUMS"}
        for line in sums:
            digest, _, name = line.partition("  ")
            assert hashlib.sha256(opened.read(f"inversion-atlas-2026.10.02/{name}")).hexdigest() == digest
    assert json.loads((folder / ".zenodo.json").read_text())["version"] == "2026.10.02"
    assert (root / "CITATION.cff").read_bytes() == (folder / "CITATION.cff").read_bytes()
    assert 'version: "2026.10.02"' in (root / "CITATION.cff").read_text()
    changelog = (root / "data/CHANGELOG.md").read_text()
    assert "## 2026.10.02\n\nThe first version: 2 papers, 0 datasets" in changelog


def test_nothing_is_committed_tagged_or_pushed_and_the_next_steps_are_said(root: Path) -> None:
    log = git(root, "log", "--all", "--format=%H")
    result = release(root, "2026.10.02")
    assert git(root, "log", "--all", "--format=%H") == log
    assert git(root, "tag") == ""
    assert "git tag -a data-2026.10.02" in result.stderr
    assert "git push origin HEAD data-2026.10.02" in result.stderr
    for step in [line.strip() for line in result.stderr.splitlines() if line.strip().startswith("git ")][:3]:
        git(root, *shlex.split(step)[1:])
    assert git(root, "tag") == "data-2026.10.02\n"
    assert git(root, "status", "--porcelain") == ""


def test_the_same_commit_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    made = []
    for number, (zone, seed) in enumerate((("UTC", "1"), ("Asia/Tokyo", "2"))):
        clone = tmp_path / f"clone{number}"
        git(root, "clone", "-q", str(root), str(clone))
        os.utime(clone / DEEP, (number * 1e9, number * 1e9))
        (clone / DEEP).chmod(0o600 if number else 0o644)
        git(clone, "config", "core.fileMode", "false")
        subprocess.run(
            [*ATLAS, "--root", str(clone), "release", "2026.10.02"],
            env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            umask=0o077 if number else 0o022,
        )
        made.append(tree(clone / "build/release"))
    assert made[0] == made[1]
    assert len(made[0]) == 5


def test_what_changed_since_the_last_release_is_told_record_by_record(root: Path) -> None:
    assert release(root, "2026.10.02").exit_code == 0
    commit(root, "Data 2026.10.02")
    git(root, "tag", "data-2026.10.02")
    (root / INVERTING).unlink()
    text = (root / DEEP).read_text()
    (root / DEEP).write_text(text.replace("year: 2019", "year: 2020").replace("kind:", "methods: [DLG]\nkind:"))
    new = RECORD.format(title="A *New* [One](x) of @all", arxiv="2001.00001")
    (root / "data/papers/2020").mkdir()
    (root / "data/papers/2020/zhu2020new.yaml").write_text(new.replace("title: A", 'title: "A').replace("all", 'all"'))
    facet = FACET + "  black-box: {label: Black box, definition: Queries., sources: [a-survey]}\n"
    (root / "taxonomy/access.yaml").write_text(facet)
    (root / "data/sources/a-survey.yaml").write_text(SOURCE + "  - {place: Table 2, title: NEW, paper: zhu2020new}\n")
    commit(root)
    result = release(root, "2026.10.03")
    assert result.exit_code == 0, result.output
    changelog = (root / "data/CHANGELOG.md").read_text()
    assert changelog.index("## 2026.10.03") < changelog.index("## 2026.10.02")
    section = changelog.partition("## 2026.10.03")[2].partition("## 2026.10.02")[0]
    assert (
        section
        == """

Since data-2026.10.02: 1 paper added, 1 term added, 1 row of a source added, 1 paper changed, 1 paper retired.

### Added

- paper `zhu2020new`, A \\*New\\* \\[One\\](x) of @<!-- -->all
- term `access/black-box`, Black box
- 1 row of a source: `a-survey`

### Changed

- paper `zhu2019deep`, Deep Leakage from Gradients: year: 2019 → 2020; methods: DLG

### Retired

- paper `zhu2019inverting`, Inverting All of Them

"""
    )


def test_a_release_may_be_compared_with_any_revision(root: Path) -> None:
    (root / INVERTING).unlink()
    commit(root)
    result = release(root, "--dry-run", "--since", "HEAD^")
    assert result.exit_code == 0
    assert "Since HEAD^: 1 paper retired." in result.stdout
    unknown = release(root, "--dry-run", "--since", "nowhere")
    assert (unknown.exit_code, "no such revision" in unknown.stderr) == (1, True)


def test_a_dry_run_writes_nothing(root: Path) -> None:
    before, stood = tree(root), state(root)
    result = release(root, "--dry-run")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("## 20")
    assert "Nothing was written" in result.stderr
    assert (tree(root), state(root)) == (before, stood)


def test_a_tree_that_is_not_clean_is_refused(root: Path) -> None:
    (root / "stray.txt").write_text("")
    result = release(root, "2026.10.02")
    assert (result.exit_code, "not clean (stray.txt)" in result.stderr) == (1, True)
    (root / "stray.txt").unlink()
    (root / DEEP).write_text((root / DEEP).read_text().replace("Zhu, L", "Zhu, l"))
    result = release(root, "2026.10.02")
    assert (result.exit_code, f"not clean ({DEEP})" in result.stderr) == (1, True)
    assert not (root / "build").exists()


def test_a_catalogue_with_errors_is_refused(root: Path) -> None:
    (root / DEEP).write_text((root / DEEP).read_text() + "venue: nowhere\n")
    commit(root)
    result = release(root, "2026.10.02")
    assert result.exit_code == 1
    assert "nowhere" in result.stderr
    assert not (root / "build").exists()
    assert not (root / "data/CHANGELOG.md").exists()


def test_a_version_that_exists_or_runs_backwards_is_refused(root: Path) -> None:
    git(root, "tag", "data-2026.10.02")
    for version, says in (
        ("2026.10.02", "2026.10.02 exists already (tag data-2026.10.02)"),
        ("2026.10.01", "earlier than the last release, 2026.10.02"),
        ("9999.01.01", "lies in the future"),
        ("tomorrow", "is no version"),
    ):
        result = release(root, version)
        assert (result.exit_code, says in result.stderr) == (1, True), result.stderr
    assert release(root, "2026.10.02.1").exit_code == 0
    commit(root)
    again = release(root, "2026.10.02.1")
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)
    elsewhere = release(root, "2026.10.02.1", "--out", str(root.parent / "out"))
    assert (elsewhere.exit_code, "has a section 2026.10.02.1 already" in elsewhere.stderr) == (1, True)
    assert not (root.parent / "out").exists()


def test_a_folder_that_is_no_repository_is_refused(root: Path) -> None:
    shutil.rmtree(root / ".git")
    result = release(root, "2026.10.02")
    assert (result.exit_code, "git" in result.stderr) == (1, True)
    assert not (root / "build").exists()


def test_a_release_that_fails_leaves_no_half_of_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(root)

    def broken(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", broken)
    result = release(root, "2026.10.02", "--since", "")
    monkeypatch.undo()
    assert (result.exit_code, "No space left" in result.stderr) == (1, True), result.output
    assert tree(root) == before
    assert not list((root / "build/release").iterdir())
