"""Criteria, nearest neighbors and gains over a prior, on photographs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError
from inversion_atlas.reference.targets import data

UNIT = (0.0, 1.0)


def test_a_success_rate_counts_images_or_batches_by_the_criterion_stated() -> None:
    decibels = torch.tensor([[31.0, 12.0], [29.9, 30.0], [11.0, math.inf], [9.0, 8.0]])

    def rate(unit: str) -> float:
        return metrics.attack_success_rate(decibels, threshold=30, success="at least", unit=unit)  # type: ignore[arg-type]

    assert (rate("image"), rate("batch with one"), rate("batch with all")) == (3 / 8, 3 / 4, 0)
    assert metrics.attack_success_rate(torch.tensor([0.1, 0.3]), threshold=0.2, success="at most") == 0.5
    with pytest.raises(MetricError, match="without NaN"):
        metrics.attack_success_rate(torch.tensor([math.nan]), threshold=0.2, success="at most")
    with pytest.raises(MetricError, match="batches, images"):
        metrics.attack_success_rate(torch.rand(3), threshold=0.2, success="at most", unit="batch with one")
    with pytest.raises(MetricError, match="'at least' or 'at most'"):
        metrics.attack_success_rate(torch.rand(3), threshold=0.2, success="above")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def crops() -> data.Images:
    return data.photographs().private


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_noisy_images_point_to_their_source_and_noise_alone_does_not(distance: str, crops: data.Images) -> None:
    sources = torch.arange(0, len(crops), 7)
    flat = crops.images.flatten(1)
    generator = torch.Generator().manual_seed(0)
    noisy = flat[sources] + 0.1 * torch.randn(flat[sources].shape, generator=generator)
    noise = torch.rand(flat[sources].shape, generator=generator)
    arguments = (crops.labels[sources], sources, flat, crops.labels)
    found = metrics.iip(noisy, *arguments, distance=distance)  # type: ignore[arg-type]
    assert found.mean() > 0.9
    assert metrics.iip(noise, *arguments, distance=distance).mean() < 0.15  # type: ignore[arg-type]


def test_the_search_is_among_the_originals_as_breaching_does_it(crops: data.Images) -> None:
    """By loops: for each reconstruction the nearest image of its class, and whether that is the source."""
    sources = torch.arange(3, len(crops), 31)
    flat = crops.images.flatten(1)
    generator = torch.Generator().manual_seed(1)
    given = flat[sources] + 1.5 * torch.randn(flat[sources].shape, generator=generator)
    expected = []
    for item, source in zip(given, sources.tolist(), strict=True):
        own = [i for i in range(len(crops)) if crops.labels[i] == crops.labels[source]]
        nearest = min(own, key=lambda i: float(1 - torch.cosine_similarity(item, flat[i], dim=0)))
        expected.append(float(nearest == source))
    found = metrics.iip(given, crops.labels[sources], sources, flat, crops.labels)
    assert found.tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_more_candidates_are_harder_and_a_twin_of_the_source_identifies_nothing(crops: data.Images) -> None:
    flat = crops.images.flatten(1)
    sources = torch.arange(0, len(crops), 5)
    generator = torch.Generator().manual_seed(2)
    given = flat[sources] + 0.7 * torch.randn(flat[sources].shape, generator=generator)
    arguments = (given, crops.labels[sources], sources)
    in_class = metrics.iip(*arguments, flat, crops.labels).mean()
    assert metrics.iip(*arguments, flat, crops.labels, whole=True).mean() <= in_class
    twins, labels = torch.cat((flat, flat)), crops.labels.repeat(2)
    assert metrics.iip(*arguments, twins, labels).sum() == 0


def test_any_distance_function_may_be_given(crops: data.Images) -> None:
    images, labels = crops.images[:12], crops.labels[:12]

    def by_psnr(given: Tensor, candidates: Tensor) -> Tensor:
        return torch.stack([metrics.mse(given, c.expand_as(given).contiguous()) for c in candidates], dim=1)

    sources = torch.tensor([4, 9])
    assert metrics.iip(images[sources], labels[sources], sources, images, labels, distance=by_psnr).tolist() == [1, 1]
    with pytest.raises(MetricError, match="distance must return"):
        metrics.iip(images[sources], labels[sources], sources, images, labels, distance=lambda a, b: a.mean())
    with pytest.raises(MetricError, match="another class"):
        metrics.iip(images[sources], labels[sources] + 1, sources, images, labels, distance=by_psnr)
    zeros = torch.zeros(2, 5)
    with pytest.raises(MetricError, match="no direction"):
        metrics.iip(zeros, torch.tensor([0, 0]), torch.tensor([0, 1]), zeros, torch.tensor([0, 0]))


def test_the_prior_itself_gains_nothing_and_the_original_the_most(
    noisy_pair: Callable[..., tuple[Tensor, Tensor]],
) -> None:
    given, true = noisy_pair(32, 32, 3)
    prior = true.mean(dim=0, keepdim=True)
    same = metrics.rdlv(prior.expand_as(true).contiguous(), true, prior, data_range=UNIT)
    torch.testing.assert_close(same, torch.zeros(3, dtype=torch.float64))
    gained = metrics.rdlv(given, true, prior, data_range=UNIT)
    full = metrics.rdlv(true, true, prior, data_range=UNIT)
    assert (gained < full).all()
    reached, before = (metrics.ssim(x, true, data_range=UNIT) for x in (given, prior.expand_as(true).contiguous()))
    torch.testing.assert_close(gained, (reached - before) / before)
    wide = metrics.rdlv(given, true, prior, data_range=UNIT, similarity=metrics.fsim)
    assert not torch.allclose(wide, gained)


def test_a_prior_that_is_not_alike_at_all_is_no_divisor(noisy_pair: Callable[..., tuple[Tensor, Tensor]]) -> None:
    given, true = noisy_pair(32, 32, 2)
    with pytest.raises(MetricError, match="above 0"):
        metrics.rdlv(given, true, 1 - true, data_range=UNIT)
    with pytest.raises(MetricError, match="one image or one each"):
        metrics.rdlv(given, true, torch.cat((true, true)), data_range=UNIT)
