"""The hooks of pre-commit, run on commits in a clone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(sys.executable).parent
DEEP = "data/papers/2019/zhu2019deep.yaml"

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the tracked files of this one, and its programs where `make` puts them."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tools"))
    folder = tmp_path / "clone"
    run(tmp_path, "git", "clone", "--quiet", "--no-local", "--depth", "1", f"file://{ROOT}", "clone")
    listed = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for path in filter(None, listed):
        if (ROOT / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes((ROOT / path).read_bytes())
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(PROGRAMS)
    run(folder, "git", "config", "user.name", "A")
    run(folder, "git", "config", "user.email", "a@atlas.example")
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--allow-empty", "--message", "As it is")
    run(folder, str(PROGRAMS / "pre-commit"), "install")
    return folder


def run(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300).stdout


def commit(folder: Path) -> tuple[bool, str]:
    run(folder, "git", "add", "--all")
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
    run(clone, "git", "reset", "--quiet", "--hard")

    edit(clone / "README.md", "# Inversion Atlas", "# Atlas")
    done, said = commit(clone)
    assert not done
    assert "README.md and schemas/ are written on the main branch" in said
    run(clone, "git", "reset", "--quiet", "--hard")

    edit(clone / "tools/inversion_atlas/stamp.py", "import subprocess", "import   subprocess")
    done, said = commit(clone)
    assert not done
    assert "ruff format" in said
    run(clone, "git", "reset", "--quiet", "--hard")

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
