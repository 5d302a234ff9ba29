"""AVD is what its authors' code computes, and its printed form with the sign that was lost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError

Pair = Callable[..., tuple[Tensor, Tensor]]
UNIT = (0.0, 1.0)


def by_loops(given: np.ndarray, true: np.ndarray, first: float, second: float) -> float:
    """The formula of the authors' code, pixel by pixel: sums of differences along both axes, taken absolutely."""
    slopes, curves = [], []
    channels, height, width = true.shape
    for c in range(channels):
        for y in range(height - 1):
            for x in range(width - 1):
                one, other = (
                    abs(i[c, y + 1, x] - i[c, y + 1, x + 1] + i[c, y, x + 1] - i[c, y + 1, x + 1])
                    for i in (given, true)
                )
                slopes.append((one - other) ** 2)
        for y in range(height - 2):
            for x in range(width - 2):
                one, other = (
                    abs(
                        (i[c, y + 2, x] - 2 * i[c, y + 2, x + 1] + i[c, y + 2, x + 2])
                        + (i[c, y, x + 2] - 2 * i[c, y + 1, x + 2] + i[c, y + 2, x + 2])
                    )
                    for i in (given, true)
                )
                curves.append((one - other) ** 2)
    return float(np.sqrt(first * np.mean(slopes) + second * np.mean(curves)))


def test_the_distance_is_the_weighted_root_of_the_authors_code(noisy_pair: Pair) -> None:
    given, true = noisy_pair(13, 17, 2)
    found = metrics.avd(given, true, data_range=UNIT)
    expected = [by_loops(g.numpy(), t.numpy(), 1.0, 0.5) for g, t in zip(given, true, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    other = metrics.avd(given, true, data_range=UNIT, first=0.2, second=2.0)
    np.testing.assert_allclose(other[0], by_loops(given[0].numpy(), true[0].numpy(), 0.2, 2.0), atol=1e-12)


def test_the_authors_code_on_8_bit_images_is_reachable(noisy_pair: Pair) -> None:
    """Recorded from `AttackEvaluationMetrics().AVD(original, reconstruction)` of fl-eval-kit (commit 2d4e29d) in
    float32 with torchvision 0.29.2, on these two images."""
    given, true = noisy_pair(13, 17, 2, torch.float32)
    found = metrics.avd(given, true, data_range=UNIT, eight_bit=True)
    assert found.tolist() == pytest.approx([0.35328540205955505, 0.3325856626033783], abs=1e-6)
    assert (found - metrics.avd(given, true, data_range=UNIT)).abs().max() > 1e-5


def test_the_printed_sum_has_its_minus_sign_back(noisy_pair: Pair) -> None:
    given, true = noisy_pair(16, 16, 2)
    assert metrics.avd(true, true, data_range=UNIT, form="survey").tolist() == [0, 0]
    only_first = metrics.avd(given, true, data_range=UNIT, first=1, second=0) * (3 * 15 * 15) ** 0.5
    only_second = metrics.avd(given, true, data_range=UNIT, first=0, second=1) * (3 * 14 * 14) ** 0.5
    torch.testing.assert_close(metrics.avd(given, true, data_range=UNIT, form="survey"), only_first + only_second)
    with pytest.raises(MetricError, match="code or survey"):
        metrics.avd(given, true, data_range=UNIT, form="paper")  # type: ignore[arg-type]


def test_brightness_and_a_negative_are_not_seen(noisy_pair: Pair) -> None:
    given, true = noisy_pair(16, 16)
    for blind in (true * 0.5 + 0.2, 1 - (true * 0.5 + 0.2)):
        assert metrics.avd(blind, true * 0.5, data_range=UNIT).item() == pytest.approx(0, abs=1e-12)
    assert metrics.avd(given, true, data_range=UNIT) > 0.05
