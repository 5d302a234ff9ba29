"""The index of what runs here: read without torch, and every id in it is one of the catalogue."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.reference.index import IMPLEMENTATIONS, MEASURED, NOT_FUNCTIONS, Implementation, MeasuredDefense
from inversion_atlas.reference.results import defenses_table

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
ATTACKS = [found for found in IMPLEMENTATIONS if found.kind == "attack"]
DEFENSES = [found for found in IMPLEMENTATIONS if found.kind == "defense"]
SHELL_DEFENSES = [found for found in DEFENSES if found.command.startswith("atlas attack ")]
METRICS = [found for found in IMPLEMENTATIONS if found.kind == "metric"]


def named(found: Implementation) -> str:
    return found.name


def test_the_index_imports_no_torch() -> None:
    code = "import inversion_atlas.reference.index, inversion_atlas.cli.attack, sys; print('torch' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "False"


@pytest.mark.parametrize("found", IMPLEMENTATIONS, ids=named)
def test_what_runs_here_is_tied_to_a_record(found: Implementation, catalogue: Catalogue) -> None:
    assert found.paper in catalogue.papers or (not found.paper and found.kind == "metric")
    assert (found.metric in catalogue.metrics) == (found.kind == "metric")
    assert found.implements
    for result in found.measured:
        assert result.metric in catalogue.metrics
        assert math.isfinite(result.value)
        assert math.isfinite(result.baseline)
        assert result.setting


def test_names_occur_once() -> None:
    names = [found.name for found in IMPLEMENTATIONS]
    assert len(names) == len(set(names))


@needs_torch
@pytest.mark.parametrize("found", METRICS, ids=named)
def test_a_metric_is_a_function_that_names_its_entry(found: Implementation) -> None:
    module = importlib.import_module("inversion_atlas.reference.metrics")
    assert found.command == f"from inversion_atlas.reference.metrics import {found.name}"
    assert f"Metric `{found.metric}`" in (inspect.getdoc(getattr(module, found.name)) or "")


def test_every_metric_of_the_catalogue_runs_here_or_it_is_said_why_not(catalogue: Catalogue) -> None:
    running = {found.metric for found in METRICS}
    assert running | set(NOT_FUNCTIONS) == set(catalogue.metrics)
    assert not running & set(NOT_FUNCTIONS)
    assert all(len(reason) > 20 for reason in NOT_FUNCTIONS.values())


@needs_torch
def test_every_metric_function_is_in_the_index() -> None:
    module = importlib.import_module("inversion_atlas.reference.metrics")
    assert set(module.__all__) - {"MetricError", "assignment", "match"} == {found.name for found in METRICS}


@needs_torch
def test_every_attack_has_a_case_that_runs_it_and_targets_that_exist() -> None:
    cases = importlib.import_module("inversion_atlas.reference.benchmark.cases")
    training = importlib.import_module("inversion_atlas.reference.targets.training")
    assert set(cases.CASES) == {found.name for found in ATTACKS}
    for case in cases.CASES.values():
        assert set(case.targets) <= set(training.RECIPES)


@needs_torch
def test_every_defense_is_known_to_the_shell_or_imported_from_where_its_entry_says() -> None:
    defending = importlib.import_module("inversion_atlas.reference.benchmark.defending")
    known = {found.name for found in SHELL_DEFENSES}
    assert known == set(defending.DEFENSES)
    for found in DEFENSES:
        words = found.command.split()
        if found.name in known:
            assert words[2] in {attack.name for attack in ATTACKS}
            assert words[-2:] == ["--defense", found.name]
        else:
            assert callable(getattr(importlib.import_module(words[1]), words[3]))


@pytest.mark.parametrize("found", ATTACKS, ids=named)
def test_every_attack_was_measured_and_beats_its_baseline_in_its_own_setting(
    found: Implementation, catalogue: Catalogue
) -> None:
    assert found.measured
    first = found.measured[0]
    higher = catalogue.metrics[first.metric].direction.attacker == "higher"
    assert first.value > first.baseline if higher else first.value < first.baseline


def test_the_measured_file_is_the_benchmark_s_and_holds_no_attack_that_is_gone() -> None:
    content = json.loads(MEASURED.read_text(encoding="utf-8"))
    assert content["made_by"] == "atlas bench"
    assert set(content["attacks"]) == {found.name for found in ATTACKS}
    assert set(content["defenses"]) == {found.name for found in SHELL_DEFENSES}


@pytest.mark.parametrize("found", SHELL_DEFENSES, ids=named)
def test_every_defense_of_the_shell_was_measured_against_an_attack_and_training_with_its_cost(
    found: Implementation,
) -> None:
    results = [result for result in found.measured if isinstance(result, MeasuredDefense)]
    assert results
    assert len(results) == len(found.measured)
    for result in results:
        assert math.isfinite(result.undefended)
        assert " under " in result.setting or result.metric == "psnr"
        assert result.attack in {attack.name for attack in ATTACKS} or result.metric == "model-accuracy"


@needs_torch
def test_every_defense_of_the_shell_has_attacks_to_be_measured_against() -> None:
    defended_runs = importlib.import_module("inversion_atlas.reference.benchmark.defended_runs")
    assert set(defended_runs.PAIRS) == {found.name for found in SHELL_DEFENSES}


def test_the_page_on_reference_implementations_shows_what_defenses_reached_when_measured() -> None:
    page = (Path(__file__).parents[2] / "docs/reference.md").read_text(encoding="utf-8")
    assert defenses_table() in page, "put what `python -m inversion_atlas.reference.results` prints in its place"
