"""A small repository with the forms, recorded events, and a server that plays GitHub."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.servers.github import TOKEN, Playing, play_github

from inversion_atlas.cli.main import atlas

ROOT = Path(__file__).resolve().parents[2]
PAYLOADS = Path(__file__).parent / "payloads"
RECORD = """\
title: Deep Leakage from Gradients
authors: ["Zhu, Ligeng", "Liu, Zhijian", "Han, Song"]
year: 2019
venue: arxiv
kind: attack
# The first of its kind.
links:
  arxiv: "1906.08935"
evidence: [https://arxiv.org/abs/1906.08935]
"""
VENUES = """\
arxiv: {name: arXiv, short: arXiv, type: preprint}
ccs: {name: ACM SIGSAC Conference on Computer and Communications Security, short: CCS, type: conference}
neurips: {name: Neural Information Processing Systems, short: NeurIPS, type: conference}
"""

Run = Callable[..., Result]
Event = Callable[..., Path]


def payload(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of one record."""
    folder = tmp_path / "atlas"
    (folder / "taxonomy").mkdir(parents=True)
    (folder / "data/papers/2019").mkdir(parents=True)
    (folder / "data/papers/2019/zhu2019deep.yaml").write_text(RECORD)
    (folder / "data/venues.yaml").write_text(VENUES)
    shutil.copytree(ROOT / ".github/ISSUE_TEMPLATE", folder / ".github/ISSUE_TEMPLATE")
    return folder


@pytest.fixture
def event(tmp_path: Path) -> Event:
    """Return a function that writes a recorded event, with another body where one is given, and returns its file."""

    def write(name: str, body: str | None = None, **changed: Any) -> Path:
        data = payload(name)
        if body is not None:
            data["issue"]["body"] = body
        if changed:
            data["workflow_run"] |= changed
        path = tmp_path / "event.json"
        path.write_text(json.dumps(data))
        return path

    return write


@pytest.fixture
def run(root: Path) -> Run:
    """Return a function that runs `atlas github …` in the repository."""

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(atlas, ["--root", str(root), "github", *map(str, arguments)])

    return run


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Playing]:
    """A server that plays GitHub, with what a workflow's environment says of it."""
    with play_github() as playing:
        monkeypatch.setenv("GITHUB_API_URL", playing.base)
        monkeypatch.setenv("GITHUB_REPOSITORY", "atlas/atlas")
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield playing
