"""Inferred attributes and recovered rows are counted as their papers count them."""

from __future__ import annotations

import pytest
import torch

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError


def test_numbers_are_found_within_a_tolerance_that_must_be_said() -> None:
    truth, guesses = torch.tensor([30.0, 41.0, 52.0]), torch.tensor([30.5, 44.0, 52.0])
    assert metrics.attribute_inference_accuracy(guesses, truth, tolerance=0.5) == pytest.approx(2 / 3)
    assert metrics.attribute_inference_accuracy(guesses, truth, tolerance=3) == 1
    with pytest.raises(MetricError, match="tolerance"):
        metrics.attribute_inference_accuracy(guesses, truth)
    with pytest.raises(MetricError, match="NaN"):
        metrics.attribute_inference_accuracy(guesses / 0, truth, tolerance=1)


def test_the_plain_difference_to_the_majority_guess_is_reachable() -> None:
    truth = torch.tensor([0] * 6 + [1] * 4)
    assert metrics.attribute_advantage(truth, truth, relative=False) == pytest.approx(0.4)
    assert metrics.attribute_advantage(truth, truth) == 1
    assert metrics.attribute_advantage(truth, truth, baseline=1.0, relative=False) == 0


def test_rows_are_scored_as_tableak_scores_them() -> None:
    """Counted by hand with the rule of its code: categories equal, numbers within a closed interval; the code returns
    the error, 1 minus this."""
    original = torch.tensor([[1.0, 0.0, 30.0, 5.0], [0.0, 2.0, 40.0, 6.0]])
    found = torch.tensor([[1.0, 1.0, 32.0, 5.0], [0.0, 2.0, 42.5, 5.0]])
    categorical = torch.tensor([True, True, False, False])
    tolerances = torch.tensor([0.0, 0.0, 2.0, 1.0])
    scores = metrics.tabular_reconstruction_accuracy(found, original, tolerances=tolerances, categorical=categorical)
    assert scores.tolist() == [0.75, 0.75]
    only = metrics.tabular_reconstruction_accuracy(
        found[:, :2], original[:, :2], tolerances=tolerances[:2], categorical=categorical[:2]
    )
    assert only.tolist() == [0.5, 1.0]


def test_rows_without_their_description_are_refused() -> None:
    rows = torch.zeros(2, 3)
    yes = torch.ones(3, dtype=torch.bool)
    with pytest.raises(MetricError, match="features"):
        metrics.tabular_reconstruction_accuracy(rows, rows, tolerances=torch.zeros(2), categorical=yes)
    with pytest.raises(MetricError, match="booleans"):
        metrics.tabular_reconstruction_accuracy(rows, rows, tolerances=torch.zeros(3), categorical=yes.long())
    with pytest.raises(MetricError, match="at least 0"):
        metrics.tabular_reconstruction_accuracy(rows, rows, tolerances=torch.full((3,), -1.0), categorical=~yes)
