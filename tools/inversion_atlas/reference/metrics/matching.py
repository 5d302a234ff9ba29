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
    cost = torch.cdist(original.double().flatten(1), reconstruction.double().flatten(1)).square()
    _, columns = linear_sum_assignment(cost.cpu().numpy())
    return torch.as_tensor(columns, device=original.device)
