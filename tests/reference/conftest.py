"""Tests of the reference implementations need torch; CI has it, elsewhere they are skipped where it is not."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

if importlib.util.find_spec("torch"):
    import torch

    # Tests run side by side, one worker per core.
    torch.set_num_threads(1)
elif os.environ.get("CI"):
    sys.exit("torch is not installed, and this is CI: install the extra `reference`")
else:
    collect_ignore_glob = ["test_[!i]*.py", "attacks/*", "metrics/*", "targets/*"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/reference/" in item.path.as_posix() and item.path.name != "test_index.py":
            item.add_marker("torch")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for trained targets, shared by the workers of one run."""
    return tmp_path_factory.getbasetemp().parent / "atlas-cache"
