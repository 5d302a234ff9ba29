"""Large batches scored a few items at a time: what fits a cache is worked through several times as fast."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# Numbers of each batch that are scored at once.
_AT_ONCE = 200_000


def in_parts(score: Callable[[Tensor, Tensor], Tensor], reconstruction: Tensor, original: Tensor) -> Tensor:
    """Return the scores (batch,) of two batches whose items are scored each by itself."""
    items = max(1, _AT_ONCE // original[0].numel())
    if len(original) <= items:
        return score(reconstruction, original)
    parts = zip(reconstruction.split(items), original.split(items), strict=True)
    return torch.cat([score(given, true) for given, true in parts])
