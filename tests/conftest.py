"""What several test modules share: programs that must be installed, the real catalogue, catalogues made to order."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

from inversion_atlas.catalogue import Catalogue, load, paper_path

ROOT = Path(__file__).resolve().parents[1]

# CI tries the same texts each time, so that it fails for what a change did; elsewhere they are new in every run.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture
def own_loop() -> Iterator[None]:
    """Hide the loop that a browser of another test has left running in this thread: what is tested brings its own."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Return the path of a program; without it the test is skipped, or fails where CI promises to have it."""

    def find(name: str) -> str:
        if path := shutil.which(name):
            return path
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, and this is CI")
        pytest.skip(f"{name} is not installed")

    return find


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The repository's own catalogue."""
    return load(ROOT)


@pytest.fixture
def read_once(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands on the repository's own catalogue find it read already; any other is read as ever."""
    monkeypatch.setattr("inversion_atlas.cli.main.load", lambda root: catalogue if root == ROOT else load(root))


@pytest.fixture
def make_catalogue(tmp_path: Path) -> Callable[..., Catalogue]:
    """Return a function that writes records, given as `papers={id: {...}}`, into a folder and reads it."""

    def make(
        papers: Mapping[str, Any],
        *,
        datasets: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        venues: Mapping[str, Any] | None = None,
        facets: Mapping[str, Any] | None = None,
        sources: Mapping[str, Any] | None = None,
    ) -> Catalogue:
        files: dict[str, Any] = {paper_path(id): record for id, record in papers.items()}
        files |= {"data/datasets.yaml": datasets, "data/metrics.yaml": metrics, "data/venues.yaml": venues}
        files |= {f"taxonomy/{id}.yaml": record for id, record in (facets or {}).items()}
        files |= {f"data/sources/{id}.yaml": record for id, record in (sources or {}).items()}
        (tmp_path / "taxonomy").mkdir(exist_ok=True)
        for path, data in files.items():
            if data:
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        return load(tmp_path)

    return make


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder of the npm packages that the tests drive; `.ci/run` installs them."""
    folder = ROOT / "build" / "node" / "node_modules"
    if folder.is_dir():
        return folder
    if os.environ.get("CI"):
        pytest.fail(f"{folder} is missing, and this is CI")
    pytest.skip(f"{folder} is missing; .ci/run says how to install it")
