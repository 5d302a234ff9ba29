"""Divergences and information between distributions of classes, in nats unless another base is asked for."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments


def kl_divergence(estimated: Tensor, true: Tensor, *, base: float = math.e, per_class: bool = False) -> Tensor:
    """Return the divergence of each true distribution from its estimate, in nats. Metric `kl-divergence`.

    0 and up, lower is closer. Rows of both are probabilities (items, classes). Infinite where the estimate rules out
    what occurs; no constant is added. `base=2` gives bits; `per_class` divides by the number of classes, as the mean
    over elements in the code of Updates-Leak does.
    """
    arguments.probabilities(true, "true")
    arguments.probabilities(estimated, "estimated", like=true)
    divergences: Tensor = (torch.xlogy(true, true) - torch.xlogy(true, estimated)).sum(dim=1) / _unit(base)
    return divergences / true.shape[1] if per_class else divergences


def mutual_information(first: Tensor, second: Tensor, *, base: float = math.e) -> float:
    """Return how much two discrete variables tell of each other, in nats. Metric `mutual-information`; 0 and up.

    Both are classes (items,); probabilities are their shares in this sample, which for many classes and few items
    reads too high. Continuous data need an estimator, whose values do not compare with these; none is given here.
    """
    arguments.classes(first, "first")
    arguments.classes(second, "second", items=len(first))
    (_, rows), (_, columns) = first.unique(return_inverse=True), second.unique(return_inverse=True)
    joint = torch.zeros(int(rows.max()) + 1, int(columns.max()) + 1, dtype=torch.float64, device=first.device)
    joint.index_put_((rows, columns), torch.ones((), dtype=torch.float64, device=first.device), accumulate=True)
    joint /= len(first)
    apart = joint.sum(dim=1, keepdim=True) * joint.sum(dim=0, keepdim=True)
    # Rounding can leave what is 0 a hair below it.
    return max(0.0, float((torch.xlogy(joint, joint) - torch.xlogy(joint, apart)).sum()) / _unit(base))


def inception_score(probabilities: Tensor, *, splits: int = 10) -> Tensor:
    """Return the exponent of the mean divergence from the mean prediction, per split. Metric `inception-score`.

    Salimans and others (2016), from the class probabilities (items, classes) of generated images; it bears this name on
    the classes of their Inception network alone. The authors report mean and deviation over 10 parts of the images in
    the order given: `.mean()` and `.std(correction=0)` of what is returned. 1 to the number of classes, higher is
    better; private images play no part.
    """
    arguments.probabilities(probabilities, "probabilities")
    if not 1 <= splits <= len(probabilities):
        raise arguments.MetricError(f"splits must be from 1 to {len(probabilities)}, not {splits}")
    scores = []
    for number in range(splits):
        # The authors cut at whole shares, which may differ by an item.
        part = probabilities[number * len(probabilities) // splits : (number + 1) * len(probabilities) // splits]
        mean = part.mean(dim=0, keepdim=True)
        scores.append((torch.xlogy(part, part) - torch.xlogy(part, mean)).sum(dim=1).mean().exp())
    return torch.stack(scores)


def _unit(base: float) -> float:
    if not (base > 1 and math.isfinite(base)):
        raise arguments.MetricError(f"the base of the logarithm must be above 1, not {base}")
    return math.log(base)
