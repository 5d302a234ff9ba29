"""Which reconstruction belongs to which original of a batch, where the order is not known."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from inversion_atlas.reference.metrics import arguments


def match(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None) -> Tensor:
    """Return the order in which to read the reconstructions so that the total squared error is least.

    `reconstruction[match(reconstruction, original)]` stands beside `original`. It is never applied by a metric itself.
    """
    arguments.pair(reconstruction, original, data_range)
    return assignment(torch.cdist(original.double().flatten(1), reconstruction.double().flatten(1)).square())


def assignment(cost: Tensor) -> Tensor:
    """Return, for each original, which reconstruction to set beside it so that the total cost is least.

    `cost` (originals, reconstructions) is any distance, or a similarity such as ROUGE-1 with its sign turned.
    There must be as many reconstructions as originals or more; the further ones are left over.
    """
    arguments.features(cost, "cost")
    if cost.shape[1] < cost.shape[0]:
        raise arguments.MetricError(f"{cost.shape[1]} reconstructions cannot stand beside {cost.shape[0]} originals")
    _, columns = linear_sum_assignment(cost.detach().cpu().numpy())
    return torch.as_tensor(columns, device=cost.device)
