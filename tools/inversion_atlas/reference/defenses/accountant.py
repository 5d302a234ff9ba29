"""What DP-SGD costs: Rényi differential privacy of the sampled Gaussian mechanism, turned into epsilon."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp

# The orders that Opacus tries, so that both name the same epsilon.
ORDERS = (*(1 + tenth / 10 for tenth in range(1, 100)), *map(float, range(12, 64)))


def epsilon(*, noise_multiplier: float, sample_rate: float, steps: int, delta: float) -> float:
    """Return the epsilon of `steps` steps of DP-SGD at `delta`; infinite without noise.

    The divergence of each order adds up over steps (abadi2016deep counts moments, which is the same); the order with
    the least epsilon decides. The conversion is the one that Opacus uses, for which
    it names theorem 21 of arXiv 1905.09982: rho - (log delta + log a) / (a - 1) + log((a - 1) / a).
    """
    if not 0 < delta < 1 or steps < 0:
        raise ValueError(f"delta must be between 0 and 1 and steps not negative, not {delta} and {steps}")
    if noise_multiplier == 0:
        return math.inf
    spent = [
        steps * renyi(order, noise_multiplier=noise_multiplier, sample_rate=sample_rate)
        - (math.log(delta) + math.log(order)) / (order - 1)
        + math.log((order - 1) / order)
        for order in ORDERS
    ]
    return max(0.0, min(spent))


def renyi(order: float, *, noise_multiplier: float, sample_rate: float) -> float:
    """Return the Rényi divergence of one step, of an order above 1: log A / (order - 1).

    A is the mean over z, normal with deviation `noise_multiplier`, of (1 - q + q exp((2z - 1) / (2 sigma²)))**order,
    q being `sample_rate`. The integral is summed over a grid that is far finer than the integrand is wide.
    """
    if not order > 1 or not noise_multiplier > 0 or not 0 <= sample_rate <= 1:
        raise ValueError("order must be above 1, the noise multiplier positive and sample_rate from 0 to 1")
    if sample_rate == 0:
        return 0.0
    variance = noise_multiplier**2
    if sample_rate == 1:
        return order / (2 * variance)
    step = noise_multiplier / 10
    z = np.arange(-15 * noise_multiplier, order + 15 * noise_multiplier, step)
    mixture = np.logaddexp(math.log1p(-sample_rate), math.log(sample_rate) + (2 * z - 1) / (2 * variance))
    density = -(z**2) / (2 * variance) - 0.5 * math.log(2 * math.pi * variance)
    return max(0.0, float(logsumexp(order * mixture + density)) + math.log(step)) / (order - 1)
