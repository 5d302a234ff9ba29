"""`atlas build` and `atlas serve` as a shell runs them: same bytes, whole or not at all, clean ends."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ATLAS = [sys.executable, "-c", "from inversion_atlas.cli.main import main; main()"]
PAPER = """\
title: {title}
authors: ["Doe, Jane"]
year: 2020
kind: attack
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small catalogue in its own git checkout, with the website's real sources."""
    root = tmp_path / "atlas"
    papers = root / "data" / "papers" / "2020"
    papers.mkdir(parents=True)
    for number in range(30):
        name = "abcdefghijklmnopqrstuvwxyzäöüß"[number].encode("punycode").decode().strip("-")
        (papers / f"doe2020{name}.yaml").write_text(PAPER.format(title=f"Title {number}"))
    for name in ("taxonomy", "site"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("venues.yaml", "atlas.yaml"):
        shutil.copy(ROOT / "data" / name, root / "data")
    shutil.copy(ROOT / "mkdocs.yml", root)
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x.example"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True)
    return root


def atlas(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*ATLAS, "--root", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def start(root: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*ATLAS, "--root", str(root), *words], stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> str:
    """Wait for a process and return what it said."""
    _, said = process.communicate(timeout=60)
    return said


def test_two_builds_of_a_commit_are_the_same_bytes(root: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for out in (one, two):
        result = atlas(root, "build", "--no-check", "--out", str(out))
        assert result.returncode == 0, result.stderr
        readme = (root / "README.md").read_bytes()
        time.sleep(1.1)
    assert digest(one) == digest(two)
    assert (root / "README.md").read_bytes() == readme
    assert (root / "schemas" / "paper.schema.json").is_file()
    assert "papers in" in result.stderr


def test_findings_stop_a_build(root: Path, tmp_path: Path) -> None:
    file = root / "data" / "papers" / "2020" / "doe2020a.yaml"
    file.write_text(PAPER.format(title="T") + "datasets: [nope]\n")
    result = atlas(root, "build", "--out", str(tmp_path / "out"))
    assert result.returncode == 1
    assert "doe2020a.yaml:5:" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_bad_formula_stops_a_build(root: Path, tmp_path: Path) -> None:
    (root / "data" / "metrics.yaml").write_text(
        'm: {name: M, group: pixel, description: D., blind_to: X., formula: "\\\\frac{a",\n'
        "  direction: {attacker: higher, defender: lower}}\n"
    )
    result = atlas(root, "build", "--no-check", "--out", str(tmp_path / "out"))
    assert result.returncode == 1
    assert "data/metrics.yaml:1:" in result.stderr
    assert "no LaTeX formula" in result.stderr


def test_a_theme_that_fails_is_reported_and_changes_nothing(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert atlas(root, "build", "--no-check", "--out", str(out)).returncode == 0
    before = digest(out)
    (root / "site" / "theme" / "main.html").write_text("{% block x %}")
    result = atlas(root, "build", "--no-check", "--out", str(out))
    assert result.returncode == 1
    assert "the theme could not be built" in result.stderr
    assert "Traceback (most recent call last):\n  File" not in result.stderr.split("mkdocs said")[0]
    assert digest(out) == before


def test_a_shell_without_its_slot_is_named(root: Path, tmp_path: Path) -> None:
    shell = root / "site" / "papers" / "shell.md"
    shell.write_text(shell.read_text().replace("@@atlas-body@@", ""))
    result = atlas(root, "build", "--no-check", "--out", str(tmp_path / "out"))
    assert result.returncode == 1
    assert "papers/shell/ has no slot @@atlas-body@@" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_build_stopped_at_any_moment_leaves_a_whole_site(root: Path, how: signal.Signals) -> None:
    out, record = root / "build" / "site", root / "data" / "papers" / "2020" / "doe2020a.yaml"
    titles = ("Title 0", "New title")
    whole = set()
    for title in titles:
        record.write_text(PAPER.format(title=title))
        assert atlas(root, "build", "--no-check").returncode == 0
        whole.add(digest(out))
    assert len(whole) == 2
    rng, stopped = random.Random(how), 0
    for attempt in range(3):
        record.write_text(PAPER.format(title=titles[attempt % 2]))
        process = start(root, "build", "--no-check")
        time.sleep(rng.uniform(0.2, 1.6))
        process.send_signal(how)
        said = end(process)
        assert digest(out) in whole, said
        if process.returncode != 0 and how is not signal.SIGKILL:
            # Before the command has set up its own handlers, Python and the system end it their way.
            assert process.returncode in (130, 1, -how), said
            assert not (out.parent / ".site.new").exists(), (process.returncode, said)
        stopped += process.returncode != 0
    assert stopped
    assert atlas(root, "build", "--no-check").returncode == 0
    assert sorted(path.name for path in out.parent.iterdir()) == [".site.lock", "site"]
    assert titles[attempt % 2] in (out / "papers" / "doe2020a" / "index.html").read_text()


def test_a_port_that_is_taken_is_said(root: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = atlas(root, "serve", "--port", str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "is taken; name another with --port" in result.stderr


def test_ctrl_c_ends_serving_cleanly(root: Path) -> None:
    process = start(root, "serve", "--port", "0")
    assert process.stderr
    for line in process.stderr:
        if "Serving" in line:
            break
    process.send_signal(signal.SIGINT)
    said = end(process)
    assert process.returncode == 0
    assert said.splitlines()[-1] == "Stopped."
    assert "Traceback" not in said
