"""Upper bounds on how often any attacker can reconstruct a record, from what the mechanism guarantees.

Balle and others (2022): the attacker knows all records but one, and the prior of that one. `baseline` is the greatest
chance to be close enough without the mechanism's output, 1/m for an exact match among m equally likely candidates. All
bounds are probabilities; a success rate above one disproves the guarantee, the prior, or the measurement.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from inversion_atlas.reference.metrics.arguments import MetricError


def reconstruction_robustness(baseline: float, *, epsilon: float, delta: float = 0.0) -> float:
    """Return the bound that (epsilon, delta) differential privacy implies. Metric `reconstruction-robustness`.

    e^epsilon · baseline + delta, at most 1; lower is more private.
    """
    _chance(baseline)
    if not (epsilon >= 0 and 0 <= delta <= 1):
        raise MetricError(f"epsilon must be at least 0 and delta from 0 to 1, not {epsilon} and {delta}")
    return min(1.0, _times_exponential(baseline, epsilon) + delta)


def reconstruction_robustness_renyi(baseline: float, *, epsilon: float, order: float) -> float:
    """Return the bound that Rényi differential privacy of an order implies. Metric `reconstruction-robustness`.

    (e^epsilon · baseline)^((order - 1) / order), at most 1, epsilon that of the order: Hölder's inequality bounds an
    event's probability so, and the bound is concave in the baseline. Take the least over the orders that an accountant
    gives.
    """
    _chance(baseline)
    if not (epsilon >= 0 and order > 1):
        raise MetricError(f"epsilon must be at least 0 and the order above 1, not {epsilon} and {order}")
    share = 1.0 if math.isinf(order) else (order - 1) / order
    return min(1.0, math.pow(_times_exponential(baseline, epsilon), share))


def reconstruction_robustness_gaussian(baseline: float, *, noise_multiplier: float) -> float:
    """Return the bound for one release with Gaussian noise. Metric `reconstruction-robustness`.

    Φ(Φ⁻¹(baseline) + 1 / noise_multiplier), Φ the normal distribution: the power of the best test at the level of the
    baseline (the view of hypothesis testing; Hayes and others, 2023, bound DP-SGD by the same test). The noise's
    deviation is `noise_multiplier` times the most that the one record can move the release. Several releases with the
    same noise count as one with that noise over the root of their number; subsampling is not accounted for.
    """
    _chance(baseline)
    if not noise_multiplier > 0:
        raise MetricError(f"noise_multiplier must be above 0, not {noise_multiplier}")
    if baseline in (0, 1):
        return float(baseline)
    normal = NormalDist()
    return normal.cdf(normal.inv_cdf(baseline) + 1 / noise_multiplier)


def _chance(baseline: float) -> None:
    if not 0 <= baseline <= 1:
        raise MetricError(f"baseline must be a probability, not {baseline}")


def _times_exponential(baseline: float, epsilon: float) -> float:
    """e^epsilon · baseline, cut at 1 before it overflows."""
    return 0.0 if baseline == 0 else math.exp(min(0.0, epsilon + math.log(baseline)))
