"""Divergence, mutual information and Inception Score agree with scikit-learn and torchmetrics."""

from __future__ import annotations

import math
import warnings

import pytest
import sklearn.metrics as sk
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torchmetrics.image.inception import InceptionScore

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError


def test_information_is_that_of_scikit_learn_in_nats_and_bits() -> None:
    generator = torch.Generator().manual_seed(3)
    first = torch.randint(0, 5, (400,), generator=generator)
    second = torch.where(torch.rand(400, generator=generator) < 0.5, first * 2, 7)
    expected = sk.mutual_info_score(first, second)
    assert metrics.mutual_information(first, second) == pytest.approx(expected, abs=1e-12)
    assert metrics.mutual_information(first, second, base=2) == pytest.approx(expected / math.log(2), abs=1e-12)
    assert metrics.mutual_information(first, torch.zeros_like(first)) == 0


def test_a_variable_tells_all_of_itself() -> None:
    labels = torch.tensor([0, 0, 1, 2])
    assert metrics.mutual_information(labels, labels, base=2) == pytest.approx(1.5)
    with pytest.raises(MetricError, match="above 1"):
        metrics.mutual_information(labels, labels, base=1)


def test_a_divergence_in_bits_and_as_updates_leak_averages_it() -> None:
    true, estimated = torch.tensor([[0.5, 0.5, 0.0]]), torch.tensor([[0.25, 0.25, 0.5]])
    assert metrics.kl_divergence(estimated, true, base=2).item() == pytest.approx(1)
    averaged = metrics.kl_divergence(estimated, true, per_class=True)
    elements = nn.functional.kl_div(estimated.log(), true, reduction="none")
    assert averaged.item() == pytest.approx(elements.mean().item())


class Scores(nn.Module):
    """Logits from the mean of each of ten parts of an image: torchmetrics takes any network."""

    def forward(self, images: Tensor) -> Tensor:
        return images.double().flatten(1).unfold(1, 30, 30)[:, :10].mean(dim=2) / 8


def test_a_score_of_generated_images_is_that_of_torchmetrics_on_the_same_network() -> None:
    images = torch.randint(0, 256, (60, 3, 16, 16), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)
    with warnings.catch_warnings():
        # It warns of what it keeps, and of the deviation of one part.
        warnings.simplefilter("ignore")
        theirs = InceptionScore(feature=Scores(), splits=1)
        theirs.update(images)
        expected = theirs.compute()[0].item()
    found = metrics.inception_score(Scores()(images).softmax(dim=1), splits=1)
    assert found.item() == pytest.approx(expected, abs=1e-5)


def test_parts_are_scored_apart_and_certain_varied_predictions_reach_the_number_of_classes() -> None:
    digits = torch.nn.functional.one_hot(torch.from_numpy(load_digits().target).long(), 10).double()
    assert metrics.inception_score(digits[:500], splits=5).shape == (5,)
    sure = torch.eye(10, dtype=torch.float64).repeat(4, 1)
    assert metrics.inception_score(sure, splits=4).tolist() == pytest.approx([10] * 4)
    unsure = torch.full((20, 10), 0.1, dtype=torch.float64)
    assert metrics.inception_score(unsure, splits=1).item() == pytest.approx(1)
    with pytest.raises(MetricError, match="splits"):
        metrics.inception_score(sure[:3])
