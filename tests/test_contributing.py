"""Every command of CONTRIBUTING.md, run in its order in a clone, against servers that play the services."""

from __future__ import annotations

import copy
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.clones import ROOT, cloned, git
from tests.servers import services
from tests.servers.playing import Played, play_services
from tests.servers.services import encoded

from inversion_atlas.catalogue import load
from inversion_atlas.cli.main import atlas

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
DOI = "10.1145/2810103.2813677"
# The papers that the page adds: once the site is built, the catalogue forgets them, or they would be duplicates.
ADDED = {"data/papers/2015/fredrikson2015model.yaml", "data/papers/2019/zhu2019deep.yaml"}
BIB = "@inproceedings{wax, title={Sealing Wax for Models}, author={Li, Bo}, booktitle={CCS}, year={2024}}\n"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", PAGE, re.DOTALL | re.MULTILINE)
    return ["\n".join(line.removeprefix(indent) for line in body.splitlines()) for indent, body in found]


def commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line.strip()]


@pytest.fixture
def services_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    with play_services(monkeypatch, tmp_path / "cache") as played:
        monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
        work = copy.deepcopy(services.CROSSREF)
        work["message"] |= {
            "DOI": DOI,
            "title": ["Model Inversion Attacks that Exploit Confidence Information and Basic Countermeasures"],
            "subtitle": [],
            "author": [{"given": "Matt", "family": "Fredrikson"}, {"given": "Somesh", "family": "Jha"}],
            "issued": {"date-parts": [[2015, 10, 12]]},
            "abstract": "",
        }
        played.answer(f"/crossref/works/{DOI}", encoded(work))
        yield played


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = cloned(tmp_path, monkeypatch)
    (folder / "draft.yaml").write_text(blocks("yaml")[0] + "\n")
    (folder / "references.bib").write_text(BIB)
    return folder


def test_the_page_names_commands_and_hides_none() -> None:
    assert len(commands()) > 10
    shown = re.findall(r"^ *```(\w*)", PAGE, re.MULTILINE)
    assert set(shown) == {"sh", "yaml", ""}


@pytest.mark.slow
def test_every_command_of_the_page_runs(clone: Path, services_played: Played) -> None:
    said: dict[str, str] = {}
    for command in commands():
        if command.startswith("git switch"):
            git(clone, "rm", "--quiet", *ADDED)
            git(clone, "commit", "--quiet", "--message", "Without the papers that the page adds")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=clone,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        said[command] = done.stdout + done.stderr
        assert done.returncode == 0, f"$ {command}\n{said[command]}"
    assert services_played.paths()[0].startswith(f"/crossref/works/{DOI}")
    assert "new " in said[f".venv/bin/atlas add {DOI}"]
    assert "**added** `fredrikson2015model`" in said[".venv/bin/atlas review"]
    assert "data/papers/2019/zhu2019deep.yaml" in said[".venv/bin/atlas new draft.yaml"]
    committed = git(clone, "show", "--name-only", "--format=%s", "HEAD").split("\n")
    assert committed[0] == "Add a paper"
    assert [path for path in committed if path.startswith("data/")] == ["data/papers/2015/fredrikson2015model.yaml"]
    papers = load(clone).papers
    assert papers["fredrikson2015model"].links.doi == DOI
    assert {"zhu2019deep", "li2024sealing"} <= set(papers)


def test_commands_that_stand_in_the_text_exist() -> None:
    """They never end, or take too long for this test: the preview (tested in tests/cli), the tests, the pictures."""
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    named = set(re.findall(r"`((?:\.venv/bin/atlas|make) [\w-]+)`", prose))
    assert named == {".venv/bin/atlas serve", "make test", "make screenshots"}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for command in named:
        program, word = command.split()
        known = atlas.get_command(click.Context(atlas), word) if program != "make" else f"\n{word}:" in makefile
        assert known, command
