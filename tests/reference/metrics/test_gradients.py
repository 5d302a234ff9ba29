"""What gradients betray and weigh, on gradients of a real network."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError
from inversion_atlas.reference.seeding import seeded


@pytest.fixture(scope="module")
def per_sample() -> dict[str, Tensor]:
    """Gradients of each of 8 samples with respect to the weights of a small convolutional network."""
    with seeded(0):
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
        images, labels = torch.rand(8, 1, 8, 8), torch.arange(8)
    gradients: dict[str, list[Tensor]] = {"0.weight": [], "3.weight": []}
    for image, label in zip(images, labels, strict=True):
        model.zero_grad()
        nn.functional.cross_entropy(model(image[None]), label[None]).backward()
        for name in gradients:
            gradients[name].append(model.get_parameter(name).grad.clone())  # type: ignore[union-attr]
    return {name: torch.stack(values) for name, values in gradients.items()}


def test_the_ratio_is_that_of_the_authors_code(per_sample: dict[str, Tensor]) -> None:
    """Its lines in numpy's words: norms by layer and sample, the largest over the sum of the others, then of layers."""
    norms = torch.stack([layer.flatten(1).norm(dim=1) for layer in per_sample.values()])
    largest = norms.max(dim=1).values
    expected = (largest / (norms.sum(dim=1) - largest + 1e-6)).max()
    assert metrics.d_snr(per_sample) == pytest.approx(expected.item(), rel=1e-5)
    assert metrics.d_snr(list(per_sample.values())) == metrics.d_snr(per_sample)


def test_a_sample_that_stands_out_in_one_layer_is_seen(per_sample: dict[str, Tensor]) -> None:
    staged = dict(per_sample)
    factor = torch.ones(8, 1, 1, 1, 1)
    factor[3] = 1000
    staged["0.weight"] = staged["0.weight"] * factor
    assert metrics.d_snr(staged) > 50 * metrics.d_snr(per_sample)
    alone = torch.zeros(4, 3)
    alone[1] = 1
    assert math.isinf(metrics.d_snr([torch.ones(4, 2), alone]))
    assert metrics.d_snr([torch.ones(5, 2), torch.zeros(5, 3)]) == pytest.approx(1 / 4)


def test_gradients_that_are_not_of_single_samples_are_refused() -> None:
    with pytest.raises(MetricError, match="2 samples or more"):
        metrics.d_snr([torch.ones(1, 3)])
    with pytest.raises(MetricError, match="one batch size"):
        metrics.d_snr([torch.ones(2, 3), torch.ones(3, 3)])
    with pytest.raises(MetricError, match="no sample"):
        metrics.d_snr([torch.zeros(2, 3)])


def test_a_sparse_gradient_counts_with_its_indices() -> None:
    gradient = torch.arange(1.0, 1001.0)
    kept = torch.where(gradient > 990, gradient, 0)
    assert metrics.compression_ratio([gradient], [kept]) == 1
    assert metrics.compression_ratio([gradient], [kept.to_sparse()]) == pytest.approx(4000 / 80)
    assert metrics.compression_ratio([gradient], [kept.to_sparse()], indices_sent=False) == pytest.approx(100)
    assert metrics.compression_ratio([gradient], [gradient.half()]) == 2
    eight_bit = torch.zeros(1000, dtype=torch.uint8)
    assert metrics.compression_ratio([gradient, gradient], [eight_bit, gradient]) == pytest.approx(8000 / 5000)


def test_what_has_no_size_has_no_ratio() -> None:
    gradient = torch.ones(10)
    with pytest.raises(MetricError, match="nothing is sent"):
        metrics.compression_ratio([gradient], [torch.zeros(10).to_sparse()])
    with pytest.raises(MetricError, match="as many"):
        metrics.compression_ratio([gradient], [])
    with pytest.raises(MetricError, match="what is sent"):
        metrics.compression_ratio([gradient], [torch.ones(5).to_sparse()])
