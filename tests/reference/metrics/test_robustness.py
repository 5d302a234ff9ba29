"""No attacker exceeds the bounds, and the best one comes near the tight one."""

from __future__ import annotations

import math

import pytest
import torch

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError


def success_of_the_best_attacker(candidates: int, multiplier: float, trials: int = 20_000) -> float:
    """Share of records that the likeliest candidate names when a vector of length 1 is released with noise."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(0, candidates, (trials,), generator=generator)
    released = torch.nn.functional.one_hot(truth, candidates).double()
    released += multiplier * torch.randn(released.shape, generator=generator, dtype=torch.float64)
    return float((released.argmax(dim=1) == truth).double().mean())


@pytest.mark.parametrize("candidates", [2, 10, 50])
@pytest.mark.parametrize("multiplier", [0.5, 1.0, 3.0])
def test_the_best_attacker_stays_below_every_bound_of_the_gaussian_mechanism(
    candidates: int, multiplier: float
) -> None:
    reached = success_of_the_best_attacker(candidates, multiplier)
    baseline = 1 / candidates
    tight = metrics.reconstruction_robustness_gaussian(baseline, noise_multiplier=multiplier)
    # Rényi divergence of two Gaussians, at the order where the bound is least.
    renyi = min(
        metrics.reconstruction_robustness_renyi(baseline, epsilon=order / (2 * multiplier**2), order=order)
        for order in (1.25, 1.5, 2, 3, 4, 8, 16, 32)
    )
    assert reached < tight + 0.01
    assert tight < renyi
    # The bound says something: the best attacker comes within a factor of it.
    assert reached > 0.35 * tight


def test_the_generic_bound_is_the_exponential_of_the_guarantee() -> None:
    assert metrics.reconstruction_robustness(0.01, epsilon=2, delta=1e-5) == pytest.approx(0.01 * math.e**2 + 1e-5)
    assert metrics.reconstruction_robustness(0.3, epsilon=50) == 1
    assert metrics.reconstruction_robustness(0.3, epsilon=5000) == 1
    assert metrics.reconstruction_robustness(0, epsilon=50) == 0
    at_infinity = metrics.reconstruction_robustness_renyi(0.01, epsilon=2, order=math.inf)
    assert at_infinity == pytest.approx(metrics.reconstruction_robustness(0.01, epsilon=2))


def test_randomized_response_reaches_the_generic_bound() -> None:
    """One bit, told truly with probability e^ε / (1 + e^ε): the success of believing it, and the bound on it."""
    for epsilon in (0.1, 1.0, 3.0):
        told = math.exp(epsilon) / (1 + math.exp(epsilon))
        assert told <= metrics.reconstruction_robustness(0.5, epsilon=epsilon)


def test_without_noise_nothing_is_promised_and_without_signal_the_guess_remains() -> None:
    assert metrics.reconstruction_robustness_gaussian(0.1, noise_multiplier=1e-6) == 1
    assert metrics.reconstruction_robustness_gaussian(0.1, noise_multiplier=1e9) == pytest.approx(0.1)
    assert metrics.reconstruction_robustness(0.1, epsilon=0) == pytest.approx(0.1)
    for wrong in (-0.1, 1.1, math.nan):
        with pytest.raises(MetricError, match="probability"):
            metrics.reconstruction_robustness(wrong, epsilon=1)
    with pytest.raises(MetricError, match="above 1"):
        metrics.reconstruction_robustness_renyi(0.1, epsilon=1, order=1)
    with pytest.raises(MetricError, match="above 0"):
        metrics.reconstruction_robustness_gaussian(0.1, noise_multiplier=0)
    with pytest.raises(MetricError, match="at least 0"):
        metrics.reconstruction_robustness(0.1, epsilon=-1)
