"""The hooks of pre-commit, run on commits in a clone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.clones import PROGRAMS, cloned, git

DEEP = "data/papers/2019/zhu2019deep.yaml"

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with the hooks installed."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    folder = cloned(tmp_path, monkeypatch)
    subprocess.run([str(PROGRAMS / "pre-commit"), "install"], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


def commit(folder: Path) -> tuple[bool, str]:
    git(folder, "add", "--all")
    done = subprocess.run(
        ["git", "commit", "--message", "A step"], cwd=folder, check=False, capture_output=True, text=True, timeout=300
    )
    return done.returncode == 0, done.stdout + done.stderr


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_each_hook_lets_good_work_through_and_stops_the_rest(clone: Path) -> None:
    record = clone / DEEP
    edit(record, "methods: [DLG]", "methods: [DLG, iDLG]")
    assert commit(clone)[0]

    # What is mechanical is put right, and the next commit takes it.
    edit(record, "kind: attack\nmethods: [DLG, iDLG]\n", "methods: [DLG]\nkind: attack\n")
    done, said = commit(clone)
    assert not done
    assert "fixed key order" in said
    assert "kind: attack\nmethods: [DLG]\n" in record.read_text("utf-8")
    assert commit(clone)[0]

    edit(record, "family: [gradient-inversion.optimization]", "family: [gradient-inversion.optimisation]")
    done, said = commit(clone)
    assert not done
    assert "reference/unknown-term" in said or "reference/term" in said
    git(clone, "reset", "--quiet", "--hard")

    edit(clone / "README.md", "# Inversion Atlas", "# Atlas")
    done, said = commit(clone)
    assert not done
    assert "README.md and schemas/ are written on the main branch" in said
    git(clone, "reset", "--quiet", "--hard")

    edit(clone / "tools/inversion_atlas/stamp.py", "import subprocess", "import   subprocess")
    done, said = commit(clone)
    assert not done
    assert "ruff format" in said
    git(clone, "reset", "--quiet", "--hard")

    edit(clone / ".github/workflows/pages.yml", "        run: make build", "        run: echo ${{ github.head_ref }}")
    done, said = commit(clone)
    assert not done
    assert "template-injection" in said


def test_every_hook_passes_on_every_file_that_is_not_generated(clone: Path) -> None:
    done = subprocess.run(
        [str(PROGRAMS / "pre-commit"), "run", "--all-files"],
        cwd=clone, check=False, capture_output=True, text=True, timeout=300,
        env={**os.environ, "SKIP": "generated-files"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Passed") == 4
