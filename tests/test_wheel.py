"""The wheel carries the catalogue: installed anywhere, it answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_wheel_searches_shows_and_exports_away_from_the_repository(tmp_path: Path) -> None:
    wheels, installed, elsewhere = tmp_path / "wheels", tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(installed), str(wheel)], check=True)

    def atlas(*words: str) -> str:
        code = "import inversion_atlas.cli.main as m; print(m.__file__); m.main()"
        command = [sys.executable, "-c", code, *words]
        environment = {**os.environ, "PYTHONPATH": str(installed), "HOME": str(elsewhere)}
        return subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=True
        ).stdout.removeprefix(f"{installed}/inversion_atlas/cli/main.py\n")

    assert "zhu2019deep" in atlas("search", "--ids", "method=DLG").split()
    assert "Deep Leakage from Gradients" in atlas("show", "zhu2019deep")
    assert atlas("export", "bibtex", "id=zhu2019deep").startswith("@inproceedings{zhu2019deep,")
