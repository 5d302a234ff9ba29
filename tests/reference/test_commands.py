"""`atlas attack`, `atlas target`, `atlas bench` from the shell."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from inversion_atlas.cli.main import atlas
from inversion_atlas.reference.benchmark.pictures import side_by_side
from inversion_atlas.reference.index import IMPLEMENTATIONS


def run(*words: str) -> Result:
    return CliRunner().invoke(atlas, list(words))


def test_an_attack_prints_its_threat_model_its_scores_and_saves_a_picture(tmp_path: Path, cache: Path) -> None:
    picture = tmp_path / "picture.png"
    result = run("attack", "analytic", "--items", "3", "--save", str(picture), "--cache", str(cache))
    assert result.exit_code == 0, result.output
    assert "eval mode, one step, labels unknown" in result.stdout
    psnr = next(line.split() for line in result.stdout.splitlines() if line.startswith("psnr"))
    assert float(psnr[1]) > float(psnr[6]) + 40
    with Image.open(picture) as image:
        # Three images of 32 pixels, enlarged three times, in two rows, with gaps of four pixels.
        assert image.size == (3 * 96 + 4 * 4, 2 * 96 + 3 * 4)


def test_an_attack_on_texts_prints_them_and_saves_them_as_text(tmp_path: Path, cache: Path) -> None:
    saved = tmp_path / "texts.txt"
    result = run("attack", "dager", "--items", "2", "--save", str(saved), "--cache", str(cache))
    assert result.exit_code == 0, result.output
    pairs = [line.split(maxsplit=1) for line in saved.read_text(encoding="utf-8").splitlines() if line]
    assert [kind for kind, _ in pairs] == ["original", "recovered"] * 2
    assert pairs[0][1] == pairs[1][1]
    assert f"recovered  {pairs[1][1]}" in result.stdout
    refused = run("attack", "dager", "--items", "1", "--save", str(tmp_path / "x.png"), "--cache", str(cache))
    assert refused.exit_code == 2
    assert "save it as a .txt" in refused.output


def test_originals_stand_above_their_reconstructions() -> None:
    originals, images = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    with Image.open(io.BytesIO(side_by_side(originals, images))) as image:
        assert image.getpixel((10, 10)) == (0, 0, 0)
        assert image.getpixel((10, image.height - 10)) == (255, 255, 255)
    with pytest.raises(ValueError, match="1 or 3 channels"):
        side_by_side(torch.zeros(1, 2, 8, 8), torch.zeros(1, 2, 8, 8))


def test_the_list_names_every_attack_with_its_paper() -> None:
    result = run("attack", "list")
    for found in IMPLEMENTATIONS:
        assert (found.paper in result.stdout and found.name in result.stdout) or found.kind != "attack"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("attack", "dllg"), "dlg"),
        (("attack", "dlg", "--target", "lenett"), "lenet"),
        (("attack", "analytic", "--target", "lenet"), "analytic is run against mlp"),
        (("attack", "label-counts", "--items", "1", "--save", "x.png"), "no picture"),
        (("attack", "mi-face", "--items", "100000"), "items must be from 1 to"),
        (("target", "lenett"), "lenet"),
        (("bench", "dllg"), "dlg"),
    ],
)
def test_wrong_use_says_what_would_be_right(words: tuple[str, ...], message: str, cache: Path) -> None:
    result = CliRunner(env={"ATLAS_CACHE": str(cache)}).invoke(atlas, list(words))
    assert result.exit_code == 2, result.output
    assert message in result.output


def test_targets_are_trained_and_their_accuracy_told(cache: Path) -> None:
    result = run("target", "digits-mlp", "--cache", str(cache))
    assert result.exit_code == 0
    assert "digits-mlp" in result.stdout
    assert "% on others" in result.stdout


def test_measuring_one_attack_keeps_the_results_of_the_others(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "measured.json"
    for name in ("analytic", "mi-face"):
        result = run("bench", name, "-o", str(path), "--cache", str(cache))
        assert result.exit_code == 0, result.output
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["made_by"] == "atlas bench"
    assert set(content["attacks"]) == {"analytic", "mi-face"}
    first = content["attacks"]["analytic"][0]
    assert set(first) == {"metric", "value", "unit", "baseline", "setting"}
    assert first["value"] > first["baseline"]
    again = path.read_bytes()
    run("bench", "analytic", "-o", str(path), "--cache", str(cache))
    assert path.read_bytes() == again


def test_without_the_extra_the_command_says_how_to_install_it(tmp_path: Path) -> None:
    """A process in which torch cannot be found, as where it is not installed."""
    code = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        "sys.modules['torch'] = None\n"
        "from inversion_atlas.cli.main import atlas; atlas(sys.argv[1:])"
    )
    for words in (["attack", "dlg"], ["target"], ["bench"]):
        ended = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=tmp_path, env={**os.environ}, capture_output=True, text=True
        )
        assert ended.returncode == 3, ended.stderr
        assert "pip install 'inversion-atlas[reference]'" in ended.stderr
    listed = subprocess.run([sys.executable, "-c", code, "attack", "list"], capture_output=True, text=True, check=True)
    assert "zhu2019deep" in listed.stdout
