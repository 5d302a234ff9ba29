"""`atlas attack NAME --defense NAME=VALUE` from the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from inversion_atlas.cli.main import atlas
from inversion_atlas.reference.index import IMPLEMENTATIONS


def run(cache: Path, *words: str) -> Result:
    return CliRunner(env={"ATLAS_CACHE": str(cache)}).invoke(atlas, list(words))


def first(result: Result, metric: str = "psnr") -> float:
    return float(next(line.split()[1] for line in result.stdout.splitlines() if line.startswith(metric)))


def test_defenses_compose_with_an_attack_and_are_told_of(cache: Path) -> None:
    attack = ("attack", "inverting-gradients", "--target", "digits-convnet", "--items", "1", "--steps", "150")
    plain = run(cache, *attack)
    defended = run(cache, *attack, "--defense", "prune=0.99", "--defense", "noise=0.5")
    assert defended.exit_code == 0, defended.output
    assert "under the smallest 0.99 of entries pruned and normal noise of deviation 0.5" in defended.stdout
    assert "under" not in plain.stdout
    assert first(defended) < first(plain) - 3
    assert run(cache, *attack, "--defense", "prune=0.99", "--defense", "noise=0.5").stdout == defended.stdout


@pytest.mark.parametrize(
    "defense", ["clip", "prune-largest", "dgp", "dgc", "quantize", "mixed-quantization", "soteria", "dp-sgd", "ats"]
)
def test_each_defense_of_a_gradient_runs_with_its_usual_number(defense: str, cache: Path) -> None:
    words = ("attack", "analytic", "--target", "digits-mlp", "--items", "1", "--defense", defense)
    result = run(cache, *words)
    assert result.exit_code == 0, result.output
    assert " under " in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("inversion-network", "--items", "20", "--steps", "1", "--defense", "rounding"), "rounded to 1 decimals"),
        (("inversion-network", "--items", "20", "--steps", "1", "--defense", "purifier"), "under Purifier"),
        (("inverse-network", "--items", "20", "--steps", "1", "--defense", "noise=2"), "under normal noise"),
        (
            ("dager", "--target", "transformer-untrained", "--items", "1", "--defense", "noise=0.1"),
            "under normal noise",
        ),
        (("tableak", "--items", "2", "--steps", "2", "--defense", "quantize=8"), "under quantization to 8 bits"),
        (("beamclean", "--items", "2", "--defense", "noise=2"), "under normal noise"),
        (("mi-face", "--steps", "5", "--defense", "negative-smoothing"), "under label smoothing -0.05"),
        (("mi-face", "--steps", "5", "--target", "digits-mlp", "--defense", "tl-dmi"), "under TL-DMI with 3 modules"),
    ],
)
def test_defenses_of_answers_features_and_training_run_from_the_shell(
    words: tuple[str, ...], told: str, cache: Path
) -> None:
    result = run(cache, "attack", *words)
    assert result.exit_code == 0, result.output
    assert told in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("dlg", "--defense", "prun"), "did you mean prune"),
        (("dlg", "--defense", "prune=much"), "must be a number, as in prune=0.5"),
        (("analytic", "--target", "digits-mlp", "--defense", "prune=1.5"), "share must be from 0"),
        (("analytic", "--target", "digits-mlp", "--defense", "top-k"), "does not see what top-k changes"),
        (("rmle", "--target", "digits-convnet", "--defense", "soteria"), "does not see what soteria changes"),
    ],
)
def test_a_defense_that_does_not_fit_is_refused_with_what_would(
    words: tuple[str, ...], message: str, cache: Path
) -> None:
    result = run(cache, "attack", *words)
    assert result.exit_code == 2, result.output
    assert message in result.output


def test_the_list_ends_with_the_defenses_that_the_shell_knows(cache: Path) -> None:
    listed = run(cache, "attack", "list").stdout.split("Defenses, for --defense NAME[=VALUE]:")[1]
    for found in IMPLEMENTATIONS:
        assert (f"{found.name} " in listed) == (found.kind == "defense" and found.command.startswith("atlas"))


def test_measuring_a_defense_keeps_the_other_results_and_tells_what_is_reached_without_it(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small attacks in place of those that `atlas bench --defenses` runs; training under one has its cost as well."""
    from inversion_atlas.reference.benchmark import defended_runs
    from inversion_atlas.reference.benchmark.defended_runs import Attacked, Pair

    gradient, classes = Attacked("analytic", "digits-mlp", 1, 1), Attacked("mi-face", "digits-softmax", 10, 5)
    pairs = {"prune": (Pair(gradient, 0.5), Pair(gradient, 0.99)), "negative-smoothing": (Pair(classes),)}
    monkeypatch.setattr(defended_runs, "PAIRS", pairs)
    path = tmp_path / "measured.json"
    path.write_text('{"made_by": "atlas bench", "torch": "", "attacks": {"dlg": []}, "defenses": {"noise": []}}')
    for name in pairs:
        result = run(cache, "bench", "--defenses", name, "-o", str(path))
        assert result.exit_code == 0, result.output
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["attacks"] == {"dlg": []}
    assert list(content["defenses"]) == ["negative-smoothing", "noise", "prune"]
    half, most = content["defenses"]["prune"]
    assert half["undefended"] == most["undefended"] > half["value"] > most["value"]
    assert (half["attack"], half["metric"]) == ("analytic", "psnr")
    assert "0.5 of entries pruned" in half["setting"]
    cost, _ = content["defenses"]["negative-smoothing"]
    assert (cost["attack"], cost["metric"]) == ("", "model-accuracy")
    assert cost["baseline"] < 0.2 < cost["value"] <= 1
    assert "under label smoothing -0.05" in cost["setting"]
    refused = run(cache, "bench", "--defenses", "dlg")
    assert refused.exit_code == 2
    assert "no defense 'dlg'" in refused.output


def test_a_defense_that_does_nothing_trains_the_target_as_its_recipe_does(cache: Path) -> None:
    """Its weight decay, too: without it the weights of this target differ by more than a tenth."""
    from inversion_atlas.reference.benchmark.defending import defended_target
    from inversion_atlas.reference.targets import training

    target = training.load("digits-softmax", cache)
    assert training.RECIPES[target.name].weight_decay > 0
    again = defended_target(target, (("negative-smoothing", 0.0),))
    assert again.model is not target.model
    for trained, expected in zip(again.model.parameters(), target.model.parameters(), strict=True):
        torch.testing.assert_close(trained, expected, rtol=1e-3, atol=1e-3)
