"""Scores over features agree with their definitions computed another way."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors
from torch import Tensor
from torchmetrics.functional.regression import kl_divergence as torchmetrics_kl

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError


@pytest.fixture(scope="module")
def digits() -> tuple[Tensor, Tensor]:
    data = load_digits()
    return torch.from_numpy(data.data).double() / 16, torch.from_numpy(data.target)


def frechet_by_matrix_root(first: np.ndarray, second: np.ndarray) -> float:
    """The formula as printed, with a root of the product of covariances."""
    c, d = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = scipy.linalg.sqrtm(c @ d).real
    shift = ((first.mean(0) - second.mean(0)) ** 2).sum()
    return float(shift + np.trace(c) + np.trace(d) - 2 * np.trace(root))


@pytest.mark.parametrize(("items", "others"), [(300, 500), (40, 300), (300, 40)])
def test_the_frechet_distance_is_that_of_the_printed_formula(items: int, others: int) -> None:
    generator = torch.Generator().manual_seed(6)
    mixing = torch.randn(32, 32, generator=generator, dtype=torch.float64)
    first = torch.randn(items, 32, generator=generator, dtype=torch.float64) @ mixing
    second = torch.randn(others, 32, generator=generator, dtype=torch.float64) + 0.3
    expected = frechet_by_matrix_root(first.numpy(), second.numpy())
    assert metrics.fid(first, second) == pytest.approx(expected, rel=1e-7)
    assert metrics.fid(second, first) == pytest.approx(expected, rel=1e-7)


def test_the_frechet_distance_of_few_samples_in_many_dimensions_is_exact_and_never_negative() -> None:
    """Few samples span a subspace: within it the formula can be computed without a singular root."""
    generator = torch.Generator().manual_seed(7)
    first = torch.randn(12, 2048, generator=generator, dtype=torch.float64)
    second = torch.randn(15, 2048, generator=generator, dtype=torch.float64) + 0.1
    basis = torch.linalg.qr(torch.cat((first, second)).T).Q
    inside = frechet_by_matrix_root((first @ basis).numpy(), (second @ basis).numpy())
    assert metrics.fid(first, second) == pytest.approx(inside, rel=1e-5)
    assert 0 <= metrics.fid(first, first) < 1e-9


def test_neighborhoods_agree_with_a_tree_search(digits: tuple[Tensor, Tensor]) -> None:
    original, given = digits[0][:120], digits[0][120:220] * 0.9
    k = 5
    around = NearestNeighbors(n_neighbors=k + 1).fit(original).kneighbors(original)[0][:, -1]
    apart = np.linalg.norm(original.numpy()[:, None] - given.numpy()[None], axis=2)
    inside = apart < around[:, None]
    found = metrics.generative_precision(given, original, k=k, closed=False)
    assert found == pytest.approx(inside.any(0).mean())
    assert metrics.density(given, original) == pytest.approx(inside.sum(0).mean() / k)
    assert metrics.coverage(given, original) == pytest.approx(inside.any(1).mean())
    assert metrics.generative_recall(given, original, k=k) == metrics.generative_precision(original, given, k=k)


def test_one_good_image_repeated_has_precision_and_neither_recall_nor_coverage(digits: tuple[Tensor, Tensor]) -> None:
    original = digits[0][:200]
    repeated = original[:1].repeat(50, 1)
    assert metrics.generative_precision(repeated, original) == 1
    assert metrics.generative_recall(repeated, original) < 0.05
    assert metrics.coverage(repeated, original) < 0.15


def test_copies_of_the_private_images_are_covered_and_images_of_another_kind_are_not(
    digits: tuple[Tensor, Tensor],
) -> None:
    original = digits[0][:200]
    assert metrics.coverage(original, original) == 1
    assert metrics.generative_precision(original + 3, original) == 0


def test_distances_to_a_class_are_those_to_its_center_and_to_its_nearest_image(digits: tuple[Tensor, Tensor]) -> None:
    private, labels = digits
    given, targets = private[[5, 17, 40]] + 0.1, torch.tensor([3, 0, 3])
    for row, (item, label) in enumerate(zip(given, targets, strict=True)):
        own = private[labels == label]
        center = ((item - own.mean(0)) ** 2).sum()
        nearest = ((item - own) ** 2).sum(1).min()
        torch.testing.assert_close(metrics.feature_distance(given, targets, private, labels)[row], center)
        torch.testing.assert_close(metrics.knn_distance(given, targets, private, labels)[row], nearest)
        root = metrics.knn_distance(given, targets, private, labels, squared=False)[row]
        torch.testing.assert_close(root, nearest.sqrt())
    with pytest.raises(MetricError, match="no private image is of class 9"):
        metrics.knn_distance(given, torch.tensor([9, 0, 0]), private[labels != 9], labels[labels != 9])


def test_a_divergence_is_that_of_torchmetrics_and_infinite_where_the_estimate_rules_out_what_occurs() -> None:
    generator = torch.Generator().manual_seed(8)
    true, estimated = torch.rand(2, 5, 4, generator=generator, dtype=torch.float64).softmax(dim=2)
    expected = torchmetrics_kl(true, estimated, reduction="none")
    torch.testing.assert_close(metrics.kl_divergence(estimated, true), expected)
    certain = torch.tensor([[1.0, 0.0]])
    assert math.isinf(metrics.kl_divergence(certain, torch.tensor([[0.5, 0.5]])).item())
    assert metrics.kl_divergence(torch.tensor([[0.5, 0.5]]), certain).item() == pytest.approx(math.log(2))
    with pytest.raises(MetricError, match="sum to 1"):
        metrics.kl_divergence(certain * 2, certain)


def test_features_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(MetricError, match="at least 2 items"):
        metrics.fid(torch.rand(1, 4), torch.rand(5, 4))
    with pytest.raises(MetricError, match="4 dimensions, the other features have 5"):
        metrics.fid(torch.rand(6, 4), torch.rand(6, 5))
    with pytest.raises(MetricError, match="NaN"):
        metrics.fid(torch.full((6, 5), math.nan), torch.rand(6, 5))
    with pytest.raises(MetricError, match="at least 4 items"):
        metrics.density(torch.rand(3, 4), torch.rand(3, 4), k=3)


def test_distances_over_several_neighbors_and_between_directions(digits: tuple[Tensor, Tensor]) -> None:
    private, labels = digits
    given, targets = private[[5, 17, 40]] + 0.1, torch.tensor([3, 0, 3])
    own = private[labels == 3]
    nearest = ((given[0] - own) ** 2).sum(1).sort().values[:4].mean()
    torch.testing.assert_close(metrics.knn_distance(given, targets, private, labels, k=4)[0], nearest)
    turned = metrics.knn_distance(given * 7, targets, private, labels, unit_length=True)
    torch.testing.assert_close(turned, metrics.knn_distance(given, targets, private, labels, unit_length=True))
    # Between directions the squared distance is 2 - 2 cos.
    cosine = torch.nn.functional.cosine_similarity(given[:1], own).max()
    torch.testing.assert_close(turned[0], 2 - 2 * cosine)
    assert (metrics.feature_distance(given, targets, private, labels, unit_length=True) <= 4).all()
    with pytest.raises(MetricError, match="k must be from 1 to"):
        metrics.knn_distance(given, targets, private, labels, k=1000)
    with pytest.raises(MetricError, match="no direction"):
        metrics.knn_distance(given * 0, targets, private, labels, unit_length=True)


def test_precision_by_the_nearest_ball_alone_is_at_most_that_by_all(digits: tuple[Tensor, Tensor]) -> None:
    """By loops, as the code of PPA does: only the ball of the nearest private image is tried."""
    original, given = digits[0][:100], digits[0][100:180] * 0.9
    apart = torch.cdist(given, original)
    radii = torch.cdist(original, original).sort(dim=1).values[:, 3]
    expected = sum(bool(row[row.argmin()] <= radii[row.argmin()]) for row in apart) / len(given)
    nearest = metrics.generative_precision(given, original, union=False)
    assert nearest == pytest.approx(expected)
    assert nearest <= metrics.generative_precision(given, original)
    assert metrics.generative_recall(given, original, union=False) <= metrics.generative_recall(given, original)
